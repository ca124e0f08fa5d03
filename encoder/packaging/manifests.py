"""Writes what players open first: multivariant playlist, I-frame playlists, MPD."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from encoder.packaging.track import Kind, Written


def write(folder: Path, written: Sequence[Written], *, kind: Kind, playlist_name: str) -> tuple[str, ...]:
    """Write the manifests of `kind` into `folder` and tell the names of all, media playlists first and those that
    point to others last: the order in which they are to be published.

    `playlist_name`: of the multivariant playlist or the MPD, with its ending ("master.m3u8"); of `cmaf` the one of
    HLS, the MPD beside it has the same name with `.mpd`. `dash` takes away ffmpeg's media playlists.
    """
    raise NotImplementedError
