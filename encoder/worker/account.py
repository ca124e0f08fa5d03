"""What an attempt costs: the line in the log at its end, and a span for each of its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from encoder import errors, tracing
from encoder.ffmpeg.leash import Leash
from encoder.metrics.worker import stage_seconds


class Account:
    """Of one attempt. `stages`: seconds in each; what outputs do at the same time is added up."""

    def __init__(self, leash: Leash, *, clock: Callable[[], float]) -> None:
        self._leash = leash
        self._clock = clock
        self._begun = clock()
        self.stages: dict[str, float] = {}
        self.bytes_in = 0
        self.bytes_out = 0
        self.media_seconds = 0.0  # of all outputs that were proven

    @contextmanager
    def stage(self, name: str, output: int | None = None) -> Iterator[None]:
        """Around a stage, of all outputs together or of one."""
        begun, outcome = self._clock(), "cut"
        try:
            with tracing.span(name, facts={} if output is None else {"encoder.output": output}):
                yield
            outcome = "ok"
        except errors.Failure:
            outcome = "failed"
            raise
        finally:
            took_s = self._clock() - begun
            self.stages[name] = self.stages.get(name, 0.0) + took_s
            stage_seconds.of(name, outcome).observe(took_s)

    def told(self) -> dict[str, object]:
        """As the log tells it; without what there was none of. `speed`: media seconds per second of encoding."""
        encode_s = self.stages.get("encode")
        facts = {
            "duration_ms": round((self._clock() - self._begun) * 1000),
            "stages": {name: round(seconds, 3) for name, seconds in self.stages.items()},
            "cpu_seconds": round(self._leash.cpu_seconds, 2),
            "peak_memory_bytes": self._leash.peak_memory_bytes,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "media_seconds": round(self.media_seconds, 3),
            "speed": round(self.media_seconds / encode_s, 2) if encode_s and self.media_seconds else None,
        }
        return {name: fact for name, fact in facts.items() if fact}
