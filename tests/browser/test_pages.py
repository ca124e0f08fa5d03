"""Every page of the dashboard, in both themes, from a phone to a wall: nobody is stopped, and nothing goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.lab.axe import axe
from tests.lab.browser import MARKS, Theme, look, sideways_px, tab
from tests.lab.scenes import Scene, scenes
from tests.lab.showcase import Showcase

pytestmark = MARKS
LOOKS: tuple[tuple[Theme, int, tuple[str, ...]], ...] = (
    ("light", 1440, ()), ("dark", 1440, COLOURS := ("color-contrast",)), ("light", 360, COLOURS), ("dark", 360, ()),
)  # fmt: skip
WIDTHS = (320, 360, 768, 1440, 2560)  # 320: what is left of a desk at 400 % (WCAG 1.4.10)


async def faults(page: Page, axe_core: Path) -> list[str]:
    """What somebody would be stopped by. Colours depend on the theme, all else on the width alone."""
    found = []
    for theme, width, only in LOOKS:
        await look(page, width=width, theme=theme)
        found += [f"{width} px, {theme}: {fault}" for fault in await axe(page, axe_core, only=only)]
    for width in WIDTHS:
        await look(page, width=width)
        if over := await sideways_px(page):
            found.append(f"{width} px: {over} px lie to the right")
    return found


@pytest.mark.parametrize("scene", [pytest.param(scene, id=scene.name) for scene in scenes()])
async def test_nobody_is_stopped(browser: Browser, shown: Showcase, axe_core: Path, scene: Scene) -> None:
    async with tab(browser, scene.home(shown), borne=scene.borne) as page:
        answer = await page.goto(scene.path(shown))
        assert answer is not None
        assert answer.status == scene.status
        assert await page.locator("h1").count() == 1
        assert (await page.title()).endswith(" – Encoder")
        found = await faults(page, axe_core)
        assert not found, "\n".join(found)
