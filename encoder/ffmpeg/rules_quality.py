"""What goes with measuring an output, and with a quality that it shall reach."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.errors import Fault
from encoder.ffmpeg import codecs, quality, target
from encoder.ffmpeg.containers import Container
from encoder.model.job import OutputSpec


def check(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    """Every fault of the members `measure` and `targetQuality`."""
    if spec.target_quality is not None:
        yield from _target(spec, spec.target_quality)
    if not spec.measure:
        return
    for metric in spec.measure:
        if metric not in quality.METRICS:
            yield Fault(path="/measure", code="invalid_value", message=f"of {', '.join(quality.METRICS)}")
    wanted = spec.video_codec or next(iter(container.video), codecs.NONE)
    if wanted in (codecs.COPY, codecs.NONE):
        yield _unfit("measure", "only a picture that is encoded is measured")


def _target(spec: OutputSpec, wanted: float) -> Iterator[Fault]:
    if not target.LEAST <= wanted <= target.MOST:
        yield Fault(path="/targetQuality", code="out_of_range", message=f"{target.LEAST:g} to {target.MOST:g} (VMAF)")
    encoders = codecs.video_encoders(spec.video_codec or "")
    if encoders and not encoders[0].sane_crf[1]:
        yield _unfit("targetQuality", f"{encoders[0].name} has no CRF to search")
    for member, value in (("crf", spec.crf), ("videoBitrate", spec.video_bitrate)):
        if value is not None:
            yield _unfit("targetQuality", f"either a quality to reach or {member}, not both")
    for place, rendition in enumerate(spec.renditions):
        for member, value in (("crf", rendition.crf), ("videoBitrate", rendition.video_bitrate)):
            if value is not None:
                yield _unfit(f"renditions/{place}/{member}", "not with targetQuality: all reach one quality")


def _unfit(member: str, message: str) -> Fault:
    return Fault(path=f"/{member}", code="unsupported_combination", message=message)
