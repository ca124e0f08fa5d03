"""Watching an output in a real browser: it plays, seeks, is scrubbed, stepped through and compared with its source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from yarl import URL

from encoder.model.ids import DEFAULT_TENANT, TenantId
from tests.lab import postgres
from tests.lab.axe import axe
from tests.lab.browser import MARKS, THEMES, look, sideways_px, tab
from tests.lab.keyed import a_key
from tests.lab.media import clip
from tests.lab.platform import Platform, free_port, running, until

pytestmark = MARKS
SECONDS = 6
FAST = {"encoderPreset": "veryfast"}
RUNGS = {"renditions": [{"height": 180, "crf": 20}, {"height": 90, "crf": 20}], "segmentSeconds": 1, **FAST}
MP4, HLS, DASH, LOCKED, STORY, MP3, AWAY, GIF, HEVC = range(9)
NAME = "<svg onload=alert(1)>.mp4\"'.mp4"  # what its owner calls the source


@dataclass(frozen=True, kw_only=True)
class Film:
    """One job, and who may look at it."""

    platform: Platform
    job: int

    def watch(self, output: int) -> str:
        return f"/ui/jobs/{self.job}/outputs/{output}/watch"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def film(cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Film]:
    folder = tmp_path_factory.mktemp("film")
    outputs: list[dict[str, Any]] = [
        {"preset": "h264", "crf": 18, **FAST, "clip": {"start": 1, "end": 5}, "loudness": -23},
        {"preset": "hls", **RUNGS},
        {"preset": "dash", **RUNGS},
        {"preset": "hls", "segmentFormat": "ts", "encryption": "aes-128", **RUNGS},
        {"preset": "storyboard", "thumbnails": {"every": 0.5, "sprite": {"columns": 4, "rows": 4}}},
        {"container": "mp3"},
        {"preset": "h264", **FAST, "destination": {"kind": "file", "path": f"{folder}/away.mp4"}},
        {"container": "gif", "fps": 5},
        {"container": "mp4", "videoCodec": "hevc", "encoderPreset": "ultrafast"},
    ]
    async with cluster.ready() as dsn, running(dsn, folder, ENCODER_UPLOAD_SUFFIXES="mp4,svg,html") as platform:
        source = await brought(platform, clip(seconds=SECONDS).read_bytes(), NAME)
        done = await platform.ended(await platform.submit({"source": source, "outputs": outputs}))
        assert done["status"] == "completed", [output["error"] for output in done["outputs"]]
        yield Film(platform=platform, job=done["id"])


async def brought(platform: Platform, data: bytes, name: str) -> dict[str, str]:
    """The source that an upload is."""
    asked = {"file_name": name, "size_bytes": len(data), "content_type": "video/mp4", "outputs": []}
    status, told = await platform.call("POST", "/upload", json=asked)
    assert status == 200, told
    put = {"data": data, "headers": told["headers"]}
    async with aiohttp.ClientSession() as session, session.put(told["upload_url"], **put) as answer:
        assert answer.status == 200, await answer.text()
    return {"kind": "upload", "fileId": told["file_id"]}


async def reaches(page: Page, seconds: float, *, side: str = "made") -> None:
    """The video gets there."""
    there = "([side, at]) => document.querySelector(`video.${side}`).currentTime >= at"
    await page.wait_for_function(there, arg=[side, seconds])


async def apart(page: Page) -> float:
    """How unlike what the two videos show is: the mean difference of their pixels, of 255."""
    return float(
        await page.evaluate("""async () => {
        const data = (side) => {
          const canvas = new OffscreenCanvas(160, 90).getContext("2d");
          canvas.drawImage(document.querySelector(`video.${side}`), 0, 0, 160, 90);
          return canvas.getImageData(0, 0, 160, 90).data;
        };
        const [made, source] = [data("made"), data("source")];
        return made.reduce((sum, value, at) => sum + Math.abs(value - source[at]), 0) / made.length;
    }""")
    )


async def test_a_file_plays_and_is_stepped_through_and_compared_at_the_same_frame(browser: Browser, film: Film) -> None:
    """The source's name is markup: it stays text. The output begins a second behind its source."""
    async with tab(browser, film.platform.url) as page:
        await page.goto(film.watch(MP4))
        await expect(page.get_by_text(NAME, exact=False).first).to_be_visible()
        await page.wait_for_function("() => document.querySelector('video.made').readyState > 1")
        for key, told in (("." * 3, "frame 3 · 00:00.117"), (",", "frame 2 · 00:00.083")):
            for each in key:
                await page.keyboard.press(each)
                await page.wait_for_function("() => !document.querySelector('video.made').seeking")
            await expect(page.locator("[data-now]")).to_have_text(told)
        await page.get_by_role("button", name="Frame back").focus()
        await page.keyboard.press("Space")  # is the button's own there
        await expect(page.locator("[data-now]")).to_have_text("frame 1 · 00:00.050")
        assert await page.evaluate("() => document.querySelector('video.made').paused")
        await page.locator("h1").click()
        await page.keyboard.press("Space")
        await reaches(page, 0.5)
        await page.keyboard.press("Space")

        await page.keyboard.press("t")
        await expect(page.locator("[data-player] .stage")).to_have_attribute("data-mode", "source")
        await reaches(page, 1.5, side="source")
        await page.locator("[data-scrub]").fill("500")
        await reaches(page, 2.9, side="source")
        settled = "() => [...document.querySelectorAll('video')].every((each) => !each.seeking && each.readyState > 1)"
        await page.wait_for_function(settled)
        same = await apart(page)
        await page.evaluate("() => { document.querySelector('video.source').currentTime -= 0.5; }")
        await page.wait_for_function(settled)
        assert same < 8
        assert await apart(page) > 2 * same

        await page.locator("h1").click()
        await page.keyboard.press("t")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Shift+ArrowRight")
        await expect(page.locator("[data-player] .stage")).to_have_attribute("data-mode", "wipe")
        await expect(page.locator("[data-player] [data-cut] output")).to_have_text("61 %")


