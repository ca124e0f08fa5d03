"""docs/why/encoding.md, "Packages": they play where people watch. Chromium, hls.js and Shaka, files over loopback."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Error, Page

from tests.lab import browser as lab
from tests.lab import media, postgres
from tests.lab.platform import running
from tests.lab.titles import film

pytestmark = lab.MARKS
PLAYERS = Path(__file__).parent / "players"
PLAY_S = 30
SECONDS = 4.004  # the sound's last packet would be a segment of its own
LADDER = {
    "encoderPreset": "veryfast",
    "renditions": [{"resolution": "180p", "videoBitrate": "300k"}, {"resolution": "90p", "videoBitrate": "100k"}],
    "segmentSeconds": 1,
}
TONES = {"en": 440, "de": 1000, "fr": 2000}  # Hz of each language; German is the source's default
OUTPUTS: dict[str, dict[str, object]] = {
    "hls": {"preset": "hls"},
    "ts": {"preset": "hls", "segmentFormat": "ts"},
    "dash": {"preset": "dash"},
    "cmaf": {"container": "cmaf"},
    "encrypted": {"preset": "hls", "encryption": "aes-128"},
    "av1": {"preset": "hls-av1", "encoderPreset": "12"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser, node_modules: Path) -> AsyncIterator[Page]:
    """hls.js and Shaka as the lock pins them, and the page that plays with them. They tell their errors themselves, and
    fetch from another origin, as they do in the world: the guard of tabs would see both.
    """
    folder = node_modules.parent
    shutil.copytree(PLAYERS, folder / "players")
    async with served(folder) as origin, lab.tab(browser, origin, borne=["."]) as opened:
        await opened.goto("/players/page.html")
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def packages(page: Page, cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the platform makes of one clip: a folder for each name of `OUTPUTS`."""
    return await _made(cluster, tmp_path_factory.mktemp("packages"), _clip(), OUTPUTS)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spoken(page: Page, cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of a film in three languages, one of which ends early."""
    outputs = {name: {**OUTPUTS[name], "audioTracks": "all"} for name in ("cmaf", "ts", "encrypted")}
    return await _made(cluster, tmp_path_factory.mktemp("spoken"), _film(), outputs)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def titled(page: Page, cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of a film with subtitles in two languages."""
    outputs = {name: {**OUTPUTS[name], "subtitles": "copy"} for name in ("cmaf", "ts", "encrypted")}
    return await _made(cluster, tmp_path_factory.mktemp("titled"), film(), outputs)


async def _made(cluster: postgres.Cluster, folder: Path, clip: Path, outputs: Mapping[str, dict[str, object]]) -> Path:
    """The ladders of one job, each in a folder of its name."""
    source = shutil.copy(clip, folder / f"in{clip.suffix}")
    asked = [
        {**LADDER, **output, "destination": {"kind": "file", "path": f"{folder}/{name}/"}}
        for name, output in outputs.items()
    ]
    async with cluster.ready() as dsn, running(dsn, folder) as platform:
        job = await platform.ended(
            await platform.submit({"source": {"kind": "file", "path": str(source)}, "outputs": asked})
        )
    assert job["status"] == "completed", [output["error"] for output in job["outputs"]]
    return folder


def _film() -> Path:
    sounds = [f"sine=f={hz}:r=48000:d={12 if hz < 2000 else 5}" for hz in TONES.values()]
    inputs = [word for sound in sounds for word in ("-f", "lavfi", "-i", sound)]
    spoken = [f"-metadata:s:a:{place} language={tag}".split() for place, tag in enumerate(("eng", "deu", "fra"))]
    return media.made(
        "film.mkv", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=12", *inputs,
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-disposition:a:0", "0", "-disposition:a:1", "default"),
        *(word for words in spoken for word in words), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac",
    )  # fmt: skip


def _clip() -> Path:
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=30000/1001:d={SECONDS}", "-c:v", "libx264")
    sound = ("-f", "lavfi", "-i", f"sine=r=48000:d={SECONDS}", "-metadata:s:a:0", "language=deu")
    return media.made("played.mp4", *picture[:4], *sound[:4], *picture[4:], *sound[4:], "-preset", "ultrafast")


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
    async with lab.served(app) as origin:
        yield origin


async def played(page: Page, player: str, folder: Path, manifest: str, *, borne: Sequence[str] = ()) -> Any:  # noqa: ANN401  # what the player tells
    """What came of it. `borne`: names of errors that are not fatal and do not count."""
    async with served(folder) as origin, asyncio.timeout(PLAY_S):
        return await page.evaluate(f"([url, borne]) => {player}(url, borne)", [f"{origin}/{manifest}", list(borne)])


def went_well(seen: dict[str, Any]) -> None:
    """It showed both rungs, went on from the middle, and came to its end; errors end a play as a failure."""
    assert seen["rungs"] == [90, 180]
    assert seen["heights"] == [90, 180]
    assert seen["languages"] == ["de"]
    assert seen["middle"] > 0
    assert seen["duration"] == pytest.approx(SECONDS, abs=0.1)  # TS: the frames before the first picture
    assert seen["end"] == pytest.approx(seen["duration"], abs=0.1)
    assert seen["shown"] > 10


async def test_hls_plays_switches_rungs_and_seeks_in_hls_js(page: Page, packages: Path) -> None:
    went_well(await played(page, "playHls", packages / "hls", "master.m3u8"))


async def test_hls_of_transport_streams_plays_too(page: Page, packages: Path) -> None:
    """TS has no edit list: hls.js begins at the first decoding time, two frames before the first picture, and says so;
    and it looks for the first sound before Chromium tells of any (`bufferAppendNoProgress`).
    """
    borne = ("bufferSeekOverHole", "bufferAppendNoProgress")
    went_well(await played(page, "playHls", packages / "ts", "master.m3u8", borne=borne))


async def test_encrypted_hls_plays_by_its_key(page: Page, packages: Path) -> None:
    went_well(await played(page, "playHls", packages / "encrypted", "master.m3u8"))


async def test_av1_plays_by_the_codec_that_its_bytes_name(page: Page, packages: Path) -> None:
    """A player asks its browser for `av01…` before it fetches anything."""
    assert 'CODECS="av01.0.' in (packages / "av1" / "master.m3u8").read_text()
    went_well(await played(page, "playHls", packages / "av1", "master.m3u8"))


async def test_dash_plays_switches_rungs_and_seeks_in_shaka(page: Page, packages: Path) -> None:
    went_well(await played(page, "playShaka", packages / "dash", "manifest.mpd"))


async def test_one_set_of_segments_plays_by_both_manifests(page: Page, packages: Path) -> None:
    for manifest in ("master.m3u8", "master.mpd"):
        went_well(await played(page, "playShaka", packages / "cmaf", manifest))


@pytest.mark.parametrize(
    ("player", "manifest", "borne"),
    [
        ("listenHls", "cmaf/master.m3u8", ()),
        ("listenHls", "encrypted/master.m3u8", ()),
        ("listenHls", "ts/master.m3u8", ("bufferSeekOverHole", "bufferAppendNoProgress")),
        ("listenShaka", "cmaf/master.m3u8", ()),
        ("listenShaka", "cmaf/master.mpd", ()),
    ],
)
async def test_each_language_is_heard_when_it_is_chosen_and_the_default_one_first(
    page: Page, spoken: Path, player: str, manifest: str, borne: tuple[str, ...]
) -> None:
    seen = await played(page, player, spoken, manifest, borne=borne)
    heard = {each["language"]: each["hz"] for each in seen["heard"]}
    assert heard == {language: pytest.approx(hz, abs=20) for language, hz in TONES.items()}
    assert seen["heard"][0]["language"] == "de"
    assert seen["advanced"]


@pytest.mark.parametrize(
    ("player", "manifest", "borne"),
    [
        ("readHls", "cmaf/master.m3u8", ()),
        ("readHls", "encrypted/master.m3u8", ()),
        ("readHls", "ts/master.m3u8", ("bufferSeekOverHole", "bufferAppendNoProgress")),
        ("readShaka", "cmaf/master.m3u8", ()),
        ("readShaka", "cmaf/master.mpd", ()),
    ],
)
async def test_subtitles_are_shown_at_their_times_in_the_language_that_is_chosen(
    page: Page, titled: Path, player: str, manifest: str, borne: tuple[str, ...]
) -> None:
    seen = {each["language"]: each for each in await played(page, player, titled, manifest, borne=borne)}
    assert seen.keys() == {"en", "de"}
    assert (seen["de"]["default"], seen["de"]["forced"], seen["en"]["forced"]) == (True, True, False)
    later = 2 / 30 if "ts" in manifest.split("/") else 0  # there hls.js shows the first picture as late
    for each in seen.values():
        assert "One" in each["text"]
        shown = each["start"] - later, each["end"] - later
        assert shown == (pytest.approx(0.5, abs=0.02), pytest.approx(1.5, abs=0.02))
        assert each["start"] <= each["at"] <= each["end"] + 0.5


async def test_a_package_in_the_storage_plays_from_its_link(
    page: Page, cluster: postgres.Cluster, tmp_path: Path
) -> None:
    """From a page of another origin: the signature is in the path, and so in every relative address."""
    source = shutil.copy(_film(), tmp_path / "in.mkv")
    outputs = [{**LADDER, **OUTPUTS[name], "audioTracks": "all"} for name in ("hls", "dash", "encrypted")]
    async with cluster.ready() as dsn, running(dsn, tmp_path) as platform:
        sent = {"source": {"kind": "file", "path": str(source)}, "outputs": outputs}
        job = await platform.ended(await platform.submit(sent))
        assert job["status"] == "completed", [output["error"] for output in job["outputs"]]
        links = [output["url"] for output in job["outputs"]]
        assert [link.rsplit("/", 1)[1] for link in links] == ["master.m3u8", "manifest.mpd", "master.m3u8"]
        for player, link in zip(("listenHls", "listenShaka", "listenHls"), links, strict=True):
            async with asyncio.timeout(PLAY_S):
                seen = await page.evaluate(f"url => {player}(url)", link)
            assert {each["language"] for each in seen["heard"]} == {*TONES}
        async with asyncio.timeout(PLAY_S):
            seen = await page.evaluate("url => playHls(url)", links[0])
        assert seen["rungs"] == [90, 180]


@pytest.mark.parametrize(("seen_s", "heard_s"), [(90, 5), (5, 90)], ids=["sound", "picture"])
async def test_what_ended_long_ago_does_not_hold_what_goes_on(
    page: Page, cluster: postgres.Cluster, tmp_path: Path, seen_s: int, heard_s: int
) -> None:
    """Longer than players read ahead: a browser waits for each of its tracks until it was told that all have ended."""
    clip = media.made(
        f"long-{seen_s}.mp4", "-f", "lavfi", "-i", f"testsrc2=s=160x90:r=10:d={seen_s}",
        "-f", "lavfi", "-i", f"sine=r=48000:d={heard_s}", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac",
    )  # fmt: skip
    output = {"container": "cmaf", "segmentSeconds": 2}
    folder = await _made(cluster, tmp_path, clip, {"long": {**output, "renditions": [{"resolution": "90p"}]}})
    for player, manifest in (("goOnHls", "master.m3u8"), ("goOnShaka", "master.mpd")):
        borne = ("bufferStalledError", "bufferNudgeOnStall")  # a busy machine stalls too, but goes on
        assert await played(page, player, folder / "long", manifest, borne=borne) > 30


async def test_a_package_without_one_of_its_segments_is_seen_to_fail(
    page: Page, packages: Path, tmp_path: Path
) -> None:
    """A player's silence is worth something: what it cannot play, it says."""
    shutil.copytree(packages / "hls", tmp_path / "hls")
    (tmp_path / "hls" / "90p" / "00002.m4s").unlink()
    with pytest.raises(Error, match="fragLoadError"):
        await played(page, "playHls", tmp_path / "hls", "master.m3u8")
