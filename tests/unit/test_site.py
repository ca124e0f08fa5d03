"""docs/ as a site: it builds with every link and anchor leading somewhere, and asks nothing of anybody else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import site
from tests.lab.pages import ROOT

NOT_LISTED = {"progress.md"}  # a diary, found from the README
_ASKED_FOR = re.compile(
    r"""(?:<(?:script|img|iframe|source|video|audio|link)\b[^>]*?(?:src|href)=|url\()["']?([^"'\s)>]+)"""
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.made(tmp_path_factory.mktemp("site"))


def test_every_page_is_there_and_asks_for_files_of_the_site_alone(built: Path) -> None:
    pages = {str(path.relative_to(ROOT / "docs").with_suffix(".html")) for path in (ROOT / "docs").rglob("*.md")}
    made = {str(path.relative_to(built)): path.read_text() for path in built.rglob("*.html")}
    assert pages <= made.keys()
    for page, text in made.items():
        asked = set(_ASKED_FOR.findall(text))
        assert asked, page
        assert [each for each in asked if "://" in each or each.startswith("//")] == [], page
    for style in built.rglob("*.css"):
        assert [each for each in _ASKED_FOR.findall(style.read_text()) if not each.startswith(("data:", "#"))] == [], (
            style
        )


@pytest.mark.parametrize("link", ["nowhere.md", "why/flow.md#nowhere", "#nowhere"])
def test_a_link_that_leads_nowhere_stops_the_build(tmp_path: Path, link: str) -> None:
    (tmp_path / "docs" / "why").mkdir(parents=True)
    (tmp_path / "docs" / "why" / "flow.md").write_text("# Flow\n")
    index, settings = tmp_path / "docs" / "index.md", tmp_path / "zensical.toml"
    settings.write_text('[project]\nsite_name = "site"\n')
    index.write_text("# Site\n\n[there](why/flow.md#flow)\n")
    assert site.build(tmp_path).returncode == 0
    index.write_text(f"# Site\n\n[there]({link})\n")
    assert site.build(tmp_path).returncode != 0


def test_every_page_is_listed() -> None:
    """Decisions are behind a page of their own."""
    listed = set(_pages(tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]))
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert {page for page in there - listed if not re.match(r"adr/\d", page)} == NOT_LISTED
    assert listed - there == set()


def _pages(entry: Any) -> Iterator[str]:  # noqa: ANN401  # a tree of lists, titles and pages
    if isinstance(entry, str):
        yield entry
    else:
        for below in entry.values() if isinstance(entry, dict) else entry:
            yield from _pages(below)