@pytest.mark.parametrize("output", [HLS, DASH, LOCKED], ids=["hls", "dash", "encrypted-ts"])
async def test_a_package_plays_and_seeks_by_the_one_player_which_comes_when_it_is_wanted(
    browser: Browser, film: Film, output: int
) -> None:
    async with tab(browser, film.platform.url) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(film.watch(output), wait_until="networkidle")
        assert not [url for url in asked if "shaka" in url or url.endswith((".m3u8", ".mpd"))]
        await page.get_by_role("button", name="Play").click()
        await reaches(page, 0.3)
        await page.locator("[data-scrub]").fill("700")
        await reaches(page, 4.3)
        await page.locator("[data-rungs]").select_option("90")
        await page.wait_for_function("() => document.querySelector('video.made').videoHeight === 90")
        await expect(page.locator("[data-refused]")).to_be_hidden()


async def test_the_slider_shows_pictures_and_the_chart_what_the_table_tells(browser: Browser, film: Film) -> None:
    async with tab(browser, film.platform.url) as page:
        await page.goto(film.watch(MP4))
        await page.locator("[data-scrub]").hover()
        thumb = page.locator("[data-thumb]")
        await expect(thumb).to_be_visible()
        assert "/ui/media/" in await thumb.evaluate("(box) => box.style.backgroundImage")
        assert await thumb.evaluate("(box) => box.offsetWidth") > 100
        await page.locator("[data-plot] canvas").scroll_into_view_if_needed()
        await expect(page.locator("[data-plot] canvas")).to_be_visible()
        await page.get_by_text("As a table").click()
        await expect(page.locator("[data-table] tbody tr")).to_have_count(4)
        await expect(page.get_by_text("Loudness −23")).to_be_visible()


async def test_stills_are_compared_by_keys_and_by_hand(browser: Browser, film: Film) -> None:
    async with tab(browser, film.platform.url) as page:
        await page.goto(film.watch(HLS) + "?stream=90p")
        await page.locator(".pairs a").nth(2).click()
        await expect(page.locator("[data-still]")).to_have_text("frame 45 · 00:01.500")
        await expect(page.locator(".pairs a[aria-current]")).to_have_count(1)
        await page.keyboard.press("t")
        stage = page.locator("[data-shot] .stage")
        await expect(stage).to_have_attribute("data-mode", "source")
        await page.get_by_label("Side by side").last.check()
        await expect(stage).to_have_attribute("data-mode", "beside")
        shown = "() => [...document.querySelectorAll('[data-shot] img')].map((each) => each.naturalWidth)"
        await page.wait_for_function(f"() => ({shown})().every((width) => width === 320)")


async def test_what_no_browser_plays_is_shown_by_stills_and_pictures_as_what_they_are(
    browser: Browser, film: Film
) -> None:
    async with tab(browser, film.platform.url) as page:
        await page.goto(film.watch(HEVC))
        await expect(page.locator("[data-refused]")).to_contain_text("does not play it")
        await expect(page.locator(".pairs li")).to_have_count(9)
        await page.goto(film.watch(AWAY))
        await expect(page.get_by_text("which this server cannot read")).to_be_visible()
        await expect(page.locator(".pairs li")).to_have_count(9)
        await page.goto(film.watch(MP3))
        await page.wait_for_function("() => document.querySelector('audio').duration > 5")
        await expect(page.locator("[data-plot] canvas")).to_be_visible()
        for output in (GIF, STORY):
            await page.goto(film.watch(output))
            await page.wait_for_function("() => document.querySelector('section img').naturalWidth > 100")


