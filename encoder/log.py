"""Logs: an event's name and its fields, one line each.

People get a console on standard error, machines get JSON, of a role that serves on standard output: `ts`, `level`,
`event`, `role`, `host`, `version`, then what is bound and the event's own. What is bound with `bound(...)` (job, task,
request) stands on every line of the asyncio task that bound it, and with `trace_id` the trace that it is in.

No secret, no query of a URL and, at info, no name of a caller's file is handed to a logger: nothing is filtered here.
"""

from __future__ import annotations

import logging
import socket
import sys
from enum import StrEnum
from functools import partial
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from encoder import __version__, tracing

bound = structlog.contextvars.bound_contextvars
bind = structlog.contextvars.bind_contextvars  # until the asyncio task ends

_SERVING = frozenset({"up", "api", "worker", "retention"})  # whose standard output has nothing else
_FIRST = ("ts", "level", "event", "role", "host", "version")


class LogFormat(StrEnum):
    AUTO = "auto"  # console on a terminal, JSON elsewhere
    CONSOLE = "console"
    JSON = "json"


class _Printer(structlog.PrintLogger):
    """Knows the name that its module gave it, so that a line can tell where it comes from."""

    def __init__(self, name: str = "encoder", *, to: TextIO | None = None) -> None:
        super().__init__(to or sys.stderr)
        self.name = name


def get_logger(name: str) -> FilteringBoundLogger:
    """The logger of the module `name`; made at import, it obeys a later `configure`."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def is_for_people(log_format: LogFormat) -> bool:
    """Whether what is said in plain words has a reader: on standard error, beside the log."""
    return log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and sys.stderr.isatty())


def configure(
    log_format: LogFormat = LogFormat.AUTO, level: str = "info", *, role: str = "cli", prints: bool = False
) -> None:
    """Sets the process's logging once, at its start. `level`: debug, info, warning or error.

    `prints`: standard output has something else, whatever the role.

    What foreign libraries log (aiohttp, asyncio) passes through the same renderer, from warning upward.
    """
    for_people = is_for_people(log_format)
    to = sys.stdout if role in _SERVING and not (for_people or prints) else sys.stderr
    shared = [*_SHARED, *([] if for_people else [_process_named(role)])]
    renderers = _for_people() if for_people else _FOR_MACHINES
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=partial(_Printer, to=to),
        cache_logger_on_first_use=False,  # modules make theirs before the process knows its settings
    )
    _adopt_foreign(shared, renderers, max(number, logging.WARNING), to)


def _traced(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    trace_id = tracing.trace_id()
    return event if trace_id is None else {**event, "trace_id": trace_id}


def _process_named(role: str) -> Processor:
    named = {"role": role, "host": socket.gethostname(), "version": __version__}
    return lambda _logger, _method, event: {**event, **named}


def _in_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**{name: event[name] for name in _FIRST if name in event}, **event}


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _traced,
    structlog.processors.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
]
_FOR_MACHINES: list[Processor] = [
    structlog.processors.format_exc_info,
    _in_order,
    structlog.processors.JSONRenderer(),
]


def _for_people() -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, timestamp_key="ts"
        )
    ]


def _adopt_foreign(shared: list[Processor], renderers: list[Processor], level: int, to: TextIO) -> None:
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
