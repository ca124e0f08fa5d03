"""What a step of the schema may say: nothing that keeps a table from those who work, and all of it twice.

In place of a linter of PostgreSQL alone (squawk): these know what each database of ours can do beside its writers.
"""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from encoder import errors
from encoder.store import steps
from encoder.store.mysql import migrate as mysql
from encoder.store.postgres import migrate as postgres
from encoder.store.steps import HOT, HOT_WAIT_S, ONLINE, WAIT_S, Schema, TableBusy, lock_wait_s, tried
from encoder.store.text import statements

_TYPE = r"[a-z]+(?:\(\d+\))?(?: unsigned)?"
_CONSTANT = r"(?:-?\d+|'[^']*'|true|false)"
_COLUMN = rf"\w+ {_TYPE}(?:(?: NOT NULL)? DEFAULT {_CONSTANT})?"
ALLOWED = {
    "postgres": (
        r"CREATE TABLE IF NOT EXISTS \w+ \(.*\)(?: WITH \([^()]*\))?",
        rf"ALTER TABLE \w+ ADD COLUMN IF NOT EXISTS {_COLUMN}",
        r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS \w+ ON (?P<old>\w+) .*",
        r"CREATE (?:UNIQUE )?INDEX IF NOT EXISTS \w+ ON (?P<new>\w+) .*",
        r"ALTER TABLE \w+ VALIDATE CONSTRAINT \w+",
        r"INSERT INTO \w+ .* ON CONFLICT .*DO NOTHING",
    ),
    "mysql": (
        r"CREATE TABLE IF NOT EXISTS \w+ \(.*\) ENGINE = InnoDB .*",
        rf"ALTER TABLE \w+ ADD COLUMN {_COLUMN}, ALGORITHM=INSTANT",
        r"CREATE (?:UNIQUE )?INDEX \w+ ON (?P<old>\w+) \([^()]*\) ALGORITHM=INPLACE LOCK=NONE",
        r"INSERT IGNORE INTO \w+ .*",
    ),
}


def faults(engine: str, step: str) -> list[str]:
    """The statements that may not be in a step."""
    made = set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", step))
    return [statement for statement in statements(step) if not _fits(engine, " ".join(statement.split()), made)]


def _fits(engine: str, statement: str, made: set[str]) -> bool:
    for form in ALLOWED[engine]:
        found = re.fullmatch(form, statement)
        if found is not None:
            named = found.groupdict()
            return named.get("new") is None or named["new"] in made
    return False


def online(engine: str) -> dict[int, str]:
    """The steps that are taken beside those who work."""
    folder = files("encoder.store").joinpath("sql", engine)
    found = {file.name: re.fullmatch(r"step_(\d+)\.sql", file.name) for file in folder.iterdir()}
    numbers = {int(match[1]): name for name, match in found.items() if match is not None}
    return {number: folder.joinpath(name).read_text() for number, name in numbers.items() if number >= ONLINE}


@pytest.mark.parametrize("engine", ALLOWED)
def test_a_step_only_adds_beside_those_who_work_and_may_be_taken_twice(engine: str) -> None:
    assert online(engine)
    for number, step in online(engine).items():
        assert faults(engine, step) == [], number


