"""What goes with measuring an output, and with a quality that it shall reach."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.errors import Fault
from encoder.ffmpeg import codecs, quality
from encoder.ffmpeg.codecs import Container
from encoder.model.job import OutputSpec


def check(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    """Every fault of the members `measure` and `targetQuality`."""
    if not spec.measure:
        return
    for metric in spec.measure:
        if metric not in quality.METRICS:
            yield Fault(path="/measure", code="invalid_value", message=f"of {', '.join(quality.METRICS)}")
    wanted = spec.video_codec or next(iter(container.video), codecs.NONE)
    if wanted in (codecs.COPY, codecs.NONE):
        yield _unfit("measure", "only a picture that is encoded is measured")


def _unfit(member: str, message: str) -> Fault:
    return Fault(path=f"/{member}", code="unsupported_combination", message=message)
