"""The list of jobs in a browser: it changes under the reader's hand, and nothing that he holds is taken from him."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from encoder.api import bulk
from encoder.api.auth import KeyGate
from encoder.dashboard import stream
from encoder.model.ids import OutputId
from encoder.model.key import Scope
from encoder.model.state import OutputState
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Live
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.axe import axe
from tests.lab.browser import MARKS, THEMES, WAIT_MS, look, sideways_px, tab
from tests.lab.keyed import key_in

pytestmark = MARKS


@pytest_asyncio.fixture(loop_scope="session")
async def api(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setattr(stream, "FLUSH_S", 0.1)
    monkeypatch.setattr(stream, "COUNTS_S", 0.1)
    async with running(store, tmp_path) as up:
        yield up


async def test_rows_change_under_the_readers_hand(browser: Browser, api: Api) -> None:
    store = api.parts.store
    worker = work.new_worker()
    await store.hello(worker)
    jobs = [(await work.enqueue(store, outputs=2, label=f"film-{number}.mov")).id for number in range(3)]
    (claim,) = await work.claim(store, worker=worker.id)
    await store.mark(claim, [work.change(0, OutputState.ENCODING)])
    heart = store.heart()

    async def beat(progress: float) -> None:
        live = {OutputId(0): Live(stage="encoding", progress=progress, fps=50.0, speed=2.0, eta_seconds=130.0)}
        await heart.beat(worker.id, [Beat(task_id=claim.task_id, epoch=claim.epoch, live=live)], lease=work.LEASE)

    await beat(0.2)
    async with tab(browser, api.url) as page:
        await page.goto("/")
        await expect(page.locator("#live .live")).to_have_text("Live")
        row = page.locator(f"#j{jobs[0]}")
        await expect(row).to_contain_text("10\u202f%")
        # what the reader holds: a row chosen, a field typed into, the menu of a row
        await page.locator(f"#j{jobs[1]} input").check()
        await page.locator("[name=tag]").fill("trail")
        mark = "(row) => { row.mark = 1; window.scrolled = 0; addEventListener('scroll', () => window.scrolled++); }"
        await row.evaluate(mark)

        await beat(0.6)
        await expect(row.locator("[data-fact=pct]")).to_have_text("30\u202f%")
        await expect(row.locator("rect.done")).to_have_attribute("width", "30")
        await expect(row.locator("[data-fact=now]")).to_have_text("50\u202ffps · 2× · ~2\u202fmin")
        await store.settle(claim, work.failing())
        await expect(row.locator(".pill")).to_have_text("Failed")
        await expect(row.locator(".c-now a")).to_have_text(re.compile(r"\w+"))
        await expect(page.locator("#counts [href='/?status=failed'] b")).to_have_text("1")
        assert await row.evaluate("(row) => row.mark") == 1, "it is the same row, made to look otherwise"
        await store.cancel(jobs[1])
        await expect(page.locator(f"#j{jobs[1]} .pill")).to_have_text("Cancelled")
        await expect(page.locator(f"#j{jobs[1]} input")).to_be_checked()
        await expect(page.locator("[name=tag]")).to_be_focused()
        await expect(page.locator("[name=tag]")).to_have_value("trail")
        await work.enqueue(store)
        await expect(page.locator("#new a")).to_have_text("1 new: show")
        assert await page.locator("#jobs [data-shape]").count() == 3, "and nothing moves until he wants it"
        await store.delete(jobs[2])
        await expect(page.locator(f"#j{jobs[2]}")).to_have_class(re.compile("gone"))
        assert await page.evaluate("() => window.scrolled") == 0
        # the pause is a key, and it is kept
        await page.locator("h1").click()
        await page.keyboard.press("u")
        await expect(page.locator("#live .live")).to_have_text("Paused")
        await page.reload()
        await expect(page.locator("#live .live")).to_have_text("Paused")
        await page.locator("[data-live-pause]").click()
        await expect(page.locator("#live .live")).to_have_text("Live")
    await heart.close()


async def test_many_are_chosen_by_keys_and_done_slice_by_slice_by_itself(
    browser: Browser, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    jobs = [(await work.enqueue(api.parts.store)).id for _ in range(5)]
    async with tab(browser, api.url) as page:
        await page.goto("/?status=queued")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("x")
        await expect(page.locator(f"#j{jobs[3]} input")).to_be_checked()
        await expect(page.locator("[data-count]")).to_have_text("1 selected")
        await page.keyboard.press("a")
        await expect(page.locator("[data-count]")).to_have_text("5 selected")
        await page.keyboard.press("c")
        await expect(page.locator("h1")).to_have_text("Cancel 5 jobs?")
        await expect(page.locator("a.button:has-text('Keep them')")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-count]")).to_have_text("5 selected")
        await page.keyboard.press("c")
        await page.locator("button:has-text('Cancel 5 jobs')").click()
        await expect(page.locator(".said")).to_have_text("Cancelled 5 jobs.")
        assert page.url.endswith("/?status=queued")
        await page.goto("/")
        await page.locator(f"#j{jobs[0]} .c-menu button").click()
        await page.locator("#row-menu [value=retry]").click()
        await expect(page.locator("h1")).to_have_text(f"Retry job j{jobs[0]}?")
        await page.locator("button:has-text('Retry job')").click()
        await expect(page.locator(f"#j{jobs[0]} .pill")).to_have_text("Queued")
        for width in (360, 768, 2560):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await sideways_px(page) == 0, width


async def test_a_stream_that_breaks_says_so_and_comes_back(browser: Browser, api: Api) -> None:
    job = (await work.enqueue(api.parts.store)).id
    async with tab(browser, api.url, borne=["ui/stream", "503"]) as page:
        await page.goto("/")
        await expect(page.locator("#live .live")).to_have_text("Live")
        await page.route("**/ui/stream*", lambda route: route.fulfill(status=503))
        api.parts.watcher.close()
        await expect(page.locator("#live .live")).to_have_text(
            re.compile("Live updates stopped at .* UTC. Trying again")
        )
        assert await _grey(page, job)


async def test_a_login_that_ends_says_so(
    browser: Browser, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoder.api.auth.KNOWN_S", 0)
    await work.enqueue(store)
    key = await key_in(store, Scope.READ)
    async with (
        running(store, tmp_path, gate=KeyGate(store), loopback_only=False) as api,
        tab(browser, api.url, borne=["status of 401"]) as page,
    ):
        await page.goto("/")
        await page.locator("#key").fill(key)
        await page.keyboard.press("Enter")
        await expect(page.locator("#live .live")).to_have_text("Live")
        (row,) = await store.keys()
        await store.revoke_key(row.id)
        await expect(page.locator("#live .live")).to_have_text("Your login has ended. Reload to log in again.")
        await page.reload()
        await expect(page.get_by_role("heading", name="Log in with an API key")).to_be_visible()


async def test_a_row_that_could_not_be_had_is_asked_for_again_and_none_comes_late(browser: Browser, api: Api) -> None:
    """As when the database is away for a moment, or slow, while the stream stands."""
    store = api.parts.store
    job, claim = await work.working(store)
    asked = under_way = most = 0

    async def slowly(route: Route) -> None:
        nonlocal asked, under_way, most
        asked, under_way = asked + 1, under_way + 1
        most = max(most, under_way)
        if asked == 1:
            await route.fulfill(status=503)
        else:
            if asked == 2:
                await store.settle(claim, work.failing())
                await asyncio.sleep(1.5)
            await route.continue_()
        under_way -= 1

    async with tab(browser, api.url, borne=["status of 503"]) as page:
        await page.goto("/")
        await expect(page.locator("#live .live")).to_have_text("Live")
        await page.route("**/ui/parts/jobs?*", slowly)
        await store.mark(claim, [work.change(0, OutputState.ENCODING)])
        await expect(page.locator(f"#j{job.id} .pill")).to_have_text("Failed", timeout=WAIT_MS)
        await page.wait_for_load_state("networkidle")
        await page.unroute_all(behavior="wait")
    assert asked > 1
    assert most == 1


async def test_a_job_that_is_deleted_while_it_is_seen_is_told_to_be_gone(browser: Browser, api: Api) -> None:
    job = (await work.enqueue(api.parts.store)).id
    async with tab(browser, api.url, borne=["status of 404"]) as page:
        await page.goto(f"/ui/jobs/{job}")
        await expect(page.locator("#live .live")).to_have_text("Live")
        await api.parts.store.delete(job)
        await expect(page.get_by_role("heading", name="No such job here")).to_be_visible()


async def _grey(page: Page, job: int) -> bool:
    return bool(
        await page.locator(f"#j{job}").evaluate("() => document.documentElement.classList.contains('live-stopped')")
    )


async def test_lists_are_fit_for_everybody(browser: Browser, api: Api, axe_core: Path) -> None:
    store = api.parts.store
    async with tab(browser, api.url) as page:
        await page.goto("/")
        assert await axe(page, axe_core) == [], "nothing there yet"
        for label in ("a.mov", "b.mov"):
            job, claim = await work.working(store, outputs=2, label=label)
            await store.settle(claim, work.failing())
        await work.enqueue(store)
        for path in ("/", "/?status=completed&tag=x&since=1h", "/ui/dead"):
            await page.goto(path)
            for theme, width in zip(THEMES, (1440, 360), strict=True):
                await look(page, width=width, theme=theme)
                assert await axe(page, axe_core) == [], (path, width)
                assert await sideways_px(page) == 0, (path, width)
        await look(page, width=1440)
        await page.goto("/")
        await page.locator(f"#j{job.id} .c-menu button").click()
        assert await axe(page, axe_core) == [], "the menu of a row"
        await page.locator("#row-menu [value=delete]").click()
        assert await axe(page, axe_core) == [], "the question"


async def test_all_of_it_works_without_a_script(browser: Browser, api: Api) -> None:
    store = api.parts.store
    job, claim = await work.working(store)
    await store.settle(claim, work.failing())
    await work.enqueue(store, tags=("trailer",))
    async with tab(browser, api.url, java_script_enabled=False) as page:
        await page.goto("/")
        await page.get_by_label("Tag").fill("trailer")
        await page.get_by_role("button", name="Filter").click()
        assert "tag=trailer" in page.url
        await page.get_by_label("All that match").check()
        await page.get_by_role("button", name="Cancel…").click()
        await page.get_by_role("button", name="Cancel 1 job").click()
        await expect(page.locator(".said")).to_have_text("Cancelled 1 job.")
        await page.goto("/ui/dead")
        await page.get_by_role("button", name="Redrive 1…").click()
        await page.get_by_role("button", name="Redrive 1").click()
        await expect(page.locator(".said")).to_have_text("1 queued again.")
        await page.locator("[name=q]").first.fill(str(job.id))
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/ui/jobs/{job.id}")
