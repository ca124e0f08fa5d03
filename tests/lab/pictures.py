"""Pictures of the dashboard, in both themes, narrow and wide: `python -m tests.lab.pictures FOLDER [NAME…]`."""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser

from tests.lab import media, postgres
from tests.lab.browser import THEMES, chromium, look, screenshot, tab
from tests.lab.scenes import Scene, scenes
from tests.lab.showcase import Showcase, showcase

WIDTHS = (360, 1440)
MOST_BYTES = 120_000
_QUALITIES = (80, 60, 40, 20, 5)


async def take(folder: Path, chosen: Sequence[Scene]) -> None:
    """Four pictures of each scene."""
    clip = _clip()
    with tempfile.TemporaryDirectory() as temporary, postgres.cluster(Path(temporary) / "cluster") as cluster:
        seen = Path(temporary) / "shown"
        seen.mkdir()
        async with (
            cluster.ready() as dsn,
            showcase(dsn, seen, clip=clip, height=360) as shown,
            chromium() as browser,
        ):
            for scene in chosen:
                await _pictures(browser, shown, scene, folder)


def _clip() -> Path:
    """A street of some city, from a theme under the MIT licence."""
    film = media.public_clip("city_1080p24_moovend.mp4")
    return media.made(
        "city.mp4", "-t", "5", "-i", str(film), "-vf", "scale=640:360", "-c:v", "libx264", "-preset", "veryfast",
        "-c:a", "aac",
    )  # fmt: skip


async def _pictures(browser: Browser, shown: Showcase, scene: Scene, folder: Path) -> None:
    async with tab(browser, scene.home(shown), borne=scene.borne) as page:
        await page.goto(scene.path(shown))
        for theme, width in itertools.product(THEMES, WIDTHS):
            await look(page, width=width, theme=theme)
            path = folder / f"{scene.name}-{width}-{theme}.webp"
            for quality in _QUALITIES:
                await screenshot(page, path, quality=quality)
                if path.stat().st_size < MOST_BYTES:
                    break


def main(folder: str, *names: str) -> None:
    """All scenes, or those named."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    chosen = [scene for scene in scenes() if not names or scene.name in names]
    asyncio.run(take(Path(folder), chosen))


if __name__ == "__main__":
    main(*sys.argv[1:])
