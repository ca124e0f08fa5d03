"""docs/why/encoding.md, check `package`: it passes what is right, and each way to be wrong has its own word."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from encoder import packaging
from encoder.model.base import Json
from encoder.model.proof import Check
from encoder.packaging import Text
from tests.lab import media, renditions
from tests.lab.renditions import Made

SEGMENT = "00002.m4s"
KEY = bytes(range(16))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """Packages with their manifests, each kind made once."""

    @cache
    def made(kind: str = "cmaf", segments: str = "fmp4", key: bytes | None = None, **more: Any) -> Made:  # noqa: ANN401  # as `make` takes them
        package = renditions.make(tmp_path_factory.mktemp("shelf") / "package", segments=segments, **more)
        tracks = packaging.read(package.folder, package.tracks, segments=segments)
        packaging.write(package.folder, tracks, kind=kind, playlist_name="master.m3u8", key=key, texts=package.texts)
        return package

    return made


@pytest.fixture
def package(shelf: Callable[..., Made], tmp_path: Path) -> Made:
    """A good one of fMP4 with both manifests, to be broken."""
    return copied(shelf(), tmp_path)


def copied(made: Made, target: Path) -> Made:
    shutil.copytree(made.folder, target / "broken")
    return replace(made, folder=target / "broken")


def checked(made: Made, *, kind: str = "cmaf", seconds: float | None = None, encrypted: bool = False) -> Check:
    return packaging.check(
        made.folder,
        made.tracks,
        kind=kind,
        segments=made.segments,
        playlist_name="master.m3u8",
        segment_seconds=made.segment_seconds,
        duration_seconds=made.seconds if seconds is None else seconds,
        encrypted=encrypted,
        texts=made.texts,
    )


def faults(check: Check) -> dict[str, Json]:
    assert isinstance(check.measured, dict)
    found = check.measured["faults"]
    assert isinstance(found, dict)
    assert check.passed == (not found)
    return found


def edit(path: Path, pattern: str, by: str) -> None:
    """Change the first place; it must be there."""
    text, count = re.subn(pattern, by, path.read_text(), count=1, flags=re.DOTALL)
    assert count == 1
    path.write_text(text)


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60"])
@pytest.mark.parametrize(("kind", "segments"), [("cmaf", "fmp4"), ("hls", "ts")])
def test_a_good_package_passes(shelf: Callable[..., Made], kind: str, segments: str, rate: str) -> None:
    made = shelf(kind, segments, rate=rate)
    assert faults(checked(made, kind=kind)) == {}


def test_a_package_of_dash_has_no_playlists_and_passes(shelf: Callable[..., Made]) -> None:
    made = shelf("dash")
    assert not list(made.folder.rglob("*.m3u8"))
    assert faults(checked(made, kind="dash")) == {}


def test_sound_alone_and_pictures_alone_pass(shelf: Callable[..., Made]) -> None:
    for made in (shelf(widths=()), shelf(languages=())):
        assert faults(checked(made)) == {}


BREAKS: list[tuple[str, str, str, str]] = [
    ("bandwidth", "master.m3u8", r",BANDWIDTH=\d+|:BANDWIDTH=\d+", ":BANDWIDTH=100000"),
    ("bandwidth", "master.m3u8", r":BANDWIDTH=(\d+)", r":BANDWIDTH=9\1"),
    ("bandwidth", "master.m3u8", r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=100000"),
    ("bandwidth", "master.m3u8", r"(I-FRAME-STREAM-INF:)BANDWIDTH=\d+", r"\1BANDWIDTH=100"),
    ("bandwidth", "master.mpd", r'bandwidth="\d+"', 'bandwidth="100000"'),
    ("codecs", "master.m3u8", r"avc1\.[0-9A-F]{6}", "avc1.42E01E"),
    ("codecs", "master.m3u8", r",mp4a\.40\.2", ""),
    ("codecs", "master.m3u8", r"(I-FRAME.*?)avc1\.[0-9A-F]{6}", r"\1avc1.42E01E"),
    ("codecs", "master.mpd", r"mp4a\.40\.2", "mp4a.40.5"),
    ("resolution", "master.m3u8", r"RESOLUTION=320x180", "RESOLUTION=640x360"),
    ("resolution", "master.mpd", r' width="320"', ' width="640"'),
    ("frame_rate", "master.m3u8", r"FRAME-RATE=30.000", "FRAME-RATE=25.000"),
    ("frame_rate", "master.mpd", r'frameRate="30"', 'frameRate="25"'),
    ("group", "master.m3u8", r'AUDIO="audio"', 'AUDIO="none"'),
    ("group", "master.m3u8", r',AUDIO="audio"', ""),
    ("endlist", "90p/index.m3u8", "#EXT-X-ENDLIST\n", ""),
    ("endlist", "90p/iframes.m3u8", "#EXT-X-ENDLIST\n", ""),
    ("endlist", "master.mpd", 'type="static"', 'type="dynamic"'),
    ("order", "90p/index.m3u8", r"00002(.*?)00003", r"00003\g<1>00002"),
    ("order", "master.mpd", 'startNumber="1"', 'startNumber="2"'),
    ("extinf", "90p/index.m3u8", "EXTINF:1.000000", "EXTINF:1.010000"),
    ("extinf", "master.mpd", r' d="(\d+)"', r' d="1\1"'),
    ("duration", "90p/index.m3u8", "EXTINF:1.000000", "EXTINF:1.100000"),
    ("duration", "master.mpd", 'mediaPresentationDuration="PT4.000S"', 'mediaPresentationDuration="PT3.000S"'),
    ("target", "90p/index.m3u8", "TARGETDURATION:1", "TARGETDURATION:0"),
    ("target", "90p/iframes.m3u8", "TARGETDURATION:1", "TARGETDURATION:0"),
    ("map", "90p/index.m3u8", '#EXT-X-MAP:URI="init.mp4"\n', ""),
    ("map", "90p/index.m3u8", "init.mp4", "../180p/init.mp4"),
    ("address", "90p/index.m3u8", "00001.m4s", "http://127.0.0.1/00001.m4s"),
    ("address", "90p/index.m3u8", "00001.m4s", "../../00001.m4s"),
    ("address", "master.mpd", r"\$RepresentationID\$/\$Number", "/$RepresentationID$/$Number"),
    ("tags", "90p/index.m3u8", "#EXT-X-ENDLIST", "#EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST"),
    ("key", "90p/index.m3u8", "#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF'),
    ("i_frames", "90p/iframes.m3u8", r"BYTERANGE:(\d+)@", r"BYTERANGE:1\1@"),
    ("i_frames", "90p/iframes.m3u8", "#EXT-X-I-FRAMES-ONLY\n", ""),
    ("language", "master.m3u8", 'LANGUAGE="en"', 'LANGUAGE="de"'),
    ("language", "master.mpd", 'lang="en"', ""),
    ("version", "master.m3u8", "VERSION:7", "VERSION:3"),
    ("version", "90p/index.m3u8", "VERSION:7", "VERSION:6"),
    ("tracks", "master.m3u8", r"#EXT-X-STREAM-INF:[^#]*?90p/index.m3u8\n", ""),
    ("tracks", "master.m3u8", 'URI="90p/iframes.m3u8"', 'URI="none/iframes.m3u8"'),
    ("tracks", "master.mpd", r'<Representation id="90p".*?</Representation>', ""),
    ("broken", "master.m3u8", "#EXTM3U.*", ""),
    ("broken", "90p/index.m3u8", "#EXTINF:", "#EXTINF:long"),
    ("broken", "master.mpd", "</MPD>", ""),
    ("missing", "master.mpd", r"(startNumber=.*?)/init.mp4", r"\1/first.mp4"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "name", "pattern", "by"), BREAKS)
def test_a_manifest_that_says_what_is_not_so_is_refused(
    package: Made, word: str, name: str, pattern: str, by: str
) -> None:
    edit(package.folder / name, pattern, by)
    assert word in faults(checked(package))


BREAKS_OF_SOUND: list[tuple[str, str, str, str]] = [
    ("default", "master.m3u8", "DEFAULT=NO", "DEFAULT=YES"),
    ("default", "master.m3u8", "DEFAULT=YES", "DEFAULT=NO"),
    ("default", "master.m3u8", "AUTOSELECT=YES", "AUTOSELECT=NO"),
    ("default", "master.mpd", '"alternate"', '"main"'),
    ("name", "master.m3u8", 'NAME="de"', 'NAME="en"'),
    ("name", "master.m3u8", 'NAME="de",', ""),
    ("channels", "master.m3u8", 'CHANNELS="1"', 'CHANNELS="6"'),
    ("channels", "master.mpd", r'(channel_configuration:2011" value=)"1"', r'\1"6"'),
    ("language", "master.m3u8", 'LANGUAGE="de"', 'LANGUAGE="en"'),
    ("language", "master.mpd", 'lang="de"', 'lang="en"'),
    ("group", "master.mpd", r'</AdaptationSet>\s*<AdaptationSet[^>]*lang="de".*?(<Representation)', r"\1"),
    ("tracks", "master.m3u8", r'#EXT-X-MEDIA:[^\n]*"audio-deu/index.m3u8"\n', ""),
    ("tracks", "master.mpd", r'<AdaptationSet [^>]*lang="de".*?</AdaptationSet>', ""),
    ("bandwidth", "master.m3u8", r'GROUP-ID="audio"(,NAME="de")', r'GROUP-ID="other"\1'),
    ("group", "master.m3u8", r'GROUP-ID="audio"(,NAME="de")', r'GROUP-ID="other"\1'),
    ("endlist", "audio-deu/index.m3u8", "#EXT-X-ENDLIST\n", ""),
    ("order", "audio-deu/index.m3u8", r"00002(.*?)00003", r"00003\g<1>00002"),
]  # fmt: skip


@pytest.fixture
def spoken(shelf: Callable[..., Made], tmp_path: Path) -> Made:
    """A good one in two languages, the second in more bits, to be broken."""
    return copied(shelf(languages=("eng", "deu"), second_sound=("-c:a", "aac", "-b:a", "192k")), tmp_path)


def test_a_package_in_two_languages_passes(shelf: Callable[..., Made]) -> None:
    for kind, segments in (("cmaf", "fmp4"), ("hls", "ts"), ("dash", "fmp4")):
        assert faults(checked(shelf(kind, segments, languages=("eng", "deu")), kind=kind)) == {}


@pytest.mark.parametrize(("word", "name", "pattern", "by"), BREAKS_OF_SOUND)
def test_sound_that_is_told_as_what_it_is_not_is_refused(
    spoken: Made, word: str, name: str, pattern: str, by: str
) -> None:
    edit(spoken.folder / name, pattern, by)
    assert word in faults(checked(spoken))


def test_a_language_of_which_a_segment_is_missing_is_refused(spoken: Made) -> None:
    (spoken.folder / "audio-deu" / SEGMENT).unlink()
    assert next(iter(faults(checked(spoken)).items())) == ("missing", f"audio-deu/{SEGMENT}")


TEXTS = (
    Text(name="subtitles-eng", language="eng", default=True),
    Text(name="subtitles-deu", language="deu", forced=True),
    Text(name="subtitles-deu-2", language="deu"),
)
BREAKS_OF_TEXT: list[tuple[str, str, str, str]] = [
    ("default", "master.m3u8", "(SUBTITLES,.*?)DEFAULT=YES", r"\1DEFAULT=NO"),
    ("default", "master.m3u8", "(SUBTITLES,.*?)AUTOSELECT=YES", r"\1AUTOSELECT=NO"),
    ("default", "master.mpd", r'("subtitle" />\s*)<Role [^>]*"main" />', r"\1"),
    ("forced", "master.m3u8", "FORCED=YES", "FORCED=NO"),
    ("forced", "master.mpd", '"forced-subtitle"', '"subtitle"'),
    ("language", "master.m3u8", '(SUBTITLES,.*?)LANGUAGE="en"', r'\1LANGUAGE="fr"'),
    ("language", "master.mpd", '(text/vtt" )lang="de"', r'\1lang="fr"'),
    ("name", "master.m3u8", '(SUBTITLES,.*?)NAME="de"', r'\1NAME="en"'),
    ("group", "master.m3u8", ',SUBTITLES="subtitles"', ""),
    ("group", "master.m3u8", 'SUBTITLES="subtitles"', 'SUBTITLES="others"'),
    ("group", "master.m3u8", '(TYPE=SUBTITLES,GROUP-ID=)"subtitles"', r'\1"others"'),
    ("tracks", "master.m3u8", r'#EXT-X-MEDIA:[^\n]*"subtitles-deu/index.m3u8"\n', ""),
    ("tracks", "master.mpd", r'<AdaptationSet [^>]*text/vtt" lang="de".*?</AdaptationSet>', ""),
    ("codecs", "master.mpd", "text/vtt", "text/plain"),
    ("endlist", "subtitles-deu/index.m3u8", "#EXT-X-ENDLIST\n", ""),
    ("order", "subtitles-deu/index.m3u8", "subtitles.vtt", "../subtitles-eng/subtitles.vtt"),
    ("order", "master.mpd", "subtitles-deu/subtitles.vtt", "subtitles-eng/subtitles.vtt"),
    ("extinf", "subtitles-deu/index.m3u8", "EXTINF:4.000000", "EXTINF:3.000000"),
    ("target", "subtitles-deu/index.m3u8", "TARGETDURATION:4", "TARGETDURATION:3"),
    ("address", "master.mpd", "subtitles-deu/subtitles.vtt", "http://127.0.0.1/subtitles.vtt"),
    ("start", "subtitles-eng/subtitles.vtt", "WEBVTT\n", "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n"),
]  # fmt: skip


@pytest.fixture
def titled(shelf: Callable[..., Made], tmp_path: Path) -> Made:
    """A good one with subtitles, to be broken."""
    return copied(shelf(texts=TEXTS), tmp_path)


def test_a_package_with_subtitles_passes(shelf: Callable[..., Made]) -> None:
    for kind, segments in (("cmaf", "fmp4"), ("hls", "ts"), ("dash", "fmp4")):
        assert faults(checked(shelf(kind, segments, texts=TEXTS), kind=kind)) == {}
    assert faults(checked(shelf("hls", key=KEY, texts=TEXTS), kind="hls", encrypted=True)) == {}


@pytest.mark.parametrize(("word", "name", "pattern", "by"), BREAKS_OF_TEXT)
def test_subtitles_that_are_told_as_what_they_are_not_are_refused(
    titled: Made, word: str, name: str, pattern: str, by: str
) -> None:
    edit(titled.folder / name, pattern, by)
    assert word in faults(checked(titled))


def test_subtitles_that_are_missing_are_refused_and_so_are_those_that_nobody_planned(titled: Made) -> None:
    assert "tracks" in faults(checked(replace(titled, texts=TEXTS[:1])))
    (titled.folder / TEXTS[1].file).unlink()
    assert "broken" in faults(checked(titled))


def test_subtitles_beside_transport_streams_know_their_clock(shelf: Callable[..., Made], tmp_path: Path) -> None:
    """Theirs begins elsewhere than at 0, and players take cues of 0 for that moment (RFC 8216, 3.5)."""
    made = copied(shelf("hls", "ts", texts=TEXTS), tmp_path)
    path = made.folder / TEXTS[0].file
    assert path.read_text().startswith("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:")
    edit(path, r"MPEGTS:\d+", "MPEGTS:0")
    assert faults(checked(made, kind="hls")).keys() == {"start"}


def test_a_missing_segment_is_refused(package: Made) -> None:
    """Of all that follows from it, this is told first."""
    (package.folder / "180p" / SEGMENT).unlink()
    assert next(iter(faults(checked(package)).items())) == ("missing", f"180p/{SEGMENT}")


def test_a_file_that_nobody_names_is_refused(package: Made) -> None:
    (package.folder / "180p" / "notes.txt").write_text("left over")
    assert faults(checked(package)) == {"unnamed": "180p/notes.txt"}


def test_a_link_in_place_of_a_segment_is_refused(package: Made) -> None:
    there = package.folder / "180p" / SEGMENT
    there.rename(package.folder.parent / SEGMENT)
    there.symlink_to(package.folder.parent / SEGMENT)
    assert faults(checked(package)) == {"broken": f"180p/{SEGMENT}: it is missing, or no file"}


@pytest.mark.parametrize("name", [f"180p/{SEGMENT}", "180p/init.mp4", "audio-eng/00004.m4s"])
def test_a_file_that_is_cut_short_is_refused(package: Made, name: str) -> None:
    path = package.folder / name
    path.write_bytes(path.read_bytes()[:-100])
    assert name in str(faults(checked(package))["broken"])


def test_a_segment_that_ends_before_its_last_sample_is_refused(package: Made) -> None:
    """Though its boxes are whole."""
    path = package.folder / "180p" / SEGMENT
    data = path.read_bytes()
    at = data.rindex(b"mdat") - 4
    size = int.from_bytes(data[at : at + 4])
    path.write_bytes(data[:at] + (size - 100).to_bytes(4) + data[at + 4 : -100])
    assert faults(checked(package)) == {"broken": f"180p/{SEGMENT}: its samples are cut short"}


@pytest.mark.parametrize("segments", ["fmp4", "ts"])
def test_tracks_that_begin_at_moments_of_their_own_are_refused(tmp_path: Path, segments: str) -> None:
    """As ffmpeg leaves them by itself: a picture with B-frames is 67 ms late, against one without and against sound."""
    made = renditions.make(tmp_path / "package", segments=segments, moved=True)
    plain = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-sc_threshold", "0")
    other = renditions.make(tmp_path / "plain", segments=segments, moved=True, encoder=plain, widths=(160,))
    shutil.rmtree(made.folder / "90p")
    shutil.copytree(other.folder / "90p", made.folder / "90p")
    tracks = packaging.read(made.folder, made.tracks, segments=segments)
    packaging.write(made.folder, tracks, kind="hls", playlist_name="master.m3u8")
    assert {"grid", "alignment"} <= faults(checked(made, kind="hls")).keys()


def test_a_transport_stream_that_is_cut_short_is_refused(shelf: Callable[..., Made], tmp_path: Path) -> None:
    made = copied(shelf("hls", "ts"), tmp_path)
    path = made.folder / "180p" / "00002.ts"
    path.write_bytes(path.read_bytes()[:-100])
    assert "180p/00002.ts" in str(faults(checked(made, kind="hls"))["broken"])


def test_a_segment_in_the_place_of_another_is_refused(package: Made) -> None:
    rung = package.folder / "180p"
    shutil.copy(rung / "00003.m4s", rung / SEGMENT)
    assert next(iter(faults(checked(package)).items())) == ("gap", f"180p/{SEGMENT}: 1.0 s")


def test_a_rung_that_is_cut_at_other_times_is_refused(shelf: Callable[..., Made], package: Made) -> None:
    """Of "same cut times in all rungs": each rung is right by itself."""
    other = shelf(rate="25")
    shutil.rmtree(package.folder / "90p")
    shutil.copytree(other.folder / "90p", package.folder / "90p")
    found = faults(checked(package))
    assert next(iter(found.items())) == ("alignment", "90p: is cut at other times than 180p")
    assert str(found["grid"]).startswith("90p/")


def test_segments_of_another_length_than_planned_are_refused(package: Made) -> None:
    """30-second segments in place of 6 (VOD-on-AWS#38)."""
    made = replace(package, segment_seconds=package.segment_seconds / 2)
    assert faults(checked(made)).keys() == {"grid", "too_long"}


@pytest.mark.parametrize("name", ["audio-eng", "audio-deu"])
def test_sound_that_is_cut_away_from_the_pictures_is_refused(
    shelf: Callable[..., Made], spoken: Made, name: str
) -> None:
    other = shelf(rate="25", languages=("eng", "deu"))
    shutil.rmtree(spoken.folder / name)
    shutil.copytree(other.folder / name, spoken.folder / name)
    assert str(faults(checked(spoken))["grid"]).startswith(f"{name}/")


def test_a_package_shorter_than_planned_is_refused(package: Made) -> None:
    assert faults(checked(package, seconds=package.seconds + 0.2)) == {"duration": "4.0 s, not 4.2"}


@pytest.mark.parametrize("segments", ["fmp4", "ts"])
def test_segments_that_begin_with_no_idr_are_refused_and_not_promised(tmp_path: Path, segments: str) -> None:
    """Open GOPs: x264 marks their heads as keys, and the container believes it."""
    encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-x264-params", "open-gop=1:scenecut=0")
    made = renditions.make(tmp_path / "package", segments=segments, encoder=encoder, widths=(160,))
    written = packaging.read(made.folder, made.tracks, segments=segments)
    assert [segment.independent for segment in written[0].segments] == [True, False, False, False]
    packaging.write(made.folder, written, kind="hls", playlist_name="master.m3u8")
    master = made.folder / "master.m3u8"
    assert "INDEPENDENT" not in master.read_text()
    assert str(faults(checked(made, kind="hls"))["independent"]).startswith("90p/00002")


def test_a_last_segment_of_a_few_frames_is_refused_and_never_written(tmp_path: Path) -> None:
    """hls.js never gets over one."""
    made = renditions.make(tmp_path / "package", rate="30000/1001")
    last = made.folder / "audio-eng" / "00005.m4s"
    assert last.exists()  # ffmpeg's
    untouched = copied(made, tmp_path)
    tracks = packaging.read(made.folder, made.tracks, segments="fmp4")
    packaging.write(made.folder, tracks, kind="cmaf", playlist_name="master.m3u8")
    assert not last.exists()
    assert faults(checked(made)) == {}
    again = packaging.read(made.folder, made.tracks, segments="fmp4")
    assert sum(track.duration_seconds for track in again) == sum(track.duration_seconds for track in tracks)
    assert str(faults(checked(untouched))["runt"]).startswith("audio-eng/00005.m4s")


@pytest.mark.parametrize("segments", ["fmp4", "ts"])
def test_encrypted_segments_open_with_the_key_that_lies_beside_them(shelf: Callable[..., Made], segments: str) -> None:
    clear, made = shelf("hls", segments), shelf("hls", segments, key=KEY)
    check = checked(made, kind="hls", encrypted=True)
    assert faults(check) == {}
    measured: Any = check.measured
    peaks = [track["peakBps"] for track in measured["tracks"].values()]
    assert f"BANDWIDTH={peaks[0] + peaks[2]}," in (made.folder / "master.m3u8").read_text()  # padding counts
    assert (made.folder / "package.key").read_bytes() == KEY
    playlist = (made.folder / "180p" / "index.m3u8").read_text()
    (vector, *others) = re.findall(r'#EXT-X-KEY:METHOD=AES-128,URI="../package.key",IV=0x([0-9a-f]{32})', playlist)
    assert len({vector, *others}) == 4
    name = f"00001{'.ts' if segments == 'ts' else '.m4s'}"
    source = ["-f", "data", "-key", KEY.hex(), "-iv", vector, "-i", f"crypto:{made.folder / '180p' / name}"]
    run = [media.ffmpeg_binary(), "-v", "error", *source, "-map", "0", "-c", "copy", "-f", "data", "-"]
    opened = subprocess.run(run, check=True, capture_output=True).stdout  # a cipher that is not ours
    assert opened == (clear.folder / "180p" / name).read_bytes()


@pytest.fixture
def locked(shelf: Callable[..., Made], tmp_path: Path) -> Made:
    """A good encrypted one, to be broken."""
    return copied(shelf("hls", key=KEY), tmp_path)


@pytest.mark.parametrize("key", [bytes(16), KEY[:-1], b""])
def test_a_key_that_opens_nothing_is_refused(locked: Made, key: bytes) -> None:
    (locked.folder / "package.key").write_bytes(key)
    assert faults(checked(locked, kind="hls", encrypted=True)).keys() == {"broken"}


def test_a_missing_key_is_refused(locked: Made) -> None:
    (locked.folder / "package.key").unlink()
    assert faults(checked(locked, kind="hls", encrypted=True)) == {"broken": "package.key cannot be read"}


@pytest.mark.parametrize(
    ("pattern", "by"),
    [
        (r"#EXT-X-KEY[^\n]*\n", "#EXT-X-KEY:METHOD=NONE\n"),
        (r"\.\./package\.key", "https://127.0.0.1/package.key"),
        (r",IV=0x[0-9a-f]{32}", ""),
    ],
)
def test_a_segment_that_nothing_opens_is_refused(locked: Made, pattern: str, by: str) -> None:
    edit(locked.folder / "90p" / "index.m3u8", pattern, by)
    assert "key" in faults(checked(locked, kind="hls", encrypted=True))


def test_two_segments_with_one_vector_are_refused(locked: Made) -> None:
    playlist = locked.folder / "90p" / "index.m3u8"
    first = re.findall("IV=0x[0-9a-f]+", playlist.read_text())[0]
    playlist.write_text(re.sub("IV=0x[0-9a-f]+", first, playlist.read_text()))
    assert faults(checked(locked, kind="hls", encrypted=True))["key"] == "two segments have one vector"


def test_a_segment_in_the_clear_is_refused_where_all_should_be_encrypted(
    shelf: Callable[..., Made], locked: Made
) -> None:
    shutil.copy(shelf("hls").folder / "90p" / SEGMENT, locked.folder / "90p" / SEGMENT)
    assert f"90p/{SEGMENT}" in str(faults(checked(locked, kind="hls", encrypted=True))["broken"])
