"""One of the `Outputs` of a `CreateJob`: a file, a rendition of a playlist, and the thumbnails beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from encoder.compat.elastictranscoder import times
from encoder.compat.elastictranscoder.pipeline import Pipeline
from encoder.compat.elastictranscoder.preset import Preset
from encoder.compat.foreign import Foreign, Found
from encoder.compat.translated import Draft
from encoder.model.base import Json

_ENCRYPTED = "outputs are delivered as they are; the bucket may encrypt them"
_USUAL_SEGMENT_S = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`key`: whole, prefix and all. `said`: what goes for each form that it may take: rotation, its own clip."""

    at: str
    name: str
    key: str
    preset: Preset
    segment_seconds: float | None
    pattern: str | None
    said: Mapping[str, Json]
    watermark: Mapping[str, Json] | None
    mark_key: str | None

    def members(self, pipeline: Pipeline, clip: Mapping[str, Json] | None, found: Found) -> dict[str, Json]:
        """What the output says beside its preset, whatever it becomes."""
        made = dict(self.said)
        if clip is not None:
            if "clip" in made:
                found.unsupported(
                    f"{self.at}/Composition", "Input has a TimeSpan already: one part of the source is taken"
                )
            made["clip"] = dict(clip)
        if self.watermark is not None and self.mark_key is not None:
            made["watermark"] = {**self.watermark, "source": pipeline.at(self.mark_key)}
        return made

    def pictures(
        self, draft: Draft, *, pipeline: Pipeline, clip: Mapping[str, Json] | None, found: Found
    ) -> int | None:
        """The output of ours that makes its thumbnails."""
        if not self.pattern:
            return None
        at = f"{self.at}/ThumbnailPattern"
        folder, _, name = self.pattern.rpartition("/")
        if "{resolution}" in self.pattern or "{count}" in folder or not folder:
            found.unsupported(at, "pictures lie in a folder, and have `{count}` alone in their names")
            return None
        if self.preset.thumbnails is None:
            found.fault(at, "invalid_value", "the preset says nothing of thumbnails")
            return None
        part = {name: value for name, value in self.members(pipeline, clip, Found()).items() if name != "watermark"}
        members: dict[str, Json] = {**self.preset.thumbnails, **part, "destination": pipeline.picture(f"{folder}/")}
        several = members["thumbnails"]
        if name != "{count}" and isinstance(several, dict):
            members["thumbnails"] = {**several, "names": name.replace("{count}", "{index}")}
        return draft.add(members, at)


def read_output(output: Foreign, *, prefix: str, known: Mapping[str, Preset]) -> Wanted:
    """As far as nothing of it is wrong; what is, stands in its `found`."""
    found = output.found
    key, preset_id = output.text("Key", required=True) or "", output.text("PresetId", required=True)
    preset = known.get(preset_id or "")
    if preset_id and preset is None:
        found.fault(
            output.at("PresetId"), "not_found", f"The specified preset was not found: presetId={preset_id[:64]}."
        )
    pattern = output.text("ThumbnailPattern", r".*\{count\}.*", "must hold {count}")
    seconds = output.text("SegmentDuration", r"[0-9]{1,5}(\.[0-9]{0,5})?", "must be seconds")
    for name in ("ThumbnailEncryption", "Encryption"):
        output.refuse(name, _ENCRYPTED)
    output.refuse("AlbumArt", "no pictures are put into sound")
    output.refuse("Captions", "subtitles of the job language are not the same")
    mark_key, watermark = _watermark(output, preset)
    said = _said(output)
    output.close()
    return Wanted(
        at=output.path,
        name=key,
        key=prefix + key,
        preset=preset or Preset(container="mp4", members={}),
        segment_seconds=float(seconds) if seconds else None,
        pattern=prefix + pattern if pattern else None,
        said=said,
        watermark=watermark,
        mark_key=mark_key,
    )


