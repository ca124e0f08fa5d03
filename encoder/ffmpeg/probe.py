"""What a file is, as told by the prober: a process of its own, in the box. We never open media ourselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from encoder import errors
from encoder.ffmpeg.exits import Exit, Reason, classify
from encoder.ffmpeg.formats import DEMUXER_OF, DEMUXERS
from encoder.ffmpeg.launcher import Launcher, Limits
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.question import Answer, Question
from encoder.model.extent import Extent
from encoder.model.media import Media, Opened, Surveyed

_MEMORY_BYTES = 4 * 1024**3  # a dozen reference pictures of the largest size
INSPECT_LIMITS = Limits(wall_seconds=60.0, memory_bytes=_MEMORY_BYTES)
REOPEN_LIMITS = Limits(wall_seconds=3600.0, memory_bytes=_MEMORY_BYTES)

# what only libav's log tells
_TELLING = (
    ("exceeds specified max pixel count", "resolution_too_large", "The picture is larger than 8192×4320."),
    ("moov atom not found", "source_truncated", "The file ends before its index (`moov`)."),
)


Span = tuple[float, float | None]
Mapped = tuple[tuple[Extent, ...], ...]


@dataclass(frozen=True, slots=True)
class Lacking:
    """Nothing can be told until `extent` of the file has arrived."""

    extent: Extent


async def inspect(launcher: Launcher, path: Path, *, folder: Path, leash: Leash) -> Media:
    """All facts about a source. `folder`: the job's. Raises as `survey`."""
    return (await survey(launcher, path, folder=folder, leash=leash)).media


async def survey(
    launcher: Launcher,
    path: Path,
    *,
    folder: Path,
    leash: Leash,
    entries: bool = False,
    ends: tuple[float, ...] = (),
) -> Surveyed:
    """All facts about a source, with the `entries` of its pictures if they are asked for, and where copies can end near
    each of `ends`. `folder`: the job's.

    Raises:
        errors.Permanent: `empty_source`, `unsupported_format`, `source_truncated`, `encrypted_source`,
            `resolution_too_large`, `too_many_streams`, `deadline_exceeded` after 60 s.
        errors.Crash: the prober crashed.
        errors.LeaseLost: the leash was cut.
    """
    question = Question(formats=DEMUXERS, entries=entries, ends=ends)
    answer = await _asked(launcher, path, question, INSPECT_LIMITS, folder, leash)
    if answer.media is None:
        raise errors.Defect("the prober answered another question")
    return Surveyed(media=answer.media, entries=answer.entries, cuts=answer.cuts)


async def glimpse(
    launcher: Launcher, path: Path, there: Sequence[Extent], *, folder: Path, leash: Leash
) -> Media | Lacking:
    """The facts about a source of which `there` has arrived, as of one too large to be walked to its end.

    Raises as `survey`.
    """
    answer = await _asked(launcher, path, Question(formats=DEMUXERS, there=tuple(there)), INSPECT_LIMITS, folder, leash)
    if answer.missing is not None:
        return Lacking(answer.missing)
    if answer.media is None:
        raise errors.Defect("the prober answered another question")
    return answer.media


async def reopen(
    launcher: Launcher, path: Path, *, muxer: str, folder: Path, leash: Leash, seams: tuple[float, ...] = ()
) -> Opened:
    """All facts about a result and a count of all its packets, read by the demuxer of its `muxer` alone.

    `seams`: where its picture was joined, in seconds from its first frame.

    Raises:
        errors.Permanent: `output_invalid`, it does not open so; `deadline_exceeded` after an hour.
        errors.Crash: the prober crashed.
        errors.LeaseLost: the leash was cut.
    """
    question = Question(formats=(DEMUXER_OF[muxer],), every_packet=True, seams=seams)
    try:
        answer = await _asked(launcher, path, question, REOPEN_LIMITS, folder, leash)
    except errors.Permanent as error:
        if error.code == "deadline_exceeded":
            raise
        # its message speaks of a source, which is not to blame
        message = f"The result does not open as it should: {error.message}"
        raise errors.Permanent("output_invalid", message, check="container.format") from error
    if answer.opened is None:
        raise errors.Defect("the prober answered another question")
    return answer.opened


async def extents(
    launcher: Launcher,
    path: Path,
    spans: Sequence[Span],
    *,
    streams: Sequence[int],
    folder: Path,
    leash: Leash,
    there: Sequence[Extent] = (),
) -> Mapped | Lacking:
    """Which bytes of a source ffmpeg reads for each of `spans`, in seconds from its first moment (None: to its end).

    (): that cannot be told, for all of them. `streams`: which ffmpeg makes something of. `there`: as of `glimpse`.
    Raises as `survey`.
    """
    question = Question(formats=DEMUXERS, spans=tuple(spans), streams=tuple(streams), there=tuple(there))
    answer = await _asked(launcher, path, question, INSPECT_LIMITS, folder, leash)
    return Lacking(answer.missing) if answer.missing is not None else answer.extents or ()


async def _asked(
    launcher: Launcher, path: Path, question: Question, limits: Limits, folder: Path, leash: Leash
) -> Answer:
    said = msgspec.json.encode(question).decode()
    ended, data = await launcher.probe(said, folder=folder, leash=leash, limits=limits, source=path)
    return heard(ended, data)


def heard(ended: Exit, data: bytes) -> Answer:
    """The prober's answer, from what is left of it. Its output is not believed to be well formed.

    Raises:
        errors.Failure: it refused the file, or did not come to an answer.
    """
    for sign, code, message in _TELLING:
        if sign in ended.log:
            raise errors.Permanent(code, message)
    if ended.reason is not Reason.OK:
        raise classify(ended)
    try:
        answer = msgspec.json.decode(data, type=Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.Crash("encoder_crashed", "The prober gave no readable answer.") from error
    if answer.refusal:
        raise errors.Permanent(answer.refusal.code, answer.refusal.message)
    return answer
