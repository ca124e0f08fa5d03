"""`httpstream` of Coconut: HLS and DASH of one set of variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from encoder.compat.coconut.format import Format, read
from encoder.compat.coconut.places import Storage
from encoder.compat.foreign import Foreign
from encoder.compat.translated import Draft
from encoder.model.base import Json

_USUAL = (
    "mp4:x:64k",
    "mp4:240p::quality=4,maxrate=400k",
    "mp4:360p::quality=4,maxrate=1000k",
    "mp4:480p::quality=4,maxrate=1500k",
    "mp4:720p::quality=4,maxrate=2000k",
    "mp4:1080p::quality=4,maxrate=4000k",
    "mp4:2160p::quality=4,maxrate=8000k",
)
_MOST_VARIANTS = 20
_OF_A_RUNG = ("videoBitrate", "maxBitrate", "crf")
_OF_SOUND = ("audioCodec", "audioBitrate", "audioChannels", "audioSampleRate")


def draft(outputs: Draft, entry: Foreign, storage: Storage, film: Mapping[str, Json]) -> tuple[int, ...]:
    """The numbers of the packages of ours that make it up; `film`: more members of each."""
    root = entry.text("path") or ""
    name = entry.text("playlist_name") or "master"
    members = {**_members(entry), **film}
    hls, dash = entry.one("hls"), entry.one("dash")
    if hls is None and dash is None:
        entry.fault("hls", "missing_field", "must be there, or else dash")
    made = []
    if hls is not None:
        hls.raw("version")
        hls.refuse("encryption", "in our own words a package has `encryption`")
        made.append(_package(outputs, hls, {**members, "container": "hls", "segmentFormat": "ts"}, root, name, storage))
    if dash is not None:
        container = "cmaf" if dash.flag("hlsfmp4") else "dash"
        made.append(_package(outputs, dash, {**members, "container": container}, root, name, storage))
    return tuple(made)


def _package(  # all parts of one package
    outputs: Draft, part: Foreign, members: dict[str, Json], root: str, name: str, storage: Storage
) -> int:
    path = "/".join(each.strip("/") for each in (root, part.text("path", required=True) or "") if each.strip("/"))
    for drm in ("encryption", "widevine", "playready", "fairplay"):
        part.refuse(drm, "packages are encrypted with AES-128 or not at all")
    part.close()
    destination = storage.to(f"{path}/")
    members = {**members, "playlistName": f"{name}.{'mpd' if members['container'] == 'dash' else 'm3u8'}"}
    members |= {"destination": destination} if destination else {}
    return outputs.add(members, part.path, destination=part.at("path"))


def _members(entry: Foreign) -> dict[str, Json]:
    """What all packages of one stream have in common."""
    variants = entry.texts("variants", most=_MOST_VARIANTS)
    at = entry.at("variants") if variants else entry.path
    forms = [
        read(text, f"{at}/{number}" if variants else at, entry.found) for number, text in enumerate(variants or _USUAL)
    ]
    pictures = [form for form in forms if form.members.get("videoCodec") != "none"]
    if not pictures:
        entry.found.unsupported(at, "a stream has pictures")
        return {}
    codecs = {form.members.get("videoCodec") for form in pictures}
    if len(codecs) > 1:
        entry.found.unsupported(at, "all variants of a stream are of one codec")
    return {"videoCodec": next(iter(codecs)), **_sound(forms), "renditions": [_rung(form) for form in pictures]}


def _sound(forms: Sequence[Format]) -> dict[str, Json]:
    """One for all: the best of the variants that are sound alone, else of those that have some."""
    heard = [form.members for form in forms if form.members.get("audioCodec") != "none"]
    alone = [members for members in heard if members.get("videoCodec") == "none"]
    if not heard:
        return {"audioCodec": "none"}
    best = max(alone or heard, key=lambda members: int(str(members.get("audioBitrate", 0))))
    return {name: best[name] for name in _OF_SOUND if name in best}


def _rung(form: Format) -> Json:
    said = form.members
    rung: dict[str, Json] = {name: said[name] for name in _OF_A_RUNG if name in said}
    if "height" in said and "width" not in said:
        return {"resolution": f"{said['height']}p", **rung}
    return {**rung, **{side: said[side] for side in ("width", "height") if side in said}}
