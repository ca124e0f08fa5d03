"""Whether a result is what was planned, and what is to be told when it is not. Pure."""

from __future__ import annotations

from pathlib import Path

from encoder import errors
from encoder.ffmpeg import checks, image_graph
from encoder.ffmpeg.captions import Captions
from encoder.ffmpeg.closing import read_closing
from encoder.ffmpeg.evidence import Evidence
from encoder.ffmpeg.exits import Exit
from encoder.ffmpeg.image_file import ImagesSeen
from encoder.ffmpeg.joint import Parts
from encoder.ffmpeg.segments import PLAYLIST
from encoder.ffmpeg.watch import Content
from encoder.model.base import Json, replace
from encoder.model.media import Media, Opened
from encoder.model.plan import Loudness, Note, OutputPlan
from encoder.model.proof import Check, Proof

_ONLY_WARNS = ("quality",)
_FOLLOWS = ("duration", "timestamps")  # where sound has slipped, for one, these are wrong as well: others tell more


def judge(  # noqa: PLR0913  # each is a kind of evidence
    plan: OutputPlan,
    *,
    media: Media,
    path: Path,
    log: str,
    opened: Opened,
    decoded: Exit,
    loudness: tuple[Loudness | None, ...] = (),
    content: Content | None = None,
    captions: tuple[tuple[Captions, Captions], ...] = (),
    parts: Parts | None = None,
) -> Proof:
    """Every check that applies to a result: a file, or one rendition of the package `path`.

    `media`: the source. `log`: of the run that made `path`. `opened`: what lies there, of a rendition joined.
    `decoded`: of `decoding.whole`. `loudness`: of each track of sound, as `listen` heard it.
    `content`: what `watch` saw of the picture. `captions`: of each track of subtitles, as `lift` read it. `parts`: what
    is known of the chunks of which the picture was joined, if it was.
    """
    name = f"{path.name}/{plan.name}/{PLAYLIST}" if plan.name else path.name
    seen = Evidence(
        plan=plan,
        media=media,
        name=name,
        closing=read_closing(log),
        opened=opened,
        decoded=decoded,
        loudness=loudness,
        content=content,
        captions=captions,
        parts=None if plan.video is None else parts,
    )
    found = (check(seen) for check in checks.ALL)
    return Proof(checks=tuple(replace(check, rendition=plan.name or None) for check in found if check is not None))


def judge_images(
    plan: OutputPlan, *, media: Media, path: Path, log: str, images: ImagesSeen, decoded: Exit | None
) -> Proof:
    """Every check that applies to an output of images: a file, or those of the folder `path`.

    `decoded`: of `decoding.images`; None where there is no image at all.
    """
    seen = Evidence(
        plan=plan,
        media=media,
        name=f"{path.name}/{image_graph.pattern(plan)}" if plan.is_folder else path.name,
        closing=read_closing(log),
        opened=Opened(media=Media(format=plan.container, size_bytes=0), counts=()),
        decoded=decoded,
        images=images,
    )
    found = (check(seen) for check in checks.IMAGES)
    return Proof(checks=tuple(check for check in found if check is not None))


def verdict(proof: Proof) -> errors.Permanent | None:
    """Why a result must not be delivered; None when it may be. What is the source's fault is told as that."""
    failing = [check for check in proof.failed if check.name not in _ONLY_WARNS]
    failed = {check.name: check for check in reversed(failing)}  # the first of its name
    if "source" in failed:
        return _source_at_fault(failed["source"])
    if "run" in failed and _number(failed["run"].measured, "decodeErrors"):
        return errors.Permanent("source_damaged", f"{_told(failed['run'])}.")
    if failed:
        most_telling = min(failing, key=lambda check: check.name in _FOLLOWS)  # else the first
        told = "; ".join(_told(check) for check in failing) + "."
        return errors.Permanent("output_invalid", told, check=most_telling.told)
    return None


def warnings(proof: Proof) -> tuple[Note, ...]:
    """What a caller should know of a result that may be delivered."""
    notes: list[Note] = []
    found = [_number(check.measured, "decodeErrors") for check in proof.checks if check.name == "run"]
    damaged = max(found, default=0)  # renditions are made of the same frames
    if damaged:
        notes.append(Note(code="frames_repaired", message=_damaged(int(damaged))))
    for check in proof.failed:
        if check.name in _ONLY_WARNS:
            wanted, reached = _number(check.expected, "vmaf"), _number(check.measured, "vmaf")
            told = f"VMAF {wanted:g} was asked for{_where(check)}; it is {reached:.1f}."
            notes.append(Note(code="quality_below_target", message=told))
    return tuple(notes)


def _damaged(frames: int) -> str:
    return "1 frame of the source was damaged." if frames == 1 else f"{frames} frames of the source were damaged."


def _source_at_fault(check: Check) -> errors.Permanent:
    slack = _number(check.limit, "seconds")
    ends = [part for part in _facts(check.expected) if part.endswith("EndSeconds")]
    for part in ends:
        planned, made = _number(check.expected, part), _number(check.measured, part)
        if planned - made > slack:
            return errors.Permanent("source_truncated", f"The source says {planned:.2f} s and ends at {made:.2f} s.")
        if made - planned > slack and part != "declaredEndSeconds":
            return errors.Permanent("duration_mismatch", f"The source says {planned:.2f} s and goes on after that.")
    size, has = _number(check.expected, "bytes"), _number(check.measured, "bytes")
    if size and size - has > _number(check.limit, "lostBytesShare") * size:
        return errors.Permanent("source_truncated", f"The source says it has {size:.0f} bytes, and has {has:.0f}.")
    frames, decoded = _number(check.expected, "frames"), _number(check.measured, "frames")
    lost = f"Of {frames:g} frames of the source {decoded:g} could be decoded."
    if not frames and "pictures" in _facts(check.expected):
        wanted, made = _number(check.expected, "pictures"), _number(check.measured, "pictures")
        lost = f"{made:g} of {wanted:g} pictures could be made."
    if _facts(check.measured).get("cutShort"):
        return errors.Permanent("source_truncated", f"The source is shorter than its index says. {lost}")
    return errors.Permanent("source_damaged", lost)


def _told(check: Check) -> str:
    return f"check `{check.name}`{_where(check)}: expected {check.expected}, measured {check.measured}"


def _where(check: Check) -> str:
    return f" of {check.rendition}" if check.rendition else ""


def _facts(facts: Json) -> dict[str, Json]:
    return facts if isinstance(facts, dict) else {}


def _number(facts: Json, name: str) -> float:
    value = _facts(facts).get(name)
    return float(value) if isinstance(value, int | float) else 0.0
