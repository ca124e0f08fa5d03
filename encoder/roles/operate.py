"""What an operator asks, or has done: each comes to its end by itself, but for retention in a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from encoder import errors, signals
from encoder.doctor import Finding, examine
from encoder.embedded.home import Home
from encoder.embedded.postgres import Postgres
from encoder.log import LogFormat, configure, get_logger
from encoder.mend import after_restore
from encoder.queue.rewrap import Rewrapped, rewrap
from encoder.retention.rounds import rounds
from encoder.retention.survey import Survey, survey
from encoder.retention.sweep import Report
from encoder.roles import reach
from encoder.settings import Settings
from encoder.store.engines import check, open_store, upgrade
from encoder.store.protocol import Store
from encoder.store.steps import Schema
from encoder.vault import Vault
from encoder.wiring.machine import Machine

T = TypeVar("T")

log = get_logger(__name__)


async def run_doctor(settings: Settings, *, data: Path) -> list[Finding]:
    """What is wrong with this machine and these settings, and what to do about it. `data`: as in `on_store`."""
    configure(LogFormat(settings.log_format), "error")
    home = Home(data)
    if settings.database_url is not None or not home.postgres.exists():
        return await examine(settings)
    async with Postgres(home.postgres).reached() as dsn:
        at_home = reach.at_home(settings, home, None)
        return await examine(at_home.model_copy(update={"database_url": SecretStr(dsn)}))


async def run_retention(
    settings: Settings,
    *,
    data: Path,
    most_s: float | None,
    every_s: float | None,
    told: Callable[[Report], None] | None,
) -> Report | None:
    """Clear away what has had its time: once, for `most_s` at most; or every so often, until SIGTERM or SIGINT.

    `told` hears of each sweep, and prints it: what is logged goes to standard error then. The last one comes back, if
    it ended by itself. `data`: as in `on_store`.
    """
    configure(LogFormat(settings.log_format), settings.log_level, role="retention", prints=told is not None)
    signals.cancel(*signals.ENDING)
    settings = reach.with_home(settings, data)
    hear = told or (lambda _report: None)

    async def once(store: Store) -> Report:
        report = await Machine(settings).sweep(store).run(most_s=most_s)
        hear(report)
        return report

    if every_s is None:
        return await _on_opened(settings, once, data)
    with suppress(asyncio.CancelledError):
        async with reach.reached(settings, data) as dsn:
            named = settings.model_copy(update={"database_url": SecretStr(dsn)})
            async with reach.awaited(named, None) as store:  # waited for, as by all who stay
                await rounds(Machine(named).sweep(store), every_s=every_s, most_s=most_s, told=hear)
    return None


async def run_survey(settings: Settings, *, data: Path) -> Survey:
    """What a sweep would remove; nothing is changed. `data`: as in `on_store`."""
    configure(LogFormat(settings.log_format), "error")
    settings = reach.with_home(settings, data)
    return await _on_opened(settings, lambda store: survey(Machine(settings).sweep(store)), data)


async def run_migrate(settings: Settings) -> int:
    """Create or upgrade the tables, and end. A database that is away is an error: a deployment waits for this."""
    configure(LogFormat(settings.log_format), settings.log_level, role="migrate")
    version = await upgrade(reach.address(settings))
    log.info("migrate.done", schema=version)
    return 0


async def run_migrate_check(settings: Settings) -> Schema:
    """The schema of the database beside the one of this program; nothing is changed."""
    configure(LogFormat(settings.log_format), settings.log_level)
    return await check(reach.address(settings))


async def run_after_restore(settings: Settings, *, data: Path) -> list[Finding]:
    """Make a database that was brought back to a moment before fit for roles, and look for what the storage lacks.

    `data`: as in `on_store`.
    """
    configure(LogFormat(settings.log_format), "error")
    async with reach.reached(settings, data) as dsn:
        return await after_restore(
            reach.at_home(settings, Home(data), None) if settings.database_url is None else settings, dsn
        )


async def run_rewrap(settings: Settings, *, data: Path) -> Rewrapped:
    """All that is sealed in the database is wrapped anew by the first key. `data`: as in `on_store`."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    if not keys:
        old = Home(data).folder / "secret-key"
        raise errors.Unfit(f"ENCODER_SECRET_KEYS is not set: name the new key, then the old one (`encoder up`: {old}).")
    vault = Vault(keys)
    return await on_store(settings, lambda store: rewrap(store, vault), data=data)


async def on_store(settings: Settings, body: Callable[[Store], Awaitable[T]], *, data: Path | None = None) -> T:
    """What an operator does on the database itself: opened for `body`, and closed.

    `data`: the folder of `encoder up`, whose own database it is where none is named.
    """
    configure(LogFormat(settings.log_format), "error")
    return await _on_opened(settings, body, data)


async def _on_opened(settings: Settings, body: Callable[[Store], Awaitable[T]], data: Path | None) -> T:
    """As `on_store`, whatever is logged."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(reach.reached(settings, data))
        store = await open_store(dsn, auto_migrate=settings.auto_migrate)
        stack.push_async_callback(store.close)
        return await body(store)
