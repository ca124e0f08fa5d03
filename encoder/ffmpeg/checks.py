"""The checks of a proof (docs/why/proof.md). Each looks at one thing. Pure.

A check that does not apply to an output gives None.
"""

from __future__ import annotations

from collections.abc import Callable

from encoder.ffmpeg import codecs, looks
from encoder.ffmpeg.caption_checks import captions
from encoder.ffmpeg.evidence import CLOCK_SECONDS, Evidence
from encoder.ffmpeg.image_checks import pictures
from encoder.ffmpeg.looks import Facts
from encoder.ffmpeg.loudness import OFF_BY_LU, PEAK_OFF_BY_DB
from encoder.ffmpeg.watch import LEAST_SECONDS
from encoder.ffmpeg.whole import LOST_FRAMES, LOST_SHARE, SHORT_SHARE, slack_seconds
from encoder.model.plan import Loudness, LoudnessPlan
from encoder.model.proof import Check

MOST_ERRORS = 0.01
_METER_STEP = 1e-6  # the meter tells tenths, and -1.0 + 0.1 is not -0.9
_NULL_CLOCK = "non monotonically increasing dts to muxer"


def run(seen: Evidence) -> Check:
    """ffmpeg came to its own end, and its decoder stumbled over at most one frame in a hundred."""
    read = [track for kind in seen.planned if (track := seen.read(kind))]
    wrote = [stream for kind in seen.planned if (stream := seen.written(kind))]
    ended = len(read) == len(wrote) == len(seen.planned)
    errors = [track.errors / max(1, track.errors + (track.frames or 0)) for track in read]
    picture, frames = seen.written("video"), seen.read("video")
    return Check(
        name="run",
        passed=ended and max(errors, default=0.0) <= MOST_ERRORS,
        expected={"ended": True},
        measured={
            "ended": ended,
            "framesDecoded": frames.frames if frames else None,
            "framesEncoded": picture.frames if picture else None,
            "decodeErrors": sum(track.errors for track in read),
        },
        limit={"decodeErrorShare": MOST_ERRORS},
    )


def source(seen: Evidence) -> Check | None:
    """The source was whole: it goes on until where its header says, each track too, and gave the frames it promised."""
    ends = seen.planned_ends if seen.whole else {}
    slack = slack_seconds(max(ends.values(), default=0.0))
    expected: Facts = {f"{kind}EndSeconds": end for kind, end in ends.items()}
    measured: Facts = {f"{kind}EndSeconds": seen.ended(kind) for kind in ends}
    whole = all(_near(seen.ended(kind), end, slack) for kind, end in ends.items())
    if seen.declared_end is not None and seen.reads_all:
        expected["declaredEndSeconds"], measured["declaredEndSeconds"] = seen.declared_end, seen.held_end
        whole = whole and seen.declared_end - seen.held_end <= slack
    if seen.media.declared_bytes is not None and not seen.plan.clipped:
        expected["bytes"], measured["bytes"] = seen.media.declared_bytes, seen.media.size_bytes
        whole = whole and seen.media.declared_bytes - seen.media.size_bytes <= SHORT_SHARE * seen.media.declared_bytes
    track, read = seen.source_picture, seen.read("video")
    if track is not None and track.frames is not None and read is not None and seen.reads_all:
        decoded = read.packets if read.frames is None or seen.is_sparse else read.frames
        expected["frames"], measured["frames"] = track.frames, decoded
        whole = whole and track.frames - decoded <= max(LOST_FRAMES, LOST_SHARE * track.frames)
    if seen.images is not None and seen.plan.images is not None and seen.media.cut_short:
        wanted, made = seen.plan.images.files, len(seen.images.images)
        expected["pictures"], measured["pictures"] = wanted, made
        whole = whole and made >= (wanted or 0)
    if not expected:
        return None
    return Check(
        name="source",
        passed=whole,
        expected=expected,
        measured={**measured, "cutShort": seen.media.cut_short},
        limit={"seconds": slack, "lostFramesShare": LOST_SHARE, "lostBytesShare": SHORT_SHARE},
    )


