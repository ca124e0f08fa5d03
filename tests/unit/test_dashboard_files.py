"""What the pages are made of: files of others are what they were, icons there are, and nothing needs to be unsafe."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import encoder.dashboard
from encoder.dashboard.files import Files

HOME = Path(encoder.dashboard.__file__).parent
STATIC, TEMPLATES = HOME / "static", sorted((HOME / "templates").glob("*.html"))
VENDOR = STATIC / "vendor"


def test_what_others_wrote_is_what_the_table_says() -> None:
    packages = tomllib.loads((VENDOR / "vendor.toml").read_text())["package"]
    told = {name: entry["sha256"] for package in packages for name, entry in package.get("files", {}).items()}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    del found["vendor.toml"]
    assert found == told
    assert all(package["licence"] for package in packages)


def test_nothing_lies_there_that_no_page_uses() -> None:
    sources = [
        path for path in HOME.rglob("*") if path.suffix in {".html", ".py", ".js"} and VENDOR not in path.parents
    ]
    text = "".join(path.read_text() for path in sources)
    files = [path.name for path in VENDOR.iterdir() if path.suffix in {".js", ".css"}]
    icons = re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text())
    assert [name for name in (*(f"vendor/{name}" for name in files), *icons) if f'"{name}"' not in text] == []


def test_every_icon_that_a_page_names_is_there() -> None:
    there = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    text = "".join(path.read_text() for path in TEMPLATES)
    named = set(re.findall(r'icon\("([a-z-]+)"', text)) | set(re.findall(r': \("[a-z]+", "([a-z-]+)"', text))
    assert named
    assert named <= there


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_an_unsafe_policy(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! [^>]*src=)|\|\s*safe\b|javascript:", text)


def test_only_one_file_names_colours() -> None:
    for sheet in (STATIC / "css").rglob("*.css"):
        if sheet.name != "tokens.css":
            found = re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)|rgba?\(|hsla?\(|oklch\(", sheet.read_text())
            assert not found, f"{sheet.name}: {found}"


def test_addresses_change_with_what_is_in_the_files(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("a")
    before = Files(tmp_path).address("css/a.css")
    (tmp_path / "css" / "a.css").write_text("b")
    assert before != Files(tmp_path).address("css/a.css")
    with pytest.raises(LookupError):
        Files(tmp_path).address("css/b.css")


# what stands out from what, and by how much in light and in dark: WCAG asks 4.5 of text, 3 of marks and edges
_SURFACES = ("panel", "canvas", "well")
_ROLES = {"ink": (15.6, 14.6), "muted": (6.5, 8.1), "faint": (4.6, 5.7), "accent": (5.8, 7.8), "edge": (3.2, 3.7)}
_TINTED = {
    "idle": (6.4, 7.7), "busy": (6.6, 7.8), "proof": (5.5, 6.9), "good": (5.5, 10.1), "warn": (5.8, 9.2),
    "bad": (6.7, 6.2),
}  # fmt: skip
_LABELS = {("on-accent", "accent"): (6.7, 8.4), ("on-bad", "bad"): (7.8, 7.6)}
_STATE_LEAST = 5.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_what_is_written_stands_out(theme: int) -> None:
    tokens = (STATIC / "css" / "tokens.css").read_text()
    pairs = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", tokens)
    colour = {name: both[theme] for name, *both in pairs}

    def lowest(name: str, *surfaces: str) -> float:
        return min(_contrast(colour[name], colour[surface]) for surface in surfaces)

    for name, least in _ROLES.items():
        assert lowest(name, *_SURFACES) >= least[theme] - 0.05, name
    for state, least in _TINTED.items():
        assert lowest(state, f"{state}-tint") >= least[theme] - 0.05, state
        assert lowest(state, *_SURFACES) >= _STATE_LEAST, state
    for (label, fill), least in _LABELS.items():
        assert lowest(label, fill) >= least[theme] - 0.05, label


def _contrast(one: str, other: str) -> float:
    """As WCAG 2.2 computes it."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
