"""The two schemas say the same: table by table, column by column, in PostgreSQL's words and in MySQL's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.resources import files

import pytest

TYPES = {
    "bigint": {"bigint"},
    "integer": {"int"},
    "smallint": {"smallint"},
    "boolean": {"boolean"},
    "timestamptz": {"datetime(6)"},
    "date": {"date"},
    "double": {"double"},
    "uuid": {"binary(16)"},
    "bytea": {"longblob", "varbinary"},
    "text": {"varchar", "text", "longtext", "varbinary"},
    "text[]": {"longtext"},
    "json": {"longtext"},
}
BYTES = {"idempotency_key"}  # callers' names that must be told apart; texts would compare without blanks at their end
IN_JSON = {"json", "text[]"}  # the server checks that it is
OF_MYSQL_ALONE = {"job_tags"}
COLUMNS_OF_MYSQL_ALONE = {("queues", "next_seq")}  # in place of a sequence
INDEXES_OF_POSTGRES_ALONE = {"jobs_by_tag", "jobs_hidden"}  # in their places job_tags_pk; jobs_by_state, which has all


@dataclass(kw_only=True)
class Column:
    kind: str
    required: bool
    default: str | None
    remark: str


@dataclass(kw_only=True)
class Table:
    remark: str
    columns: dict[str, Column] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)  # constraints and indexes
    text: str = ""


def schema(engine: str) -> dict[str, Table]:
    text = files("encoder.store").joinpath("sql", engine, "schema.sql").read_text(encoding="utf-8")
    tables: dict[str, Table] = {}
    for found in re.finditer(
        r"((?:^--[^\n]*\n)+)CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL
    ):
        remark, name, body = found.groups()
        table = Table(remark=re.sub(r"\s*\n-- ", " ", remark).strip(), text=body)
        for line in body.splitlines():
            column = re.match(r"  `?([a-z_]+)`? ([a-z]+(?:\(\d+\))?(?:\[\])?)( [^-]*)?,?\s*(?:-- (.*))?$", line)
            if column is None:
                continue
            words = column[3] or ""
            default = re.search(r"(?<!BY )DEFAULT ([^ ,]+)", words)
            table.columns[column[1]] = Column(
                kind=column[2],
                required="NOT NULL" in words or "PRIMARY KEY" in words,
                default=default and default[1],
                remark=column[4] or "",
            )
        table.named = set(re.findall(r"(?:CONSTRAINT|INDEX) (\w+)", body))
        tables[name] = table
    for index, name in re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+) ON (\w+)", text):
        tables[name].named.add(index)
    return tables


POSTGRES, MYSQL = schema("postgres"), schema("mysql")


def test_the_tables_are_the_same() -> None:
    assert len(POSTGRES) >= 10
    assert set(MYSQL) - OF_MYSQL_ALONE == set(POSTGRES)


@pytest.mark.parametrize("name", POSTGRES)
def test_a_table_has_the_same_columns_in_the_same_order(name: str) -> None:
    assert [column for column in MYSQL[name].columns if (name, column) not in COLUMNS_OF_MYSQL_ALONE] == list(
        POSTGRES[name].columns
    )
    assert len(POSTGRES[name].columns) >= 2


@pytest.mark.parametrize("name", POSTGRES)
def test_a_column_holds_the_same_and_is_as_necessary(name: str) -> None:
    for column, ours in POSTGRES[name].columns.items():
        twin = MYSQL[name].columns[column]
        where = f"{name}.{column}"
        assert twin.kind.split("(")[0] in {each.split("(")[0] for each in TYPES[ours.kind]}, where
        assert twin.kind in TYPES[ours.kind] or "(" not in "".join(TYPES[ours.kind]), where
        assert twin.required == ours.required, where
        if ours.kind == "text":
            assert (twin.kind.startswith("varbinary")) == (column in BYTES), where
        if ours.default not in {None, "now()", "'{}'"}:
            assert twin.default == ours.default, where


@pytest.mark.parametrize("name", POSTGRES)
def test_json_is_json_on_both(name: str) -> None:
    checked = set(re.findall(r"json_valid\((\w+)\)", MYSQL[name].text))
    assert checked == {column for column, ours in POSTGRES[name].columns.items() if ours.kind in IN_JSON}


@pytest.mark.parametrize("name", POSTGRES)
def test_constraints_and_indexes_have_the_same_names(name: str) -> None:
    extra = {f"{name}_json"} if "json_valid" in MYSQL[name].text else set()
    assert MYSQL[name].named - extra == POSTGRES[name].named - INDEXES_OF_POSTGRES_ALONE


@pytest.mark.parametrize("name", POSTGRES)
def test_states_that_are_known_are_the_same(name: str) -> None:
    def known(table: Table) -> list[set[str]]:
        return [
            set(re.findall(r"'(\w+)'", words)) for words in re.findall(r"state IN \((.*?)\)", table.text, re.DOTALL)
        ]

    assert known(MYSQL[name]) == known(POSTGRES[name])


@pytest.mark.parametrize("name", POSTGRES)
def test_a_column_is_explained_in_the_same_words(name: str) -> None:
    """But for what one database alone must say."""
    for column, ours in POSTGRES[name].columns.items():
        assert ours.remark in {"", MYSQL[name].columns[column].remark} or column == "tags", f"{name}.{column}"


def test_every_table_is_explained() -> None:
    for name, table in MYSQL.items():
        assert table.remark.startswith("-- "), name
        if name in POSTGRES:
            assert table.remark.split(". ")[0] == POSTGRES[name].remark.split(". ")[0], name


def test_every_statement_may_run_twice() -> None:
    """The server commits with each; a start that was killed in between is taken up again."""
    text = files("encoder.store").joinpath("sql", "mysql", "schema.sql").read_text(encoding="utf-8")
    statements = re.findall(r"^(?!--|  |\)|\n)\S.*$", text, re.MULTILINE)
    assert len(statements) == len(MYSQL) + 1
    assert all(
        statement.startswith(("CREATE TABLE IF NOT EXISTS ", "INSERT IGNORE INTO queues ")) for statement in statements
    )
    assert text.count("COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;") == len(MYSQL)
