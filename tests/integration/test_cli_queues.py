"""What operators say of queues on the command line: pauses by the API, quotas by the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder.store.postgres import PostgresStore
from tests.lab.api import Api, running
from tests.lab.command import encoder


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def test_a_queue_is_paused_shown_and_resumed(api: Api) -> None:
    assert (await encoder("pause", "encode", "--because", "the driver", url=api.url)).code == 0
    shown = await encoder("stats", url=api.url)
    assert "queue encode 0 waiting, 0 ready, 0 running, 0 scheduled  paused since" in shown.out
    assert shown.out.count("the driver") == 1
    resumed = await encoder("resume", "encode", "--json", url=api.url)
    assert json.loads(resumed.out)["pausedSince"] is None
    for verb in ("pause", "resume"):
        refused = await encoder(verb, "encdoe", url=api.url)
        assert (refused.code, "known are encode, io" in refused.err) == (2, True)


async def test_of_a_quota_what_no_option_names_stays_as_it_is(dsn: str) -> None:
    async def said(*words: str) -> str:
        done = await encoder("quota", *words, ENCODER_DATABASE_URL=dsn)
        assert done.code == 0, done.err
        return done.out

    assert await said("7", "encode") == "tenant 7  encode  cap none  share 1\n"
    assert await said("7") == await said() == ""
    assert await said("7", "encode", "--cap", "4") == "tenant 7  encode  cap 4  share 1\n"
    assert await said("7", "encode", "--share", "3") == "tenant 7  encode  cap 4  share 3\n"
    assert await said("7", "encode", "--cap", "0") == "tenant 7  encode  cap 0  share 3\n"
    assert await said("8", "io", "--share", "2") == "tenant 8  io  cap none  share 2\n"
    assert await said("7", "encode", "--no-cap") == await said("7", "encode") == await said("7")
    told = [json.loads(line) for line in (await said("--json")).splitlines()]
    assert told == [
        {"tenantId": 7, "queue": "encode", "cap": None, "share": 3},
        {"tenantId": 8, "queue": "io", "cap": None, "share": 2},
    ]


async def test_a_quota_of_an_unknown_queue_is_refused_with_those_that_are_known(dsn: str) -> None:
    for options in ((), ("--cap", "2")):
        refused = await encoder("quota", "1", "a b", *options, ENCODER_DATABASE_URL=dsn)
        assert (refused.code, "known are encode, io" in refused.err) == (2, True)
    assert (await encoder("quota", "--json", ENCODER_DATABASE_URL=dsn)).out == ""
