"""Does it look and sound right: an output played, compared with its source frame by frame, and what its bytes did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import quote

from aiohttp import web

from encoder import errors
from encoder.api import evidence, jobs, query
from encoder.api.middleware import POLICY
from encoder.dashboard import media
from encoder.dashboard.job_words import name_of, pace
from encoder.dashboard.page import Page, Visit
from encoder.dashboard.proof_words import report
from encoder.log import get_logger
from encoder.model.evidence import Evidence, StreamEvidence
from encoder.model.place import named
from encoder.model.result import Delivered
from encoder.store.rows import JobRow, OutputRow

log = get_logger(__name__)

MOST_ROWS = 150  # of a table over time
MOST_PICTURES = 200
_MANIFESTS = {"hls": "application/x-mpegurl", "cmaf": "application/x-mpegurl", "dash": "application/dash+xml"}
_POLICY = f"{POLICY}; media-src 'self' blob:; worker-src 'self'"  # of this page alone
_MOST_TEXT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How an output is shown. `kind`: video, audio, package, pictures, text; None: not at all, and `why` says so.

    `address`: of the file, or of what a player opens first; `type`: its media type; `pictures`: their addresses.
    """

    kind: str | None = None
    address: str = ""
    type: str = ""
    pictures: tuple[str, ...] = ()
    more: int = 0  # pictures that are not shown
    text: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A stretch of time: what was carried in it, in kbit/s, and its keyframes."""

    seconds: float
    rates: tuple[float, ...]  # of each series
    keyframes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """What a stream's bytes did. `kinds`: of each series; rates in kbit/s; `spacing`: between keyframes, most."""

    step: float
    kinds: tuple[str, ...]
    moments: tuple[Moment, ...]
    keyframes: tuple[float, ...]
    mean: float
    peak: float
    spacing: float | None


async def shown(visit: Visit) -> web.Response:
    """GET /ui/jobs/{id}/outputs/{outputId}/watch."""
    row = await jobs.find(visit.call)
    output = jobs.output_of(visit.call, row)
    told = await jobs.show(visit.call, row)
    kept, problem = await _kept(visit, row, output)
    stream = _chosen(kept, visit.call.query.get("stream", str))
    video = output.plan.video if output.plan else None
    seconds = output.delivered.duration_seconds if output.delivered else None
    return visit.show(
        "watch.html",
        headers={"Content-Security-Policy": _POLICY},
        area="jobs",
        job=told,
        output=told.outputs[output.id],
        name=name_of,
        pace=pace,
        report=report,
        screen=await _with_text(visit, output, _screen(row, output)),
        source=_source(row),
        rate=video.rate if video else None,
        start=video.start_seconds if video and not video.from_zero else 0.0,
        offset=output.plan.clip_start_seconds if output.plan else 0.0,
        thumbnails=_thumbnails(row),
        kept=kept,
        problem=problem,
        stream=stream,
        stills=f"/ui/stills/{row.id}/{output.id}/",
        rate_of=rate,
        over_time=None if stream is None else over_time(stream, seconds),
    )


async def _with_text(visit: Visit, output: OutputRow, screen: Screen) -> Screen:
    """With the beginning of what is read, not watched."""
    made = output.delivered
    key = media.key_of(output, made.files[0]) if made and screen.kind == "text" else None
    if key is None:
        return screen
    async with visit.call.parts.storage.read(key, last=_MOST_TEXT_BYTES - 1) as part:
        data = b"" if part is None else b"".join([chunk async for chunk in part.chunks])
    return replace(screen, text=data.decode("utf-8", "replace"))


async def _kept(visit: Visit, row: JobRow, output: OutputRow) -> tuple[Evidence | None, str]:
    """What was kept of it, and why that is not known."""
    try:
        return await evidence.kept(visit.call.parts, row, output), ""
    except errors.Failure as failure:
        log.warning("watch.no_evidence", job=row.id, output=output.id, code=failure.code)
        return None, failure.message


def _chosen(kept: Evidence | None, name: str | None) -> StreamEvidence | None:
    """The stream that is asked for; else the first, which is the best of a ladder."""
    streams = kept.streams if kept else ()
    return next((stream for stream in streams if stream.name == name), next(iter(streams), None))


