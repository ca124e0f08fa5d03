"""Check 14, `pictures`: what lies on disk are the images that were planned, and the cues fit them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from encoder.ffmpeg import cues
from encoder.ffmpeg.cues import Cue, NoCuesError
from encoder.ffmpeg.evidence import Evidence
from encoder.ffmpeg.image_file import Image, ImageSeen, ImagesSeen
from encoder.model.plan import ImagesPlan, OutputPlan, VideoPlan
from encoder.model.proof import Check

FORMATS = {"jpg": "jpeg", "png": "png", "webp": "webp", "gif": "gif"}
_TICKS_SECONDS = 0.011  # GIF counts in hundredths


def pictures(seen: Evidence) -> Check | None:
    """As many images as planned, each whole, of the planned size, and decoded by a second decoder; cues that fit."""
    plan, found = seen.plan, seen.images
    if plan.images is None or plan.video is None or found is None:
        return None
    width, height = plan.video.width_px * plan.images.columns, plan.video.height_px * plan.images.rows
    decoded = _decoded(seen)
    fault = next(_faults(seen, plan.images, plan.video), None)
    return Check(
        name="pictures",
        passed=fault is None,
        expected={
            "files": plan.images.files,
            "width": width,
            "height": height,
            "pictures": plan.images.count,
            "seconds": plan.duration_seconds,
            "cues": len(cues.planned(plan)),
        },
        measured={
            "files": len(found.images),
            "decoded": decoded,
            "frames": sum(each.image.frames for each in found.images if each.image),
            "seconds": sum(each.image.seconds for each in found.images if each.image),
            "cues": found.cues.count("-->") if found.cues else 0,
            "fault": fault,
        },
        limit={"pictures": plan.video.frames_limit if plan.images.kind == "moving" else 0},
    )


def _faults(seen: Evidence, images: ImagesPlan, video: VideoPlan) -> Iterator[str]:
    """What is wrong, the most telling first."""
    found = seen.images or ImagesSeen(images=())
    yield from _of_files(seen.plan, images, found)
    for each in found.images:
        yield from _of_image(each, seen.plan, images, video)
    yield from _of_decoding(seen, found)
    if images.kind == "moving" and found.images:
        yield from _of_motion(seen, images, found.images[0].image)
    yield from _of_cues(seen.plan, images, found)


def _of_files(plan: OutputPlan, images: ImagesPlan, found: ImagesSeen) -> Iterator[str]:
    count = len(found.images)
    if count == 0 or (images.files is not None and count != images.files):
        yield f"there are {count} files"
    if images.kind == "several":
        names = {each.name for each in found.images}
        if names != {images.file_name(place, plan.extension) for place in range(count)}:
            yield "the files have other names"
    if images.columns * images.rows > 1 and images.count is not None and not _filled(images, count):
        yield "a sheet is empty"


def _filled(images: ImagesPlan, sheets: int) -> bool:
    return (sheets - 1) * images.cells < (images.count or 0) <= sheets * images.cells


def _of_image(each: ImageSeen, plan: OutputPlan, images: ImagesPlan, video: VideoPlan) -> Iterator[str]:
    called = each.name or "the file"
    if each.image is None or each.image.format != FORMATS[plan.container]:
        yield f"{called} is no {plan.container}"
        return
    if not each.image.whole:
        yield f"{called} does not end as it should"
    size = each.image.width_px, each.image.height_px
    if size != (video.width_px * images.columns, video.height_px * images.rows):
        yield f"{called} is {size[0]}×{size[1]}"


def _of_decoding(seen: Evidence, found: ImagesSeen) -> Iterator[str]:
    """Every picture in the files comes out of a decoder."""
    there = sum(each.image.frames for each in found.images if each.image)
    decoded = _decoded(seen)
    if decoded != there:
        yield f"of {there} pictures {decoded} were decoded"


def _decoded(seen: Evidence) -> int | None:
    """How many pictures the second decoder saw."""
    return seen.decoded.progress.frame if seen.decoded and seen.decoded.progress else None


def _of_motion(seen: Evidence, images: ImagesPlan, image: Image | None) -> Iterator[str]:
    """As many frames as planned, for as long. A WebP has one where several are the same, and none lasts in a still."""
    video = seen.plan.video
    if image is None or video is None or images.count is None:
        return
    most, least = images.count + video.frames_limit, images.count - video.frames_limit
    if image.frames > most or (image.frames < least and image.format != "webp"):
        yield f"{image.frames} frames play"
    planned, slack = seen.plan.duration_seconds or 0.0, video.frames_limit * seen.frame_seconds + _TICKS_SECONDS
    if image.frames > 1 and abs(image.seconds - planned) > slack:
        yield f"it plays {image.seconds:g} s"


def _of_cues(plan: OutputPlan, images: ImagesPlan, found: ImagesSeen) -> Iterator[str]:
    if images.cues is None or found.cues is None:
        if (images.cues is None) != (found.cues is None):
            yield "there is no file of cues" if found.cues is None else "there is a file of cues"
        return
    try:
        listed = cues.read(found.cues)
    except NoCuesError as error:
        yield f"the cues cannot be read: {error}"
        return
    yield from _of_cells(listed, images, {each.name: each.image for each in found.images if each.image})
    yield from _of_times(listed, plan)


def _of_times(listed: tuple[Cue, ...], plan: OutputPlan) -> Iterator[str]:
    """From 0 on, without a gap, to the end; and each begins when its picture was taken."""
    wanted = cues.planned(plan)
    if len(listed) != len(wanted):
        yield f"there are {len(listed)} cues"
        return
    if listed[0].start_ms != 0:
        yield "the first cue does not begin at 0"
    if any(earlier.end_ms != later.start_ms for earlier, later in pairwise(listed)):
        yield "there is a gap between two cues"
    if any(cue.end_ms <= cue.start_ms for cue in listed):
        yield "a cue ends before it begins"
    if listed[-1].end_ms != wanted[-1].end_ms:
        yield "the last cue does not end with the source"
    if [cue.start_ms for cue in listed] != [cue.start_ms for cue in wanted]:
        yield "a cue begins at another moment than its picture"
    if [(cue.name, cue.cell) for cue in listed] != [(cue.name, cue.cell) for cue in wanted]:
        yield "a cue names another picture than that of its moment"


def _of_cells(listed: tuple[Cue, ...], images: ImagesPlan, files: dict[str, Image]) -> Iterator[str]:
    """Each names a file that is there, and a cell inside it that no other cue names."""
    for cue in listed:
        if cue.name not in files:
            yield f"a cue names {cue.name}, which is not there"
        elif cue.cell is not None and not _inside(cue.cell, files[cue.name]):
            yield "a cell is not inside its sheet"
        elif (cue.cell is None) != (images.cells == 1):
            yield "a cue names no cell" if cue.cell is None else "a cue names a cell of a single picture"
    if len({(cue.name, cue.cell) for cue in listed}) != len(listed):
        yield "two cues show the same picture"


def _inside(cell: tuple[int, int, int, int], sheet: Image) -> bool:
    left, top, width, height = cell
    return width > 0 and height > 0 and left + width <= sheet.width_px and top + height <= sheet.height_px
