"""What an output reads beside the job's source: its watermark, its files of subtitles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from encoder.model.base import replace
from encoder.model.job import OutputSpec, Place

Where: TypeAlias = tuple[str | int, ...]  # the members that lead to a source, from the output on


def sources(output: OutputSpec) -> dict[Where, Place]:
    """Each source that an output names, by where it stands."""
    found: dict[Where, Place] = {}
    if output.watermark is not None:
        found["watermark", "source"] = output.watermark.source
    for number, file in enumerate(output.subtitles.files if output.subtitles else ()):
        found["subtitles", "files", number, "source"] = file.source
    return found


def with_sources(output: OutputSpec, found: Mapping[Where, Place]) -> OutputSpec:
    """The output with other sources where `sources` has them."""
    if output.watermark is not None:
        output = replace(output, watermark=replace(output.watermark, source=found["watermark", "source"]))
    if output.subtitles is not None:
        files = tuple(
            replace(file, source=found["subtitles", "files", number, "source"])
            for number, file in enumerate(output.subtitles.files)
        )
        output = replace(output, subtitles=replace(output.subtitles, files=files))
    return output
