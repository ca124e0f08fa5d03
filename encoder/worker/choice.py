"""Whether the pictures of a job are made in chunks, and how long those are. Pure.

Chunks bring a long film to many slots, and a lost worker costs one of them. But each costs something beside its share
of the encode: the start of a process, the way to its first frame, its files in the storage. So they are as long as
`ENCODER_CHUNK_SECONDS`, and shorter only where slots would stand idle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from encoder.ffmpeg import chunks, codecs
from encoder.ffmpeg.estimate import estimate
from encoder.model.base import replace
from encoder.model.chunk import Chunk, Split
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan, Plan

LEAST_SECONDS = 10.0  # of a chunk that is made shorter for the sake of free slots
PER_SLOT = 2  # chunks: who is fast takes another one, and the last ones end nearly together
OVERHEAD_CPU_SECONDS = 2.0  # of a chunk
OVERHEADS = 10  # so many are in a chunk that is made shorter
LONG_CPU_SECONDS = 240.0  # a minute of a slot of four cores: what takes less is not shared out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What the choice goes by. `seconds`: of the longest picture; `cpu_seconds`: of all together."""

    seconds: float
    cpu_seconds: float
    free_slots: int
    chunk_seconds: float

    def cpu_seconds_of(self, seconds: float) -> float:
        return self.cpu_seconds * seconds / self.seconds

    def length(self, *, forced: bool) -> float:
        """Seconds of a chunk: shorter than set, so that each slot gets its share, ours among them."""
        share = self.seconds / (PER_SLOT * (self.free_slots + 1))
        return min(self.chunk_seconds, max(share, LEAST_SECONDS if forced else self._worth_seconds()))

    def _worth_seconds(self) -> float:
        """Of a chunk that costs many times its overhead."""
        cost = self.cpu_seconds_of(1.0)
        return max(LEAST_SECONDS, OVERHEADS * OVERHEAD_CPU_SECONDS / cost if cost else inf)

    def why(self) -> str | None:
        """What speaks for chunks where nobody said anything; None: nothing."""
        length = self.length(forced=False)
        if self.cpu_seconds_of(length) < OVERHEAD_CPU_SECONDS or length > self.seconds / 2:
            return None
        if self.seconds > 2 * self.chunk_seconds:
            return f"{_s(self.seconds)} are more than twice the {_s(self.chunk_seconds)} of a chunk"
        if self.cpu_seconds >= LONG_CPU_SECONDS and self.free_slots:
            return f"it takes some {self.cpu_seconds:,.0f} CPU s, and {_slots(self.free_slots)}"
        return None

    def why_not(self) -> str:
        """The same, told from the other side."""
        length = self.length(forced=False)
        cost = self.cpu_seconds_of(length)
        if self.seconds > 2 * self.chunk_seconds:
            return f"a chunk of {_s(length)} would take {cost:.1f} CPU s, and cost {OVERHEAD_CPU_SECONDS:g} more"
        short = f"{_s(self.seconds)} are not more than twice the {_s(self.chunk_seconds)} of a chunk"
        if self.cpu_seconds < LONG_CPU_SECONDS:
            return f"{short}, and {self.cpu_seconds:,.0f} CPU s are soon done"
        if not self.free_slots:
            return f"{short}, and no other slot is free"
        return f"{short}, and shorter ones would cost too much: all takes {self.cpu_seconds:,.0f} CPU s"


