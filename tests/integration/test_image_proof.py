"""Check 14, `pictures`: good images pass, and what was broken in one way is told so, by that check."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.facts import spec
from tests.lab.imaging import Imaged, fault, image, judged
from tests.lab.media import clip, made

OUTPUTS = {
    "sheets": spec("storyboard", thumbnails={"every": 0.3, "sprite": {"columns": 2, "rows": 2}}),
    "pictures": spec("thumbnails", thumbnails={"every": 0.5, "width": 160, "vtt": True}),
    "gif": spec("gif", width=160),
    "webp": spec(None, container="webp", fps=10, width=160),
    "poster": spec(None, container="png", width=160),
}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) - 20, 7):
        data[place] ^= 0x55
    path.write_bytes(data)


def _replace(path: Path, *args: str) -> None:
    shutil.copy(made(f"other{path.suffix}", "-i", str(clip()), *args), path)


def _edit(old: str, new: str) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        path = folder / "thumbnails.vtt"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return edit


def _first(change: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: change(folder / "00001.jpg")


def _small(path: Path) -> None:
    _replace(path, "-vf", "scale=80:46", "-frames:v", "1", "-update", "1")


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a picture is missing": ("pictures", lambda folder: (folder / "00002.jpg").unlink(), "there are 3 files"),
    "a picture too many": ("pictures", lambda folder: _copy(folder, "00005.jpg"), "there are 5 files"),
    "a strange name": ("pictures", lambda folder: _move(folder, "x.jpg"), "the files have other names"),
    "another size": ("pictures", _first(_small), "00001.jpg is 80×46"),
    "another format": ("pictures", _first(lambda path: path.write_text("GIF89a")), "00001.jpg is no jpg"),
    "cut": ("pictures", _first(_cut), "00001.jpg does not end as it should"),
    "no cues": ("pictures", lambda folder: (folder / "thumbnails.vtt").unlink(), "there is no file of cues"),
    "no WebVTT": ("sheets", _edit("WEBVTT", "WEBVT"), "the cues cannot be read: it does not begin as WebVTT does"),
    "a broken cue": ("sheets", _edit("-->", "->"), "the cues cannot be read: a cue is broken"),
    "a cue less": (
        "sheets",
        _edit("\n\n00:00:01.800 --> 00:00:02.000\n00002.jpg#xywh=0,90,160,90", ""),
        "there are 6 cues",
    ),
    "a late start": ("sheets", _edit("00:00:00.000", "00:00:00.001"), "the first cue does not begin at 0"),
    "a gap": ("sheets", _edit("--> 00:00:00.300", "--> 00:00:00.299"), "there is a gap between two cues"),
    "an early end": ("sheets", _edit("00:00:02.000", "00:00:01.999"), "the last cue does not end with the source"),
    "other moments": (
        "sheets",
        lambda folder: (
            _edit("> 00:00:00.300", "> 00:00:00.200")(folder),
            _edit("00:00:00.300", "00:00:00.200")(folder),
        ),
        "a cue begins at another moment than its picture",
    ),
    "outside": ("sheets", _edit("xywh=160,90", "xywh=160,91"), "a cell is not inside its sheet"),
    "the same cell": ("sheets", _edit("xywh=160,90", "xywh=160,0"), "two cues show the same picture"),
    "a cell between": (
        "sheets",
        _edit("xywh=160,0", "xywh=150,0"),
        "a cue names another picture than that of its moment",
    ),
    "no such file": ("sheets", _edit("00002.jpg", "00003.jpg"), "a cue names 00003.jpg, which is not there"),
    "no cell": ("sheets", _edit("#xywh=0,0,160,90", ""), "a cue names no cell"),
    "a cell of one": (
        "pictures",
        _edit("00001.jpg", "00001.jpg#xywh=0,0,9,9"),
        "a cue names a cell of a single picture",
    ),
    "fewer frames": ("gif", lambda path: _replace(path, "-vf", "fps=5,scale=160:90"), "10 frames play"),
    "too fast": (
        "gif",
        lambda path: _replace(path, "-vf", "fps=10,scale=160:90,setpts=PTS/2", "-fps_mode", "passthrough"),
        "it plays 1.01 s",
    ),
    "a cut preview": ("webp", _cut, "the file does not end as it should"),
    "a cut poster": ("poster", _cut, "the file does not end as it should"),
}


def _copy(folder: Path, name: str) -> None:
    shutil.copy(folder / "00001.jpg", folder / name)


def _move(folder: Path, name: str) -> None:
    (folder / "00001.jpg").rename(folder / name)


async def good(kind: str, folder: Path) -> Imaged:
    result = await image(clip(seconds=2, rate="10", name="slow.mp4"), folder, OUTPUTS[kind])
    assert result.proof.passed, result.proof.failed
    return result


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_broken_is_told(case: str, tmp_path: Path) -> None:
    kind, change, told = BROKEN[case]
    result = await good(kind, tmp_path)
    change(result.path)
    report = await judged(result.plan, result.path, result.media, result.log)
    assert not report.passed
    assert fault(report) == told


async def test_a_picture_that_does_not_decode_is_told(tmp_path: Path) -> None:
    """Its size and its end are right: only a decoder sees it."""
    result = await good("poster", tmp_path)
    _flip(result.path)
    report = await judged(result.plan, result.path, result.media, result.log)
    assert {check.name for check in report.failed} >= {"decode"}


async def test_a_link_in_place_of_a_picture_is_not_followed(tmp_path: Path) -> None:
    """G4 of security.md."""
    result = await good("poster", tmp_path)
    result.path.unlink()
    result.path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        await judged(result.plan, result.path, result.media, result.log)
