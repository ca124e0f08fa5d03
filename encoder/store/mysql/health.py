"""How a server is set up, as far as a session sees it, and what of that we need (docs/operate/databases.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from encoder import errors
from encoder.store.engines import Fault, Server
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, connect, translated
from encoder.store.mysql.migrate import require_fit
from encoder.store.mysql.sql import Query

LEAST_PACKET_BYTES = 16 * 1024 * 1024  # one log of ffmpeg, one plan with its proof: far less, each

_VARIABLES = Query.of("SHOW GLOBAL VARIABLES")
_INNODB = Query.of(
    "SELECT COUNT(*) AS others FROM information_schema.tables WHERE table_schema = DATABASE() AND engine <> 'InnoDB'"
)

_LOOKS: tuple[tuple[str, Callable[[str], bool], Callable[[str], Fault]], ...] = (
    (
        "max_allowed_packet",
        lambda value: int(value) >= LEAST_PACKET_BYTES,
        lambda value: Fault(
            told=f"max_allowed_packet is {int(value) // 1024} KiB: a long log or plan cannot be stored",
            to_do="Set max_allowed_packet to 16M or more.",
        ),
    ),
    (
        "innodb_flush_log_at_trx_commit",
        lambda value: value == "1",
        lambda value: Fault(
            told=f"innodb_flush_log_at_trx_commit is {value}: a crash of the server forgets jobs that were accepted",
            to_do="Set innodb_flush_log_at_trx_commit to 1.",
        ),
    ),
    (
        "read_only",
        lambda value: value in {"OFF", "0"},
        lambda _value: Fault(told="the server is read-only, a replica perhaps", to_do="Name the primary's address."),
    ),
)


async def server(dsn: str) -> Server:
    """What it is, and what is wrong with it.

    Raises:
        errors.StoreUnavailable: it cannot be reached.
    """
    with translated():
        connection = await connect(Address.of(dsn))
        try:
            try:
                name = await require_fit(connection)
            except errors.Unfit as error:
                return Server(name="MySQL", faults=(Fault(told=str(error), to_do="Use a server that is fit."),))
            return Server(name=name, faults=(*_set_up(await _variables(connection)), *await _engines(connection)))
        finally:
            connection.close()


async def _variables(connection: Connection) -> Mapping[str, str]:
    return {str(row["Variable_name"]): str(row["Value"]) for row in await connection.ask(_VARIABLES)}


def _set_up(variables: Mapping[str, str]) -> list[Fault]:
    return [
        fault(variables[name]) for name, is_good, fault in _LOOKS if name in variables and not is_good(variables[name])
    ]


async def _engines(connection: Connection) -> list[Fault]:
    (found,) = await connection.ask(_INNODB)
    told = "some of the tables are not InnoDB: nothing there is rolled back"
    return [Fault(told=told, to_do="ALTER TABLE … ENGINE = InnoDB for each.")] if found["others"] else []
