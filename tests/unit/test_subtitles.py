"""Which subtitles an output gets, and why (docs/why/encoding.md, "Subtitles")."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from encoder.ffmpeg import captions, command, lift, quality, target
from encoder.ffmpeg.plan import decide, passes
from encoder.model import base, beside
from encoder.model.base import Json
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.media import SubtitleStream
from encoder.model.plan import OutputPlan, Plan, Script, SubtitlePlan
from encoder.model.secrets import hide, reveal
from tests.lab.facts import ABLE, hdr, picture, planned, refused, source, spec, video, warned

ENGLISH = SubtitleStream(index=2, codec="subrip", language="eng")
GERMAN = SubtitleStream(index=3, codec="ass", language="ger", default=True, forced=True)
PLATES = SubtitleStream(index=4, codec="hdmv_pgs_subtitle", language="fre")
FILM = source(subtitles=(ENGLISH, GERMAN, PLATES))
PLACE: Place = {"kind": "http", "url": "http://user:SENTINEL@text.example/a.srt?sig=SENTINEL"}
BROUGHT = Script(file="script-file-0.vtt", form=captions.WEBVTT)


def wanting(mode: str, **members: Json) -> OutputSpec:
    return spec(None, container=members.pop("container", "mp4"), subtitles={"mode": mode, **members})


def told(plan: OutputPlan) -> list[tuple[int | None, str, str | None, bool, bool]]:
    return [
        (each.source_index, each.codec, each.language, each.default, each.forced) for each in plan.subtitles
    ]  # fmt: skip


def words(plan: OutputPlan) -> list[str]:
    whole = Plan(outputs=(plan,), passes=passes([plan]))
    return command.build(whole, whole.passes[0], files={0: Path(plan.file_name)})


def test_all_that_is_text_is_copied_with_language_default_and_forced() -> None:
    plan = planned(FILM, wanting("copy"))
    assert told(plan) == [(2, "mov_text", "eng", False, False), (3, "mov_text", "ger", True, True)]
    assert warned(plan) == {"subtitles_are_pictures"}


@pytest.mark.parametrize(
    ("container", "codecs"),
    [("mp4", ["mov_text"] * 2), ("mov", ["mov_text"] * 2), ("webm", ["webvtt"] * 2), ("mkv", ["subrip", "ass"])],
)
def test_each_container_has_them_as_it_can(container: str, codecs: list[str]) -> None:
    assert [each.codec for each in planned(FILM, wanting("copy", container=container)).subtitles] == codecs


def test_a_container_without_a_mark_for_forced_ones_says_so() -> None:
    plan = planned(FILM, wanting("copy", container="mov"))
    assert not any(each.forced for each in plan.subtitles)
    assert "forced_not_marked" in {note.code for note in plan.reasons}


def test_of_two_default_tracks_the_first_is_it() -> None:
    both = (base.replace(ENGLISH, default=True), GERMAN)
    assert [each.default for each in planned(source(subtitles=both), wanting("copy")).subtitles] == [True, False]


def test_a_list_names_tracks_by_index_and_language_each_once() -> None:
    plan = planned(FILM, wanting("copy", tracks=["deu", 2, 3]))
    assert [each.source_index for each in plan.subtitles] == [3, 2]
    assert warned(plan) == set()


@pytest.mark.parametrize("mode", ["copy", "burn-in"])
def test_what_is_not_there_is_told_and_fails_nothing(mode: str) -> None:
    assert warned(planned(FILM, wanting(mode, tracks=["spa"]))) == {"subtitles_missing"}
    assert warned(planned(source(), wanting(mode))) == {"subtitles_missing"}


def test_a_file_of_subtitles_needs_some() -> None:
    assert refused(source(), wanting("extract", container="vtt")).code == "no_subtitle_stream"
    assert refused(FILM, wanting("extract", container="vtt", tracks=[4])).code == "no_subtitle_stream"


def test_a_file_of_subtitles_is_the_default_track_or_the_one_that_is_asked() -> None:
    plan = planned(FILM, spec(None, container="vtt"))
    assert (plan.video, plan.audio, plan.content_type) == (None, None, "text/vtt")
    assert [each.source_index for each in plan.subtitles] == [3]
    asked = planned(FILM, wanting("extract", container="vtt", tracks=["eng"]))
    assert [each.source_index for each in asked.subtitles] == [2]


def test_burnt_in_is_the_default_track_or_the_first_that_is_asked() -> None:
    burnt = picture(planned(FILM, wanting("burn-in"))).burnt
    assert burnt is not None
    assert (burnt.source_index, burnt.file) == (3, "burnt-script-3-wide.ass")
    burnt = picture(planned(FILM, wanting("burn-in", tracks=["spa", "fre", "eng"]))).burnt
    assert burnt is not None
    assert (burnt.source_index, burnt.file, burnt.shape) == (4, None, "1920/1080")


def test_without_libass_text_is_not_drawn_but_pictures_are() -> None:
    unable = replace(ABLE, filters=ABLE.filters - {"ass"})
    assert refused(FILM, wanting("burn-in"), unable).code == "encoder_not_available"
    assert picture(planned(FILM, wanting("burn-in", tracks=["fre"]), unable)).burnt is not None


def test_on_an_hdr_picture_they_would_have_the_wrong_light_and_are_refused() -> None:
    film = source(picture=hdr(), subtitles=(ENGLISH,))
    assert refused(film, spec("hevc", toneMap=False, subtitles={"mode": "burn-in"})).code == "unsupported_hdr"


def test_files_are_carried_as_they_are_called() -> None:
    files: Json = [{"source": PLACE, "language": "spa", "default": True}]
    plan = decide(FILM, {0: wanting("copy", files=files)}, ABLE, scripts={0: (BROUGHT,)}).outputs[0]
    assert told(plan) == [(None, "mov_text", "spa", True, False)]
    both = decide(FILM, {0: wanting("copy", files=files, tracks="all")}, ABLE, scripts={0: (BROUGHT,)}).outputs[0]
    assert [each.source_index for each in both.subtitles] == [None, 2, 3]


def test_a_source_s_word_for_a_language_goes_no_further() -> None:
    odd = base.replace(ENGLISH, language="x-evil")
    assert planned(source(subtitles=(odd,)), wanting("copy")).subtitles[0].language is None


# commands


def test_text_is_opened_as_what_we_wrote_and_as_nothing_else() -> None:
    args = words(planned(FILM, wanting("copy")))
    second = args.index("file:captions-0-0.srt")
    assert args[second - 7 : second] == ["-protocol_whitelist", "file", "-format_whitelist", "srt", "-f", "srt", "-i"]


def test_drawn_text_comes_after_the_tone_map_and_knows_the_source_s_times() -> None:
    film = source(picture=hdr(), silent=True, subtitles=(ENGLISH,))
    plan = planned(film, spec(height=720, subtitles={"mode": "burn-in"}, clip={"start": 4}))
    args = words(plan)
    chain = args[args.index("-filter_complex") + 1]
    assert chain.index("tonemap=") < chain.index("setpts=PTS+100,ass=filename=burnt-script-2-wide.ass,setpts=PTS-100")


def test_a_clip_with_drawn_pictures_is_read_from_long_before() -> None:
    film = source(picture=video(duration_seconds=100.0, frames=2500), duration_seconds=100.0, subtitles=(PLATES,))
    clip: Json = {"start": 60}
    assert planned(film, spec(clip=clip, subtitles={"mode": "burn-in"})).seek_seconds == 30
    assert planned(film, spec(clip=clip)).seek_seconds == 58


def test_lifting_reads_each_track_once() -> None:
    plan = decide(FILM, {0: wanting("copy"), 1: wanting("copy", container="mkv"), 2: wanting("burn-in")}, ABLE)
    args = lift.run(plan.outputs, source_args=("-i", "x"))
    assert args is not None
    assert [word for word in args if word.startswith("file:")] == ["file:script-2.srt", "file:script-3.ass"]
    assert lift.run([planned(FILM, spec())], source_args=()) is None


def test_samples_and_comparisons_have_the_drawn_ones_and_no_tracks() -> None:
    plan = planned(FILM, spec(subtitles={"mode": "burn-in", "tracks": ["fre"]}, measure=["ssim"]))
    compared = quality.comparison(plan, FILM, Path("out"), metrics=["ssim"])
    assert "[1:4]scale" in compared[compared.index("-filter_complex") + 1]
    carrying = planned(FILM, spec(subtitles={"mode": "copy"}, targetQuality=90, crf=None))
    assert all(not sample.subtitles for sample in target.samples(carrying, FILM))


# packages


def test_each_track_of_a_package_is_a_file_in_a_folder_of_its_own() -> None:
    film = source(subtitles=(ENGLISH, GERMAN, base.replace(ENGLISH, index=5)))
    plan = planned(film, spec("hls", subtitles={"mode": "copy"}))
    texts = [each for each in plan.renditions if each.subtitles]
    assert [each.name for each in texts] == ["subtitles-eng", "subtitles-ger", "subtitles-eng-2"]
    assert [each.subtitles[0].codec for each in texts] == ["webvtt"] * 3
    assert {each.duration_seconds for each in texts} == {plan.duration_seconds}
    args = words(plan)
    assert f"file:{plan.file_name}/subtitles-ger/subtitles.vtt" in args


def test_each_rung_of_a_package_has_what_is_burnt_in() -> None:
    plan = planned(FILM, spec("hls", subtitles={"mode": "burn-in"}))
    drawn = [each.video.burnt for each in plan.renditions if each.video]
    assert len(drawn) > 1
    assert all(burnt is not None for burnt in drawn)


def test_a_package_is_made_without_tracks_that_say_nothing() -> None:
    film = source(subtitles=(ENGLISH, GERMAN))
    plan = planned(film, spec("hls", subtitles={"mode": "copy"}))
    whole = {
        "script-2.srt": captions.read("", captions.SRT),
        "script-3.ass": captions.read("[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,Oh\n", captions.ASS),
    }
    settled, texts = lift.fitted(plan, whole)
    assert [each.name for each in settled.renditions if each.subtitles] == ["subtitles-ger"]
    assert list(texts) == ["captions-0-1.vtt"]
    assert warned(settled) == {"subtitles_empty"}


# settling


def settled(plan: OutputPlan, text: str) -> tuple[OutputPlan, dict[str, str]]:
    whole = {each.script.file: captions.read(text, each.script.form) for each in plan.subtitles}
    return lift.fitted(plan, whole)


def test_a_track_that_says_nothing_in_a_clip_is_left_out_and_told() -> None:
    film = source(subtitles=(ENGLISH,))
    text = "1\n00:00:01,000 --> 00:00:02,000\nOne\n\n"
    plan, texts = settled(planned(film, base.replace(wanting("copy"), clip=spec(clip={"start": 5}).clip)), text)
    assert (plan.subtitles, texts, warned(plan)) == ((), {}, {"subtitles_empty"})


def test_captions_end_with_the_output() -> None:
    text = "1\n00:00:09,000 --> 00:00:20,000\nOne\n\n2\n00:00:11,000 --> 00:00:12,000\nTwo\n\n"
    plan, texts = settled(planned(source(subtitles=(ENGLISH,)), wanting("copy")), text)
    assert texts[plan.subtitles[0].file] == "1\n00:00:09,000 --> 00:00:10,000\nOne\n\n"


# secrets


def test_secrets_of_files_are_sealed_and_come_back() -> None:
    output = wanting("copy", files=[{"source": PLACE}, {"source": {**PLACE, "headers": {"X": "SENTINEL"}}}])
    job = JobSpec(source={"kind": "file", "path": "/in"}, outputs=(spec(), output))
    shown, secrets = hide(job)
    assert "SENTINEL" not in str(shown)
    assert set(secrets) == {
        "/outputs/1/subtitles/files/0/source/url",
        "/outputs/1/subtitles/files/1/source/url",
        "/outputs/1/subtitles/files/1/source/headers/X",
    }
    assert reveal(shown, secrets) == job


def test_all_that_an_output_reads_is_known() -> None:
    output = spec(watermark={"source": PLACE}, subtitles={"mode": "copy", "files": [{"source": PLACE}]})
    found = beside.sources(output)
    assert list(found) == [("watermark", "source"), ("subtitles", "files", 0, "source")]
    assert beside.with_sources(output, found) == output


def test_its_plan_holds_no_address() -> None:
    files: Json = [{"source": PLACE}]
    plan = decide(FILM, {0: wanting("copy", files=files)}, ABLE, scripts={0: (BROUGHT,)}).outputs[0]
    assert isinstance(plan.subtitles[0], SubtitlePlan)
    assert "SENTINEL" not in str(plan)
