"""`subtitles` in the job language: tracks of the source, and files beside it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from encoder.api.wire_place import Source
from encoder.api.wire_tracks import Tracks
from encoder.api.wire_types import ABSENT, OneOf, Wire, form
from encoder.ffmpeg import subtitles, tracks
from encoder.model.base import Json


class SubtitleFile(Wire):
    """SRT, WebVTT or ASS, in UTF-8, UTF-16 or Windows-1252."""

    source: Source
    language: Annotated[
        str, *form(f"^{tracks.LANGUAGE.pattern}$", 'must be three letters of ISO 639-2, such as "eng"')
    ] = ABSENT
    default: Annotated[bool, Field(description="players show it by themselves")] = False
    forced: Annotated[bool, Field(description="shown also to those who want no subtitles")] = False

    def members(self) -> dict[str, Json]:
        """As the record has them."""
        return {**self.sent(), "source": self.source.place()}


class Subtitles(Wire):
    """Of which tracks of the source, and of which files beside it."""

    mode: Annotated[str, OneOf(*subtitles.MODES)]
    tracks: Tracks = ABSENT
    files: Annotated[list[SubtitleFile], Field(min_length=1, max_length=subtitles.MOST_FILES)] = ABSENT

    def members(self) -> dict[str, Json]:
        """As the record has them."""
        sent: dict[str, Any] = self.sent()
        if self.files is not ABSENT:
            sent["files"] = [file.members() for file in self.files]
        return sent


def _form(value: object) -> str:
    return "object" if isinstance(value, dict | Subtitles) else "mode"


Asked = Annotated[
    Annotated[str, OneOf(*subtitles.MODES), Tag("mode")] | Annotated[Subtitles, Tag("object")], Discriminator(_form)
]


def members(asked: str | Subtitles) -> dict[str, Json]:
    """As the record has them: a mode by itself is one of all tracks."""
    return {"mode": asked} if isinstance(asked, str) else asked.members()
