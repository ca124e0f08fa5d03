"""Beside the delivery: what people may look at of a proven output, kept in the platform's own storage with the job.

It is no part of the proof: whatever goes wrong with it, the output stands, and it has an end in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.ffmpeg import codecs, stills
from encoder.ffmpeg.abilities import Abilities
from encoder.ffmpeg.launcher import Launcher
from encoder.files.threads import in_thread
from encoder.log import get_logger
from encoder.model import evidence
from encoder.model.base import replace
from encoder.model.evidence import Evidence, Series, Still, StreamEvidence
from encoder.model.media import Media, Opened
from encoder.model.plan import Loudness, Note, OutputPlan
from encoder.model.proof import Proof
from encoder.worker.context import Fetched, Proven, Run
from encoder.worker.package import pack, place_of
from encoder.worker.scratch import remove
from encoder.worker.shots import Album, Shots

log = get_logger(__name__)

LIMIT_S = 60.0  # for one output, once it is its turn
MOST_UNSEEN = 3  # outputs of an attempt: then it is tried for no more, so that a storage that is away holds no job up
_MOST_TOLD_BYTES = 64_000


class Witness:
    """Makes and keeps evidence. `kept_at`: the place of the platform's storage that a key means."""

    def __init__(
        self, ffmpeg: Launcher, *, abilities: Abilities, kept_at: Callable[[str], Destination], threads: int | None
    ) -> None:
        self._ffmpeg = ffmpeg
        self._abilities = abilities
        self._kept_at = kept_at
        self._threads = threads

    async def __call__(self, run: Run, source: Fetched, media: Media, proven: Proven) -> None:
        """Of images nothing is kept: they are what can be seen. Raises errors.LeaseLost, and nothing else."""
        if not proven.streams:
            return
        async with run.looking:
            if len(run.unseen) < MOST_UNSEEN and not await self._seen(run, source, media, proven):
                run.unseen.append(proven.made.output)

    async def _seen(self, run: Run, source: Fetched, media: Media, proven: Proven) -> bool:
        try:
            async with asyncio.timeout(LIMIT_S):
                album = Album()
                told = await self._told(run, source, media, proven, album)
                await self._keep(run, proven, told, album)
        except errors.LeaseLost:
            raise
        except (errors.Failure, OSError, ValueError) as error:
            log.warning("evidence.not_kept", job=run.job.id, output=proven.made.output, reason=repr(error))
            return False
        except Exception:  # a defect of what is only looked at must not cost the output
            log.exception("evidence.defect", job=run.job.id, output=proven.made.output)
            return False
        return True

    async def _told(self, run: Run, source: Fetched, media: Media, proven: Proven, album: Album) -> Evidence:
        plan = proven.made.plan
        pairs = [*zip(plan.streams, proven.streams, strict=True)]
        streams = [_over_time(stream, opened, proven.proof) for stream, opened in pairs]
        shown = [stream for stream, _ in pairs if stream.video is not None]
        if not shown:
            return Evidence(streams=tuple(streams))
        if stills.ENCODER not in self._abilities.encoders:
            note = Note(code="no_stills", message=f"This ffmpeg has no {stills.ENCODER} to make stills.")
            return Evidence(streams=tuple(streams), notes=(note,))
        shots = Shots(
            ffmpeg=self._ffmpeg,
            abilities=self._abilities,
            threads=self._threads,
            run=run,
            source=source.path,
            media=media,
            made=proven.made,
            size=stills.size_of(plan.streams, proven.streams),
            album=album,
        )
        for place, (stream, opened) in enumerate(pairs):
            if stream.video is not None:
                streams[place] = replace(streams[place], stills=await _taken(shots, stream, opened, proven.proof))
        return Evidence(
            streams=tuple(streams),
            pictures=album.extents,
            tone_map=stills.tone_map(shown[0]),
            notes=tuple(_notes(shown, streams)),
        )

    async def _keep(self, run: Run, proven: Proven, told: Evidence, album: Album) -> None:
        folder = run.folder / f"evidence-{proven.made.output}"
        destination = self._kept_at(evidence.prefix(run.job.uuid, proven.made.output) + "/")
        try:
            await in_thread(_write, folder, told, album)
            package = await pack(folder, manifests=(evidence.TOLD,))
            for item in (*package.body, *package.manifests):
                place = place_of(item.piece, destination)
                await place.publish(item.parcel(run.token), sent=lambda _: None, fence=run.ledger.fence)
        finally:
            remove(folder)
            await destination.close()