async def test_without_scripts_a_file_plays_and_stills_and_numbers_are_there(browser: Browser, film: Film) -> None:
    async with tab(browser, film.platform.url, java_script_enabled=False) as page:
        await page.goto(film.watch(MP4))
        assert await page.locator("video.made").get_attribute("src") == f"/ui/media/{film.job}/{MP4}/{MP4}.mp4"
        await expect(page.locator(".pairs img")).to_have_count(18)
        await page.get_by_text("As a table").click()
        await expect(page.locator("[data-table] tbody tr").first).to_be_visible()
        await page.goto(film.watch(HLS))
        await expect(page.get_by_text("need JavaScript here")).to_be_visible()


@pytest.mark.parametrize("output", [MP4, HLS, STORY, MP3])
async def test_everybody_can_watch(browser: Browser, film: Film, axe_core: Path, output: int) -> None:
    async with tab(browser, film.platform.url) as page:
        await page.goto(film.watch(output))
        for theme in THEMES:
            await look(page, width=1440, theme=theme)
            assert await axe(page, axe_core) == []
        await look(page, width=360)
        assert await axe(page, axe_core) == []
        assert await sideways_px(page) == 0


async def media(film: Film, path: str, *, home: str = "", **headers: str) -> tuple[int, Any, bytes]:
    address = f"{home or film.platform.url}/ui/media/{film.job}/{path}"
    async with aiohttp.ClientSession() as session, session.get(URL(address, encoded=True), headers=headers) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_media_come_in_ranges_as_what_they_are_and_never_as_a_page(film: Film) -> None:
    status, headers, whole = await media(film, "0/0.mp4")
    assert (status, headers["Content-Type"], headers["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in headers
    size = len(whole)
    for asked, span in (
        ("0-0", (0, 0)),
        ("5-99", (5, 99)),
        (f"{size - 3}-", (size - 3, size - 1)),
        ("-7", (size - 7, size - 1)),
        ("10-99999999", (10, size - 1)),
    ):
        status, headers, data = await media(film, "0/0.mp4", Range=f"bytes={asked}")
        assert (status, headers["Content-Range"]) == (206, f"bytes {span[0]}-{span[1]}/{size}")
        assert data == whole[span[0] : span[1] + 1]
    for odd in ("bytes=9-5", "bytes=0-1,4-5", "lines=1-2"):
        assert (await media(film, "0/0.mp4", Range=odd))[0] == 200
    assert (await media(film, "0/0.mp4", Range=f"bytes={size}-"))[0] == 416
    status, headers, _ = await media(film, f"{HLS}/package.key")
    assert status == 404
    status, headers, data = await media(film, f"{LOCKED}/package.key")
    assert (status, len(data)) == (200, 16)
    assert headers["Content-Disposition"].startswith("attachment")


async def test_nobody_reaches_what_is_no_file_of_his_output(film: Film) -> None:
    """Names that lead elsewhere, another job's files, another tenant's."""
    for path in (
        "0/1.mp4",
        "0/",
        "0/..%2f..%2fuploads",
        "0/%2e%2e/0.mp4",
        "1/../0.mp4",
        "1/%00",
        "1/evidence/0/stills",
        "6/away.mp4",
        "99/0.mp4",
        "x/0.mp4",
        "0/0.mp4%00.html",
        f"{HLS}/master.m3u8/",
        "source/x",
    ):
        assert (await media(film, path))[0] == 404, path
    port = free_port()
    await film.platform.start("api", ENCODER_PORT=str(port), ENCODER_AUTH="keys")
    home = f"http://127.0.0.1:{port}"

    async def up() -> bool:
        try:
            return (await media(film, "0/0.mp4", home=home))[0] == 401
        except aiohttp.ClientError:
            return False

    await until(up, within_s=60)
    for tenant, status in ((DEFAULT_TENANT, 200), (TenantId(2), 404)):
        cookie = await login(home, await a_key(film.platform.dsn, tenant=tenant))
        for path in ("0/0.mp4", "source", f"{HLS}/master.m3u8"):
            assert (await media(film, path, home=home, Cookie=cookie))[0] == status


async def login(home: str, key: str) -> str:
    """The cookie of whoever has the key."""
    form: dict[str, Any] = {"data": {"key": key}, "headers": {"Sec-Fetch-Site": "same-origin"}}
    address = f"{home}/ui/login"
    async with aiohttp.ClientSession() as session, session.post(address, allow_redirects=False, **form) as answer:
        return answer.headers["Set-Cookie"].partition(";")[0]


async def test_markup_that_somebody_brought_as_a_video_is_only_ever_a_file(film: Film) -> None:
    platform = film.platform
    for name, data in (
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("x.html", b"<script>alert(1)</script>"),
    ):
        source = await brought(platform, data, name)
        done = await platform.ended(await platform.submit({"source": source, "outputs": [{"preset": "h264"}]}))
        assert done["status"] == "failed"
        status, headers, _ = await media(replace(film, job=done["id"]), "source")
        assert status == 200
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Security-Policy"].startswith("sandbox")
