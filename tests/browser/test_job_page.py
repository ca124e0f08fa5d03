"""The page of a job over a platform that encodes: it tells what the API tells, and nothing moves under one's hand."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, expect

from tests.lab.browser import MARKS, tab
from tests.lab.showcase import Showcase

pytestmark = MARKS
STAGES = ["encoding", "verifying", "uploading"]


async def told(shown: Showcase, path: str) -> Any:  # noqa: ANN401  # JSON
    status, answer = await shown.platform.call("GET", path)
    assert status == 200, answer
    return answer


async def test_a_timeline_tells_each_stage_of_a_real_run_in_its_order(shown: Showcase) -> None:
    job_id = shown.jobs["package"]
    (run,) = (await told(shown, f"/jobs/{job_id}/timeline"))["runs"]
    (attempt,) = run["attempts"]
    assert (attempt["outcome"], attempt["worker"] is not None) == ("done", True)
    shared = [span["stage"] for span in attempt["spans"] if span["output"] is None]
    assert shared[:2] == ["fetching", "probing"]
    for output in (0, 1):
        spans = [span for span in attempt["spans"] if span["output"] == output]
        assert [span["stage"] for span in spans] == STAGES
        assert [span["outcome"] for span in spans] == [None, None, "uploaded"]
        times = [attempt["startedAt"], *(at for span in spans for at in (span["startedAt"], span["endedAt"]))]
        assert times == sorted(times)
        assert times[-1] <= attempt["endedAt"] <= run["endedAt"]


async def test_a_job_that_runs_is_followed_and_what_was_opened_stays(browser: Browser, shown: Showcase) -> None:
    job_id = shown.jobs["processing"]
    async with tab(browser, shown.url) as page:
        await page.goto(f"/ui/jobs/{job_id}")
        await page.locator("#o0 > summary").click()
        await page.locator("#log-of-0 > summary").click()
        log = page.locator("#log-0")
        await expect(log).to_contain_text("libx264", timeout=20_000)  # its worker tells it because somebody reads
        await page.evaluate("() => { window.first = document.querySelector('#log-0').firstChild; }")
        as_of = page.locator(".when time").last
        before = await as_of.get_attribute("datetime")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.locator("dialog#cancel[open]")).to_be_visible()
        await expect(as_of).not_to_have_attribute("datetime", before or "", timeout=20_000)  # it was drawn anew
        await expect(page.locator("dialog#cancel[open]")).to_be_visible()
        assert await page.evaluate("() => window.first.isConnected")
        await page.keyboard.press("Escape")
        job = await told(shown, f"/jobs/{job_id}")
        seen = await page.locator("#job-now").get_by_role("progressbar").get_attribute("aria-valuenow")
        assert abs(int(seen or -1) - job["progress"] * 100) <= 5  # a moment lies between


async def test_an_output_of_many_is_fetched_when_it_is_opened_and_there_without_scripts(
    browser: Browser, shown: Showcase
) -> None:
    job_id = shown.jobs["half"]
    async with tab(browser, shown.url) as page:
        await page.goto(f"/ui/jobs/{job_id}#o0")
        await expect(page.locator("#o0")).to_have_attribute("open", "")
        await page.locator("#log-of-0 > summary").click()
        await expect(page.locator("#log-0")).to_contain_text("Stream mapping")
        await page.keyboard.press("p")
        await expect(page).to_have_url(f"{shown.url}/ui/jobs/{job_id}/outputs/0/proof")
    async with tab(browser, shown.url, java_script_enabled=False) as page:
        await page.goto(f"/ui/jobs/{job_id}")
        await page.get_by_role("link", name="Log").first.click()
        await expect(page.locator("#log-1")).to_contain_text("Stream mapping")
        await page.get_by_role("link", name="Proof", exact=True).click()
        await expect(page.get_by_text("Proven: ").first).to_be_visible()
        await page.goto(f"/ui/jobs/{job_id}")
        await page.get_by_role("button", name="Retry failed (1)").click()
        await expect(page.get_by_role("heading", name=f"Retry job {job_id}?")).to_be_visible()
