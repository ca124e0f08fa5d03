"""An output of images on the disk: its cues are written beside it, and what lies there is read for its proof."""

from __future__ import annotations

import os
from pathlib import Path

from encoder.ffmpeg import cues, image_file
from encoder.ffmpeg.image_file import Image, ImageSeen, ImagesSeen, NoImageError
from encoder.model.media import Media, Opened, StreamCount, VideoStream
from encoder.model.plan import OutputPlan
from encoder.worker.package import names_below


def finish(plan: OutputPlan, path: Path) -> tuple[str, ...]:
    """Write the cues of the folder `path`, if it is to have some; the names of what points to other files."""
    if plan.images is None or plan.images.cues is None:
        return ()
    (path / plan.images.cues).write_text(cues.written(cues.planned(plan)), encoding="utf-8")
    return (plan.images.cues,)


def look(plan: OutputPlan, path: Path) -> ImagesSeen:
    """All that lies at `path`: a file, or a folder of files. ffmpeg writes none where there is no picture to show.

    Raises:
        errors.Permanent: `output_invalid`, there is what no encoder of ours makes.
    """
    if not plan.is_folder:
        return ImagesSeen(images=(_seen("", path),) if os.path.lexists(path) else ())
    names = sorted(names_below(path))
    listed = [name for name in names if name.endswith(".vtt")]
    return ImagesSeen(
        images=tuple(_seen(name, path / name) for name in names if name not in listed),
        cues=_bytes(path / listed[0]).decode("utf-8", "replace") if listed else None,
    )


def opened(plan: OutputPlan, seen: ImagesSeen) -> Opened:
    """The facts of a result, as of other outputs: of several images, those of the first."""
    images = [each.image for each in seen.images if each.image is not None]
    video, first = plan.video, next(iter(images), None)
    if video is None or first is None:
        return Opened(media=Media(format=plan.container, size_bytes=0), counts=())
    stream = VideoStream(
        index=0,
        codec=video.codec,
        pixel_format=video.pixel_format,
        bit_depth=8,
        coded_width=first.width_px,
        coded_height=first.height_px,
    )
    media = Media(format=first.format, size_bytes=0, duration_seconds=first.seconds or None, video=(stream,))
    return Opened(media=media, counts=(_count(plan, images),))


def _count(plan: OutputPlan, images: list[Image]) -> StreamCount:
    """The pictures: of sheets, those that stand on them."""
    frames = sum(image.frames for image in images)
    on_sheets = plan.images is not None and plan.images.cells > 1
    shown = plan.images.count or frames if plan.images and on_sheets else frames
    return StreamCount(
        index=0,
        packets=frames,
        shown=shown,
        first_pts_seconds=None,
        end_pts_seconds=None,
        keyframes=frames,
        longest_gap_seconds=0.0,
    )


def _seen(name: str, path: Path) -> ImageSeen:
    try:
        return ImageSeen(name=name, image=image_file.read(_bytes(path)))
    except NoImageError:
        return ImageSeen(name=name, image=None)


def _bytes(path: Path) -> bytes:
    """Whoever took ffmpeg over may have left a link to what we can read."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read()
