from __future__ import annotations

import base64
from pathlib import Path

import click
import pytest

from encoder.cli import place
from encoder.cli.client import Object, Refused

HERE, ELSEWHERE = "http://127.0.0.1:8080", "https://encoder.example"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "a clip.mov"
    path.write_bytes(b"moov")
    return path


def test_an_address_is_sent_as_it_is() -> None:
    assert place.source("https://example.com/in.mov", HERE) == {"url": "https://example.com/in.mov"}


@pytest.mark.parametrize("server", [HERE, "http://localhost:1", "http://[::1]:8080"])
def test_a_server_on_this_machine_is_told_where_the_file_is(clip: Path, server: str) -> None:
    assert place.source(str(clip), server) == {"kind": "file", "path": str(clip)}


def test_a_server_elsewhere_is_sent_the_bytes(clip: Path) -> None:
    assert place.source(str(clip), ELSEWHERE) == {
        "kind": "inline",
        "data": base64.b64encode(b"moov").decode(),
        "fileName": "a clip.mov",
    }


def test_a_relative_path_is_told_from_the_root_on(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    assert place.source(clip.name, HERE) == {"kind": "file", "path": str(clip)}


def test_a_file_too_large_for_the_job_is_refused_with_a_way_out(tmp_path: Path) -> None:
    large = tmp_path / "large.mov"
    with large.open("wb") as file:
        file.truncate(place.MAX_INLINE_BYTES + 1)
    with pytest.raises(click.UsageError, match="give its URL"):
        place.source(str(large), ELSEWHERE)


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(click.UsageError, match="no file"):
        place.source("missing.mov", HERE)


def _refusal(code: str) -> Refused:
    return Refused(422, {"code": code})


def test_a_file_in_a_folder_that_the_server_may_not_read_goes_as_bytes(clip: Path) -> None:
    told = place.source(str(clip), HERE)
    instead = place.inline_instead(told, _refusal("path_not_allowed"))
    assert instead
    assert instead["kind"] == "inline"


def test_other_refusals_are_not_answered_with_bytes(clip: Path) -> None:
    url: Object = {"url": "https://example.com/x"}
    assert place.inline_instead(place.source(str(clip), HERE), _refusal("unknown_preset")) is None
    assert place.inline_instead(url, _refusal("path_not_allowed")) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://example.com/out.mp4", {"url": "https://example.com/out.mp4"}),
        ("/srv/out.mp4", {"kind": "file", "path": "/srv/out.mp4"}),
        ("/srv/out/", {"kind": "file", "path": "/srv/out/"}),
    ],
)
def test_destinations_are_addresses_or_paths(text: str, told: Object) -> None:
    assert place.destination(text) == told
