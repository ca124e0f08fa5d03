"""One of the `Playlists` of a `CreateJob`: a package of the outputs that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from encoder.compat.elastictranscoder.output import Wanted, Whereabouts, packaged
from encoder.compat.elastictranscoder.pipeline import Pipeline
from encoder.compat.elastictranscoder.preset import Preset
from encoder.compat.foreign import Foreign, Found
from encoder.compat.translated import Draft
from encoder.model.base import Json

_FORMATS = {"HLSv3": "ts", "HLSv4": "ts", "MPEG-DASH": "fmp4"}
_OF_A_RUNG = ("width", "height", "videoBitrate", "maxBitrate")
_OF_ALL = ("videoCodec", "profile", "level", "fps", "fit", "upscale", "keyframeInterval")
_OF_SOUND = ("audioCodec", "audioBitrate", "audioChannels", "audioSampleRate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """`outputs`: the positions of those that it names."""

    at: str
    name: str
    dash: bool
    outputs: tuple[int, ...]
    encrypted: bool


def read_playlist(playlist: Foreign, wanted: Sequence[Wanted]) -> Playlist:
    """As far as nothing of it is wrong; what is, stands in its `found`."""
    name, form = playlist.text("Name", required=True) or "", playlist.text("Format", required=True)
    if form is not None and form not in _FORMATS:
        playlist.found.unsupported(playlist.at("Format"), f"packages are {', '.join(_FORMATS)}")
    keys = playlist.texts("OutputKeys", most=30)
    if not keys:
        playlist.fault("OutputKeys", "missing_field", "must name at least one output")
    positions = {output.name: position for position, output in enumerate(wanted)}
    for number, key in enumerate(keys):
        if key not in positions:
            playlist.found.fault(playlist.at("OutputKeys", number), "invalid_value", "must be the Key of an output")
        elif form in _FORMATS and not _fits(wanted[positions[key]].preset, form):
            told = f"must be an output whose preset's container is {_FORMATS[form]}"
            playlist.found.fault(playlist.at("OutputKeys", number), "unsupported_combination", told)
    playlist.refuse("PlayReadyDrm", "packages are encrypted with AES-128 or not at all")
    encrypted = _encrypted(playlist.one("HlsContentProtection"))
    playlist.close()
    return Playlist(
        at=playlist.path,
        name=name,
        dash=form == "MPEG-DASH",
        outputs=tuple(positions[key] for key in dict.fromkeys(keys) if key in positions),
        encrypted=encrypted,
    )


def _fits(preset: Preset, form: str) -> bool:
    """A preset of ours knows no `fmp4`: its MP4 is as good a part of a package."""
    return preset.container == _FORMATS[form] or (
        bool(preset.name) and (preset.container, form) == ("mp4", "MPEG-DASH")
    )


def draft(  # all parts of one package
    outputs: Draft,
    playlist: Playlist,
    wanted: Sequence[Wanted],
    *,
    pipeline: Pipeline,
    prefix: str,
    clip: Mapping[str, Json] | None,
    found: Found,
) -> int | None:
    """The output of ours that is this package; None where it cannot be one."""
    named = [wanted[position] for position in playlist.outputs]
    pictures = [output for output in named if output.preset.has_picture]
    if not pictures:
        if named:
            found.unsupported(
                f"{playlist.at}/OutputKeys", "a package has pictures; give sound alone an mp4 or mp3 preset"
            )
        return None
    first = pictures[0]
    members = _shared(pictures, found)
    members |= _sound(named, playlist, found) | first.members(pipeline, clip, found)
    members["renditions"] = [
        {name: output.preset.members[name] for name in _OF_A_RUNG if name in output.preset.members}
        for output in pictures
    ]
    where = Whereabouts(key=prefix + playlist.name, dash=playlist.dash, at=f"{playlist.at}/Name")
    members = packaged(members, where, first.segment_seconds, pipeline, found)
    members |= {"encryption": "aes-128"} if playlist.encrypted else {}
    at = dict.fromkeys(("destination", "playlistName"), f"{playlist.at}/Name")
    rungs = {f"renditions/{number}": output.at for number, output in enumerate(pictures)}
    return outputs.add(members, playlist.at, segmentSeconds=f"{first.at}/SegmentDuration", **at, **rungs)


def _shared(pictures: Sequence[Wanted], found: Found) -> dict[str, Json]:
    """What all renditions have in common; a package has one of each, and of what differs none is asked for."""
    members: dict[str, Json] = {}
    for name in _OF_ALL:
        values = [output.preset.members.get(name) for output in pictures]
        if values[0] is not None and all(value == values[0] for value in values):
            members[name] = values[0]
    for output in pictures[1:]:
        if _apart(output) != _apart(pictures[0]):
            found.unsupported(
                output.at, "Rotate, Composition, Watermarks and SegmentDuration are one playlist's, not one output's"
            )
    return members


def _sound(named: Sequence[Wanted], playlist: Playlist, found: Found) -> dict[str, Json]:
    """A package has one sound, which goes with all of its pictures: the best that any of them has."""
    sounds = [output.preset.members for output in named if output.preset.has_sound]
    if not sounds:
        return {"audioCodec": "none"}
    best = max(sounds, key=lambda members: int(str(members.get("audioBitrate", 0))))
    if any(members.get("audioBitrate") != best.get("audioBitrate") for members in sounds):
        told = "a package has one sound for all of its pictures, the best of those that its outputs name."
        found.warn("one_sound", f"{playlist.name}: {told}")
    return {name: best[name] for name in _OF_SOUND if name in best}


def _apart(output: Wanted) -> tuple[object, ...]:
    return output.said, output.mark_key, output.watermark, output.segment_seconds


def _encrypted(protection: Foreign | None) -> bool:
    if protection is None:
        return False
    method = protection.text("Method", required=True)
    if method not in (None, "aes-128"):
        protection.found.unsupported(protection.at("Method"), "segments are encrypted with aes-128")
    for name in ("Key", "KeyMd5", "InitializationVector", "LicenseAcquisitionUrl"):
        protection.refuse(name, "the key is made anew for each package and lies beside its playlists")
    if (protection.text("KeyStoragePolicy") or "WithVariantPlaylists") != "WithVariantPlaylists":
        protection.found.unsupported(protection.at("KeyStoragePolicy"), "the key lies beside the playlists")
    protection.close()
    return True
