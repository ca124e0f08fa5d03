"""docs/why/encoding.md, "Packages": what playlists and MPD say of tracks, and how fast they say that these are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.model.base import replace
from encoder.packaging import Track, Written, dash, hls
from encoder.packaging.bandwidth import Span, rates, target_seconds
from encoder.packaging.languages import tag
from encoder.packaging.track import IFrame, Segment

SIX = Fraction(6006, 1000)


def rung(
    name: str = "720p",
    *,
    codec: str = "avc1.64001F",
    sizes: tuple[int, ...] = (300_000, 600_000, 100_000),
    duration: int = 180_180,
    independent: bool = True,
    **plan: Any,  # noqa: ANN401  # as a track has them
) -> Written:
    facts = {"kind": "video", "rate": "30000/1001", "width_px": 1280, "height_px": 720, **plan}
    return Written(
        track=Track(name=name, **facts),
        container="fmp4",
        codec=codec,
        timescale=30_000,
        frame=Fraction(1001),
        segments=tuple(
            Segment(
                name=f"{number + 1:05}.m4s",
                size_bytes=size,
                start=number * duration,
                duration=duration,
                independent=independent,
                i_frames=(IFrame(offset_bytes=76, size_bytes=9000, at=number * duration),),
            )
            for number, size in enumerate(sizes)
        ),
    )


def sound(
    name: str,
    language: str | None = None,
    *,
    codec: str = "mp4a.40.2",
    size: int = 96_000,
    **plan: Any,  # noqa: ANN401  # as a track has them
) -> Written:
    return rung(name, codec=codec, sizes=(size,) * 3, kind="audio", language=language, rate=None, **plan)


def lines(text: str, head: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(head)]


def test_the_peak_is_of_the_worst_stretch_that_lasts_half_to_one_and_a_half_targets() -> None:
    """RFC 8216, 4.1: a short segment counts together with its neighbours, never by itself."""
    spans = [Span(600_000, SIX), Span(600_000, SIX), Span(300_000, Fraction(1))]
    together = -(-(600_000 + 300_000) * 8 // (SIX + 1))
    assert rates(spans).peak_bps == together
    assert rates(spans[:2]).peak_bps == -(-600_000 * 8 // SIX)
    assert rates(spans).average_bps == -(-1_500_000 * 8 // (2 * SIX + 1))


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 12_000)), min_size=1, max_size=12))
def test_no_average_is_above_the_peak(facts: list[tuple[int, int]]) -> None:
    spans = [Span(size, Fraction(ms, 1000)) for size, ms in facts]
    rate = rates(spans)
    assert rate.peak_bps >= rate.average_bps
    assert all(int(span.seconds + Fraction(1, 2)) <= target_seconds(spans) for span in spans)


def test_bandwidth_is_the_rungs_peak_and_the_largest_of_its_sounds() -> None:
    """ffmpeg leaves the group out (n9.0.2), or has nothing else (5.1.9)."""
    text = hls.multivariant([rung(), sound("audio-eng", "eng"), sound("audio-deu", "deu", size=192_000)])
    (variant,) = lines(text, "#EXT-X-STREAM-INF")
    own, heard = -(-600_000 * 8 // SIX), -(-192_000 * 8 // SIX)
    average = -(-1_000_000 * 8 // (3 * SIX)) + heard
    assert f":BANDWIDTH={own + heard},AVERAGE-BANDWIDTH={average}," in variant


def test_a_variant_says_all_that_players_choose_by() -> None:
    text = hls.multivariant([rung(video_range="PQ"), sound("audio")])
    (variant,) = lines(text, "#EXT-X-STREAM-INF")
    for said in (
        'CODECS="avc1.64001F,mp4a.40.2"', "RESOLUTION=1280x720", "FRAME-RATE=29.970", "VIDEO-RANGE=PQ", 'AUDIO="audio"',
    ):  # fmt: skip
        assert f",{said}" in variant
    assert text.splitlines()[:2] == ["#EXTM3U", "#EXT-X-VERSION:7"]


def test_independent_segments_are_promised_only_where_each_is() -> None:
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in hls.multivariant([rung(), rung("360p")])
    assert "#EXT-X-INDEPENDENT-SEGMENTS" not in hls.multivariant([rung(), rung("360p", independent=False)])


def test_one_sound_is_the_default_and_languages_are_as_short_as_can_be() -> None:
    text = hls.multivariant([rung(), sound("audio-eng", "eng"), sound("audio-deu", "deu", default=True)])
    english, german = lines(text, "#EXT-X-MEDIA")
    assert 'LANGUAGE="en",DEFAULT=NO' in english
    assert 'LANGUAGE="de",DEFAULT=YES' in german
    assert 'URI="audio-deu/index.m3u8"' in german
    assert (tag("ger"), tag("pt-BR"), tag("haw")) == ("de", "pt-BR", "haw")


def test_sounds_of_one_language_have_names_of_their_own() -> None:
    """RFC 8216, 4.3.4.1.1: all of a group differ in NAME."""
    text = hls.multivariant([rung(), sound("a", "eng"), sound("b", "eng"), sound("c", "eng", title="Director")])
    names = [line.split('NAME="')[1].split('"')[0] for line in lines(text, "#EXT-X-MEDIA")]
    assert names == ["en (a)", "en (b)", "Director"]


def test_by_language_alone_one_track_of_each_is_taken() -> None:
    """RFC 8216, 4.3.4.1.1: those with AUTOSELECT=YES differ in language; a commentary is never put on by itself."""
    text = hls.multivariant([rung(), sound("a", "eng", default=True), sound("b", "deu"), sound("c", "eng")])
    assert [line.split("AUTOSELECT=")[1].split(",")[0] for line in lines(text, "#EXT-X-MEDIA")] == ["YES", "YES", "NO"]


def test_each_sound_is_a_set_of_its_own_in_an_mpd_and_one_is_the_main_one() -> None:
    text = dash.manifest([rung(), sound("a", "eng"), sound("b", "deu", default=True), sound("c", "eng")])
    _, *heard = text.split("<AdaptationSet")
    assert ['"main"' in each for each in heard] == [True, False, True, False]
    assert [each.split("<Label>")[1].split("<")[0] for each in heard[1:]] == ["en (a)", "de", "en (c)"]


def test_a_title_cannot_say_anything_but_itself() -> None:
    text = hls.multivariant([rung(), sound("a", "eng", title='x",URI="http://bad/"\n#EXT-X-ENDLIST')])
    (line,) = lines(text, "#EXT-X-MEDIA")
    assert 'NAME="x,URI=http://bad/#EXT-X-ENDLIST",' in line
    assert "#EXT-X-ENDLIST" not in text.splitlines()
    assert "&lt;b&gt;" in dash.manifest([rung(), sound("a", title="<b>")])


def test_sounds_of_two_codecs_are_two_groups_and_each_rung_goes_with_both() -> None:
    text = hls.multivariant([rung(), sound("aac"), sound("opus", codec="opus")])
    assert [line.split("CODECS=")[1].split(",RES")[0] for line in lines(text, "#EXT-X-STREAM-INF")] == [
        '"avc1.64001F,mp4a.40.2"',
        '"avc1.64001F,opus"',
    ]
    assert len({line.split("GROUP-ID=")[1].split(",")[0] for line in lines(text, "#EXT-X-MEDIA")}) == 2


def test_sound_alone_is_a_variant_itself() -> None:
    text = hls.multivariant([sound("audio", "eng")])
    assert lines(text, "#EXT-X-MEDIA") == []
    assert 'CODECS="mp4a.40.2"' in lines(text, "#EXT-X-STREAM-INF")[0]
    assert "audio/index.m3u8" in text


def test_a_media_playlist_is_whole() -> None:
    assert hls.media(rung(sizes=(1, 2))) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:6.006000,\n00001.m4s\n#EXTINF:6.006000,\n00002.m4s\n#EXT-X-ENDLIST\n'
    )


def test_i_frames_are_parts_of_segments_and_last_until_the_next() -> None:
    text = hls.i_frames(rung(sizes=(1, 2)))
    assert "#EXT-X-I-FRAMES-ONLY\n" in text
    assert lines(text, "#EXT-X-BYTERANGE") == ["#EXT-X-BYTERANGE:9000@76"] * 2
    assert lines(text, "#EXTINF") == ["#EXTINF:6.006000,"] * 2


def test_an_mpd_is_exact_in_the_tracks_own_timescale() -> None:
    text = dash.manifest(
        [rung(), rung("360p", codec="avc1.4D401E", width_px=640, height_px=360), sound("audio", "eng")]
    )
    assert text.count('<S t="0" d="180180" r="2" />') == 3
    assert 'timescale="30000"' in text
    assert 'mediaPresentationDuration="PT18.018S"' in text
    assert 'type="static"' in text
    assert text.count("<AdaptationSet") == 2  # players switch within a set
    assert 'frameRate="30000/1001"' in text
    assert 'mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1" lang="en"' in text
    assert 'media="$RepresentationID$/$Number%05d$.m4s"' in text


def test_a_segment_of_another_length_or_after_a_gap_begins_a_new_run() -> None:
    whole = rung(sizes=(1, 1, 1, 1))
    first, second, _, last = whole.segments
    odd = (first, second, last, Segment(name="5", size_bytes=1, start=720_720, duration=90_090, independent=True))
    text = dash.manifest([replace(whole, segments=odd)])
    assert [line.strip() for line in lines(text.replace("            <S", "<S"), "<S t")] == [
        '<S t="0" d="180180" r="1" />',
        '<S t="540540" d="180180" />',
        '<S t="720720" d="90090" />',
    ]


@pytest.mark.parametrize("codecs", [("avc1.64001F", "hvc1.1.6.L93.B0"), ("av01.0.04M.08", "avc1.64001F")])
def test_pictures_of_two_codecs_are_two_sets(codecs: tuple[str, str]) -> None:
    text = dash.manifest([rung("a", codec=codecs[0]), rung("b", codec=codecs[1])])
    assert text.count("<AdaptationSet") == 2
