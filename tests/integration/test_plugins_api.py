"""A kind that somebody else wrote and installed: in the API's document, checked, and discreet with its secrets.

The example's own tests run the contract suites over it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from encoder.store.postgres import PostgresStore
from tests.lab.api import Api, running
from tests.lab.plugin import installed

SECRET = "S3nt1nel"
URL = "http://127.77.0.1:8080/dav/in.mov"
WEBDAV: dict[str, Any] = {"kind": "webdav", "url": URL, "token": SECRET}
TO = {"kind": "webdav", "url": "http://127.77.0.1:8080/dav/{sourceName}.mp4", "username": "me", "password": SECRET}
JOB: dict[str, Any] = {"source": WEBDAV, "outputs": [{"preset": "h264", "destination": TO}]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("plugin"))


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.syspath_prepend(str(site))
    async with running(store, tmp_path) as up:
        yield up


async def test_its_members_stand_in_the_document_of_the_api(api: Api) -> None:
    document = await api.get("/openapi.json")
    validate(document)
    takes = OAS31Validator({"$ref": "#/components/schemas/Job", "components": document["components"]})
    assert [error.message for error in takes.iter_errors(JOB)] == []
    for wrong in (WEBDAV | {"urll": "x"}, WEBDAV | {"url": 1}, {"kind": "webdav"}, WEBDAV | {"kind": "webdavs"}):
        assert not takes.is_valid(JOB | {"source": wrong})
    source = document["components"]["schemas"]["WebdavSource"]
    assert source["properties"]["token"]["description"] == "in place of username and password"


async def test_a_job_with_it_is_taken_in_and_shows_none_of_its_secrets(api: Api, dsn: str) -> None:
    told = await api.submit(JOB)
    shown = await api.get(f"/jobs/{told['id']}")
    assert (shown["source"]["url"], shown["source"]["token"]) == (URL, "***")
    assert shown["outputs"][0]["spec"]["destination"]["password"] == "***"
    assert SECRET not in str(shown)
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT j::text FROM jobs j UNION ALL SELECT o::text FROM job_outputs o")
    await connection.close()
    assert len(rows) == 2
    assert SECRET not in str(rows)


@pytest.mark.parametrize(
    ("source", "path", "code"),
    [
        ({"kind": "webdav"}, "/source/url", "missing_field"),
        (WEBDAV | {"url": 1}, "/source/url", "invalid_type"),
        (WEBDAV | {"url": "ftp://h.example/x"}, "/source/url", "invalid_value"),
        (WEBDAV | {"tokn": "x"}, "/source/tokn", "unknown_field"),
        (WEBDAV | {"username": "me"}, "/source", "invalid_value"),
        (WEBDAV | {"url": "http://10.0.0.1/in.mov"}, "/source/url", "address_not_allowed"),
        (WEBDAV | {"kind": "webdaf"}, "/source/kind", "unsupported_kind"),
    ],
)
async def test_what_is_wrong_with_it_is_told_at_its_place(
    api: Api, source: dict[str, Any], path: str, code: str
) -> None:
    async with api.ask("POST", "/jobs", json=JOB | {"source": source}) as response:
        told = await response.json()
    assert (response.status, [(fault["path"], fault["code"]) for fault in told["errors"]]) == (422, [(path, code)])
    assert SECRET not in str(told)


async def test_where_it_is_not_installed_it_is_no_kind(store: PostgresStore, tmp_path: Path) -> None:
    async with running(store, tmp_path) as api, api.ask("POST", "/jobs", json=JOB) as response:
        told = await response.json()
    assert {fault["path"]: fault["code"] for fault in told["errors"]} == {
        "/source/kind": "unsupported_kind",
        "/outputs/0/destination/kind": "unsupported_kind",
    }
