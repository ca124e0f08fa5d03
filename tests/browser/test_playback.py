"""docs/encoding.md, "Packages": they play where people watch. Real Chromium, hls.js and Shaka, files over loopback."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
import pytest_asyncio
from aiohttp import web

from encoder import packaging
from tests.lab import renditions
from tests.lab.chromium import Page, chromium

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="module")]
PLAYERS = Path(__file__).parent / "players"
PLAY_S = 30


@pytest.fixture(scope="module")
def players(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hls.js and Shaka as the lock pins them, and the page that plays with them."""
    if shutil.which("npm") is None:
        _cannot("npm is not installed")
    folder = tmp_path_factory.mktemp("players") / "page"
    shutil.copytree(PLAYERS, folder)
    run = subprocess.run(["npm", "ci", "--silent"], cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        _cannot(f"npm could not install the players: {run.stderr[-300:]}")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(players: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    async with chromium(tmp_path_factory.mktemp("chromium")) as tab, served(players) as origin:
        await tab.open(f"{origin}/page.html")
        yield tab


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """The files of `folder`, for pages of any origin."""

    @web.middleware
    async def shared(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401  # aiohttp's own
        answer: web.StreamResponse = await handler(request)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    app = web.Application(middlewares=[shared])
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


async def played(page: Page, player: str, folder: Path, manifest: str, *, borne: Sequence[str] = ()) -> dict[str, Any]:
    """What came of it. `borne`: names of errors that are not fatal and do not count."""
    async with served(folder) as origin, asyncio.timeout(PLAY_S):
        seen: dict[str, Any] = await page.run(f"{player}({json.dumps(f'{origin}/{manifest}')}, {json.dumps(borne)})")
    return seen


def written(folder: Path, *, kind: str, **of_media: Any) -> renditions.Made:  # noqa: ANN401  # as `make` takes them
    made = renditions.make(folder, **of_media)
    tracks = packaging.read(folder, made.tracks, segments=made.segments)
    packaging.write(folder, tracks, kind=kind, playlist_name="master.m3u8")
    return made


def went_well(seen: dict[str, Any], made: renditions.Made) -> None:
    """It showed both rungs, went on from the middle, and came to its end; errors end a play as a failure."""
    assert seen["rungs"] == [90, 180]
    assert seen["heights"] == [90, 180]
    assert seen["middle"] > 0
    assert seen["duration"] == pytest.approx(made.seconds, abs=0.1)  # TS: the frames before the first picture
    assert seen["end"] == pytest.approx(seen["duration"], abs=0.1)
    assert seen["shown"] > 10


async def test_hls_plays_switches_rungs_and_seeks_in_hls_js(page: Page, tmp_path: Path) -> None:
    made = written(tmp_path, kind="hls", rate="30000/1001", languages=("eng", "deu"))
    seen = await played(page, "playHls", tmp_path, "master.m3u8")
    went_well(seen, made)
    assert seen["languages"] == ["en", "de"]


async def test_hls_of_transport_streams_plays_too(page: Page, tmp_path: Path) -> None:
    """TS has no edit list: hls.js begins at the first decoding time, two frames before the first picture, and says so;
    and it looks for the first sound before Chromium tells of any (`bufferAppendNoProgress`).
    """
    made = written(tmp_path, kind="hls", segments="ts", rate="25")
    borne = ("bufferSeekOverHole", "bufferAppendNoProgress")
    went_well(await played(page, "playHls", tmp_path, "master.m3u8", borne=borne), made)


async def test_dash_plays_switches_rungs_and_seeks_in_shaka(page: Page, tmp_path: Path) -> None:
    made = written(tmp_path, kind="dash", languages=("eng", "deu"))
    assert not list(tmp_path.rglob("*.m3u8"))
    seen = await played(page, "playShaka", tmp_path, "master.mpd")
    went_well(seen, made)
    assert sorted(seen["languages"]) == ["de", "en"]


async def test_one_set_of_segments_plays_by_both_manifests(page: Page, tmp_path: Path) -> None:
    made = written(tmp_path, kind="cmaf")
    for manifest in ("master.m3u8", "master.mpd"):
        went_well(await played(page, "playShaka", tmp_path, manifest), made)


async def test_a_package_without_one_of_its_segments_is_seen_to_fail(page: Page, tmp_path: Path) -> None:
    """A player's silence is worth something: what it cannot play, it says."""
    written(tmp_path, kind="hls")
    (tmp_path / "90p" / "00002.m4s").unlink()
    with pytest.raises(AssertionError, match="fragLoadError"):
        await played(page, "playHls", tmp_path, "master.m3u8")
