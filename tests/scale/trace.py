"""What encodes cost, as measured by `python -m tests.scale measure` and kept in traces.json with where and when."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

FILE = Path(__file__).parent / "traces.json"
_DECODED_AS = {"libaom-av1 1080": "libsvtav1 1080"}  # its pieces are too short to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """CPU seconds per second of media, but for `begin_cpu_s`: once for each task that runs ffmpeg.

    `stretches`: of short pieces of different films, what each took to encode: they differ, and so do chunks.
    `busy_cores`: that one run of the encoder keeps busy, of two.
    """

    name: str
    stretches: Sequence[float]
    busy_cores: float = 2.0
    begin_cpu_s: float = 0.0
    proof_cpu_s: float = 0.0
    proof_cores: float = 2.0
    sound_cpu_s: float = 0.0
    join_cpu_s: float = 0.0

    @property
    def mean_cpu_s(self) -> float:
        return fmean(self.stretches)

    def drawn(self, seconds: float, chance: random.Random) -> float:
        """CPU seconds of a chunk: as costly as one of the stretches, by chance."""
        return seconds * chance.choice(self.stretches)


def flat(cpu_s: float = 1.0, **more: float) -> Trace:
    """Each second costs the same, and nothing else costs anything: for tests that count."""
    return Trace(name="flat", stretches=(cpu_s,), **more)


@cache
def kept() -> dict[str, Any]:
    """traces.json."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def measured(name: str) -> Trace:
    """One of `traces.json`, such as `libx264 1080`, without what each encode and proof costs however short it is."""
    told, around = kept()["encodes"][name], kept()["around"]
    proof_of = _DECODED_AS.get(name, name)
    proof, cores = kept()["encodes"][proof_of], kept()["cores"]
    encode_s, proof_s = around["begin_encode_cpu_s"], around["begin_proof_cpu_s"]
    return Trace(
        name=name,
        stretches=tuple(cost - encode_s / told["seconds"] for cost in told["stretches"]),
        busy_cores=cores[name]["busy_cores"],
        begin_cpu_s=encode_s + proof_s,
        proof_cpu_s=proof["proof_cpu_s"] - proof_s / proof["seconds"],
        proof_cores=cores[proof_of]["proof_cores"],
        sound_cpu_s=around["sound_cpu_s"],
        join_cpu_s=around["join_cpu_s"],
    )
