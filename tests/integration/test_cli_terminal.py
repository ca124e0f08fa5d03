"""Live tables on a terminal, and what stands in their place where there is none."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder.store.postgres import PostgresStore
from tests.lab.api import Api, running
from tests.lab.command import encoder, start
from tests.lab.terminal import on_terminal

HOSTILE = "https://h.example/%1b%5d8;;x%07%c2%9b31m%e2%80%ae%5blink=x%5d%5bred%5d.mov"


def _job(name: str) -> dict[str, object]:
    source = name if "://" in name else f"https://h.example/{name}"
    return {"source": {"url": source}, "outputs": [{"preset": "h264"}], "priority": 7}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def test_a_list_stays_true_keeps_to_its_window_and_leaves_the_terminal_as_it_was(api: Api) -> None:
    """Names of others are text on it: no control of theirs reaches the terminal, and no markup is obeyed."""
    first = await api.submit(_job("first.mov"))
    await api.submit(_job(HOSTILE))
    async with on_terminal("jobs", "--watch", url=api.url) as screen:
        await screen.until(lambda: "first.mov" in screen.seen)
        assert re.search(r"1 +queued +0% +slot – .* encode +7 +\d+ s +first\.mov", screen.seen)
        assert "[link=x][red].mov" in screen.seen
        assert all(char.isprintable() or char in "\r\n" for char in screen.text), repr(screen.text)

        await api.submit(_job("third.mov"))
        await screen.until(lambda: "third.mov" in screen.seen)
        assert screen.seen.index("third.mov") < screen.seen.index("first.mov")
        await api.told("POST", f"/jobs/{first['id']}/cancel")
        await screen.until(lambda: re.search(r"1 +cancelled", screen.seen))
        assert "2 queued, 1 cancelled" in screen.seen
        await api.told("DELETE", f"/jobs/{first['id']}")
        await screen.until(lambda: "first.mov" not in screen.seen)

        for number in range(12):
            await api.submit(_job(f"more{number}.mov"))
        await screen.until(lambda: "more11.mov" in screen.seen and "more jobs below" in screen.seen)
        assert {len(frame) for frame in screen.frames[1:]} == {12}
        screen.resize(70, 8)
        await screen.until(lambda: len(screen.frames[-1]) == 8)
        assert max(map(len, screen.frames[-1])) <= 70

        assert await screen.interrupt() == 130
        *_, left = screen.raw.split("\x1b[?1049l")
        assert "more0.mov" in left  # what did not fit the window too
        assert "Stopped watching" in left
        assert "Traceback" not in left
        assert screen.raw.count("\x1b[?25l") == screen.raw.count("\x1b[?25h") == 1


async def test_some_are_watched_until_all_have_ended(api: Api) -> None:
    ids = [str((await api.submit(_job(f"{name}.mov")))["id"]) for name in "ab"]
    async with on_terminal("watch", *ids, url=api.url) as screen:
        await screen.until(lambda: "a.mov" in screen.seen and "b.mov" in screen.seen)
        for job in ids:
            await api.told("POST", f"/jobs/{job}/cancel")
        assert await screen.ended() == 6
        assert screen.raw.rpartition("\x1b[?1049l")[2].count("cancelled") == 2
    gone = await encoder("watch", ids[0], "99", url=api.url)
    assert (gone.code, "not_found" in gone.err) == (2, True)


async def test_all_that_wait_or_run_are_watched_for_a_while(api: Api) -> None:
    await api.submit(_job("waits.mov"))
    done = await encoder("watch", "--timeout", "1", url=api.url)
    assert done.code == 5
    assert re.fullmatch(r"\d\d:\d\d:\d\d  job 1  queued  waits\.mov  slot – .*\n", done.out)
    assert "the jobs go on" in done.err


@pytest.mark.parametrize("without", [{"TERM": "dumb"}, {"CI": "1"}])
async def test_where_nothing_can_be_drawn_lines_are_written(api: Api, without: dict[str, str]) -> None:
    await api.submit(_job("plain.mov"))
    async with on_terminal("watch", "--timeout", "1", url=api.url, environment=without) as screen:
        assert await screen.ended() == 5
        assert "\x1b" not in screen.raw
        assert "job 1  queued  plain.mov" in screen.text


async def test_without_colours_there_are_none(api: Api) -> None:
    failed = await api.submit(_job("plain.mov"))
    await api.told("POST", f"/jobs/{failed['id']}/cancel")
    coloured = re.compile(r"\x1b\[(\d+;)*(3|4|9|10)\d(;\d+)*m")
    for environment, wanted in (({}, True), ({"NO_COLOR": "1"}, False)):
        async with on_terminal("jobs", url=api.url, environment=environment) as screen:
            assert await screen.ended() == 0
            assert "cancelled" in screen.text
            assert bool(coloured.search(screen.raw)) is wanted


async def test_for_scripts_each_change_is_a_job_on_a_line(api: Api) -> None:
    job = await api.submit(_job("a.mov"))
    process = await start("jobs", "--watch", "--json", url=api.url)
    assert process.stdout
    async with asyncio.timeout(60):
        told = [json.loads(await process.stdout.readline())]
        await api.told("POST", f"/jobs/{job['id']}/cancel")
        told.append(json.loads(await process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert [each["status"] for each in told] == ["queued", "cancelled"]
    assert told[1] == await api.get(f"/jobs/{job['id']}")
    assert process.returncode == 130
