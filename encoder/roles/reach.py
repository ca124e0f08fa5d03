"""The database that a role or a command means, and what lies beside it in the folder of `encoder up`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from encoder import errors
from encoder.api.waiting import waiting
from encoder.embedded.home import Home
from encoder.embedded.postgres import Postgres
from encoder.log import get_logger
from encoder.model.plan import Note
from encoder.settings import Settings
from encoder.store.engines import open_store
from encoder.store.protocol import Store
from encoder.vault import new_key

log = get_logger(__name__)

RECONNECT_S = 1.0


def address(settings: Settings) -> str:
    if settings.database_url is None:
        raise errors.Unfit("ENCODER_DATABASE_URL is not set; only `encoder up` brings a database of its own.")
    return settings.database_url.get_secret_value()


@asynccontextmanager
async def reached(settings: Settings, data: Path | None) -> AsyncIterator[str]:
    """The address of the database that is named, else of the one in `data`."""
    at_home = None if data is None else Home(data).postgres
    if settings.database_url is None and at_home is not None and at_home.exists():
        async with Postgres(at_home).reached() as dsn:
            yield dsn
    else:
        yield address(settings)


@asynccontextmanager
async def awaited(settings: Settings, door: socket.socket | None) -> AsyncIterator[Store]:
    """The database, its tables up to date; waited for as long as it is away, or not for us to bring up to date.

    `door`: where the role answers later, and says meanwhile that it lives and what it waits for.
    """
    store = await _opened(settings, door)
    try:
        yield store
    finally:
        await store.close()


async def _opened(settings: Settings, door: socket.socket | None) -> Store:
    dsn = address(settings)
    listen = settings.listen_url.get_secret_value() if settings.listen_url else None
    reasons: list[Note] = []
    async with AsyncExitStack() as meanwhile:
        while True:
            try:
                return await open_store(dsn, listen_dsn=listen, auto_migrate=settings.auto_migrate)
            except errors.StoreUnavailable as error:
                log.warning("database.away", reason=str(error))
                reasons[:] = [_why(error)]
            if door is not None:
                await meanwhile.enter_async_context(waiting(door, reasons))
                door = None
            await asyncio.sleep(RECONNECT_S)


def _why(error: errors.StoreUnavailable) -> Note:
    """For whoever may ask: no more than that, for an address or a name may stand in what the driver says."""
    if isinstance(error, errors.SchemaUnfit):
        return Note(code="schema_unfit", message=f"The database has {error}.")
    return Note(code="database_unavailable", message="The database does not answer.")


def at_home(settings: Settings, home: Home, host: str | None) -> Settings:
    """What was not set lies in the data folder."""
    update: dict[str, object] = {"host": host or settings.host}
    if "storage" not in settings.model_fields_set:
        update["storage"] = f"file:{home.storage}"
    if settings.scratch_dir is None:
        update["scratch_dir"] = home.scratch
    if not settings.secret_keys:
        update["secret_keys"] = (SecretStr(home.secret_key(new_key)),)
    if not settings.webhook_secret:
        update["webhook_secret"] = (SecretStr(home.webhook_secret()),)
    return settings.model_copy(update=update)


def with_home(settings: Settings, data: Path) -> Settings:
    """With the storage of `encoder up`, where it is its database that is meant."""
    home = Home(data)
    if settings.database_url is not None or "storage" in settings.model_fields_set or not home.postgres.exists():
        return settings
    return settings.model_copy(update={"storage": f"file:{home.storage}"})