def container(seen: Evidence) -> Check:
    """It opens as what it should be, with nothing missing in front or hanging behind."""
    opened = seen.opened
    expected: Facts = {"format": seen.container.demuxer, "cutShort": False, "trailingBytes": 0}
    if seen.plan.faststart:
        expected["faststart"] = True
    measured: Facts = {
        "format": opened.media.format,
        "cutShort": opened.media.cut_short,
        "trailingBytes": opened.trailing_bytes,
        "faststart": opened.faststart,
        "sizeBytes": opened.media.size_bytes,
    }
    fault = looks.fault(expected, measured) if opened.media.size_bytes else "sizeBytes"
    return Check(name="container", passed=fault is None, expected=expected, measured=measured, fault=fault)


def streams(seen: Evidence) -> Check:
    """Exactly the streams that were planned, each of the planned kind."""
    plan, media = seen.plan, seen.opened.media
    expected: Facts = {"video": int(plan.video is not None), "audio": len(plan.sounds)}
    measured: Facts = {"video": len(media.video), "audio": len(media.audio)}
    if plan.video is not None and seen.picture is not None:
        expected |= looks.planned_video(plan.video, seen.container)
        measured |= looks.measured_video(seen.picture)
    for place, (wanted, found) in enumerate(zip(plan.sounds, media.audio, strict=False)):
        expected |= looks.numbered(looks.planned_audio(wanted), place)
        measured |= looks.numbered(looks.measured_audio(found), place)
    expected["subtitles"], measured["subtitles"] = len(plan.subtitles), len(media.subtitles)
    for place, (track, text) in enumerate(zip(plan.subtitles, media.subtitles, strict=False)):
        expected |= looks.numbered(looks.planned_subtitles(track, seen.container), place)
        measured |= looks.numbered(looks.measured_subtitles(text), place)
    fault = looks.fault(expected, measured)
    return Check(name="streams", passed=fault is None, expected=expected, measured=measured, fault=fault)


def picture(seen: Evidence) -> Check | None:
    """Upright, in square pixels, of the planned size, with true tags; and no combs where there were some."""
    if seen.plan.video is None or seen.picture is None:
        return None
    expected = looks.planned_picture(seen.plan.video, seen.source_picture)
    measured = looks.measured_picture(seen.picture)
    fault = looks.fault(expected, measured)
    return Check(name="picture", passed=fault is None, expected=expected, measured=measured, fault=fault)


def frames(seen: Evidence) -> Check | None:
    """Every frame that was encoded lies in the file, each packet of sound too, and they are as many as planned."""
    wanted, count, wrote = seen.plan.video, seen.count("video"), seen.written("video")
    if wanted is None or count is None:
        return None
    encoded = None if wrote is None else wrote.packets if wrote.frames is None else wrote.frames
    as_planned = wanted.frames is None or abs(count.shown - wanted.frames) <= wanted.frames_limit
    lost = sum(seen.lost(kind) for kind in seen.planned if kind != "video")
    return Check(
        name="frames",
        passed=encoded in (None, count.packets) and as_planned and lost == 0,
        expected={"planned": wanted.frames, "encoded": encoded, "lostSound": 0},
        measured={"stored": count.packets, "shown": count.shown, "lostSound": lost},
        limit={"planned": wanted.frames_limit, "encoded": 0},
    )


def duration(seen: Evidence) -> Check | None:
    """The file and each of its streams end where they should.

    What a container declares of a copy is the muxer's sum over packets that others made, and segments declare each only
    themselves: only the streams count there.
    """
    ends = seen.planned_ends
    if not ends:
        return None
    slack = seen.slack_seconds
    expected, measured = dict(ends), {kind: seen.ended(kind) for kind in ends}
    copied = seen.plan.video is not None and seen.plan.video.encoder == codecs.COPY
    if not seen.container.own_zero and not copied and not seen.plan.name:
        expected["file"], measured["file"] = max(ends.values()), seen.file_ended
    fault = next((part for part, end in expected.items() if not _near(measured[part], end, slack)), None)
    return Check(
        name="duration",
        passed=fault is None,
        expected=dict(expected),
        measured=dict(measured),
        limit={"seconds": slack},
        fault=fault,
    )