def merged(
    draft: Draft, wanted: Wanted, *, pipeline: Pipeline, clip: Mapping[str, Json] | None, found: Found
) -> int | None:
    """The output of ours that is one file, or a package of this rendition alone."""
    members: dict[str, Json] = {**wanted.preset.members, **wanted.members(pipeline, clip, found)}
    at = {"destination": f"{wanted.at}/Key", "segmentSeconds": f"{wanted.at}/SegmentDuration"}
    container = wanted.preset.container
    if container == "fmp4" or (container == "ts" and wanted.segment_seconds is not None):
        if not wanted.preset.has_picture:
            found.unsupported(f"{wanted.at}/PresetId", "a package has pictures; give sound alone an mp4 or mp3 preset")
        where = Whereabouts(key=wanted.key, dash=container == "fmp4", at=f"{wanted.at}/Key")
        members = packaged(members, where, wanted.segment_seconds, pipeline, found)
        return draft.add(members, wanted.at, **at, playlistName=f"{wanted.at}/Key")
    if wanted.segment_seconds is not None:
        found.fault(f"{wanted.at}/SegmentDuration", "unsupported_combination", "goes with presets of ts and fmp4 alone")
    members |= {"container": "mpegts" if container == "ts" else container, "destination": pipeline.to(wanted.key)}
    if wanted.preset.name:  # what it says, ours says: so the job keeps its name and version
        members = {name: value for name, value in members.items() if name not in {*wanted.preset.members, "container"}}
        members |= {"preset": wanted.preset.name, **wanted.members(pipeline, clip, Found())}
    return draft.add(members, wanted.at, **at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Of a package: its playlist's key without its ending, and who says so."""

    key: str
    dash: bool
    at: str


def packaged(
    members: dict[str, Json], where: Whereabouts, segment_seconds: float | None, pipeline: Pipeline, found: Found
) -> dict[str, Json]:
    """`members` as those of a package."""
    folder, _, name = where.key.rpartition("/")
    if not folder:
        found.unsupported(where.at, "a package lies in a folder: give it one in OutputKeyPrefix, such as `video/`")
    made = {**members, "container": "dash" if where.dash else "hls", "destination": pipeline.to(f"{folder}/")}
    made["playlistName"] = f"{name}.{'mpd' if where.dash else 'm3u8'}"
    made |= {} if where.dash else {"segmentFormat": "ts"}
    made |= {} if segment_seconds is None else {"segmentSeconds": segment_seconds}
    if float(str(made.get("keyframeInterval", 0))) > (segment_seconds or _USUAL_SEGMENT_S):
        del made["keyframeInterval"]  # each segment begins with one anyway
    return made


def _said(output: Foreign) -> dict[str, Json]:
    rotate = output.choice("Rotate", ("auto", "0", "90", "180", "270"))
    made: dict[str, Json] = {"rotate": int(rotate)} if rotate and rotate != "auto" else {}
    parts = output.many("Composition", most=100)
    if len(parts) > 1:
        output.found.unsupported(output.at("Composition"), "one part of the source is one output's")
    for part in parts:
        clip = times.clip(part.one("TimeSpan"))
        part.close()
        made |= {"clip": clip} if clip else {}
    return made


def _watermark(output: Foreign, preset: Preset | None) -> tuple[str | None, Mapping[str, Json] | None]:
    marks = output.many("Watermarks", most=4)
    if len(marks) > 1:
        output.found.unsupported(output.at("Watermarks"), "one watermark goes over a picture")
    key, placed = None, None
    for mark in marks:
        key, name = mark.text("InputKey", required=True), mark.text("PresetWatermarkId", required=True)
        mark.refuse("Encryption", "sources come as they are")
        mark.close()
        placed = preset.watermarks.get(name or "") if preset else None
        if preset is not None and name and placed is None:
            mark.fault("PresetWatermarkId", "invalid_value", f"must be one of {', '.join(preset.watermarks) or 'none'}")
    return key, placed
