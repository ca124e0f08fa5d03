"""The databases that can be the store, by how their addresses begin; a driver is loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

from encoder import errors
from encoder.store.protocol import Store
from encoder.store.restored import Restored
from encoder.store.steps import Schema

POSTGRES = ("postgresql", "postgres")
MYSQL = ("mysql",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What about a server is not as it should be, and what to do."""

    told: str
    to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database's server: what it calls itself, and what is wrong with it."""

    name: str
    faults: Sequence[Fault] = ()


async def open_store(
    dsn: str, *, listen_dsn: str | None = None, pool_size: int | None = None, auto_migrate: bool = True
) -> Store:
    """Open a database, its schema made or brought up to date; without `auto_migrate` it must be so already.

    `listen_dsn`: for PostgreSQL alone.

    Raises:
        errors.SchemaUnfit: its schema is not for this program, or not yet.
        errors.StoreUnavailable: it cannot be reached.
        errors.Unfit: its address is none, or its server cannot be used.
    """
    if _scheme(dsn) in MYSQL:
        from encoder.store import mysql  # noqa: PLC0415  # see above

        return await mysql.open_store(dsn, auto_migrate=auto_migrate, **_size(pool_size))
    from encoder.store import postgres  # noqa: PLC0415  # see above

    return await postgres.open_store(dsn, listen_dsn=listen_dsn, auto_migrate=auto_migrate, **_size(pool_size))


async def upgrade(dsn: str) -> int:
    """Bring a database to this program's version; the version that it has then. Raises as `open_store`."""
    if _scheme(dsn) in MYSQL:
        from encoder.store import mysql  # noqa: PLC0415  # see above

        return await mysql.upgrade(dsn)
    from encoder.store import postgres  # noqa: PLC0415  # see above

    return await postgres.upgrade(dsn)


async def check(dsn: str) -> Schema:
    """The schema of a database beside ours; nothing is changed. Raises as `open_store`."""
    if _scheme(dsn) in MYSQL:
        from encoder.store import mysql  # noqa: PLC0415  # see above

        return await mysql.check(dsn)
    from encoder.store import postgres  # noqa: PLC0415  # see above

    return await postgres.check(dsn)


async def server(dsn: str, *, listen_dsn: str | None = None) -> Server:
    """What the server is and how it is set up, as far as that can be seen from here. Raises as `open_store`."""
    if _scheme(dsn) in MYSQL:
        from encoder.store.mysql import health as of_mysql  # noqa: PLC0415  # see above

        return await of_mysql.server(dsn)
    from encoder.store.postgres import health  # noqa: PLC0415  # see above

    return await health.server(dsn, listen_dsn=listen_dsn)


def restored(dsn: str) -> AbstractAsyncContextManager[Restored]:
    """A database that was brought back to a moment before. Raises as `open_store`."""
    if _scheme(dsn) in MYSQL:
        from encoder.store.mysql import restored as of_mysql  # noqa: PLC0415  # see above

        return of_mysql.restored(dsn)
    from encoder.store.postgres import restored as of_postgres  # noqa: PLC0415  # see above

    return of_postgres.restored(dsn)


def has_hints(dsn: str) -> bool:
    """Whether a hint reaches other processes; else they look by themselves."""
    return _scheme(dsn) in POSTGRES


def _scheme(dsn: str) -> str:
    """Raises:
    errors.Unfit: no database of ours.
    """
    scheme = urlsplit(dsn).scheme
    if scheme in {*POSTGRES, *MYSQL}:
        return scheme
    raise errors.Unfit("ENCODER_DATABASE_URL must begin with `postgresql://` or `mysql://`.")


def _size(pool_size: int | None) -> dict[str, int]:
    return {} if pool_size is None else {"pool_size": pool_size}