def sync(seen: Evidence) -> Check | None:
    """Sound and picture begin and end as far apart as in the source."""
    heard = [kind for kind in seen.planned if kind != "video"]
    if not heard or len(heard) == len(seen.planned) or not all(seen.count(kind) for kind in seen.planned):
        return None
    expected: dict[str, float] = {}
    measured: dict[str, float | None] = {}
    limit: dict[str, float] = {}
    ends = seen.planned_ends
    for place, kind in enumerate(heard):
        start, end = f"start{place + 1 if place else ''}Seconds", f"end{place + 1 if place else ''}Seconds"
        expected[start] = seen.planned[kind].start_seconds - seen.planned["video"].start_seconds
        measured[start] = _minus(seen.began(kind), seen.began("video"))
        # a picture begins on its frame grid: up to half a frame from where it was
        limit[start] = seen.packet_seconds + seen.frame_seconds / 2 + CLOCK_SECONDS
        if {kind, "video"} <= ends.keys():
            expected[end] = ends[kind] - ends["video"]
            measured[end] = _minus(seen.ended(kind), seen.ended("video"))
            limit[end] = seen.slack_seconds + seen.frame_seconds
    fault = next((what for what in expected if not _near(measured[what], expected[what], limit[what])), None)
    return Check(
        name="sync",
        passed=fault is None,
        expected=dict(expected),
        measured=dict(measured),
        limit=dict(limit),
        fault=fault,
    )


def timestamps(seen: Evidence) -> Check:
    """Times rise, none comes twice, and the first is where it should be."""
    slack = seen.packet_seconds + seen.frame_seconds + CLOCK_SECONDS
    faults = sum(count.dts_faults + count.pts_twice for count in seen.opened.counts)
    starts = {kind: stream.start_seconds for kind, stream in seen.planned.items()}
    began = {kind: seen.began(kind) for kind in starts}
    return Check(
        name="timestamps",
        passed=faults == 0 and all(_near(began[kind], start, slack) for kind, start in starts.items()),
        expected={"faults": 0, **starts},
        measured={"faults": faults, **began},
        limit={"faults": 0, "seconds": slack},
    )


def keyframes(seen: Evidence) -> Check | None:
    """It begins with a picture that needs no other, and has one at least every so often, in a package just so often."""
    wanted, count = seen.plan.video, seen.count("video")
    if wanted is None or count is None or wanted.encoder == codecs.COPY:
        return None
    longest = wanted.gop_frames * seen.frame_seconds
    gap, shortest = count.longest_gap_seconds, count.shortest_gap_seconds
    passed = count.first_is_idr is not False and gap <= longest + CLOCK_SECONDS
    expected: Facts = {"firstIsIdr": True, "longestGapSeconds": longest}
    measured: Facts = {"firstIsIdr": count.first_is_idr, "longestGapSeconds": gap, "count": count.keyframes}
    if wanted.grid and shortest is not None:  # frames lie on a grid of their own: less than one off is none
        passed = passed and shortest > longest - seen.frame_seconds / 2
        expected["shortestGapSeconds"], measured["shortestGapSeconds"] = longest, shortest
    return Check(
        name="keyframes",
        passed=passed,
        expected=expected,
        measured=measured,
        limit={"longestGapSeconds": longest},
    )


def seams(seen: Evidence) -> Check | None:
    """Joined of chunks: each begins with a picture that needs none before it, and no frame lies between two, or on
    another."""
    parts, count = seen.parts, seen.count("video")
    if parts is None or count is None or count.first_pts_seconds is None or count.end_pts_seconds is None:
        return None
    frames, keyed = parts.frames[seen.plan.name], len(parts.seams[seen.plan.name])
    expected: Facts = {"keyframes": keyed, "frames": frames, "seconds": frames * seen.frame_seconds}
    lasts = count.end_pts_seconds - count.first_pts_seconds
    measured: Facts = {"keyframes": count.seams_keyed, "frames": count.shown, "seconds": lasts}
    slack = seen.frame_seconds / 2 + CLOCK_SECONDS
    apart = abs(lasts - frames * seen.frame_seconds) > slack
    fault = next((part for part in ("keyframes", "frames") if expected[part] != measured[part]), None)
    fault = fault or ("seconds" if apart else None)
    return Check(
        name="seams",
        passed=fault is None,
        expected=expected,
        measured=measured,
        limit={"seconds": slack},
        fault=fault,
    )


