"""axe-core over a page: what somebody who cannot see, or cannot use a mouse, would be stopped by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Page

COUNTS = {"serious", "critical"}
_RUN = """options => axe.run(document, options).then(({violations}) => violations.map(({id, impact, help, nodes}) => (
  {id, impact, help, where: nodes.map(({target, failureSummary}) =>
    `${target.join(" ")}: ${failureSummary.split("\\n").slice(1, 2).join().trim()}`)})))"""
_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


async def axe(page: Page, source: Path, *, only: Sequence[str] = ()) -> list[str]:
    """Violations that are serious or critical, a sentence each.

    `source`: as the fixture `axe_core`. `only`: these rules.
    """
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(source.read_text())
    found: list[dict[str, Any]] = await page.evaluate(_RUN, {**_OPTIONS, **({"runOnly": list(only)} if only else {})})
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {'; '.join(each['where'])}"
        for each in found
        if each["impact"] in COUNTS
    ]
