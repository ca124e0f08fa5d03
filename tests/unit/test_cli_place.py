from __future__ import annotations

import base64
from pathlib import Path

import click
import pytest

from encoder.api.wire import read_job
from encoder.cli import exits, place
from encoder.cli.asked import Asked, words
from encoder.cli.next import command
from encoder.cli.refused import Object, Refused
from encoder.model.base import Json
from tests.unit.test_api_wire import Anywhere

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


def _refusal(*faults: tuple[str, str]) -> Refused:
    errors: list[Json] = [{"path": path, "code": code, "message": ""} for path, code in faults]
    return Refused(422, {"code": faults[0][1], "errors": errors})


FOLDER = ("/source/path", "path_not_allowed")
PRESET = ("/outputs/0/preset", "unknown_preset")


@pytest.mark.parametrize("faults", [[FOLDER], [PRESET, FOLDER], [("/source/kind", "unsupported_kind")]])
def test_a_file_that_the_server_may_not_read_goes_as_bytes(clip: Path, faults: list[tuple[str, str]]) -> None:
    instead = place.instead(place.source(str(clip), HERE), _refusal(*faults))
    assert instead
    assert instead["kind"] == "inline"


def test_other_refusals_are_not_answered_with_bytes(clip: Path) -> None:
    url: Object = {"url": "https://example.com/x"}
    told = place.source(str(clip), HERE)
    assert place.instead(told, _refusal(PRESET)) is None
    assert place.instead(told, _refusal(("/outputs/0/destination/path", "path_not_allowed"))) is None
    assert place.instead(url, _refusal(FOLDER)) is None


def test_a_large_file_that_the_server_may_not_read_is_refused_with_the_command_that_opens_its_folder(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "my films"
    folder.mkdir()
    with (folder / "large.mov").open("wb") as file:
        file.truncate(place.MAX_INLINE_BYTES + 1)
    told = place.source(str(folder / "large.mov"), HERE)
    with pytest.raises(exits.Wrong) as caught:
        place.instead(told, _refusal(FOLDER))
    assert f"ENCODER_FILE_ROOTS='{folder}' {command('up')}" in caught.value.message


def test_links_are_told_as_they_are_written_and_resolved_only_when_that_is_refused(clip: Path) -> None:
    (clip.parent / "x").mkdir()
    link = clip.parent / "link"
    link.symlink_to(clip.parent, target_is_directory=True)
    told = place.source(str(link / "." / "x" / ".." / clip.name), HERE)
    assert told == {"kind": "file", "path": str(link / clip.name)}
    assert place.instead(told, _refusal(FOLDER)) == {"kind": "file", "path": str(clip)}
    assert place.destination(f"{link}/x/../out.mp4") == {"kind": "file", "path": str(link / "out.mp4")}


def test_a_step_up_behind_a_link_names_what_the_system_would_open(clip: Path) -> None:
    (clip.parent / "far" / "deep").mkdir(parents=True)
    (clip.parent / "link").symlink_to(clip.parent / "far" / "deep", target_is_directory=True)
    (clip.parent / "far" / clip.name).write_bytes(b"other")
    there = clip.parent / "link" / ".." / clip.name
    assert place.source(str(there), HERE) == {"kind": "file", "path": str(clip.parent / "far" / clip.name)}


@pytest.mark.parametrize("server", [HERE, ELSEWHERE])
def test_an_empty_file_is_refused_before_it_is_sent(tmp_path: Path, server: str) -> None:
    (tmp_path / "empty.mov").touch()
    with pytest.raises(exits.Wrong, match=r"empty_source: .* The file is empty\."):
        place.source(str(tmp_path / "empty.mov"), server)


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


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("s3://my-bucket/a%20b.mp4", {"kind": "s3", "bucket": "my-bucket", "path": "a b.mp4"}),
        (
            "ftp://u:p%40w@ftp.example.com:2121/x.mp4",
            {
                "kind": "ftp",
                "host": "ftp.example.com",
                "port": 2121,
                "username": "u",
                "password": "p@w",
                "path": "x.mp4",
            },
        ),
        ("ftps://h.example/x.mp4", {"kind": "ftps", "host": "h.example", "path": "x.mp4"}),
        ("SFTP://h.example//x.mp4", {"kind": "sftp", "host": "h.example", "path": "/x.mp4"}),
        ("file:///srv/x.mp4", {"kind": "file", "path": "/srv/x.mp4"}),
    ],
)
def test_addresses_of_every_kind_are_understood_by_the_server(text: str, kept: Object) -> None:
    job: Object = {"source": place.source(text, HERE), "outputs": [{"preset": "h264"}]}
    assert read_job(job, Anywhere()).source == kept
    other: Object = {"preset": "h264", "destination": place.destination(text)}
    job = {"source": {"url": "https://h.example/in.mov"}, "outputs": [other]}
    [output] = read_job(job, Anywhere()).outputs
    assert output.destination == kept


def test_what_lies_on_the_server_is_named_by_its_id() -> None:
    assert place.source("upload:0191b2c4", "https://h.example") == {"kind": "upload", "fileId": "0191b2c4"}


def test_the_same_job_is_said_once_more_without_its_secrets() -> None:
    said = Asked(
        source="https://h.example/in.mov?signature=S3nt1nel", presets=("h264", "vp9"),
        destinations=("sftp://ann:S3nt1nel@h.example/out.mp4", "out.webm"), tags=("a b",), priority=-3, queue="gpu",
        notify="https://h.example/hook?key=S3nt1nel",
    )  # fmt: skip
    told = " ".join(words(said, said.source))
    same = "--preset h264 --preset vp9 -o DEST -o out.webm --tag a b"
    assert told == f"SOURCE {same} --notify=URL --priority=-3 --queue=gpu"
    assert next(words(said, "upload:1")) == "upload:1"
