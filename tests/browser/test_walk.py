"""What people do with the dashboard, in a real browser, over a running platform that encodes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.lab import media
from tests.lab.browser import MARKS, tab
from tests.lab.platform import until
from tests.lab.showcase import FAST, Showcase

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
        job_id = await job_at(page)
        await expect(page.locator("h1 .pill")).to_have_text("Completed", timeout=30_000)  # told live
        assert (await shown.platform.job(job_id))["source"]["kind"] == "upload"
        await watched(page)
        await page.locator("summary", has_text="View and session").click()
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", name="Log in with an API key")).to_be_visible()
        await page.goto("/")
        await expect(page.get_by_role("heading", name="Log in with an API key")).to_be_visible()


async def watched(page: Page) -> None:
    """From the job's page: its output plays, and goes where it is sent."""
    await page.get_by_role("link", name="Watch").first.click()
    video = page.locator("video.made")
    await video.evaluate("(video) => video.play()")
    await page.wait_for_function("() => document.querySelector('video.made').currentTime > 0.1")
    await video.evaluate("(video) => video.pause()")
    scrub = page.get_by_label("Position")
    await scrub.focus()
    await page.keyboard.press("End")  # first: a control that still stands at the beginning would not move to it
    await page.wait_for_function("() => document.querySelector('video.made').currentTime > 1")
    await page.keyboard.press("Home")
    await page.wait_for_function("() => document.querySelector('video.made').currentTime < 0.1")


def file_job(path: Path, **output: object) -> dict[str, object]:
    return {"source": {"kind": "file", "path": str(path)}, "outputs": [{"preset": "h264", **FAST, **output}]}


async def test_what_failed_is_tried_again_and_once_mended_redriven(browser: Browser, shown: Showcase) -> None:
    missing = shown.folder / "late.mp4"
    job_id = await shown.platform.submit(file_job(missing))
    assert (await shown.platform.ended(job_id))["status"] == "failed"
    async with tab(browser, shown.url) as page:
        row = page.locator(f"#j{job_id}")
        await page.goto("/?status=failed")
        await row.get_by_role("button", name="Actions").click()
        await page.get_by_role("button", name="Retry").last.click()
        await page.get_by_role("button", name="Retry job").click()
        await expect(page.get_by_role("status").first).to_contain_text("Queued again 1 job")
        assert page.url.endswith("/?status=failed")  # filters are kept
        await until(lambda: runs(shown, job_id, 2, "failed"), within_s=30)
        film(shown.folder, missing.name)
        await page.goto("/ui/dead")
        group = page.locator(".card", has=page.get_by_text("source_not_found", exact=True))
        await group.get_by_role("button", name="Redrive 1").click()
        await page.get_by_role("button", name="Redrive").click()
        await expect(page.locator(".said")).to_be_visible()
        await page.goto("/")
        await expect(row.locator(".pill")).to_have_text(
            "Completed", timeout=30_000
        )  # told live: nothing is loaded again
    assert await runs(shown, job_id, 3, "completed")


async def runs(shown: Showcase, job_id: int, run: int, status: str) -> bool:
    job = await shown.platform.job(job_id)
    return (job["run"], job["status"]) == (run, status)


async def test_progress_is_seen_to_move_and_what_runs_is_cancelled(browser: Browser, shown: Showcase) -> None:
    job_id = await shown.platform.submit(file_job(shown.folder / "concert.mp4", encoderPreset="veryslow", height=720))
    async with tab(browser, shown.url) as page:
        row = page.locator(f"#j{job_id}")
        await page.goto("/")
        await expect(row.locator(".pill")).to_have_text("Encoding", timeout=30_000)
        bar = row.get_by_role("progressbar")
        seen = await bar.get_attribute("aria-valuenow")
        await expect(bar).not_to_have_attribute("aria-valuenow", seen or "", timeout=30_000)
        await row.get_by_role("button", name="Actions").click()
        await page.get_by_role("button", name="Cancel", exact=False).last.click()
        await page.get_by_role("button", name=f"Cancel job j{job_id}").click()
        await expect(row.locator(".pill")).to_have_text("Cancelled", timeout=30_000)
    assert (await shown.platform.job(job_id))["status"] == "cancelled"


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
