"""One output while it is planned: the source, what is wanted of it, what ffmpeg can do here, and what was decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from encoder.ffmpeg import containers
from encoder.ffmpeg.containers import Container
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Mark, Note, Script

# of each picture, in seconds from the source's first moment: all that is shown before was decoded before
Cuts = Mapping[int, Sequence[float]]


class Able(Protocol):
    """What the ffmpeg at hand has, by its own names."""

    @property
    def encoders(self) -> Collection[str]: ...

    @property
    def filters(self) -> Collection[str]: ...

    @property
    def drops_packets(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The givens of one output, and the notes that deciding leaves, in its order."""

    media: Media
    spec: OutputSpec
    able: Able
    mark: Mark | None = None  # the watermark that `spec` asks for
    scripts: tuple[Script, ...] = ()  # the files of subtitles that `spec` names
    cuts: Cuts = field(default_factory=dict)  # where a copy can end
    reasons: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    @property
    def container(self) -> Container:
        return containers.CONTAINERS[self.spec.container]

    def because(self, code: str, message: str) -> None:
        """A decision and its reason."""
        self.reasons.append(Note(code=code, message=message))

    def warn(self, code: str, message: str) -> None:
        """A reason that the caller may not have expected; `code` is a warning of the catalogue."""
        self.warnings.append(Note(code=code, message=message))
        self.because(code, message)
