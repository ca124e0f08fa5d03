"""The renditions of a package when they are made: joined to be judged, then measured, listed and linted together."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from encoder import errors, packaging
from encoder.ffmpeg.segments import INIT, SUBTITLES, files_in_order, listed
from encoder.model.base import replace
from encoder.model.media import Opened
from encoder.model.plan import OutputPlan, PackagePlan
from encoder.model.proof import Check

_RANGES = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


def join(folder: Path, target: Path) -> None:
    """The one file that a rendition's segments are to whoever plays them in order. Blocks.

    Raises:
        errors.Permanent: `output_invalid`, one that ffmpeg wrote is not there.
        errors.Resource: `disk_full`.
    """
    _require(folder, listed(folder))
    _copied((path.open("rb") for path in files_in_order(folder)), target)


def text(folder: Path) -> Path:
    """The one file of a rendition that is subtitles. Raises as `join`."""
    _require(folder, {SUBTITLES})
    return folder / SUBTITLES


def _require(folder: Path, names: set[str]) -> None:
    if missing := sorted(names - {path.name for path in folder.iterdir()}):
        message = f"The package has no {folder.name}/{missing[0]}."
        raise errors.Permanent("output_invalid", message, check="package.missing")


def rejoin(plan: OutputPlan, rendition: OutputPlan, folder: Path, target: Path) -> None:
    """As `join`, of a rendition in the finished package `folder`: as whoever has its key gets it."""
    _joined(plan, rendition, folder, target, files_in_order(folder / rendition.name))


def rejoin_some(plan: OutputPlan, rendition: OutputPlan, folder: Path, target: Path, frames: Collection[int]) -> None:
    """As `rejoin`, but only with the segments that hold these frames."""
    files = files_in_order(folder / rendition.name)
    wanted = {frame // _package(plan).segment_frames for frame in frames}
    segments = [path for path in files if path.name != INIT]
    chosen = [path for place, path in enumerate(segments) if place in wanted]
    _joined(plan, rendition, folder, target, [path for path in files if path.name == INIT] + chosen)


def _joined(plan: OutputPlan, rendition: OutputPlan, folder: Path, target: Path, files: Iterable[Path]) -> None:
    package = _package(plan)
    locks = {}
    if package.encryption:
        locks = packaging.keys_of(folder, _track(rendition, default=False), segments=package.segments)
    names = [path.relative_to(folder).as_posix() for path in files]
    _copied((packaging.opened(folder, name, locks) for name in names), target)


def _copied(parts: Iterable[BinaryIO], target: Path) -> None:
    with _room(), target.open("wb") as whole:
        for part in parts:
            with part:
                shutil.copyfileobj(part, whole, 1024**2)


def finish(plan: OutputPlan, folder: Path) -> tuple[Check, tuple[str, ...]]:
    """Write the manifests of a package; its check, and their names, the last of which players open first. Blocks.

    Raises:
        errors.Permanent: `output_invalid`, a rendition is not what it should be.
        errors.Resource: `disk_full`.
    """
    package = _package(plan)
    streams = [each for each in plan.renditions if not each.subtitles]
    tracks = [_track(rendition, default=rendition.audio == plan.audio) for rendition in streams]
    texts = [_text(rendition) for rendition in plan.renditions if rendition.subtitles]
    written = packaging.read(folder, tracks, segments=package.segments)
    key = packaging.new_key() if package.encryption else None
    with _room():
        manifests = packaging.write(
            folder, written, kind=package.kind, playlist_name=package.playlist_name, key=key, texts=texts
        )
    checked = packaging.check(
        folder,
        tracks,
        kind=package.kind,
        segments=package.segments,
        playlist_name=package.playlist_name,
        segment_seconds=Fraction(package.segment_seconds),
        duration_seconds=plan.duration_seconds,
        encrypted=key is not None,
        texts=texts,
    )
    return checked, manifests


def _package(plan: OutputPlan) -> PackagePlan:
    if plan.package is None:
        raise errors.Defect("a single file is no package")
    return plan.package


def best(plan: OutputPlan, seen: Sequence[Opened]) -> Opened:
    """What the package shows at its best: its first picture with its first sound. `seen`: of each rendition."""
    pairs = zip(plan.renditions, seen, strict=True)
    by_kind = {_kind(each): found for each, found in reversed([*pairs])}
    shown, heard = by_kind["video"], by_kind.get("audio")
    if heard is None:
        return shown
    bitrates = (shown.media.bitrate_bps, heard.media.bitrate_bps)
    lengths = (shown.media.duration_seconds, heard.media.duration_seconds)
    media = replace(
        shown.media,
        audio=heard.media.audio,
        bitrate_bps=sum(bitrate for bitrate in bitrates if bitrate) or None,
        duration_seconds=max((length for length in lengths if length is not None), default=None),
    )
    return replace(shown, media=media)


@contextmanager
def _room() -> Iterator[None]:
    """Tell a full disk as what it is."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise errors.Resource("disk_full", f"The scratch folder cannot take more: {error.strerror}.") from error


def _track(plan: OutputPlan, *, default: bool) -> packaging.Track:
    video, audio = plan.video, plan.audio
    if video is not None:
        return packaging.Track(
            name=plan.name,
            kind="video",
            rate=video.rate,
            width_px=video.width_px,
            height_px=video.height_px,
            video_range=_RANGES.get(video.color_transfer, "SDR"),
        )
    if audio is None:
        raise errors.Defect("a rendition without a stream")
    return packaging.Track(
        name=plan.name, kind="audio", language=audio.language, default=default, channels=audio.channels
    )


def _text(plan: OutputPlan) -> packaging.Text:
    (track,) = plan.subtitles
    return packaging.Text(name=plan.name, language=track.language, default=track.default, forced=track.forced)


def _kind(plan: OutputPlan) -> str:
    return "text" if plan.subtitles else "video" if plan.video else "audio"