class Unwitnessed:
    """Nothing is kept: there is no storage of the platform's."""

    async def __call__(self, run: Run, source: Fetched, media: Media, proven: Proven) -> None: ...


async def _taken(shots: Shots, stream: OutputPlan, opened: Opened, proof: Proof) -> tuple[Still, ...]:
    try:
        return await shots.of(stream, opened, proof)
    except (errors.Failure, OSError, ValueError) as error:
        log.warning("evidence.no_stills", output=shots.made.output, stream=stream.name, reason=str(error))
        return ()


def _notes(shown: Sequence[OutputPlan], streams: Sequence[StreamEvidence]) -> list[Note]:
    pairs = [still for stream in streams for still in stream.stills]
    copied = any(stream.video is not None and stream.video.encoder == codecs.COPY for stream in shown)
    found = []
    if not pairs:
        found.append(Note(code="no_stills", message="No stills could be made; the output is proven all the same."))
    elif copied:
        message = "The picture is copied: its frames are the source's own, and shown once."
        found.append(Note(code="stills_of_copy", message=message))
    elif any(still.source is None for still in pairs):
        message = "Not all moments of the source could be reached in time; the output's own are shown."
        found.append(Note(code="no_source_stills", message=message))
    return found


def _over_time(stream: OutputPlan, opened: Opened, proof: Proof) -> StreamEvidence:
    media = opened.media
    kinds = {each.index: "video" for each in media.video} | {each.index: "audio" for each in media.audio}
    series = [(kinds.get(count.index, "subtitles"), count) for count in opened.counts]
    return StreamEvidence(
        name=stream.name,
        bin_seconds=next((count.bin_seconds for _, count in series), 1.0),
        series=tuple(Series(kind=kind, bytes=count.bin_bytes) for kind, count in series),
        keyframes=next((count.key_seconds for kind, count in series if kind == "video"), ()),
        loudness=_loudness(stream, proof),
    )


def _loudness(stream: OutputPlan, proof: Proof) -> tuple[Loudness, ...]:
    """As the check of that name measured it."""
    check = next(
        (each for each in proof.checks if each.name == "loudness" and (each.rendition or "") == stream.name), None
    )
    if check is None or not isinstance(check.measured, dict):
        return ()
    found = []
    for place in range(len(stream.sounds)):
        names = {name: f"{name}{place + 1 if place else ''}" for name in ("lufs", "rangeLu", "peakDbtp")}
        found.append(
            msgspec.convert({name: check.measured.get(numbered) for name, numbered in names.items()}, Loudness)
        )
    return tuple(found)


def _write(folder: Path, told: Evidence, album: Album) -> None:
    folder.mkdir()
    (folder / evidence.PICTURES).write_bytes(b"".join(album.pictures))
    said = msgspec.json.encode(told)
    while len(said) > _MOST_TOLD_BYTES:
        told = _coarser(told)
        said = msgspec.json.encode(told)
    (folder / evidence.TOLD).write_bytes(said)


def _coarser(told: Evidence) -> Evidence:
    """With half as many values over time."""
    return replace(told, streams=tuple(map(_halved, told.streams)))


def _halved(stream: StreamEvidence) -> StreamEvidence:
    return replace(
        stream,
        bin_seconds=stream.bin_seconds * 2,
        series=tuple(replace(each, bytes=_summed(each.bytes)) for each in stream.series),
        keyframes=stream.keyframes[::2],
    )


def _summed(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(values[at : at + 2]) for at in range(0, len(values), 2))
