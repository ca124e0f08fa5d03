"""The dashboard without a mouse, without motion, without colours of ours."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.lab.browser import MARKS, tab
from tests.lab.showcase import Showcase

pytestmark = MARKS

# what has the focus: its name, whether a ring is drawn around it, and whether it can be seen where it stands
FOCUSED = """() => {
  const [element, style] = [document.activeElement, getComputedStyle(document.activeElement)];
  if (element === document.body) return null;
  const box = element.getBoundingClientRect();
  const there = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
  const name = element.outerHTML.slice(0, 120);
  return {
    name, ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: Boolean(there) && (element.contains(there) || there.contains(element)),
  };
}"""
STOPS = """() => [
  ...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")
].filter((each) => !each.disabled && each.type !== "hidden" && (each.type !== "radio" || each.checked))
  .filter((each) => each.checkVisibility({visibilityProperty: true})).length"""


async def test_the_first_stop_skips_to_the_content(browser: Browser, shown: Showcase) -> None:
    async with tab(browser, shown.url) as page:
        await page.goto("/")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
        await page.keyboard.press("Enter")
        assert await page.evaluate("() => document.activeElement.id") == "main"


@pytest.mark.parametrize("path", ["/", "/ui/jobs/{half}", "/ui/jobs/new"])
async def test_everything_is_reached_by_keys_and_seen_when_it_is(browser: Browser, shown: Showcase, path: str) -> None:
    async with tab(browser, shown.url) as page:
        await page.goto(path.format_map(shown.jobs))
        stops, reached = await page.evaluate(STOPS), []
        for _ in range(stops + 5):
            await page.keyboard.press("Tab")
            focused = await page.evaluate(FOCUSED)
            if focused is None:
                break
            reached.append(focused)
    assert [each["name"] for each in reached if not each["ring"] or not each["seen"]] == []
    assert len(reached) >= stops


async def test_single_keys_go_and_can_be_switched_off(browser: Browser, shown: Showcase) -> None:
    async with tab(browser, shown.url) as page:
        await page.goto("/")
        await page.keyboard.press("/")
        await expect(page.get_by_role("search").get_by_role("searchbox")).to_be_focused()
        await page.keyboard.type("n?")  # in a field they are letters
        await expect(page.get_by_role("search").get_by_role("searchbox")).to_have_value("n?")
        await page.locator("h1").click()
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await page.get_by_label("Single keys do nothing").check()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


MOVES = """() => [...document.querySelectorAll("*")].flatMap((element) => {
  const style = getComputedStyle(element);
  const long = style.transitionDuration.split(",").some((each) => parseFloat(each) > 0.2);
  return style.animationName !== "none" || long ? [element.outerHTML.slice(0, 80)] : [];
})"""
BORDERLESS = """() => [...document.querySelectorAll(".pill")].filter((pill) => {
  const style = getComputedStyle(pill);
  const bare = style.borderStyle === "none" || style.borderWidth === "0px";
  return bare || !pill.querySelector("svg") || !pill.innerText.trim();
}).map((pill) => pill.outerHTML)"""


async def test_nothing_moves_for_who_asked_for_that(browser: Browser, shown: Showcase) -> None:
    async with tab(browser, shown.url) as page:
        for path in ("/", f"/ui/jobs/{shown.jobs['processing']}"):
            await page.goto(path)
            assert await page.evaluate(MOVES) == []


async def test_states_are_told_apart_without_colours_of_ours(browser: Browser, shown: Showcase) -> None:
    """By shape, word and border."""
    async with tab(browser, shown.url, forced_colors="active") as page:
        await page.goto("/")
        assert await page.locator(".pill").count() > 8
        assert await page.evaluate(BORDERLESS) == []
