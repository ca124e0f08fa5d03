"""/docs in a real browser, under the policy that all pages have: it shows every operation, and calls can be tried."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from encoder.store.postgres import PostgresStore
from tests.lab.api import running
from tests.lab.chromium import Page, chromium

pytestmark = pytest.mark.xdist_group("browser")
LIMIT_S = 20
WATCH = "window.refused = []; addEventListener('securitypolicyviolation', e => refused.push(e.violatedDirective))"
PUSH = "const b = document.querySelector('{}'); b?.click(); return Boolean(b)"


async def until(page: Page, script: str) -> None:
    """Until the lines of `script` return something true."""
    async with asyncio.timeout(LIMIT_S):
        while not await page.run(f"(() => {{ {script} }})()"):
            await asyncio.sleep(0.05)


async def test_the_document_is_a_page_on_which_calls_can_be_tried(store: PostgresStore, tmp_path: Path) -> None:
    async with running(store, tmp_path) as api, chromium(tmp_path / "chromium") as page:
        listed = (await api.get("/openapi.json"))["paths"]
        await page.call("Page.enable")
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        await page.open(f"{api.url}/docs")
        count = sum(map(len, listed.values()))
        await until(page, f"return document.querySelectorAll('.opblock').length === {count}")
        for button in ("opblock-summary-control", "try-out__btn", "execute"):
            await until(page, PUSH.format(f"#operations-default-live .{button}"))
        await until(page, "return document.querySelector('.live-responses-table .response-col_status') !== null")
        status = await page.run(
            "document.querySelector('.live-responses-table .response .response-col_status').innerText"
        )
        assert status.startswith("200")
        await until(page, PUSH.format("#operations-default-submitJob .opblock-summary-control"))
        await until(page, "return document.querySelectorAll('.examples-select-element option').length > 20")
        assert await page.run("refused") == []
