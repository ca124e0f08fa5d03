"""The lab sees every page of the dashboard: what stands in its table is looked at, in pictures and by axe."""

from __future__ import annotations

from pathlib import Path

from encoder.dashboard.page import Page
from encoder.dashboard.routes import PAGES
from tests.lab import pictures as pictures_of
from tests.lab import scenes

SCREENS = Path(__file__).parents[2] / "docs" / "screens"


def test_every_page_is_looked_at() -> None:
    """Add a scene to tests/lab/scenes.py where a path has braces, or say there what it answers in place of a page."""
    assert scenes.forgotten() == set()


def test_a_page_that_nobody_looks_at_is_noticed() -> None:
    handler = PAGES[0].handler
    plain, braced = (Page(method="GET", path=path, handler=handler) for path in ("/ui/new", "/ui/new/{id}"))
    assert scenes.forgotten([*PAGES, plain, braced]) == {"/ui/new/{id}"}
    assert [scene.name for scene in scenes.scenes([plain])] == ["new"]
    assert scenes.forgotten(PAGES[1:]) == {PAGES[0].path}


def test_each_picture_has_a_name_of_its_own() -> None:
    names = [scene.name for scene in scenes.scenes()]
    assert len({*names}) == len(names) > 10


def test_the_pictures_in_the_docs_are_of_pages_that_there_are_and_small() -> None:
    names = {scene.name for scene in scenes.scenes()}
    pictures = {path.stem: path.stat().st_size for path in SCREENS.glob("*.webp")}
    assert {name.rsplit("-", 2)[0] for name in pictures} <= names
    assert max(pictures.values()) < pictures_of.MOST_BYTES