def decode(seen: Evidence) -> Check:
    """A second decoder went through the whole file and had nothing to say."""
    # the null muxer's own clock is too coarse for some packets; times are looked at by `timestamps`
    expected: Facts = {"exitCode": 0, "errors": 0}
    if seen.decoded is None:
        return Check(name="decode", passed=False, expected=expected, measured={"exitCode": None, "errors": None})
    lines = sum(_NULL_CLOCK not in line for line in seen.decoded.log.splitlines())
    return Check(
        name="decode",
        passed=seen.decoded.code == 0 and lines == 0,
        expected=expected,
        measured={"exitCode": seen.decoded.code, "errors": lines, "cpuSeconds": seen.decoded.cpu_seconds},
    )


def loudness(seen: Evidence) -> Check | None:
    """Each track as loud as was asked, by a new measuring of the result; no peak above the ceiling."""
    asked = [audio.loudness for audio in seen.plan.sounds if audio.loudness and audio.loudness.mode]
    if not asked:
        return None
    found = [*seen.loudness, *[None] * len(asked)][: len(asked)]
    expected: Facts = {}
    measured: Facts = {}
    limit: Facts = {"peakDb": PEAK_OFF_BY_DB}
    for place, (wanted, heard) in enumerate(zip(asked, found, strict=True)):
        told: Facts = {"mode": wanted.mode, "lufs": wanted.aim_lufs, "peakDbtp": wanted.ceiling_dbtp}
        expected |= looks.numbered(told, place)
        had = heard or Loudness()
        measured |= looks.numbered({"lufs": had.lufs, "rangeLu": had.range_lu, "peakDbtp": had.peak_dbtp}, place)
        limit |= looks.numbered({"lu": OFF_BY_LU}, place)
    return Check(
        name="loudness",
        passed=all(_as_loud(wanted, heard) for wanted, heard in zip(asked, found, strict=True)),
        expected=expected,
        measured=measured,
        limit=limit,
    )


def _as_loud(wanted: LoudnessPlan, heard: Loudness | None) -> bool:
    if heard is None or wanted.mode is None:
        return False
    if wanted.aim_lufs is None:
        return heard.lufs is None
    highest = wanted.ceiling_dbtp + PEAK_OFF_BY_DB + _METER_STEP
    near = _near(heard.lufs, wanted.aim_lufs, OFF_BY_LU + _METER_STEP)
    return near and (heard.peak_dbtp or 0.0) <= highest


def content(seen: Evidence) -> Check | None:
    """Nowhere black or still for seconds where the source is not."""
    if seen.content is None:
        return None
    wrong = {doubt.kind: doubt for doubt, is_so in seen.content.doubts if is_so is False}
    measured: Facts = {f"{kind}Seconds": doubt.seconds for kind, doubt in wrong.items()}
    measured |= {f"{kind}FromSeconds": doubt.start_seconds for kind, doubt in wrong.items()}
    return Check(
        name="content",
        passed=not wrong,
        expected={"blackSeconds": 0, "stillSeconds": 0},
        measured={"blackSeconds": 0, "stillSeconds": 0, **measured},
        limit={"seconds": LEAST_SECONDS},
        fault=next((f"{kind}Seconds" for kind in wrong), None),
    )


ALL: tuple[Callable[[Evidence], Check | None], ...] = (
    run, source, container, streams, picture, frames, duration, sync, timestamps, keyframes, seams, decode,
    captions, loudness, content,
)  # fmt: skip


IMAGES: tuple[Callable[[Evidence], Check | None], ...] = (run, source, pictures, decode)


def _near(measured: float | None, expected: float, slack: float) -> bool:
    return measured is not None and abs(measured - expected) <= slack


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
