"""The lab's own eyes: what a page must not do fails a test, and axe is heard under our policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser

from encoder.api.middleware import secure
from tests.lab.axe import axe
from tests.lab.browser import MARKS, look, screenshot, served, sideways_px, tab

pytestmark = MARKS
SOUND = """<!doctype html><html lang="en"><title>Sound</title><link rel="icon" href="data:,">
<main><h1>Sound</h1>{}</main></html>"""
FAULTS = {  # what a script may do, and a word of what is then told
    'console.error("it went wrong")': "it went wrong",
    'setTimeout(() => { throw new Error("nobody caught me") })': "uncaught: nobody caught me",
    'Promise.reject(new Error("nobody waits"))': "uncaught: nobody waits",
    'document.querySelector("h1").setAttribute("style", "color: red")': "securitypolicyviolation style-src-attr inline",
    'try { eval("1") } catch {}': "securitypolicyviolation script-src eval",
    'new Image().src = "http://encoder.example/pixel.png"': "securitypolicyviolation img-src http://encoder.example",
    'fetch("http://127.0.0.1:9/").catch(() => 0)': "securitypolicyviolation connect-src http://127.0.0.1:9",
    'window.open("http://127.0.0.1:9/")': "asked another origin: http://127.0.0.1:9/",
    'new WebSocket("ws://127.0.0.1:8/")': "securitypolicyviolation connect-src ws://127.0.0.1:8",
    'fetch("/absent")': "status of 404",
    'alert("look")': "dialog: look",
}


@asynccontextmanager
async def page_with(body: str, script: str = "") -> AsyncIterator[str]:
    """The origin of a server whose one page has our policy."""
    answers = {"/": (SOUND.format(body), "text/html"), "/code.js": (script, "text/javascript")}

    async def answer(request: web.Request) -> web.Response:
        text, kind = answers[request.path]
        response = web.Response(text=text, content_type=kind)
        secure(response, "lab")
        return response

    app = web.Application()
    app.add_routes([web.get(path, answer) for path in answers])
    async with served(app) as home:
        yield home


async def test_a_page_that_misbehaves_fails_its_test(browser: Browser) -> None:
    async with page_with('<script src="/code.js"></script>', ";\n".join(FAULTS)) as home:
        with pytest.raises(AssertionError) as failed:
            async with tab(browser, home) as page:
                await page.goto("/", wait_until="networkidle")
        assert [told for told in FAULTS.values() if told not in str(failed.value)] == []
    async with page_with("") as home, tab(browser, home, borne=["404"]) as page:  # the test of an absent page bears it
        await page.goto("/absent")


async def test_a_page_without_scripts_is_watched_too(browser: Browser) -> None:
    async with page_with('<p style="color: red">red</p>') as home:
        with pytest.raises(AssertionError, match="style"):
            async with tab(browser, home, java_script_enabled=False) as page:
                await page.goto("/")


async def test_axe_hears_what_is_serious_and_nothing_on_a_sound_page(
    browser: Browser, axe_core: Path, tmp_path: Path
) -> None:
    async with page_with("<p>Nothing to see.</p>") as home, tab(browser, home, theme="dark") as page:
        await page.goto("/")
        assert await axe(page, axe_core) == []
        assert await sideways_px(page) == 0
        await look(page, width=360, theme="light")
        light = "() => [innerWidth, matchMedia('(prefers-color-scheme: light)').matches]"
        assert await page.evaluate(light) == [360, True]
        await screenshot(page, tmp_path / "page.webp")
        assert (tmp_path / "page.webp").read_bytes()[8:12] == b"WEBP"
    bad = "<input><a href='/'></a><svg width='900' height='9'></svg>" + "<button aria-label='x'></button>" * 3
    async with page_with(bad) as home, tab(browser, home, width=360) as page:
        await page.goto("/")
        assert {found.split()[0] for found in await axe(page, axe_core)} == {"label", "link-name", "target-size"}
        assert await sideways_px(page) > 500
