"""What stands in for an encoder in hardware that failed while it worked: its twin in software, with its own settings.

Devices are lost, drivers hang, and consumer cards open a few sessions only: another attempt would fail alike.
"""

from __future__ import annotations

from encoder.errors import Failure
from encoder.ffmpeg import codecs, controls
from encoder.model.base import replace
from encoder.model.job import OutputSpec
from encoder.model.plan import Note, OutputPlan, VideoPlan


def is_in_hardware(output: OutputPlan) -> bool:
    """Whether any of an output's pictures is encoded in hardware."""
    return any(_twin(stream.video) is not None for stream in output.streams)


def in_software(output: OutputPlan, failure: Failure) -> OutputPlan:
    """The same output, made by twins in software; `failure` is why."""
    made = _made(output)
    used, instead = _encoder(output), _encoder(made)
    note = Note(code="codec_substituted", message=f"{used} failed ({failure.code}); {instead} made the same codec.")
    return replace(made, reasons=(*made.reasons, note), warnings=(*made.warnings, note))


def _made(output: OutputPlan) -> OutputPlan:
    renditions = tuple(_made(rendition) for rendition in output.renditions)
    twin = _twin(output.video)
    if output.video is None or twin is None:
        return replace(output, renditions=renditions)
    said = OutputSpec(
        container=output.container, video_bitrate=output.video.bitrate_bps, max_bitrate=output.video.max_bitrate_bps
    )
    level = output.video.level if output.video.level in twin.levels else None
    video = replace(
        output.video, encoder=twin.name, crf=controls.quality(said, twin), level=level, two_pass=False, upload=()
    )
    return replace(output, video=replace(video, options=controls.options(said, twin, video)), renditions=renditions)


def _twin(video: VideoPlan | None) -> codecs.VideoEncoder | None:
    named = None if video is None else codecs.VIDEO_ENCODERS.get(video.encoder)
    return next(iter(codecs.video_encoders(named.codec)), None) if named is not None and named.in_hardware else None


def _encoder(output: OutputPlan) -> str:
    return next((stream.video.encoder for stream in output.streams if stream.video is not None), "")
