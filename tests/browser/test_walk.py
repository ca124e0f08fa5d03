"""What people do with the dashboard, in a real browser, over a running platform that encodes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.lab import media
from tests.lab.browser import MARKS, tab
from tests.lab.showcase import Showcase

pytestmark = MARKS
OF_A_JOB = re.compile(r"/ui/jobs/(\d+)$")


async def job_at(page: Page) -> int:
    """The job whose page it comes to."""
    await page.wait_for_url(OF_A_JOB)
    found = OF_A_JOB.search(page.url)
    assert found is not None
    return int(found[1])


def film(folder: Path, name: str = "lake.mp4", *, seconds: float = 1.5) -> Path:
    return Path(shutil.copy(media.clip(seconds=seconds), folder / name))


async def test_a_file_is_brought_and_becomes_a_job(browser: Browser, shown: Showcase, tmp_path: Path) -> None:
    """On a server that asks for keys: the page that was wanted comes behind the door."""
    async with tab(browser, shown.locked, borne=["status of 401"]) as page:
        await page.goto("/ui/jobs/new")
        for key in ("enc_live_nobody", shown.key):
            await page.get_by_label("Key", exact=True).fill(key)
            await page.keyboard.press("Enter")
            if key != shown.key:
                await expect(page.get_by_role("alert")).to_contain_text("opens nothing here")
        await page.wait_for_url("**/ui/jobs/new")
        await page.get_by_label("Drop a file here, or choose one").set_input_files(film(tmp_path))
        await expect(page.get_by_text("lake.mp4, ")).to_be_visible()
        dry = page.get_by_role("region", name="Dry run")
        await expect(dry).to_contain_text("320×180")
        await page.get_by_role("button", name="Submit").click()
        job = await shown.platform.ended(await job_at(page))
        assert (job["status"], job["source"]["kind"]) == ("completed", "upload")
        await page.locator("summary", has_text="View and session").click()
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", name="Log in with an API key")).to_be_visible()
        await page.goto("/")
        await expect(page.get_by_role("heading", name="Log in with an API key")).to_be_visible()


async def test_without_scripts_a_job_is_found_and_opened(browser: Browser, shown: Showcase) -> None:
    async with tab(browser, shown.url, java_script_enabled=False) as page:
        await page.goto("/")
        await page.get_by_role("searchbox", name="Find a job").fill("IMG_2041")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="IMG_2041.mov")).to_have_count(3)
        await page.get_by_role("combobox", name="State").select_option(label="Failed")
        await page.get_by_role("button", name="Filter").click()
        await page.get_by_role("link", name="IMG_2041.mov").click()
        assert await job_at(page) == shown.jobs["half"]
        await expect(page.locator("main")).to_contain_text("destination_auth_failed")