@pytest.mark.parametrize(
    ("engine", "statement"),
    [
        ("postgres", "CREATE TABLE more (n integer)"),
        ("postgres", "ALTER TABLE jobs ADD COLUMN more integer"),
        ("postgres", "ALTER TABLE jobs ADD COLUMN IF NOT EXISTS more integer NOT NULL"),
        ("postgres", "ALTER TABLE jobs ADD COLUMN IF NOT EXISTS more timestamptz NOT NULL DEFAULT now()"),
        ("postgres", "ALTER TABLE jobs ADD COLUMN IF NOT EXISTS more integer CHECK (more > 0)"),
        ("postgres", "CREATE INDEX IF NOT EXISTS jobs_more ON jobs (run)"),
        ("postgres", "CREATE INDEX CONCURRENTLY jobs_more ON jobs (run)"),
        ("postgres", "ALTER TABLE jobs ADD CONSTRAINT jobs_run CHECK (run > 0)"),
        ("postgres", "ALTER TABLE jobs DROP COLUMN run"),
        ("postgres", "ALTER TABLE jobs ALTER COLUMN run TYPE bigint"),
        ("postgres", "UPDATE jobs SET run = 1"),
        ("postgres", "INSERT INTO queues (queue) VALUES ('more')"),
        ("mysql", "ALTER TABLE jobs ADD COLUMN more int"),
        ("mysql", "ALTER TABLE jobs ADD COLUMN more int, ALGORITHM=COPY"),
        ("mysql", "CREATE INDEX jobs_more ON jobs (run)"),
        ("mysql", "ALTER TABLE jobs MODIFY run bigint"),
        ("mysql", "DELETE FROM task_ready"),
    ],
)
def test_what_would_keep_a_table_from_others_or_cannot_be_said_twice_is_no_part_of_a_step(
    engine: str, statement: str
) -> None:
    assert faults(engine, f"-- A step.\n{statement};\n") == [statement]


def test_each_step_says_which_programs_go_on_after_it_and_on_both_databases_the_same() -> None:
    ours, theirs = online("postgres"), online("mysql")
    assert ours.keys() == theirs.keys() == set(range(ONLINE, postgres.VERSION + 1))
    for number, step in ours.items():
        oldest = steps.compatible_from(step)
        assert 1 < oldest < number, f"step {number}: `-- compatible from: N`, that of the release before or older"
        assert steps.compatible_from(theirs[number]) == oldest
    assert postgres.VERSION == mysql.VERSION


@pytest.mark.parametrize(
    ("statement", "wait_s"),
    [
        ("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS more integer", HOT_WAIT_S),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i\n  ON task_leases (worker_id)", HOT_WAIT_S),
        ("ALTER TABLE presets ADD COLUMN IF NOT EXISTS more integer", WAIT_S),
        ("CREATE TABLE IF NOT EXISTS more (n integer)", WAIT_S),
        ("UPDATE tasks SET weight = 1", HOT_WAIT_S),
    ],
)
def test_a_statement_stands_before_a_hot_table_for_a_second_at_most(statement: str, wait_s: int) -> None:
    assert lock_wait_s(statement) == wait_s


def test_the_hot_tables_are_tables() -> None:
    schema = files("encoder.store").joinpath("sql", "postgres", "schema.sql").read_text()
    assert all(f"CREATE TABLE {table} (" in schema for table in HOT)


@pytest.mark.parametrize(("busy", "done"), [(0, True), (19, True), (20, False)])
async def test_a_table_is_asked_for_twenty_times(monkeypatch: pytest.MonkeyPatch, busy: int, *, done: bool) -> None:
    monkeypatch.setattr(steps, "_PAUSE_S", (0, 0))
    asked: list[str] = []

    async def take(statement: str) -> None:
        asked.append(statement)
        if len(asked) <= busy:
            raise TableBusy("canceling statement due to lock timeout")

    if done:
        await tried(take, "ALTER")
    else:
        with pytest.raises(errors.StoreUnavailable, match="in use at each of 20 tries"):
            await tried(take, "ALTER")
    assert len(asked) == min(busy + 1, 20)


@pytest.mark.parametrize(
    ("version", "compatible_from", "told"),
    [
        (7, 6, None),
        (9, 7, None),
        (6, 1, "schema 6, need 7"),
        (0, 1, "schema 0, need 7"),
        (9, 8, "schema 9, which is for programs from schema 8 on, this one is of 7"),
    ],
)
def test_a_program_uses_the_schemas_that_are_for_it(version: int, compatible_from: int, told: str | None) -> None:
    schema = Schema(version=version, compatible_from=compatible_from, ours=7)
    if told is None:
        schema.require_fit()
    else:
        with pytest.raises(errors.SchemaUnfit, match=told):
            schema.require_fit()
