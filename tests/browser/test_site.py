"""The site of docs/ in a real browser: it asks nobody else, finds what one looks for, and can be read by all."""

from __future__ import annotations

import re
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, expect

from tests.lab import site
from tests.lab.axe import axe
from tests.lab.browser import MARKS, THEMES, served, tab

pytestmark = MARKS


async def test_a_code_that_is_looked_for_is_the_first_hit_and_every_page_can_be_read(
    browser: Browser, axe_core: Path, tmp_path: Path
) -> None:
    app = web.Application()
    app.router.add_static("/", site.made(tmp_path))
    async with served(app) as home:
        async with tab(browser, home) as page:
            await page.goto("/index.html")
            await page.get_by_role("button", name="Search").first.click()
            await page.keyboard.type("source_truncated")
            entry = re.compile(r"/reference/errors\.html.*#source_truncated$")
            await expect(page.get_by_role("option").first).to_have_attribute("href", entry)  # half a word finds others
            await page.keyboard.press("Enter")
            await expect(page).to_have_url(entry)
            await expect(page.locator("h3#source_truncated")).to_be_in_viewport()
        for theme in THEMES:
            async with tab(browser, home, theme=theme) as page:
                for name in ("index", "start/first-job", "reference/job"):
                    await page.goto(f"/{name}.html")
                    assert await axe(page, axe_core) == [], name
