"""What tenants name for good holds secrets of theirs: an address, keys of a bucket. Nobody is told them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.store.protocol import Store
from tests.integration.test_rewrap import NAMED
from tests.lab.api import running
from tests.lab.databases import rows
from tests.lab.sentinel import LISTS, forms

WORD = "s3cret"  # in each of them


@pytest.mark.both_databases
async def test_nothing_that_a_tenant_names_tells_its_secrets(
    dsn: str, store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """P1, H7: no answer, no row, no line of the log; not when it is put, nor read, nor put again, nor removed."""
    caplog.set_level("DEBUG")
    told = []
    async with running(store, tmp_path) as api:
        calls = [(method, path) for path in NAMED for method in ("PUT", "GET", "PUT")]
        for method, path in (*calls, *(("GET", path) for path in LISTS), *(("DELETE", path) for path in NAMED)):
            async with api.ask(method, path, json=NAMED[path] if method == "PUT" else None) as response:
                told.append(f"{method} {path} {await response.text()}")
                assert response.status in {200, 201, 204, 503}, told[-1]
            told += [f"{table}: {row}" for table, row in await rows(dsn)] if method == "PUT" else []
    told += [*capfd.readouterr(), caplog.text]
    assert [text for text in told for form in forms(WORD) if form.decode() in text] == []
