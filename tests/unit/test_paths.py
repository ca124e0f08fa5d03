from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.destinations.template import Values, example, expand, fault
from encoder.model.job import Place
from encoder.model.paths import path_fault, segment, stem

VALUES = Values(job_id=42, uuid="u-1", source_name="../../etc/My Clip.final.mp4", width=1280, height=720, preset="h264")


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../b",
        "a/..",
        "..",
        "%2e%2e%2fx",
        "a/%2e%2e/b",
        "a%2f..%2fb",
        "..\\x",
        "a\\b",
        ".",
        "./a",
        "a/./b",
        "a//b",
        "//a",
        "/a",
        "a%2f%2fb",
        "a\x00b",
        "a%00b",
        "a\nb",
        "a\x7fb",
        "a/",
        "",
        "x" * 1025,
        "ü" * 513,
        "a/\ud800",
    ],
)
def test_a_path_that_may_lead_elsewhere_is_invalid(path: str) -> None:
    """G1 of security.md"""
    found = path_fault(path)
    assert found is not None
    assert found.code == "invalid_path"


@pytest.mark.parametrize(
    "path", ["a", "a/b.mp4", "a b/ü.mp4", "...", "a..b", ".hidden", "100%.mp4", "a%20b", "x" * 1024]
)
def test_an_ordinary_path_is_fine(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "is_fine"),
    [("hls/", True), ("a b/ü/", True), ("hls", False), ("/", False), ("", False), ("hls//", False), ("../", False)],
)
def test_a_folder_ends_in_one_slash_and_is_else_as_any_path(path: str, is_fine: bool) -> None:
    assert (path_fault(path, folder=True) is None) is is_fine
    assert (path_fault(path) is None) is (path == "hls")


@given(st.text(max_size=400))
def test_any_text_becomes_one_clean_segment(text: str) -> None:
    """G2 of security.md"""
    clean = segment(text)
    assert 1 <= len(clean.encode()) <= 200
    assert "/" not in clean
    assert path_fault(clean) is None
    assert not clean.startswith(".")
    assert segment(clean) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/x.mp4", "x"),
        ("C:\\clips\\x.mp4", "x"),
        ("😀 party.mov", "😀 party"),
        ("a\u202etxt.exe", "atxt"),
        ("Ärger.mp4", "Ärger"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("é" * 5000, "é" * 100),
    ],
)
def test_the_name_of_a_source_becomes_one_clean_segment(name: str, clean: str) -> None:
    """G2 of security.md"""
    assert segment(stem(name)) == clean


def test_templates_are_filled_in_paths_as_they_are_and_in_addresses_encoded() -> None:
    text = "out/{jobId}/{uuid}/{sourceName}_{width}x{height}_{preset}.mp4"
    filled = expand({"kind": "file", "path": text, "url": f"http://h.example/{text}"}, VALUES)
    assert filled["path"] == "out/42/u-1/My Clip.final_1280x720_h264.mp4"
    assert filled["url"] == "http://h.example/out/42/u-1/My%20Clip.final_1280x720_h264.mp4"


def test_only_path_and_address_are_templates() -> None:
    place: Place = {"kind": "http", "headers": {"X": "{uuid}"}, "method": "PUT"}
    assert expand(place, VALUES) == place


def test_a_value_that_holds_a_template_is_not_filled_again() -> None:
    values = Values(job_id=1, uuid="u", source_name="{uuid}.mp4", width=None, height=None, preset=None)
    assert expand({"path": "{sourceName}-{width}-{preset}"}, values) == {"path": "uuid-none-none"}


@pytest.mark.parametrize("text", ["{nope}", "a/{jobid}", "{}", "{jobId}{x}"])
def test_an_unknown_template_is_a_fault(text: str) -> None:
    found = fault(text)
    assert found is not None
    assert found.code == "invalid_path"


def test_an_example_has_no_templates_left() -> None:
    assert fault("{uuid}/{jobId}-{width}") is None
    assert example("{uuid}/{jobId}-{width}.mp4") == "u/1-2.mp4"
