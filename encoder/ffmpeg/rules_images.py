"""Which members go together in an output of images, and what kind of images it then is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Any, cast

import msgspec

from encoder.errors import Fault
from encoder.model.job import OutputSpec, Sheet, Thumbnails

STILL, SEVERAL, MOVING = "still", "several", "moving"
FORMATS = ("jpg", "png", "webp")  # of thumbnails
MOVING_CONTAINERS = ("gif", "webp")
MAX_FPS = 50  # players slow down what is faster
EVERY_SECONDS = (0.1, 12 * 3600.0)
MOST_COUNT = 1000
MOST_MOMENTS = 100
LONGEST_SECONDS = 12 * 3600.0
SHEET_SIDES = range(1, 11)  # pictures
# of files: letters that mean nothing to ffmpeg, in addresses or in cues
NAMES = r"([A-Za-z0-9_-][A-Za-z0-9_.-]{0,63})?\{index\}[A-Za-z0-9_.-]{0,64}"

_MEMBERS = frozenset(
    {
        "container",
        "preset",
        "preset_version",
        "width",
        "height",
        "fit",
        "upscale",
        "fps",
        "clip",
        "deinterlace",
        "rotate",
    }
    | {"thumbnails", "destination"}
)


def kind(spec: OutputSpec) -> str:
    """What a container for images is to hold: a WebP with a frame rate moves, as each GIF does."""
    if spec.thumbnails is not None:
        return SEVERAL
    return MOVING if spec.container == "gif" or (spec.container == "webp" and spec.fps is not None) else STILL


def check(spec: OutputSpec, _: object) -> Iterator[Fault]:
    """The faults of an output whose container is for images, beyond those of any picture."""
    for member in strange(spec, _MEMBERS):
        yield _fault(member, f"does not go with container {spec.container}: it is an image")
    if spec.thumbnails is not None:
        yield from _thumbnails(spec, spec.thumbnails)
    yield from _motion(spec)


def elsewhere(spec: OutputSpec, _: object) -> Iterator[Fault]:
    """Of an output whose container is for something else."""
    if spec.thumbnails is not None:
        yield _fault("thumbnails", f"go with container {', '.join(FORMATS)}, not {spec.container}")


def strange(spec: OutputSpec, known: Collection[str]) -> Iterator[str]:
    """Members beside the `known` ones that say something, in whatever version of the job language."""
    for field in msgspec.structs.fields(cast("Any", OutputSpec)):
        if field.name not in known and getattr(spec, field.name) != _default(field):
            yield field.encode_name


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default_factory() if callable(field.default_factory) else field.default


def _motion(spec: OutputSpec) -> Iterator[Fault]:
    wanted = kind(spec)
    if spec.fps is not None and wanted != MOVING:
        yield _fault("fps", f"only images that move have it: {', '.join(MOVING_CONTAINERS)} without thumbnails")
    elif spec.fps is not None and spec.fps > MAX_FPS:
        yield _fault("fps", f"at most {MAX_FPS} in {spec.container}", code="out_of_range")
    if wanted == STILL and spec.clip is not None and spec.clip.end is not None:
        yield _fault("clip", "one picture shows one moment: `start` alone; `thumbnails` shows several")


def _thumbnails(spec: OutputSpec, wanted: Thumbnails) -> Iterator[Fault]:
    if spec.container not in FORMATS:
        yield from elsewhere(spec, None)
        return
    yield from _moments(wanted)
    if wanted.format is not None and wanted.format != spec.container:
        yield _fault("thumbnails/format", f"is the container, {spec.container}: say it once")
    if wanted.width is not None and (spec.width is not None or spec.height is not None):
        yield _fault("thumbnails/width", "beside `width` or `height` of the output: say it once")
    yield from _sheet(wanted)
    if wanted.vtt and wanted.at:
        yield _fault("thumbnails/vtt", "needs pictures of the whole timeline: `every` or `count`")


def _moments(wanted: Thumbnails) -> Iterator[Fault]:
    said = {"every": wanted.every is not None, "count": wanted.count is not None, "at": bool(wanted.at)}
    given = [member for member, there in said.items() if there]
    if not given:
        yield _fault("thumbnails", "needs `every`, `count` or `at`", code="missing_field")
    for member in given[1:]:
        yield _fault(f"thumbnails/{member}", f"either this or `{given[0]}`")
    if wanted.every is not None and not EVERY_SECONDS[0] <= wanted.every <= EVERY_SECONDS[1]:
        yield _fault("thumbnails/every", f"{EVERY_SECONDS[0]} to {EVERY_SECONDS[1]:g} seconds", code="out_of_range")
    if wanted.count is not None and not 1 <= wanted.count <= MOST_COUNT:
        yield _fault("thumbnails/count", f"1 to {MOST_COUNT}", code="out_of_range")
    if len(wanted.at) > MOST_MOMENTS:
        yield _fault("thumbnails/at", f"at most {MOST_MOMENTS} moments", code="out_of_range")
    if any(not 0 <= moment <= LONGEST_SECONDS for moment in wanted.at):
        yield _fault("thumbnails/at", f"0 to {LONGEST_SECONDS:g} seconds", code="out_of_range")
    if any(later <= earlier for earlier, later in pairwise(wanted.at)):
        yield _fault("thumbnails/at", "rising: each later than the one before", code="invalid_value")


def _sheet(wanted: Thumbnails) -> Iterator[Fault]:
    if not isinstance(wanted.sprite, Sheet):
        return
    for member, side in (("columns", wanted.sprite.columns), ("rows", wanted.sprite.rows)):
        if side is not None and side not in SHEET_SIDES:
            told = f"{SHEET_SIDES[0]} to {SHEET_SIDES[-1]} pictures"
            yield _fault(f"thumbnails/sprite/{member}", told, code="out_of_range")


def _fault(member: str, message: str, *, code: str = "unsupported_combination") -> Fault:
    return Fault(path=f"/{member}", code=code, message=message)
