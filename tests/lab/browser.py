"""Debian's Chromium, driven by Playwright: its tabs fail a test on whatever a page of ours must not do.

Our policy (CSP) holds in them as it does for a visitor; `bypass_csp` is never set. What it asks of a test: locators and
functions (`page.wait_for_function("() => …")`), for a string that a page would have to evaluate is refused.
"""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from playwright import async_api
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, WebError

from tests.lab.servers import require_programs

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = (360, 768, 1440, 2560)  # px: a phone, a tablet, a desk, a wall
HEIGHT = 900
WAIT_MS = 20_000  # as long as a busy machine may take over one step
MARKS = [pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]  # for `pytestmark`: one browser
_LOOKS, _LOOK_MS = 20, 100

_FLAGS = (
    "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
# Chromium says so too, but to a console that differs by version
_TELL_REFUSALS = """addEventListener("securitypolicyviolation", (refused) =>
  console.error(`securitypolicyviolation ${refused.violatedDirective} ${refused.blockedURI} ${refused.sample}`));"""


@dataclass(kw_only=True)
class Guard:
    """What the pages of a context did that they must not, except for what `borne` matches."""

    home: str
    borne: Sequence[str] = ()
    seen: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("request", self._asked)
        context.on("dialog", self._dialog)

    def check(self) -> None:
        assert not self.seen, "\n".join(self.seen)

    def _note(self, what: str) -> None:
        if not any(re.search(pattern, what) for pattern in self.borne):
            self.seen.append(what)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "assert"}:
            self._note(f"console: {message.text} ({message.location.get('url', '')})")

    def _threw(self, error: WebError) -> None:
        """An exception that nobody caught, or a promise that was rejected and had nobody."""
        self._note(f"uncaught: {error.error}")

    async def _dialog(self, dialog: Dialog) -> None:
        """One of the browser's own, such as scripts of others like to show."""
        self._note(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _asked(self, request: Request) -> None:
        """Hosts other than loopback have no address in our Chromium; that a page asks at all is the fault."""
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and f"{address.scheme}://{address.netloc}" != self.home:
            self._note(f"asked another origin: {request.url}")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser with nothing in it, that ends with the block, or with us."""
    require_programs("chromium")
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The origin of something that is not the platform, for a test's own pages and files."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def tab(
    browser: Browser,
    home: str,
    *,
    width: int = 1440,
    theme: Theme = "light",
    borne: Sequence[str] = (),
    **more: Any,  # noqa: ANN401  # as Playwright's `new_context`: `java_script_enabled`, `forced_colors`, …
) -> AsyncIterator[Page]:
    """A tab of somebody who was never here; its addresses are below `home`, an origin. Fails on what `Guard` saw.

    Motion is reduced unless it is asked for, so that what is seen stands still.
    """
    guard = Guard(home=home, borne=borne)
    settings = {"reduced_motion": "reduce", "viewport": {"width": width, "height": HEIGHT}, **more}
    context = await browser.new_context(base_url=home, color_scheme=theme, **settings)
    context.set_default_timeout(WAIT_MS)
    guard.watch(context)
    await context.add_init_script(_TELL_REFUSALS)
    try:
        yield await context.new_page()
    finally:
        await context.close()
    guard.check()


async def look(page: Page, *, width: int | None = None, theme: Theme | None = None) -> None:
    """See the same page in another width or theme, without loading it again."""
    if width:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
    if theme:
        await page.emulate_media(color_scheme=theme)


async def sideways_px(page: Page) -> int:
    """How far the page can be scrolled to the right, once what is drawn anew by scripts has its size."""
    hidden = "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    for _ in range(_LOOKS):
        if not (over := int(await page.evaluate(hidden))):
            break
        await page.wait_for_timeout(_LOOK_MS)
    return over


async def screenshot(page: Page, path: Path, *, quality: int = 80, most_px: int = 4000) -> None:
    """The whole page, down to `most_px`, as WebP."""
    session = await page.context.new_cdp_session(page)
    size = (await session.send("Page.getLayoutMetrics"))["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most_px), "scale": 1}
    asked = {"format": "webp", "quality": quality, "captureBeyondViewport": True, "clip": clip}
    taken = await session.send("Page.captureScreenshot", asked)
    await session.detach()
    path.write_bytes(base64.b64decode(taken["data"]))
