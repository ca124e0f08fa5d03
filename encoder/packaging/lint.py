"""Check 13 of docs/why/proof.md: whether a package keeps what its manifests promise."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from encoder import errors
from encoder.model.base import Json
from encoder.model.proof import Check
from encoder.packaging import lint_dash, lint_hls, lint_key, lint_text
from encoder.packaging.findings import Findings
from encoder.packaging.lint_hls import CLOCK_SECONDS, slack_seconds
from encoder.packaging.manifests import mpd_name
from encoder.packaging.measure import read
from encoder.packaging.runt import SHORTEST_FRAMES, is_runt
from encoder.packaging.text import Text
from encoder.packaging.track import Kind, Segments, Track, Written

_LISTED = 3  # of the names that are missing or too many


def check(  # noqa: PLR0913  # what was planned, each by its name
    folder: Path,
    tracks: Sequence[Track],
    *,
    kind: Kind,
    segments: Segments,
    playlist_name: str,
    segment_seconds: Fraction,
    duration_seconds: float | None,
    encrypted: bool = False,
    texts: Sequence[Text] = (),
) -> Check:
    """Check `package`, after `write`. Everything is read anew from `folder`. Blocks: call it in a thread.

    `segment_seconds`, `duration_seconds`: as planned. `measured["faults"]` has a member for each part that failed,
    with the place and what was found there. `encrypted`: the key that lies beside the tracks opens all segments.
    `texts`: the subtitles.
    """
    found = Findings(folder)
    written: tuple[Written, ...] = ()
    try:
        locks = lint_key.locks(found, tracks, segments=segments) if encrypted else {}
        written = read(folder, tracks, segments=segments, locks=locks)
        _cuts(found, written, segment_seconds)
        _length(found, written, duration_seconds)
        lint_text.files(found, texts, written)
        if kind in ("hls", "cmaf"):
            lint_hls.lint(found, written, playlist_name)
            lint_text.hls(found, texts, written, playlist_name)
        if kind in ("dash", "cmaf"):
            lint_dash.lint(found, written, mpd_name(playlist_name))
            lint_text.dash(found, texts, mpd_name(playlist_name))
    except errors.Permanent as error:
        found.must("broken", holds=False, told=error.message)
    else:
        _files(found)
    return Check(
        name="package",
        passed=not found.faults,
        expected={"faults": {}, "durationSeconds": duration_seconds, "segmentSeconds": float(segment_seconds)},
        measured={"faults": dict(found.weighed), "tracks": {track.name: _told(track) for track in written}},
        fault=next(iter(found.weighed), None),
    )


def _files(found: Findings) -> None:
    """All that is named is there, and all that is there is named."""
    missing, unnamed = sorted(found.named - found.files.keys()), sorted(found.files.keys() - found.named)
    found.must("missing", not missing, ", ".join(missing[:_LISTED]))
    found.must("unnamed", not unnamed, ", ".join(unnamed[:_LISTED]))


def _cuts(found: Findings, written: Sequence[Written], segment_seconds: Fraction) -> None:
    """Each track is whole; pictures are cut on the grid, all alike, each segment beginning with an IDR; sound beside
    them, to a frame of its own.
    """
    for track in written:
        _contiguous(found, track)
        for number, segment in enumerate(track.segments):
            place = f"{track.name}/{segment.name}"
            found.must("independent", segment.independent, f"{place}: begins with what needs more")
            start = track.seconds(segment.start)
            near = abs(start - number * segment_seconds) <= slack_seconds(track)
            found.must("grid", near, f"{place}: begins at {float(start)} s")
        last = track.segments[-1]
        longest = track.seconds(last.duration) <= segment_seconds + SHORTEST_FRAMES * track.frame_seconds
        found.must("too_long", longest, f"{track.name}/{last.name}: lasts {float(track.seconds(last.duration))} s")
        found.must("runt", not is_runt(track), f"{track.name}/{last.name}: has less than {SHORTEST_FRAMES} frames")
    pictures = [track for track in written if track.track.kind == "video"]
    for track in pictures[1:]:
        _aligned(found, track, pictures[0])


def _contiguous(found: Findings, track: Written) -> None:
    for one, other in zip(track.segments, track.segments[1:], strict=False):
        between = abs(track.seconds(other.start - one.start - one.duration))
        found.must("gap", between <= CLOCK_SECONDS, f"{track.name}/{other.name}: {float(between)} s")


def _aligned(found: Findings, track: Written, first: Written) -> None:
    own, others = ([each.seconds(segment.start) for segment in each.segments] for each in (track, first))
    same = len(own) == len(others) and all(
        abs(mine - theirs) <= CLOCK_SECONDS for mine, theirs in zip(own, others, strict=True)
    )
    found.must("alignment", same, f"{track.name}: is cut at other times than {first.name}")


def _length(found: Findings, written: Sequence[Written], duration_seconds: float | None) -> None:
    if duration_seconds is None:
        return
    longest = max(track.duration_seconds for track in written)
    slack = sum({track.track.kind: track.frame_seconds for track in written}.values(), CLOCK_SECONDS)
    near = abs(longest - Fraction(duration_seconds)) <= slack
    found.must("duration", near, f"{float(longest)} s, not {duration_seconds}")


def _told(track: Written) -> dict[str, Json]:
    rate = track.rates
    return {
        "segments": len(track.segments),
        "durationSeconds": float(track.duration_seconds),
        "longestSeconds": float(max(track.seconds(segment.duration) for segment in track.segments)),
        "codec": track.codec,
        "peakBps": rate.peak_bps,
        "averageBps": rate.average_bps,
    }