def choose(
    plan: Plan,
    media: Media,
    *,
    specs: Mapping[int, OutputSpec],
    free_slots: int,
    chunk_seconds: float,
    identity: str,
    before: Collection[Chunk] = (),
) -> tuple[Plan, Split | None]:
    """`plan` with the reasons, and the chunks of the pictures that are made in chunks; None: all are made at once.

    `free_slots`: of the fleet, beside the one that this job has. `identity`: of the source's bytes. `before`: chunks
    that earlier runs of the job made; their length is kept, so that they are found again.
    """
    asked = {output.output: specs[output.output].chunked for output in plan.outputs}
    hindered = {output.output: chunks.hindrance(output, media) for output in plan.outputs}
    able = [output for output in plan.outputs if hindered[output.output] is None and asked[output.output] is not False]
    along = _sharing(plan, frozenset(output.output for output in able if asked[output.output]))
    work = _work(able, media, free_slots, chunk_seconds)
    why = work.why() if work else None
    wanted = {output.output for output in able if output.output in along or why}
    split = None
    if work is not None and wanted:
        seconds = _length_of(before) or work.length(forced=bool(along))
        split = chunks.split(_only(plan, wanted), media, seconds=seconds, identity=identity)
    parts = Counter(number for chunk in split.chunks for number in chunk.outputs) if split else Counter[int]()

    def told(output: OutputPlan) -> OutputPlan:
        wish, hindrance, count = asked[output.output], hindered[output.output], parts[output.output]
        if count:
            because = "it is asked for" if wish else why or "so is what shares its decode"
            return _because(output, "chunked", f"Its picture is made in {count} chunks: {because}.")
        if wish:
            return _warned(
                output, hindrance.message if hindrance else "It is made in one piece: it is too short for two chunks."
            )
        if wish is False or not _is_encoded(output):
            return output
        alone = work if hindrance is None else _work([output], media, free_slots, chunk_seconds)
        if alone is None:
            return _because(output, chunks.NOT_CHUNKED, "It is made in one piece: how long it is, is not known.")
        if hindrance is not None and alone.why():
            return _because(output, chunks.NOT_CHUNKED, hindrance.message)
        return _because(output, chunks.NOT_CHUNKED, f"It is made in one piece: {alone.why_not()}.")

    return replace(plan, outputs=tuple(map(told, plan.outputs))), split


def _work(outputs: Sequence[OutputPlan], media: Media, free_slots: int, chunk_seconds: float) -> _Work | None:
    """None: how long one of them is, is not known, or there is none."""
    seconds = [output.duration_seconds for output in outputs]
    costs = [estimate(output, media).cpu_seconds for output in outputs]
    known = [length for length in seconds if length]
    if not known or len(known) < len(seconds):
        return None
    cpu_seconds = sum(cost or 0.0 for cost in costs)
    return _Work(seconds=max(known), cpu_seconds=cpu_seconds, free_slots=free_slots, chunk_seconds=chunk_seconds)


def _sharing(plan: Plan, forced: frozenset[int]) -> frozenset[int]:
    """Those, and what shares a decode with one of them: another one would cost more than the chunks do."""
    runs = (one_pass.outputs for one_pass in plan.passes)
    return frozenset(number for run in runs if not forced.isdisjoint(run) for number in run)


def _length_of(before: Collection[Chunk]) -> float:
    """Seconds of those chunks, the last ones of which were longer or shorter; 0: there is none that tells."""
    told = Counter(
        Fraction(chunk.end_seconds) - Fraction(chunk.start_seconds) for chunk in before if chunk.end_seconds is not None
    )
    return float(told.most_common(1)[0][0]) if told else 0.0


def _only(plan: Plan, wanted: Collection[int]) -> Plan:
    runs = (replace(run, outputs=tuple(number for number in run.outputs if number in wanted)) for run in plan.passes)
    return replace(
        plan,
        outputs=tuple(output for output in plan.outputs if output.output in wanted),
        passes=tuple(run for run in runs if run.outputs),
    )


def _is_encoded(output: OutputPlan) -> bool:
    """Whether it has a film that is no copy."""
    return output.images is None and output.video is not None and output.video.encoder != codecs.COPY


def _because(output: OutputPlan, code: str, message: str) -> OutputPlan:
    return replace(output, reasons=(*output.reasons, Note(code=code, message=message)))


def _warned(output: OutputPlan, message: str) -> OutputPlan:
    note = Note(code=chunks.NOT_CHUNKED, message=message)
    return replace(output, reasons=(*output.reasons, note), warnings=(*output.warnings, note))


def _s(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= LEAST_SECONDS else f"{seconds:.3g} s"


def _slots(count: int) -> str:
    return "1 more slot is free" if count == 1 else f"{count:,} more slots are free"
