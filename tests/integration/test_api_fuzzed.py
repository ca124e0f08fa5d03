"""The front under what nobody foresaw: bytes that are nearly HTTP, and requests thought up from its own document."""

from __future__ import annotations

from pathlib import Path

from encoder.store.postgres import PostgresStore
from tests.lab import document, fuzz
from tests.lab.api import running


async def test_whatever_bytes_come_they_are_answered_or_closed_and_never_with_a_server_error(
    store: PostgresStore, tmp_path: Path
) -> None:
    """A10, A12. For longer: `python -m tests.lab.fuzz`. It failed without `handle_error`: aiohttp's own words came."""
    with fuzz.hurried():
        async with running(store, tmp_path) as api:
            score = await fuzz.fire(api, seed=1, shots=1500)
    assert score.wrong == []
    near_enough = {200, 202, 400, 403, 404, 405, 408, 414, 415, 422, 431}
    assert near_enough <= score.statuses.keys()


async def test_what_the_document_says_is_so(store: PostgresStore, tmp_path: Path) -> None:
    """For longer: `python -m tests.lab.document`. It failed when `getJob` forgot its 404."""
    async with document.guarded(store, tmp_path) as (api, key):
        code, told = await document.asked(api.url, key, tmp_path, seed=6)
    assert code == 0, told


async def test_what_is_in_order_by_the_document_and_makes_sense_is_taken(store: PostgresStore, tmp_path: Path) -> None:
    """For longer: `python -m tests.lab.document --valid`. It failed while names had no form in the document."""
    async with document.guarded(store, tmp_path) as (api, key):
        code, told = await document.asked(api.url, key, tmp_path, seed=6, valid=True)
    assert code == 0, told
