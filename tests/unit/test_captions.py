"""Text with times, in its three forms (docs/why/encoding.md, "Subtitles")."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.ffmpeg import captions, markup
from encoder.ffmpeg.captions import ASS, SRT, WEBVTT, Caption, Captions

SONG = """\
1
00:00:01,000 --> 00:00:02,500
One <i>two</i> & <3

2
00:00:03,000 --> 00:00:04,000
{\\an8}Above <b>all</b>

"""


def times(found: Captions) -> list[tuple[int, int]]:
    return [(each.start_ms, each.end_ms) for each in found.listed]


def texts(found: Captions) -> list[str]:
    return [each.text for each in found.listed]


def test_srt_comes_out_as_it_went_in() -> None:
    assert captions.written(captions.read(SONG, SRT)) == SONG


def test_srt_of_whatever_editor_is_read() -> None:
    """Windows line ends, a mark of byte order, no last empty line, dots for commas, empty lines in a text."""
    text = "7\r\n0:00:01.5 --> 00:00:02,25 X1:0\r\nOne\r\n\r\nstill one\r\n\r\n8\r\n00:00:03,000 --> 00:00:04,000\r\n42"
    found = captions.read(f"\ufeff{text}", SRT)
    assert times(found) == [(1500, 2250), (3000, 4000)]
    assert texts(found) == ["One\nstill one", "42"]


def test_a_cue_of_webvtt_ends_with_an_empty_line_and_styles_are_left_out() -> None:
    text = "WEBVTT head\n\nSTYLE\n::cue {}\n\nname\n00:01.000 --> 00:02.000 line:0 region:x\nOne\n\nNOTE two\nthree\n"
    found = captions.read(text, WEBVTT)
    assert found.listed == (Caption(start_ms=1000, end_ms=2000, text="One", manner="line:0"),)
    assert captions.written(found) == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 line:0\nOne\n"


def test_a_script_s_fonts_and_pictures_are_left_behind() -> None:
    """Nobody loads a font that a caller brings."""
    script = "[Script Info]\nTitle: x\n\n[V4+ Styles]\nFormat: Name\nStyle: D\n\n[Fonts]\nfontname: evil.ttf\n!!!!\n\n"
    found = captions.read(f"{script}[Events]\nDialogue: 2,0:00:01.00,0:00:02.50,D,,0,0,0,,{{\\i1}}One, two\n", ASS)
    again = captions.written(found)
    assert "evil" not in again
    assert "Style: D" in again
    assert "Dialogue: 2,0:00:01.00,0:00:02.50,D,,0,0,0,,{\\i1}One, two\n" in again


def test_times_that_are_written_short_are_times() -> None:
    text = "1\n00:00:01,0 --> 00:00:02,0\na\n\n2\n0:0:2,5 --> 0:0:3,0\nb\n"
    assert times(captions.read(text, SRT)) == [(1000, 2000), (2500, 3000)]


def test_a_caption_near_ten_hours_does_not_wrap() -> None:
    late = Captions(form=ASS, listed=(Caption(start_ms=35_999_996, end_ms=36_000_500, text="Default,,0,0,0,,x"),))
    assert "9:59:59.99,9:59:59.99" in captions.written(late)


def test_what_says_nothing_or_lasts_no_time_is_left_out() -> None:
    text = "1\n00:00:02,000 --> 00:00:01,000\nx\n\n2\n00:00:02,000 --> 00:00:03,000\n \n\n"
    assert captions.read(text, SRT).listed == ()


def test_a_clip_has_what_is_shown_in_it_in_its_own_times() -> None:
    found = captions.read(SONG, SRT)
    assert times(captions.cut(found, 2000, 1500)) == [(0, 500), (1000, 1500)]
    assert times(captions.cut(found, 2500, None)) == [(500, 1500)]
    assert times(captions.cut(found, 4000, None)) == []


def test_apart_they_are_one_at_a_time_and_say_all_that_is_shown() -> None:
    listed = (
        Caption(start_ms=0, end_ms=1000, text="a"),
        Caption(start_ms=500, end_ms=3000, text="b"),
        Caption(start_ms=2000, end_ms=2500, text="c"),
        Caption(start_ms=4000, end_ms=5000, text="d"),
    )
    found = captions.apart(Captions(form=SRT, listed=listed))
    assert [(each.start_ms, each.end_ms, each.text) for each in found.listed] == [
        (0, 500, "a"), (500, 1000, "a\nb"), (1000, 2000, "b"), (2000, 2500, "b\nc"), (2500, 3000, "b"),
        (4000, 5000, "d"),
    ]  # fmt: skip


def test_what_is_bold_or_at_the_top_stays_so_in_every_form() -> None:
    found = captions.read(SONG, SRT)
    webvtt = markup.recast(found, WEBVTT)
    assert texts(webvtt) == ["One <i>two</i> &amp; &lt;3", "Above <b>all</b>"]
    assert [each.manner for each in webvtt.listed] == ["", "line:0"]
    ass = markup.recast(webvtt, ASS)
    assert texts(ass) == [
        "Default,,0,0,0,,One {\\i1}two{\\i0} & <3",
        "Default,,0,0,0,,{\\an8}Above {\\b1}all{\\b0}",
    ]
    assert texts(markup.recast(ass, SRT)) == texts(found)


def test_text_is_drawn_as_it_is_written() -> None:
    """F4: what would be an order to the renderer is letters."""
    text = "1\n00:00:01,000 --> 00:00:02,000\na{b}c\\Nd %{x} [in];out,'q'\nnext\n\n"
    (line,) = texts(markup.recast(captions.read(text, SRT), ASS))
    assert line == "Default,,0,0,0,,a\\{b\\}c\\\u2060Nd %\\{x\\} [in];out,'q'\\Nnext"


def test_what_is_drawn_with_lines_is_no_text() -> None:
    script = "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}seen\\Ntoo\\hhere\n"
    assert texts(markup.recast(captions.read(script, ASS), SRT)) == ["seen\ntoo here"]


def test_tags_that_a_form_does_not_know_are_left_out_and_arrows_end_no_cue() -> None:
    text = '1\n00:00:01,000 --> 00:00:02,000\n<font color="red">a</font> --> <i>b\n\n'
    assert texts(markup.recast(captions.read(text, SRT), WEBVTT)) == ["a --&gt; <i>b</i>"]
    cue = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann><c.yellow>a</c> <00:01.500>&amp; b</v>\n"
    assert texts(markup.recast(captions.read(cue, WEBVTT), SRT)) == ["a & b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_old_encodings_are_understood(encoding: str) -> None:
    assert captions.decoded("Größe".encode(encoding)) == "Größe"


@pytest.mark.parametrize(
    ("text", "form"), [("\ufeffWEBVTT\n", WEBVTT), ("[Script Info]\n", ASS), ("1\n00:", SRT), ("", SRT)]
)
def test_a_form_is_known_by_how_it_begins(text: str, form: str) -> None:
    assert captions.form_of(text) == form


LINES = st.lists(
    st.one_of(
        st.sampled_from(["", "1", "WEBVTT", "[Events]", "Dialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,{\\i1}x"]),
        st.sampled_from(["00:00:01,000 --> 00:00:02,000", "00:01.000 --> 99:59:59.999 line:0", "<i>x</b> & {\\an8}"]),
        st.text(max_size=20),
    ),
    max_size=20,
)


@given(LINES, st.sampled_from([SRT, WEBVTT, ASS]), st.sampled_from([SRT, WEBVTT, ASS]))
def test_whatever_comes_in_what_goes_out_is_read_the_same(lines: list[str], old: str, new: str) -> None:
    found = captions.apart(markup.recast(captions.read("\n".join(lines), old), SRT))
    made = markup.recast(found, new)
    again = captions.read(captions.written(made), new)
    hundredths = 10 if new == ASS else 0
    assert len(again.listed) == len([each for each in made.listed if each.end_ms > each.start_ms + hundredths])
    if new != ASS:
        assert (times(again), markup.letters(again)) == (times(made), markup.letters(made))
