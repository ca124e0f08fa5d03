"""What sessions ask of a database, by the server's own log."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab.databases import ask, is_mysql, run

LOOK = "SHOW data_directory"


async def log(dsn: str, *, on: bool = True) -> None:
    """Have the server keep what new sessions ask."""
    name = urlsplit(dsn).path[1:]
    if is_mysql(dsn):
        await run(dsn, "SET GLOBAL log_output = 'TABLE'", f"SET GLOBAL general_log = {int(on)}")
    elif on:
        await run(dsn, f"ALTER DATABASE \"{name}\" SET log_statement = 'all'")
    else:
        await run(dsn, f'ALTER DATABASE "{name}" RESET log_statement')


async def asked(dsn: str) -> list[str]:
    """What the sessions that are logged have asked so far, but for our own looks: the first line of each."""
    if is_mysql(dsn):
        said = await ask(
            dsn,
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
            " WHERE command_type = 'Query' AND thread_id IN"
            " (SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID())"
            " ORDER BY event_time",
        )
        return [str(argument) for (argument,) in said]
    ((data,),) = await ask(dsn, LOOK)
    told = (Path(data).parent / "log").read_text()
    return [line for line in re.findall(r"LOG:  (?:statement|execute \S+): (.*)", told) if line != LOOK]
