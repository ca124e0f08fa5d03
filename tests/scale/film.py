"""Jobs of the simulator: what a film costs, whole or in chunks, as the tasks that the platform makes of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from tests.scale.trace import Trace

SHORTEST_S = 10.0  # a last chunk below it joins its neighbour
STRETCH_S = 300.0  # what a film is drawn in when it is encoded whole
_INDEX_BYTES = 20.0  # of a sample in the index of an MP4, with its tables together
_SAMPLES_PER_S = 77.0  # 30 frames, 47 of sound
_MARGIN_S = 10.0  # read beside a chunk: before it to the keyframe, half of 10 s, and 128 frames behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a task does. `cpu_s` at `cores` at once, or `size_bytes` read or written."""

    what: str
    cpu_s: float = 0.0
    cores: float = 1.0
    size_bytes: float = 0.0

    @property
    def is_transfer(self) -> bool:
        return self.size_bytes > 0


@dataclass(eq=False, slots=True, kw_only=True)
class Task:
    """A claimable piece of work. `nice`: who goes first; `losses`: machines that were taken away under it."""

    job: Job
    kind: str
    nice: int
    number: int = 0
    steps: Sequence[Step]
    losses: int = 0

    @property
    def cpu_s(self) -> float:
        return sum(step.cpu_s for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One kind of job. `chunk_s`: None encodes it whole. Bits a second are those of the container."""

    seconds: float
    trace: Trace
    chunk_s: float | None = None
    source_bps: float = 8e6
    output_bps: float = 10e6
    cores: float = 2.0
    survey_whole: bool = True  # the root reads the source once from end to end

    @property
    def source_bytes(self) -> float:
        return self.seconds * self.source_bps / 8

    @property
    def output_bytes(self) -> float:
        return self.seconds * self.output_bps / 8

    @property
    def index_bytes(self) -> float:
        return self.seconds * _SAMPLES_PER_S * _INDEX_BYTES


@dataclass(eq=False, slots=True, kw_only=True)
class Job:
    """A film that somebody submitted. Times in seconds; None: not yet."""

    film: Film
    at_s: float
    number: int = 0
    parts_left: int = 0
    split_at_s: float | None = None
    joined_at_s: float | None = None
    ended_at_s: float | None = None
    failed: bool = False
    chunks: list[Task] = field(default_factory=list)


def stretches(seconds: float, chunk_s: float) -> list[tuple[float, float]]:
    """From and to of each chunk: a short rest joins the last one."""
    starts = [chunk_s * place for place in range(max(1, ceil(seconds / chunk_s)))]
    if len(starts) > 1 and seconds - starts[-1] < min(SHORTEST_S, chunk_s / 2):
        starts.pop()
    return list(pairwise([*starts, seconds]))


def root(job: Job, chance: random.Random) -> Task:
    """The first task of a job: all of it, or what finds out how it is split."""
    film, trace = job.film, job.film.trace
    whole = film.source_bytes if film.chunk_s is None or film.survey_whole else film.index_bytes
    steps = [Step(what="source", size_bytes=whole), _computed("begin", trace.begin_cpu_s)]
    if film.chunk_s is None:
        cpu_s = sum(trace.drawn(end - start, chance) for start, end in stretches(film.seconds, STRETCH_S))
        steps += [_encoded(film, cpu_s), *_proven(film, film.seconds)]
        steps += [Step(what="output", size_bytes=film.output_bytes)]
    return Task(job=job, kind="transcode", nice=0, steps=steps)


def parts(job: Job, chance: random.Random) -> Iterator[Task]:
    """Its chunks, longest first. What proves one reads its packets, which is a part of its beginning."""
    film, trace = job.film, job.film.trace
    assert film.chunk_s is not None
    split = stretches(film.seconds, film.chunk_s)
    for start, end in sorted(split, key=lambda each: each[0] - each[1]):
        seconds = end - start
        read = min(film.source_bytes, (seconds + _MARGIN_S) * film.source_bps / 8 + film.index_bytes)
        made = seconds * film.output_bps / 8
        steps = (
            Step(what="range", size_bytes=read),
            _computed("begin", trace.begin_cpu_s),
            _encoded(film, trace.drawn(seconds, chance)),
            Step(what="chunk written", size_bytes=made),
        )
        yield Task(job=job, kind="chunk", nice=-1, steps=steps)


def assembly(job: Job) -> Task:
    """Opens when the last chunk is done: gets all, joins, proves, delivers. On one machine."""
    film, trace = job.film, job.film.trace
    steps = (
        Step(what="chunks read", size_bytes=film.output_bytes),
        Step(what="source", size_bytes=film.source_bytes),
        _computed("join", trace.begin_cpu_s + film.seconds * (trace.sound_cpu_s + trace.join_cpu_s)),
        *_proven(film, film.seconds),
        Step(what="output", size_bytes=film.output_bytes),
    )
    return Task(job=job, kind="assemble", nice=-1, steps=steps)


def _computed(what: str, cpu_s: float) -> Step:
    return Step(what=what, cpu_s=cpu_s)


def _encoded(film: Film, cpu_s: float) -> Step:
    return Step(what="encode", cpu_s=cpu_s, cores=min(film.cores, film.trace.busy_cores))


def _proven(film: Film, seconds: float) -> Iterator[Step]:
    yield Step(what="proof", cpu_s=seconds * film.trace.proof_cpu_s, cores=min(film.cores, film.trace.proof_cores))
