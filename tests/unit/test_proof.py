"""The proof: a good result passes every check, and for each check there is a result that fails it alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg import captions, checks, containers, proof
from encoder.ffmpeg.captions import Captions
from encoder.ffmpeg.exits import Exit, Reason
from encoder.ffmpeg.joint import Parts
from encoder.ffmpeg.watch import Content, Doubt
from encoder.model import base
from encoder.model.job import OutputSpec
from encoder.model.media import AudioStream, Media, Opened, StreamCount, SubtitleStream, VideoStream
from encoder.model.plan import Loudness, OutputPlan
from encoder.model.proof import Proof
from tests.lab.facts import MKV, audio, hdr, picture, planned, sound, source, spec, video

FILE = Path("/scratch/1/out-0.mp4")


@dataclass(frozen=True, kw_only=True)
class Result:
    """A result as the proof sees it; made by `good`, spoilt by a test."""

    plan: OutputPlan
    media: Media
    opened: Opened
    decoded_frames: int = 250
    decode_errors: int = 0
    encoded_frames: int | None = None
    ended: bool = True
    complaint: str = ""
    exit_code: int = 0
    heard: tuple[Loudness | None, ...] = ()
    content: Content | None = None
    read: tuple[tuple[Captions, Captions], ...] = ()
    parts: Parts | None = None

    def judged(self) -> Proof:
        decoded = Exit(
            code=self.exit_code, reason=Reason.OK, log=self.complaint, cpu_seconds=1.0, wall_seconds=1.0, ended=True
        )
        return proof.judge(
            self.plan,
            media=self.media,
            path=FILE,
            log=self.log(),
            opened=self.opened,
            decoded=decoded,
            loudness=self.heard,
            content=self.content,
            captions=self.read,
            parts=self.parts,
        )

    def log(self) -> str:
        if not self.ended:
            return "frame= 10\n"
        lines = [f"[out#0/mp4 @ 0x1] Output file #0 (file:{FILE}):"]
        video_plan, audio_plan = self.plan.video, self.plan.audio
        if video_plan is not None:
            frames = self.encoded_frames if self.encoded_frames is not None else video_plan.frames
            lines.append(f"[out#0 @ 0x1]   Output stream #0:0 (video): {frames} frames encoded; {frames} packets muxed")
            lines.append(
                f"[in#0 @ 0x2]   Input stream #0:{video_plan.source_index} (video): 250 packets read (9 bytes); "
                f"{self.decoded_frames} frames decoded; {self.decode_errors} decode errors; "
            )
        if audio_plan is not None:
            lines.append("[out#0 @ 0x1]   Output stream #0:1 (audio): 470 frames encoded; 470 packets muxed")
            lines.append(
                f"[in#0 @ 0x2]   Input stream #0:{audio_plan.source_index} (audio): 470 packets read (9 bytes); "
                "470 frames decoded; 0 decode errors (480000 samples); "
            )
        return "\n".join(lines)

    def spoilt(self, **facts: object) -> Result:
        """With other facts of the file."""
        return replace(self, opened=base.replace(self.opened, **facts))

    def with_media(self, **facts: object) -> Result:
        return self.spoilt(media=base.replace(self.opened.media, **facts))

    def with_video(self, **facts: object) -> Result:
        return self.with_media(video=(base.replace(self.opened.media.video[0], **facts),))

    def with_audio(self, **facts: object) -> Result:
        return self.with_media(audio=(base.replace(self.opened.media.audio[0], **facts),))

    def with_subtitles(self, **facts: object) -> Result:
        return self.with_media(subtitles=(base.replace(self.opened.media.subtitles[0], **facts),))

    def with_lines(self, text: str) -> Result:
        """With subtitles that say something else than they should."""
        return replace(self, read=((self.read[0][0], captions.read(text, captions.SRT)),))

    def with_loudness(self, **facts: object) -> Result:
        """With another decision on the loudness of its sound."""
        audio_plan = sound(self.plan)
        assert audio_plan.loudness is not None
        decided = base.replace(audio_plan, loudness=base.replace(audio_plan.loudness, **facts))
        return replace(self, plan=base.replace(self.plan, audio=decided))

    def with_loud(self, lufs: float, peak: float = -5.0) -> Result:
        return replace(self, heard=(Loudness(lufs=lufs, range_lu=4.0, peak_dbtp=peak),))

    def with_count(self, index: int, **facts: object) -> Result:
        counts = (base.replace(count, **facts) if count.index == index else count for count in self.opened.counts)
        return self.spoilt(counts=tuple(counts))


def good(media: Media | None = None, output: OutputSpec | None = None) -> Result:
    """A result that is exactly what was planned."""
    media = media or source()
    plan = planned(media, output or spec(height=720))
    container = containers.CONTAINERS[plan.container]
    counts: list[StreamCount] = []
    pictures: list[VideoStream] = []
    sounds: list[AudioStream] = []
    if plan.video is not None:
        pictures.append(_picture(plan))
        counts.append(_video_count(plan))
    if plan.audio is not None:
        sounds.append(_sound(plan))
        end = plan.audio.start_seconds + (plan.audio.duration_seconds or 0.0)
        counts.append(_count(index=1, packets=470, begin=plan.audio.start_seconds, end=end))
    made = Media(
        format=container.demuxer,
        size_bytes=1000,
        duration_seconds=plan.duration_seconds,
        video=tuple(pictures),
        audio=tuple(sounds),
    )
    return Result(plan=plan, media=media, opened=Opened(media=made, counts=tuple(counts), faststart=True))


def _picture(plan: OutputPlan) -> VideoStream:
    wanted = picture(plan)
    return video(
        codec=wanted.codec,
        codec_tag=wanted.codec_tag,
        profile=wanted.profile,
        pixel_format=wanted.pixel_format,
        coded_width=wanted.width_px,
        coded_height=wanted.height_px,
        color_primaries=wanted.color_primaries,
        color_transfer=wanted.color_transfer,
        color_matrix=wanted.color_matrix,
    )


def _sound(plan: OutputPlan) -> AudioStream:
    wanted = sound(plan)
    return audio(
        codec=wanted.codec,
        channels=wanted.channels,
        layout=wanted.layout,
        sample_rate_hz=wanted.sample_rate_hz,
        language=wanted.language,
    )


def _video_count(plan: OutputPlan) -> StreamCount:
    wanted = picture(plan)
    frames = wanted.frames or 0
    end = wanted.start_seconds + float(frames / Fraction(wanted.rate))
    return _count(index=0, packets=frames, begin=wanted.start_seconds, end=end, first_is_idr=True)


def _count(*, index: int, packets: int, begin: float, end: float, first_is_idr: bool | None = None) -> StreamCount:
    return StreamCount(
        index=index,
        packets=packets,
        shown=packets,
        first_pts_seconds=begin,
        end_pts_seconds=end,
        keyframes=3,
        longest_gap_seconds=4.0,
        first_is_idr=first_is_idr,
    )


GOOD = good()
GRIDDED = replace(GOOD, plan=base.replace(GOOD.plan, video=base.replace(picture(GOOD.plan), grid=True))).with_count(
    0, shortest_gap_seconds=4.0
)
LOUD = replace(
    good(output=base.replace(spec(height=720), loudness=-23.0)),
    heard=(Loudness(lufs=-23.2, range_lu=4.0, peak_dbtp=-5.0),),
)
LOUD = LOUD.with_loudness(mode="linear", aim_lufs=-23.0)
SILENCE = replace(LOUD.with_loudness(mode="silent", aim_lufs=None), heard=(Loudness(),))
PRESSED = LOUD.with_loudness(mode="dynamic", aim_lufs=-23.0)
LATE = good(source(sound=audio(start_seconds=0.5)))
FIELDS = good(source(picture=video(interlaced=True)))
SURROUND = good(source(sound=audio(channels=6, layout="5.1", language="ger")), spec(height=720, audioChannels=6))

LINES = captions.read("1\n00:00:01,000 --> 00:00:02,000\nOne <i>two</i>\n\n", captions.SRT)
TEXT = SubtitleStream(index=2, codec="mov_text", language="eng", default=True)
TITLED = good(source(subtitles=(TEXT,)), spec(height=720, subtitles={"mode": "copy"}))
TITLED = replace(TITLED.with_media(subtitles=(TEXT,)), read=((LINES, LINES),))
STILL = Doubt(kind="still", start_seconds=1.0, seconds=4.0)

PARTS = Parts(frames_decoded=250, decode_errors=0, frames={"": 250}, seams={"": (4.0, 8.0)})
JOINED = replace(GOOD.with_count(0, seams_keyed=2), parts=PARTS)

FAILS_ALONE: dict[str, tuple[str, Result]] = {
    "a run that never came to its end": ("run", replace(GOOD, ended=False)),
    "a decoder that stumbled over too much": ("run", replace(GOOD, decode_errors=4)),
    "frames that the source lost": ("source", replace(GOOD, decoded_frames=240)),
    "chunks that together lost frames of the source": (
        "source", replace(JOINED, parts=base.replace(PARTS, frames_decoded=240))
    ),
    "chunks whose decoders stumbled too much": ("run", replace(JOINED, parts=base.replace(PARTS, decode_errors=4))),
    "a seam at which no picture stands by itself": ("seams", JOINED.with_count(0, seams_keyed=1)),
    "a seam at which a frame is missing": ("seams", JOINED.with_count(0, end_pts_seconds=10.04)),
    "another container": ("container", GOOD.with_media(format="matroska,webm")),
    "an empty file": ("container", GOOD.with_media(size_bytes=0)),
    "an index behind the media": ("container", GOOD.spoilt(faststart=False)),
    "bytes after the last box": ("container", GOOD.spoilt(trailing_bytes=8)),
    "another codec": ("streams", GOOD.with_video(codec="hevc")),
    "a profile that is too much": ("streams", GOOD.with_video(profile="High 10")),
    "another pixel format": ("streams", GOOD.with_video(pixel_format="yuv422p")),
    "a tag that Apple does not play": (
        "streams", good(output=spec("hevc", height=720)).with_video(codec_tag="hev1"),
    ),
    "a second picture": ("streams", GOOD.with_media(video=(*GOOD.opened.media.video, video(index=5)))),
    "a second sound": ("streams", GOOD.with_media(audio=(*GOOD.opened.media.audio, audio(index=5)))),
    "another audio codec": ("streams", GOOD.with_audio(codec="mp3")),
    "another sample rate": ("streams", GOOD.with_audio(sample_rate_hz=44100)),
    "other channels": ("streams", SURROUND.with_audio(channels=2, layout="stereo")),
    "another layout": ("streams", SURROUND.with_audio(layout="5.1(side)")),
    "another language": ("streams", SURROUND.with_audio(language="eng")),
    "another size": ("picture", GOOD.with_video(coded_width=1278)),
    "pixels that are not square": ("picture", GOOD.with_video(sample_aspect_ratio="64/45")),
    "a turn that is left": ("picture", GOOD.with_video(rotation_deg=90)),
    "a mirror that is left": ("picture", GOOD.with_video(mirrored=True)),
    "full range": ("picture", GOOD.with_video(color_range="pc")),
    "no colour tags": ("picture", GOOD.with_video(color_primaries=None)),
    "an HDR transfer on SDR": ("picture", GOOD.with_video(color_transfer="smpte2084")),
    "side data of HDR on SDR": ("picture", GOOD.with_video(hdr_side_data=True)),
    "combs in what was interlaced": ("picture", FIELDS.with_video(interlaced=True)),
    "a frame that was encoded and is not there": ("frames", replace(GOOD, encoded_frames=251)),
    "two frames too few": (
        "frames", replace(GOOD.with_count(0, packets=248, shown=248), encoded_frames=248),
    ),
    "a container that says too long": ("duration", GOOD.with_media(duration_seconds=10.2)),
    "sound that ends too early for a duration": ("duration", GOOD.with_count(1, end_pts_seconds=9.93)),
    "time stamps that do not rise": ("timestamps", GOOD.with_count(0, dts_faults=1)),
    "a time stamp that comes twice": ("timestamps", GOOD.with_count(1, pts_twice=1)),
    "a beginning without an IDR": ("keyframes", GOOD.with_count(0, first_is_idr=False)),
    "keyframes too far apart": ("keyframes", GOOD.with_count(0, longest_gap_seconds=4.04)),
    "a keyframe off the grid": ("keyframes", GRIDDED.with_count(0, shortest_gap_seconds=3.96)),
    "a second decoder that complains": ("decode", replace(GOOD, complaint="[h264 @ 0x1] error while decoding MB")),
    "sound that is too quiet": ("loudness", LOUD.with_loud(-23.6)),
    "sound that is too loud": ("loudness", LOUD.with_loud(-22.4)),
    "compressed sound that is too quiet": ("loudness", PRESSED.with_loud(-23.6)),
    "a peak above the ceiling": ("loudness", LOUD.with_loud(-23.0, -0.8)),
    "sound that cannot be measured": ("loudness", replace(LOUD, heard=(None,))),
    "silence that is none": ("loudness", replace(SILENCE, heard=LOUD.heard)),
    "subtitles that are missing": ("streams", TITLED.with_media(subtitles=())),
    "subtitles that nobody asked for": ("streams", GOOD.with_media(subtitles=(TEXT,))),
    "subtitles in another codec": ("streams", TITLED.with_subtitles(codec="subrip")),
    "subtitles in another language": ("streams", TITLED.with_subtitles(language="ger")),
    "subtitles that are not shown by themselves": ("streams", TITLED.with_subtitles(default=False)),
    "subtitles that are shown to all": ("streams", TITLED.with_subtitles(forced=True)),
    "a caption that is missing": ("captions", TITLED.with_lines("")),
    "a caption that comes too late": (
        "captions", TITLED.with_lines("1\n00:00:01,020 --> 00:00:02,000\nOne two\n\n"),
    ),
    "a caption that says something else": (
        "captions", TITLED.with_lines("1\n00:00:01,000 --> 00:00:02,000\nOne too\n\n"),
    ),
    "captions that cannot be read": ("captions", replace(TITLED, read=())),
    "a picture that stands still": ("content", replace(GOOD, content=Content(doubts=((STILL, False),)))),
    "a second decoder that fails": ("decode", replace(GOOD, exit_code=183)),
}  # fmt: skip


@pytest.mark.parametrize(("check", "result"), FAILS_ALONE.values(), ids=FAILS_ALONE)
def test_what_is_wrong_fails_its_own_check_alone(check: str, result: Result) -> None:
    assert [failed.name for failed in result.judged().failed] == [check]


def test_sound_that_slipped_fails_sync() -> None:
    slipped = LATE.with_count(1, first_pts_seconds=0.45, end_pts_seconds=10.45)
    assert "sync" in {failed.name for failed in slipped.judged().failed}
    drifted = GOOD.with_count(1, end_pts_seconds=9.88)
    assert "sync" in {failed.name for failed in drifted.judged().failed}


def test_sound_and_picture_late_together_are_in_sync_but_late() -> None:
    late = GOOD.with_count(0, first_pts_seconds=0.5).with_count(1, first_pts_seconds=0.5)
    assert [failed.name for failed in late.judged().failed] == ["timestamps"]


def test_sync_alone_fails_when_only_the_offset_is_wrong() -> None:
    # each within its own bound of a frame and a packet, together half a frame too far apart
    apart = GOOD.with_count(0, first_pts_seconds=-0.03).with_count(1, first_pts_seconds=0.03)
    assert [failed.name for failed in apart.judged().failed] == ["sync"]


def test_every_check_has_a_result_that_fails_it() -> None:
    assert {name for name, _ in FAILS_ALONE.values()} | {"sync"} == {check.__name__ for check in checks.ALL}


@pytest.mark.parametrize(
    "result",
    [
        GOOD, JOINED, LOUD, LOUD.with_loud(-22.5, -0.9), PRESSED.with_loud(-23.5), SILENCE, LATE, FIELDS, SURROUND,
        good(source(silent=True)),
        good(output=spec("audio-aac")),
        good(output=spec("vp9")),
        good(output=spec("hevc")),
        good(output=spec(clip={"start": 2, "end": 4})),
        good(source(picture=hdr()), spec("hevc", toneMap=False)),
        good(output=spec(videoCodec="copy")),
        GRIDDED,
    ],
)  # fmt: skip
def test_a_good_result_passes_every_check(result: Result) -> None:
    judged = result.judged()
    assert judged.passed, judged.failed
    assert proof.verdict(judged) is None
    assert proof.warnings(judged) == ()


def test_checks_come_in_the_order_of_the_page() -> None:
    assert [check.name for check in GOOD.judged().checks] == [
        "run", "source", "container", "streams", "picture", "frames", "duration", "sync", "timestamps", "keyframes",
        "decode",
    ]  # fmt: skip


def test_checks_that_do_not_apply_are_left_out() -> None:
    names = {check.name for check in good(output=spec("audio-aac")).judged().checks}
    assert names.isdisjoint({"picture", "frames", "sync", "keyframes"})
    assert "sync" not in {check.name for check in good(source(silent=True)).judged().checks}
    assert "keyframes" not in {check.name for check in good(output=spec(videoCodec="copy")).judged().checks}


def test_a_simpler_profile_than_planned_is_fine() -> None:
    assert GOOD.with_video(profile="Constrained Baseline").judged().passed


def test_the_null_muxer_s_coarse_clock_is_no_complaint() -> None:
    noise = "[null @ 0x1] Application provided invalid, non monotonically increasing dts to muxer in stream 0: 7 >= 7"
    assert replace(GOOD, complaint=noise).judged().passed


def test_mpeg_ts_may_begin_when_it_likes() -> None:
    result = good(output=spec(None, container="mpegts", height=720))
    later = result.with_count(0, first_pts_seconds=1.4, end_pts_seconds=11.4)
    assert later.with_count(1, first_pts_seconds=1.4, end_pts_seconds=11.4).judged().passed


def verdict(result: Result) -> str | None:
    failure = proof.verdict(result.judged())
    return failure.code if failure else None


def short(seconds: float) -> Result:
    """Everything ends `seconds` early."""
    frames = 250 - round(25 * seconds)
    cut = GOOD.with_count(0, packets=frames, shown=frames, end_pts_seconds=10 - seconds).with_count(
        1, end_pts_seconds=10 - seconds
    )
    return replace(cut.with_media(duration_seconds=10 - seconds), decoded_frames=frames, encoded_frames=frames)


def test_a_source_that_ends_early_is_truncated() -> None:
    assert verdict(short(4.0)) == "source_truncated"


def test_a_source_that_goes_on_lies_about_its_duration() -> None:
    """E5"""
    assert verdict(short(-4.0)) == "duration_mismatch"


def test_a_source_with_frames_missing_inside_is_damaged() -> None:
    assert verdict(replace(GOOD, decoded_frames=140)) == "source_damaged"


def test_frames_missing_of_a_file_that_is_too_short_for_its_index_are_a_truncation() -> None:
    media = base.replace(GOOD.media, cut_short=True)
    assert verdict(replace(GOOD, media=media, decoded_frames=240)) == "source_truncated"


def test_a_header_that_promises_more_than_the_tracks_hold_is_a_truncation() -> None:
    # cut, a Matroska is walked to its new end, and only its header still knows the old one
    media = source(format=MKV, duration_seconds=16.0)
    assert verdict(good(media)) == "source_truncated"
    assert verdict(good(source(format=MKV, duration_seconds=10.9))) is None


def test_a_duration_that_is_only_an_estimate_proves_nothing() -> None:
    assert verdict(good(source(format="mpegts", duration_seconds=16.0))) is None


def test_sound_that_goes_on_after_the_picture_is_no_truncation() -> None:
    longer = source(sound=audio(duration_seconds=16.0), duration_seconds=16.0)
    assert verdict(good(longer, spec(audioCodec="none"))) is None


def test_too_many_decode_errors_are_damage() -> None:
    """D8"""
    assert verdict(replace(GOOD, decode_errors=10)) == "source_damaged"


def test_a_few_repaired_frames_are_a_warning() -> None:
    """D8"""
    result = replace(GOOD, decode_errors=2).judged()
    assert proof.verdict(result) is None
    assert [note.code for note in proof.warnings(result)] == ["frames_repaired"]


@pytest.mark.parametrize(
    ("damaged", "told"),
    [(1, "1 frame of the source was damaged."), (2, "2 frames of the source were damaged.")],
)
def test_one_damaged_frame_is_told_in_the_singular(damaged: int, told: str) -> None:
    assert [note.message for note in proof.warnings(replace(GOOD, decode_errors=damaged).judged())] == [told]


def test_any_other_failure_is_ours_and_names_its_check() -> None:
    failure = proof.verdict(GOOD.with_video(codec="hevc").judged())
    assert isinstance(failure, errors.Permanent)
    assert failure.code == "output_invalid"
    assert "`streams`" in failure.message


def test_a_run_without_an_end_is_no_damage() -> None:
    assert verdict(replace(GOOD, ended=False)) == "output_invalid"
