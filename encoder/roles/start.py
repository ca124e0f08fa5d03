"""How every role begins, and how it tells spans."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from encoder import __version__, errors, signals, tracing
from encoder.log import LogFormat, configure, get_logger
from encoder.settings import Settings
from encoder.wiring.machine import Machine

log = get_logger(__name__)


def prepare(settings: Settings, *, role: str, worker: bool) -> None:
    """What every role with a database does first."""
    begin(settings, role=role)
    Machine(settings).require(worker=worker)


def begin(settings: Settings, *, role: str) -> None:
    """What every role does first. Until it listens to signals itself, SIGTERM cancels it: what is open is closed."""
    configure(LogFormat(settings.log_format), settings.log_level, role=role)
    if names := settings.misnamed:
        log.warning("settings.unknown", names=names)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))  # a dump of our memory would hold keys and callers' secrets
    gc.freeze()  # what was loaded stays: looked through again and again, it would halt the loop for 50 ms each time
    signals.cancel(signal.SIGTERM)


@asynccontextmanager
async def traced(settings: Settings, *, role: str) -> AsyncIterator[None]:
    """Tell spans where that is asked for; what is left of them is sent off at the end.

    Raises:
        errors.Unfit: the extra is not installed.
    """
    if settings.traces == "off":
        yield
        return
    try:
        from encoder.otel import Otel  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise errors.Unfit(
            "ENCODER_TRACES is `otlp`: run `pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`."
        ) from error
    otel = Otel.of_process(role=role, version=__version__, host=socket.gethostname())
    tracing.tell(otel)
    try:
        yield
    finally:
        tracing.tell(None)
        await asyncio.to_thread(otel.close)
