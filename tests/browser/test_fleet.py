"""Fleet, queues and insights in a browser: charts are drawn from their tables, and what changes is fetched anew."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.lab.browser import MARKS, WAIT_MS, sideways_px, tab
from tests.lab.showcase import Showcase

pytestmark = MARKS

ROWS = "[data-chart=ends] details tr:has(time)"
CELLS = f"() => [...document.querySelectorAll('{ROWS}')].map((row) => row.cells[1].textContent)"


async def test_charts_are_drawn_and_their_tables_are_the_numbers_of_the_api(browser: Browser, shown: Showcase) -> None:
    told = (await shown.platform.call("GET", "/insights/all?range=24h"))[1]
    while not told["complete"]:  # on a busy machine a call ends before all is counted
        told = (await shown.platform.call("GET", "/insights/all?range=24h"))[1]
    async with tab(browser, shown.url) as page:
        await page.goto("/ui/insights?range=24h")
        await expect(page.locator("[data-plot] canvas")).to_have_count(3)
        assert await page.evaluate(CELLS) == [str(bucket["jobs"]["completed"]) for bucket in told["buckets"]]
        assert sum(told["jobs"].values()) > 3
        await page.locator("summary", has_text="As a table").first.click()
        await expect(page.locator("[data-chart=ends] details table")).to_be_visible()
        assert await sideways_px(page) == 0
    async with tab(browser, shown.url, java_script_enabled=False) as page:
        await page.goto("/ui/insights")
        await page.locator("summary", has_text="As a table").first.click()
        await expect(page.locator("[data-chart=ends] details table")).to_be_visible()


async def test_the_fleet_is_seen_anew_by_itself(browser: Browser, shown: Showcase) -> None:
    """And says of when it is, as long as the server does not answer."""
    async with tab(browser, shown.url, width=360, borne=["status of 503"]) as page:
        await page.goto("/ui/fleet")
        running = page.locator("table.runs tr", has_text=f"j{shown.jobs['processing']}")
        await expect(running).to_be_visible()
        await page.evaluate("() => { document.querySelector('.worker h2 a').textContent = 'stale'; }")
        await expect(page.get_by_role("link", name="stale", exact=True)).to_have_count(0, timeout=WAIT_MS)
        assert await sideways_px(page) == 0
        await page.route("**/ui/parts/fleet", lambda route: route.fulfill(status=503))
        still = page.get_by_text("The server does not answer: this is how it was at ")
        await expect(still).to_be_visible(timeout=WAIT_MS)
        await page.unroute_all()
        await expect(still).to_have_count(0, timeout=WAIT_MS)
