"""docs/why/encoding.md, "Packages": what is read from the bytes of real segments, of each codec and both containers."""

from __future__ import annotations

import random
import shutil
from fractions import Fraction
from pathlib import Path

import m3u8
import pytest

from encoder import errors, packaging
from encoder.model.proof import Check
from encoder.packaging import Written
from encoder.packaging.transport import _PACKET, Unit, _unwrapped
from tests.lab import renditions
from tests.lab.renditions import Made

X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "100k")
CLOSED = (*X265, "log-level=error:open-gop=0:scenecut=0:min-keyint=30")
AAC = ("-c:a", "aac")
OPUS = ("-c:a", "libopus", "-b:a", "48k")


def read(made: Made) -> tuple[Written, ...]:
    return packaging.read(made.folder, made.tracks, segments=made.segments)


def finished(made: Made, kind: str) -> Check:
    packaging.write(made.folder, read(made), kind=kind, playlist_name="master.m3u8")
    return packaging.check(
        made.folder,
        made.tracks,
        kind=kind,
        segments=made.segments,
        playlist_name="master.m3u8",
        segment_seconds=made.segment_seconds,
        duration_seconds=made.seconds,
    )


@pytest.mark.parametrize(
    ("encoder", "sound", "segments", "codecs"),
    [
        (CLOSED, AAC, "fmp4", ("hvc1.1.6.L", "mp4a.40.2")),
        (CLOSED, AAC, "ts", ("hvc1.1.6.L", "mp4a.40.2")),
        (AV1, OPUS, "fmp4", ("av01.0.00M.08", "opus")),
        (VP9, OPUS, "fmp4", ("vp09.00.", "opus")),
    ],
)
def test_packages_of_each_codec_are_read_written_and_pass(
    tmp_path: Path, encoder: tuple[str, ...], sound: tuple[str, ...], segments: str, codecs: tuple[str, ...]
) -> None:
    made = renditions.make(tmp_path / "p", segments=segments, encoder=encoder, sound=sound, widths=(320,), count=2)
    for track, codec in zip(read(made), codecs, strict=True):
        assert track.codec.startswith(codec)
        assert all(segment.independent for segment in track.segments)
    check = finished(made, "hls" if segments == "ts" else "cmaf")
    assert check.passed, check.measured


def test_open_gops_of_hevc_are_told_by_their_bytes(tmp_path: Path) -> None:
    """x265's default: its CRA pictures are flagged as keys (x265#367)."""
    encoder = (*X265, "log-level=error:open-gop=1:scenecut=0:min-keyint=30:bframes=4")
    made = renditions.make(tmp_path / "p", encoder=encoder, widths=(160,), languages=())
    (track,) = read(made)
    assert [segment.independent for segment in track.segments] == [True, False, False, False]


def test_both_containers_tell_the_same_of_one_encode(tmp_path: Path) -> None:
    fmp4, ts = (read(renditions.make(tmp_path / kind, segments=kind)) for kind in ("fmp4", "ts"))
    for one, other in zip(fmp4, ts, strict=True):
        assert one.codec == other.codec
        starts = [[track.seconds(segment.start) for segment in track.segments] for track in (one, other)]
        if one.track.kind == "video":
            assert starts[0] == starts[1] == [0, 1, 2, 3]
        else:  # TS has no edit list: what AAC puts before the sound is heard
            assert starts[1][0] == -other.frame_seconds
            assert starts[0][1:] == starts[1][1:]


def test_the_peak_that_is_promised_is_that_of_the_files(tmp_path: Path) -> None:
    """By another way: EXTINF as a foreign parser reads it, and sizes as the file system tells them."""
    made = renditions.make(tmp_path / "p", rate="25", languages=("eng", "deu"))
    assert finished(made, "hls").passed
    master = m3u8.load(str(made.folder / "master.m3u8"))
    peaks = {}
    for track in made.tracks:
        listed = m3u8.load(str(made.folder / track.name / "index.m3u8")).segments
        sizes = [(made.folder / track.name / str(each.uri)).stat().st_size for each in listed]
        peaks[track.name] = max(size * 8 / (each.duration or 0) for size, each in zip(sizes, listed, strict=True))
    loudest = max(peak for name, peak in peaks.items() if name.startswith("audio"))
    for variant in master.playlists:
        own = peaks[str(variant.uri).split("/")[0]]
        assert variant.stream_info.bandwidth == pytest.approx(own + loudest, rel=1e-3)


def test_i_frames_are_whole_pictures(tmp_path: Path) -> None:
    """What an I-frame playlist names decodes by itself, with the init segment alone."""
    made = renditions.make(tmp_path / "p", widths=(160,), languages=())
    (track,) = read(made)
    for segment in track.segments:
        (frame,) = segment.i_frames
        data = (made.folder / track.name / segment.name).read_bytes()
        part = data[frame.offset_bytes : frame.offset_bytes + frame.size_bytes]
        whole = (made.folder / track.name / "init.mp4").read_bytes() + part
        assert renditions.first_picture(whole) == 160 * 90 * 3 // 2


def test_time_stamps_of_33_bits_go_on_after_their_end() -> None:
    """MPEG-TS begins again after 26.5 hours."""
    near = 2**33 - 3003
    found = _unwrapped([Unit(0, 0, _PACKET, b""), Unit(3003, 0, _PACKET, b"")], near)
    assert [unit.pts for unit in found] == [2**33, 2**33 + 3003]
    assert _unwrapped([Unit(-1 % 2**33, 0, _PACKET, b"")], 0)[0].pts == -1


@pytest.mark.parametrize("segments", ["fmp4", "ts"])
def test_damaged_bytes_are_refused_or_read_and_never_a_crash(tmp_path: Path, segments: str) -> None:
    """Whoever takes ffmpeg over writes what it likes into a folder that we then read."""
    made = renditions.make(tmp_path / "p", segments=segments, widths=(160,), count=1)
    dice = random.Random(20)  # noqa: S311  # the same damage each time
    refused = 0
    for track in made.tracks:
        for path in (made.folder / track.name).iterdir():
            good = path.read_bytes()
            for _ in range(120):
                bad = bytearray(good)
                for _ in range(dice.randint(1, 4)):
                    bad[dice.randrange(min(len(bad), 1200))] = dice.choice((0, 0xFF, dice.randrange(256)))
                path.write_bytes(bytes(bad[: dice.choice((len(bad), len(bad), dice.randrange(len(bad))))]))
                try:
                    read(made)
                except errors.Permanent:
                    refused += 1
            path.write_bytes(good)
    assert refused > 50


def test_what_read_refuses_names_the_file(tmp_path: Path) -> None:
    made = renditions.make(tmp_path / "p", widths=(160,), languages=())
    shutil.rmtree(made.folder / "90p")
    with pytest.raises(errors.Permanent, match="90p/: it has no segments"):
        read(made)
    assert made.segment_seconds == Fraction(1)
