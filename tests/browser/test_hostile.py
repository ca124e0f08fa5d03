"""What others write stays text in a real browser, and what pages of others send does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from encoder.dashboard.routes import PAGES
from tests.lab.browser import MARKS, served, tab
from tests.lab.showcase import MARKUP, ODD, Showcase

pytestmark = MARKS
POSTED = sorted({page.path for page in PAGES if page.method == "POST"})


async def test_what_others_wrote_is_text(browser: Browser, shown: Showcase) -> None:
    """H1: names, tags, metadata, the answers of receivers and destinations, and what was searched for."""
    shows = {"/": True, f"/ui/jobs/{shown.jobs['hostile']}": True}
    shows |= dict.fromkeys([f"/ui/jobs/{shown.jobs['half']}", f"/?q={quote(MARKUP)}", f"/ui/{quote(ODD)}"], False)
    async with tab(browser, shown.url, borne=["status of 404"]) as page:
        for path, is_told in shows.items():
            await page.goto(path)
            assert await page.locator("[onerror], [src=x]").count() == 0, path
            told = await page.locator("body").inner_text()
            assert not is_told or MARKUP in told, path
            assert "$49" not in told, path


async def log_in(page: Page, key: str) -> None:
    await page.get_by_label("Key", exact=True).fill(key)
    await page.get_by_role("button", name="Log in").click()


@asynccontextmanager
async def other_page() -> AsyncIterator[str]:
    """The origin of somebody else's page. To browsers it is of our site, so our cookies come with what it sends."""

    async def answer(_: web.Request) -> web.Response:
        text = "<!doctype html><title>Other</title><link rel=icon href=data:,>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    async with served(app) as origin:
        yield origin


SEND = """(address) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: address });
  document.body.append(form);
  form.submit();
}"""


async def test_a_form_of_another_page_does_nothing_though_our_cookies_come_with_it(
    browser: Browser, shown: Showcase
) -> None:
    """H3: of all pages that take a form."""
    async with other_page() as other, tab(browser, shown.locked, borne=["."]) as page:
        await page.goto("/ui/login")
        await log_in(page, shown.key)
        await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
        statuses = {}
        for path in POSTED:
            await page.goto(other)
            async with page.expect_navigation(url=f"{shown.locked}/**") as sent:
                await page.evaluate(SEND, f"{shown.locked}{path.replace('{id}', str(shown.jobs['queued']))}")
            statuses[path] = (await sent.value).status
        assert statuses == dict.fromkeys(POSTED, 403)
        await page.goto(shown.locked)  # and so nobody was logged out
        await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    assert (await shown.platform.job(shown.jobs["queued"]))["status"] == "queued"


@pytest.mark.parametrize(
    "after", ["//evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aX: y", "https:evil"]
)
async def test_a_login_leads_nowhere_but_to_our_pages(browser: Browser, shown: Showcase, after: str) -> None:
    """H4"""
    async with tab(browser, shown.locked, borne=["status of 404"]) as page:
        await page.goto(f"/ui/login?next={quote(after)}")
        await log_in(page, shown.key)
        await page.wait_for_url(lambda url: "login" not in url)
        assert urlsplit(page.url).netloc == urlsplit(shown.locked).netloc
