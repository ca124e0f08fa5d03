"""Which members go with subtitles, and with an output that is nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.errors import Fault
from encoder.ffmpeg import codecs, containers, rules_images, subtitles, tracks
from encoder.ffmpeg.containers import Container
from encoder.model.job import OutputSpec, Subtitles

_MEMBERS = frozenset({"container", "preset", "preset_version", "clip", "subtitles", "destination"})


def alone(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    """The faults of an output that is subtitles and nothing else, but for its clip."""
    for member in rules_images.strange(spec, _MEMBERS):
        yield _fault(f"{member}", f"does not go with container {container.name}: it is text")
    yield from check(spec, container)


def check(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    """The faults of the member `subtitles`."""
    asked = subtitles.wanted(spec)
    if asked is None:
        return
    if asked.mode not in subtitles.MODES:
        yield _fault("subtitles", f"one of {', '.join(subtitles.MODES)}", code="invalid_value")
    if len(asked.files) > subtitles.MOST_FILES:
        yield _fault("subtitles/files", f"at most {subtitles.MOST_FILES}", code="out_of_range")
    yield from _mode(spec, asked, container)
    if asked.mode != subtitles.COPY:
        yield from _one(asked)


def _mode(spec: OutputSpec, asked: Subtitles, container: Container) -> Iterator[Fault]:
    if container.captions != (asked.mode == subtitles.EXTRACT):
        names = ", ".join(each.name for each in containers.CONTAINERS.values() if each.captions)
        yield _fault("subtitles", f"`extract` makes an output by itself: container {names}, and that takes no other")
    elif asked.mode == subtitles.COPY and not container.subtitles:
        yield _fault("subtitles", f"{container.name} holds none that are text: burn them in")
    elif asked.mode == subtitles.BURN_IN:
        wanted = spec.video_codec or next(iter(container.video), codecs.NONE)
        if wanted in (codecs.COPY, codecs.NONE):
            yield _fault("subtitles", f"videoCodec {wanted} has no picture that they could be drawn into")


def _one(asked: Subtitles) -> Iterator[Fault]:
    """One track, from one place."""
    if asked.tracks == tracks.ALL:
        yield _fault("subtitles/tracks", f"{asked.mode} takes one track: of a list the first that is there")
    if len(asked.files) > 1:
        yield _fault("subtitles/files", f"{asked.mode} takes one file")
    if asked.files and asked.tracks is not None:
        yield _fault("subtitles/tracks", f"{asked.mode} takes one track or one file, not both")


def _fault(member: str, message: str, *, code: str = "unsupported_combination") -> Fault:
    return Fault(path=f"/{member}", code=code, message=message)
