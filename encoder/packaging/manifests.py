"""Writes what players open first: multivariant playlist, I-frame playlists, MPD."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from encoder.packaging import dash, hls
from encoder.packaging.track import I_FRAMES, PLAYLIST, Kind, Written


def write(folder: Path, written: Sequence[Written], *, kind: Kind, playlist_name: str) -> tuple[str, ...]:
    """Write the manifests of `kind` into `folder` and tell the names of all, media playlists first and those that
    point to others last: the order in which they are to be published.

    `playlist_name`: of the multivariant playlist or the MPD, with its ending ("master.m3u8"); of `cmaf` the one of
    HLS, the MPD beside it has the same name with `.mpd`. `dash` takes away ffmpeg's media playlists.
    """
    if kind == "dash":
        for track in written:
            (folder / track.name / PLAYLIST).unlink(missing_ok=True)
    texts = {mpd_name(playlist_name): dash.manifest(written)} if kind in ("dash", "cmaf") else {}
    media = []
    if kind in ("hls", "cmaf"):
        frames = {f"{track.name}/{I_FRAMES}": hls.i_frames(track) for track in written if hls.has_i_frames(track)}
        media = [*(f"{track.name}/{PLAYLIST}" for track in written), *frames]
        texts = {**frames, playlist_name: hls.multivariant(written), **texts}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return (*media, *(name for name in texts if name not in media))


def mpd_name(playlist_name: str) -> str:
    return PurePosixPath(playlist_name).with_suffix(".mpd").name