def _screen(row: JobRow, output: OutputRow) -> Screen:
    made, plan = output.delivered, output.plan
    if made is None or plan is None:
        return Screen(why="There is nothing to watch yet: this output is not made.")
    if not made.uri.startswith(media.STORED):
        where = named(output.spec.destination) if output.spec.destination else made.uri
        return Screen(why=f"Delivered to {where}, which this server cannot read.")
    if plan.images is not None:
        return _pictures(row, output, made)
    address = _address(row, output, plan.opened_first or made.files[0])
    if plan.package is not None:
        return Screen(kind="package", address=address, type=_MANIFESTS[plan.package.kind])
    told = "text/vtt" if plan.container == "vtt" else media.shown_as(address)
    if told is None:
        return Screen(why=f"Browsers do not play {plan.container} files.", address=address)
    return Screen(kind=told.partition("/")[0], address=address, type=told)


def _pictures(row: JobRow, output: OutputRow, made: Delivered) -> Screen:
    found = [name for name in made.files if (media.shown_as(name) or "").startswith("image/")]
    shown = tuple(_address(row, output, name) for name in found[:MOST_PICTURES])
    return Screen(kind="pictures", pictures=shown, more=len(found) - len(shown), address=shown[0] if shown else "")


def _address(row: JobRow, output: OutputRow, name: str) -> str:
    return f"/ui/media/{row.id}/{output.id}/{quote(name)}"


def _source(row: JobRow) -> Screen:
    """The source itself, where it was brought to us and may be played."""
    if media.source_key(row) is None:
        return Screen(why=f"The source was read from {named(row.spec.source)} and is not kept here.")
    told = media.shown_as(row.label) or ""
    if not told.startswith("video/"):
        return Screen(why="Browsers do not play files such as the source.")
    return Screen(kind="video", address=f"/ui/media/{row.id}/source", type=told)


def _thumbnails(row: JobRow) -> str | None:
    """The cues of small pictures, if an output of the same job has made some that lie here."""
    for output in row.outputs:
        images = output.plan.images if output.plan else None
        if images is not None and images.cues and media.key_of(output, images.cues):
            return _address(row, output, images.cues)
    return None


def over_time(stream: StreamEvidence, seconds: float | None) -> OverTime | None:
    """For a table and a chart of a readable length; None where nothing is known. `seconds`: how long it is."""
    longest = max((len(series.bytes) for series in stream.series), default=0)
    if not longest:
        return None
    every = -(-longest // MOST_ROWS)
    step = stream.bin_seconds * every
    whole = min(seconds or longest * stream.bin_seconds, longest * stream.bin_seconds)
    columns = [[*_rates(series.bytes, every, step, whole)] for series in stream.series]
    finest = [_rates(series.bytes, 1, stream.bin_seconds, whole) for series in stream.series]
    counts = [0] * len(columns[0])
    for key in stream.keyframes:
        counts[min(int(key / step), len(counts) - 1)] += 1
    return OverTime(
        step=step,
        kinds=tuple(series.kind for series in stream.series),
        moments=tuple(
            Moment(seconds=place * step, rates=rates, keyframes=count)
            for place, (rates, count) in enumerate(zip(zip(*columns, strict=True), counts, strict=True))
        ),
        keyframes=stream.keyframes,
        mean=sum(sum(series.bytes) for series in stream.series) * 8 / 1000 / whole,
        peak=max(map(sum, zip(*finest, strict=True))),
        spacing=max((later - earlier for earlier, later in pairwise(stream.keyframes)), default=None),
    )


def _rates(carried: Sequence[int], every: int, step: float, whole: float) -> Iterator[float]:
    """Kilobits a second; the last stretch may be shorter than the others."""
    for at in range(0, len(carried), every):
        lasts = min(step, whole - at // every * step) if at + every >= len(carried) else step
        yield sum(carried[at : at + every]) * 8 / 1000 / max(lasts, step / 4)


def rate(kilobits: float) -> str:
    """Three digits that count: 820 kbit/s, 2.53 Mbit/s."""
    small = kilobits < 1000  # noqa: PLR2004
    return f"{kilobits if small else kilobits / 1000:.3g}\u202f{'kbit/s' if small else 'Mbit/s'}"


PAGES = (
    Page(
        method="GET",
        path="/ui/jobs/{id}/outputs/{outputId}/watch",
        handler=shown,
        query=(query.text("stream", "of a package, the rendition whose stills and bytes are shown"),),
    ),
    *media.PAGES,
)
