"""What MediaInfo, which shares no code with ffmpeg, says of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymediainfo import MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Facts of one kind of track each; a track that is not there has none."""

    container: dict[str, Any]
    video: dict[str, Any]
    audio: dict[str, Any]
    image: dict[str, Any]
    others: tuple[str, ...]  # the kinds of all further tracks


def look(path: Path) -> Seen:
    alone = {"File_TestContinuousFileNames": "0"}  # numbered pictures would be taken for a film
    tracks = [track.to_data() for track in MediaInfo.parse(path, mediainfo_options=alone).tracks]
    first: dict[str, dict[str, Any]] = {}
    others = [track["track_type"] for track in tracks if first.setdefault(track["track_type"], track) is not track]
    return Seen(
        container=first.pop("General"),
        video=first.pop("Video", {}),
        audio=first.pop("Audio", {}),
        image=first.pop("Image", {}),
        others=(*others, *first),
    )
