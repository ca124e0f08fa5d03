"""Writes what players open first: multivariant playlist, I-frame playlists, MPD."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from encoder.model.plan import KEY_FILE
from encoder.packaging import dash, hls
from encoder.packaging.cipher import locked
from encoder.packaging.runt import joined
from encoder.packaging.text import Text, headed
from encoder.packaging.track import I_FRAMES, PLAYLIST, Kind, Written


def write(
    folder: Path,
    written: Sequence[Written],
    *,
    kind: Kind,
    playlist_name: str,
    key: bytes | None = None,
    texts: Sequence[Text] = (),
) -> tuple[str, ...]:
    """Write the manifests of `kind` into `folder` and tell the names of all, media playlists first and those that
    point to others last: the order in which they are to be published. A last segment of a few frames is joined to
    the one before it.

    `playlist_name`: of the multivariant playlist or the MPD, with its ending ("master.m3u8"); of `cmaf` the one of
    HLS, the MPD beside it has the same name with `.mpd`. ffmpeg's media playlists are replaced: they count what an
    edit list hides. `dash` has none. `key`: encrypt the segments of `hls`, and lay the key beside the tracks.
    `texts`: the subtitles, whose files lie there; what players need at their head is written into them.
    """
    whole = [joined(folder / track.name, track) for track in written]
    if key is not None:
        (folder / KEY_FILE).write_bytes(key)
        whole = [locked(folder / track.name, track, key) for track in whole]
    first = whole[0]
    made: dict[str, str] = {}
    for text in texts:
        path = folder / text.file
        path.write_text(headed(path.read_text(encoding="utf-8"), first.container, first.origin), encoding="utf-8")
    for track in whole:
        (folder / track.name / PLAYLIST).unlink(missing_ok=True)
    if kind in ("hls", "cmaf"):
        made |= {f"{track.name}/{PLAYLIST}": hls.media(track) for track in whole}
        made |= {f"{track.name}/{I_FRAMES}": hls.i_frames(track) for track in whole if hls.has_i_frames(track)}
        made |= {text.playlist: hls.text_media(whole) for text in texts}
        made[playlist_name] = hls.multivariant(whole, texts)
    if kind in ("dash", "cmaf"):
        sizes = {text.name: (folder / text.file).stat().st_size for text in texts}
        made[mpd_name(playlist_name)] = dash.manifest(whole, texts, sizes)
    for name, content in made.items():
        (folder / name).write_text(content, encoding="utf-8")
    return tuple(made)


def mpd_name(playlist_name: str) -> str:
    return PurePosixPath(playlist_name).with_suffix(".mpd").name
