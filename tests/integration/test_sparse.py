"""Pictures made of a part of the source, against the same pictures made of all of it: byte for byte."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from encoder.ffmpeg import command
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.model.base import replace
from encoder.model.job import OutputSpec
from encoder.model.media import Surveyed
from encoder.model.plan import Pass, Plan
from tests.lab.facts import ABLE, spec
from tests.lab.imaging import LIMITS, image
from tests.lab.media import ffmpeg_binary, made, public_clip

Cut = tuple[dict[str, bytes], int]  # pictures by name, frames decoded

CARD = ("-f", "lavfi", "-i", "testsrc2=d=12:s=320x180:r=30000/1001")
X264 = ("-c:v", "libx264", "-preset", "fast", "-bf", "4", "-b_strategy", "2", "-g", "48")
X265 = ("-c:v", "libx265", "-preset", "superfast", "-x265-params")
UNEVEN = "select='not(mod(floor(n/7),3))'"
EVERY = spec("thumbnails", thumbnails={"every": 2.3, "width": 160})

# each kind of source that can be entered in its middle, and what could go wrong with it
SOURCES: dict[str, Callable[[], Path]] = {
    "keyframes ten seconds apart": lambda: public_clip("counting_300s_320x240.mp4"),
    "sound before the picture": lambda: public_clip("bbb_1080p30_faststart.mp4"),
    "gaps of a second and more": lambda: public_clip("screencap_vfr_3026x1386.mp4"),
    "VP8, scene cuts": lambda: public_clip("bbb_720p24_vp8.webm"),
    "B-frames": lambda: made("b.mp4", *CARD, *X264),
    "B-frames without times of decoding": lambda: made("b.mkv", *CARD, *X264),
    "fragments": lambda: made("frag.mp4", *CARD, *X264, "-movflags", "frag_keyframe+empty_moov"),
    "uneven": lambda: made("uneven.mp4", *CARD, "-vf", UNEVEN, "-fps_mode", "vfr", *X264),
    "a late picture": lambda: made(
        "late.mp4", *CARD, "-f", "lavfi", "-i", "sine=d=14", "-vf", "setpts=PTS+1.7/TB", *X264, "-c:a", "aac"
    ),
    "a start inside a GOP": lambda: made(
        "edited.mp4", "-ss", "1", "-i", str(made("b.mp4", *CARD, *X264)), "-c", "copy"
    ),
    "HEVC, closed GOPs": lambda: made("closed.mkv", *CARD, *X265, "keyint=48:open-gop=0:log-level=none"),
    "VP9": lambda: made("vp9.webm", *CARD, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "48"),
    "AV1": lambda: made("av1.mp4", *CARD, "-c:v", "libsvtav1", "-preset", "12", "-g", "48"),
    "keyframes alone": lambda: made("prores.mov", *CARD, "-c:v", "prores_ks"),
}  # fmt: skip


async def surveyed(path: Path, folder: Path) -> Surveyed:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    return await survey(launcher, path, folder=folder, leash=Leash(), entries=True)


async def planned(path: Path, folder: Path, *outputs: OutputSpec) -> Plan:
    source = await surveyed(path, folder)
    plan = decide(source.media, dict(enumerate(outputs)), ABLE, None, source.entries)
    assert not plan.refused, plan.refused
    return plan


async def cut(path: Path, folder: Path, plan: Plan, one_pass: Pass) -> Cut:
    """What a pass makes, and how much it decodes for that."""
    files = {number: folder / plan.output(number).file_name for number in one_pass.outputs}
    for each in plan.outputs:
        (files[each.output] if each.is_folder else folder).mkdir(parents=True, exist_ok=True)
    args = command.build(plan, one_pass, files=files, threads=2)
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    ended = await launcher.run(args, folder=folder, leash=Leash(), limits=LIMITS, source=path)
    assert ended.code == 0, ended.log
    decoded = re.search(r"\(video\): \d+ packets read \(\d+ bytes\); (\d+) frames decoded", ended.log)
    assert decoded is not None, ended.log
    pictures = {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*.jpg")}
    return pictures, int(decoded[1])


async def both(path: Path, folder: Path, *outputs: OutputSpec) -> tuple[Cut, Cut]:
    """A sparse pass, and the same with all of the source decoded."""
    plan = await planned(path, folder, *outputs)
    (one_pass,) = plan.passes
    sparse = await cut(path, folder / "sparse", plan, one_pass)
    return sparse, await cut(path, folder / "whole", plan, replace(one_pass, decoded=()))


def in_two_parts(mp4: bytes) -> bytes:
    """An MP4 whose index comes last, of whose one track two parts of four seconds are presented."""
    at = mp4.index(b"elst")
    (start,) = struct.unpack_from(">i", mp4, at + 16)
    scale, of_film = (struct.unpack_from(">I", mp4, mp4.index(kind) + 16)[0] for kind in (b"mdhd", b"mvhd"))
    parts = [(4 * of_film, start, 1 << 16), (4 * of_film, start + 7 * scale, 1 << 16)]
    listed = struct.pack(">II", 0, len(parts)) + b"".join(struct.pack(">IiI", *part) for part in parts)
    grown = bytearray(mp4[: at + 4] + listed + mp4[at + 24 :])
    for kind in (b"moov", b"trak", b"edts", b"elst"):
        size_at = grown.index(kind) - 4
        struct.pack_into(">I", grown, size_at, struct.unpack_from(">I", grown, size_at)[0] + 12)
    return bytes(grown)


@pytest.mark.parametrize("kind", SOURCES)
async def test_pictures_of_a_sparse_decode_are_those_of_the_whole_one(kind: str, tmp_path: Path) -> None:
    (pictures, decoded), (whole, all_frames) = await both(SOURCES[kind](), tmp_path, EVERY)
    assert pictures == whole
    assert pictures
    assert decoded < all_frames


WANTED = {
    "moments, the last frame too": (spec("thumbnails", thumbnails={"at": [7.3, 12, 12.04, 29.99], "width": 160}),),
    "a count": (spec("thumbnails", thumbnails={"count": 7, "width": 160}),),
    "a poster": (spec(None, container="jpg"),),
    "sheets": (spec("storyboard", thumbnails={"every": 4}),),
    "all in one decode": (spec(None, container="jpg"), EVERY, spec("thumbnails", thumbnails={"at": [3, 20.5]})),
}


@pytest.mark.parametrize("kind", WANTED)
async def test_whatever_pictures_are_wanted_they_are_the_same(kind: str, tmp_path: Path) -> None:
    source = SOURCES["VP8, scene cuts"]()
    (pictures, decoded), (whole, all_frames) = await both(source, tmp_path, *WANTED[kind])
    assert pictures == whole
    assert pictures
    assert decoded < all_frames


@pytest.mark.parametrize("last", [0.9, 3.5, 6.9])
async def test_a_frame_that_is_on_show_for_long_is_shown_though_what_ends_it_lies_elsewhere(
    last: float, tmp_path: Path
) -> None:
    """Its own length is not to be believed: here each claims to last a millisecond."""
    clip = str(SOURCES["gaps of a second and more"]())
    source = made("uneven.mkv", "-i", clip, "-c", "copy", "-bsf:v", "setts=duration=1")
    at = spec("thumbnails", thumbnails={"at": [0.0, last], "width": 160})
    (pictures, _), (whole, _) = await both(source, tmp_path, at)
    assert pictures == whole
    assert pictures


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("open.mp4", (*X264, "-x264-params", "open-gop=1")),
        ("refreshed.mp4", (*X264, "-x264-params", "intra-refresh=1")),
        ("open.mkv", (*X265, "keyint=48:log-level=none")),
        ("old.mp4", ("-c:v", "mpeg4", "-g", "48")),
    ],
)
async def test_no_entry_is_seen_where_a_keyframe_does_not_stand_for_itself(
    name: str, encoder: tuple[str, ...], tmp_path: Path
) -> None:
    """What follows an open GOP's keyframe or the beginning of a refresh leans on what came before."""
    found = await surveyed(made(name, *CARD, *encoder), tmp_path)
    assert found.media.video
    assert [moment for moment in found.entries[0] if moment > 0] == []


