"""/docs in a real browser, under the policy that all pages have: it shows every operation, and calls can be tried."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, expect

from encoder.store.postgres import PostgresStore
from tests.lab.api import running
from tests.lab.browser import MARKS, tab

pytestmark = MARKS


async def test_the_document_is_a_page_on_which_calls_can_be_tried(
    store: PostgresStore, browser: Browser, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as api, tab(browser, api.url) as page:
        listed = (await api.get("/openapi.json"))["paths"]
        await page.goto("/docs")
        await expect(page.locator(".opblock")).to_have_count(sum(map(len, listed.values())))
        live = page.locator("#operations-default-live")
        for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
            await live.locator(button).click()
        await expect(live.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")
        await page.locator("#operations-default-submitJob .opblock-summary-control").click()
        examples = page.locator("#operations-default-submitJob .examples-select-element option")
        await examples.nth(20).wait_for(state="attached")
