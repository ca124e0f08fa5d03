"""A chunk: a part of the picture of some outputs, encoded and proven by itself, on any worker that has the source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path

from encoder.errors import Defect
from encoder.ffmpeg import chunks, closing, command, joint, launcher
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Exit, Launcher, Progress, Reason
from encoder.ffmpeg.probe import reopen
from encoder.files.threads import in_thread
from encoder.model.chunk import Chunk, ChunkFile, ChunkMade
from encoder.model.ids import OutputId
from encoder.model.media import Media, Opened, StreamCount
from encoder.model.plan import OutputPlan, Pass, Plan, VideoPlan
from encoder.store.rows import Live, OutputChange
from encoder.worker import progress
from encoder.worker.context import Fetched, Run
from encoder.worker.encode import limits_for, rename
from encoder.worker.encoded import Encoded
from encoder.worker.package import digest

Files = dict[tuple[int, str], Path]  # by output and rendition

_NEAR = 0.25  # of a frame: what a time in milliseconds may be off


def as_it_is(live: Live) -> Live:
    return live


class EncodeChunk:
    """Makes chunks. `threads`: per ffmpeg, None for as many as there are cores; `by_descriptor`: it has `fd`."""

    def __init__(
        self, ffmpeg: Launcher, *, by_descriptor: bool, threads: int | None, clock: Callable[[], float]
    ) -> None:
        self._ffmpeg = ffmpeg
        self._by_descriptor = by_descriptor
        self._threads = threads
        self._clock = clock

    async def __call__(
        self,
        run: Run,
        source: Fetched,
        media: Media,
        plan: Plan,
        chunk: Chunk,
        *,
        shown: Callable[[Live], Live] = as_it_is,
    ) -> tuple[ChunkMade, Files]:
        """One decode for all outputs and renditions of `chunk`; its files lie in the folder of the run.

        `shown`: how what is told of the chunk is told of its outputs.

        A chunk that failed its proof tells so by `problem`. `frames_decoded` and `decode_errors` are of the source.

        Raises:
            errors.Failure: ffmpeg gave no chunk.
        """
        pieces, one_pass = chunks.part(plan, media, chunk)
        keys = chunks.streams(plan, chunk)
        files = {number: run.folder / joint.file_name(chunk, *key) for number, key in enumerate(keys)}
        for path in files.values():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = self._clock()
        exits, first_frame_seconds = await self._encoded(run, source, chunk, (pieces, one_pass), files, shown)
        opened = [await self._reopened(run, files[piece.output]) for piece in pieces.outputs]
        told = closing.read_closing(exits[-1].log)
        read = told.source(_video(pieces.outputs[0]).source_index)
        problems = (fault(piece, found, chunk) for piece, found in zip(pieces.outputs, opened, strict=True))
        unread = None if read and told.counted is not None else f"What chunk {chunk.place} decoded was not told."
        made = ChunkMade(
            chunk=chunk,
            files=tuple(
                [
                    await _told(key, piece, files[piece.output], found)
                    for key, piece, found in zip(keys, pieces.outputs, opened, strict=True)
                ]
            ),
            frames_decoded=told.counted or 0,
            decode_errors=read.errors if read else 0,
            cpu_seconds=sum(each.cpu_seconds for each in exits),
            seconds=self._clock() - begun,
            peak_memory_bytes=max((each.peak_memory_bytes or 0 for each in exits), default=0) or None,
            first_frame_seconds=first_frame_seconds,
            problem=next((why for why in (*problems, unread) if why), ""),
            letters=closing.letters_without_font(exits[-1].log),
        )
        return made, {key: files[number] for number, key in enumerate(keys)}

    async def _encoded(
        self,
        run: Run,
        source: Fetched,
        chunk: Chunk,
        planned: tuple[Plan, Pass],
        files: Mapping[int, Path],
        shown: Callable[[Live], Live],
    ) -> tuple[list[Exit], float | None]:
        """The runs of ffmpeg that make it, one or two; and how long it took to the first frame."""
        plan, one_pass = planned
        opened = input_options(None if self._by_descriptor else source.path)
        first = command.first(plan, one_pass, threads=self._threads, source_args=opened)
        argv = command.build(plan, one_pass, files=files, threads=self._threads, source_args=opened)
        runs = [argv] if first is None else [first, argv]
        outputs = tuple(map(OutputId, chunk.outputs))
        run.encoded.extend(outputs)
        counted, exits = Encoded(plan.outputs, clock=self._clock), list[Exit]()
        begun = self._clock()
        for place, args in enumerate(runs):
            last = place + 1 == len(runs)

            def told(now: Progress, place: int = place, *, last: bool = last) -> None:
                live = progress.chunk(plan.outputs[0], now, self._clock() - begun, run=place, runs=len(runs))
                for output in outputs:
                    run.held.tell(output, shown(live))
                if last:
                    counted.goes_on(now)

            ended = await self._ffmpeg.run(
                args,
                folder=run.folder,
                leash=run.held.leash,
                limits=limits_for(plan.outputs, source.size_bytes),
                source=source.path,
                on_progress=told,
                on_birth=partial(run.held.hear, outputs),
            )
            if ended.reason is not Reason.OK:
                await run.ledger.mark(*(OutputChange(id=output, log=ended.log) for output in outputs))
                raise launcher.classify(ended)
            exits.append(ended)
            if not last:
                rename(run.folder, command.pass_logs(plan, one_pass))
        counted.ended(exits)
        shown_at = counted.first_frame_at
        return exits, None if shown_at is None else shown_at - begun

    async def _reopened(self, run: Run, path: Path) -> Opened:
        return await reopen(self._ffmpeg, path, muxer="mp4", folder=run.folder, leash=run.held.leash)


def fault(piece: OutputPlan, opened: Opened, chunk: Chunk) -> str | None:
    """Why a file is not the chunk that was planned; None: it is, to the frame."""
    video, counts = _video(piece), opened.counts
    if len(counts) != 1:
        return f"Chunk {chunk.place} has {len(counts)} streams."
    count, late = counts[0], late_frames(piece, counts[0])
    if not count.begins_with_key or count.first_is_idr is False:
        return f"Chunk {chunk.place} does not begin with a picture that needs none before it."
    if late and chunk.place:
        return f"Chunk {chunk.place} begins {late} frames too late."
    lasts = (count.end_pts_seconds or 0.0) - (count.first_pts_seconds or 0.0)
    even = abs(lasts * Fraction(video.rate) - count.shown) <= _NEAR
    if count.shown != count.packets or count.dts_faults or count.pts_twice or not even:
        return f"The {count.packets} frames of chunk {chunk.place} do not lie one after the other."
    if chunk.end_seconds is None:
        right = video.frames is None or abs(count.shown - video.frames) <= video.frames_limit
        return None if right else f"Chunk {chunk.place} has {count.shown} frames, not {video.frames}."
    planned = (Fraction(chunk.end_seconds) - Fraction(chunk.start_seconds)) * Fraction(video.rate)
    return None if count.shown + late == planned else f"Chunk {chunk.place} has {count.shown} frames, not {planned}."


def late_frames(piece: OutputPlan, count: StreamCount) -> int:
    """How many frames of the grid pass in a chunk before its first one."""
    return round(Fraction(count.first_pts_seconds or 0.0) * Fraction(_video(piece).rate))


async def _told(key: tuple[int, str], piece: OutputPlan, path: Path, opened: Opened) -> ChunkFile:
    count = opened.counts[0]
    return ChunkFile(
        output=key[0],
        name=key[1],
        size_bytes=opened.media.size_bytes,
        sha256=await in_thread(digest, path),
        frames=count.shown,
        extradata=count.setup_sha256,
        late_frames=late_frames(piece, count),
    )


def _video(piece: OutputPlan) -> VideoPlan:
    if piece.video is None:
        raise Defect("a chunk without a picture")
    return piece.video