async def test_no_entry_is_seen_where_parts_are_put_together_by_an_edit_list(tmp_path: Path) -> None:
    """Before a part there may be frames that are decoded and never shown, at times of their own."""
    whole = made("b.mp4", *CARD, *X264)
    assert len((await surveyed(whole, tmp_path)).entries[0]) > 1
    parted = tmp_path / "parted.mp4"
    parted.write_bytes(in_two_parts(whole.read_bytes()))
    found = await surveyed(parted, tmp_path)
    assert found.media.video[0].duration_seconds == pytest.approx(8, abs=0.1)
    assert found.entries == {0: ()}


async def test_entries_are_told_only_when_asked_for(tmp_path: Path) -> None:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    source = SOURCES["B-frames"]()
    assert (await survey(launcher, source, folder=tmp_path, leash=Leash())).entries == {}


async def test_a_sparse_decode_passes_the_proof_which_counts_all_packets(tmp_path: Path) -> None:
    result = await image(SOURCES["B-frames"](), tmp_path, EVERY)
    assert result.plan.images is not None
    assert result.plan.images.sparse
    assert result.proof.passed, result.proof.failed
    source = next(check for check in result.proof.checks if check.name == "source")
    assert isinstance(source.measured, dict)
    assert isinstance(source.expected, dict)
    assert source.measured["frames"] == source.expected["frames"] == 360
