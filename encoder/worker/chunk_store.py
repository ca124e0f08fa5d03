"""Where the tasks of a job meet: the platform's storage, in which one leaves for the others what they need of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.files.threads import in_thread
from encoder.log import get_logger
from encoder.metrics.transfer import Transfers
from encoder.model.chunk import ChunkFile, ChunkMade
from encoder.model.chunk_work import BesideFile, place_of_beside, place_of_job, place_of_source
from encoder.model.plan import OutputPlan
from encoder.model.result import Piece
from encoder.queue.backoff import Uniform
from encoder.sources.protocol import Source
from encoder.worker.context import Run
from encoder.worker.fetch import Fetch
from encoder.worker.package import Item, Package, digest, item_of
from encoder.worker.publish import Shipment, all_stand

log = get_logger(__name__)

SCHEME = "storage"  # as metrics call it
SOURCE = "source"  # what it is called in the folder of a run
CONTENT_TYPE = "application/octet-stream"


class Shelf(Protocol):
    """What of the platform's storage is needed."""

    def destination(self, key: str) -> Destination: ...

    def source(self, key: str) -> Source: ...

    async def remove(self, prefix: str) -> int: ...


class Missing(Exception):
    """It does not lie there, or is no longer what was put there."""


class ChunkStore:
    """Of one worker."""

    def __init__(self, shelf: Shelf, fetch: Fetch, transfers: Transfers, *, uniform: Uniform) -> None:
        self._shelf = shelf
        self._fetch = fetch
        self._transfers = transfers
        self._uniform = uniform

    async def put(self, run: Run, place: str, items: Sequence[Item]) -> None:
        """Leave files below `place`: each whole, and read back as it was sent.

        Raises:
            errors.LeaseLost: the task is somebody else's by now; what is not there yet does not appear.
            errors.Failure: what the storage says, after five tries.
        """
        destination = self._shelf.destination(f"{place}/")
        try:
            with self._transfers.transfer("out", SCHEME) as tally:
                shipment = Shipment(
                    package=Package(body=tuple(items), manifests=()),
                    destination=destination,
                    token=run.token,
                    promised=frozenset(),
                    fence=run.ledger.fence,
                    told=lambda _done: None,
                    stopping=lambda: run.held.ending is not None,
                    tally=tally,
                    uniform=self._uniform,
                )
                await shipment.send()
        finally:
            await destination.close()
        run.held.account.bytes_out += sum(item.piece.size_bytes for item in items)

    async def take(self, run: Run, place: str, piece: Piece, path: Path) -> None:
        """A file that was left below `place`, into the new file `path`.

        Raises:
            Missing: it is to be made again.
            errors.Failure: the storage is away, or the disk is full.
        """
        try:
            await self._fetch(
                self._shelf.source(f"{place}/{piece.name}"), path, kind=SCHEME, told=lambda _have, _size: None
            )
            found = await in_thread(_facts, path)
        except errors.Permanent as failure:
            raise Missing(failure.code) from failure
        run.held.account.bytes_in += piece.size_bytes
        if found != (piece.size_bytes, piece.sha256):
            await in_thread(path.unlink)
            raise Missing("integrity_error")

    async def stands(self, made: ChunkMade) -> bool:
        """Whether all files of a chunk lie where its task has put them. Raises as `take`, but for Missing."""
        destination = self._shelf.destination(f"{made.folder}/")
        try:
            return await all_stand(map(piece_of, made.files), destination)
        finally:
            await destination.close()

    async def put_beside(self, run: Run, files: Sequence[BesideFile], *, key: str) -> None:
        """What lies beside the source in this run's folder. Raises as `put`."""
        if files:
            items = [await in_thread(item_of, run.folder, file.name) for file in files]
            await self.put(run, place_of_beside(run.job.uuid, key), items)

    async def put_source(self, run: Run, path: Path, *, key: str) -> None:
        """The source itself. Raises as `put`."""
        item = await in_thread(item_of, path.parent, path.name)
        await self.put(run, place_of_source(run.job.uuid, key), [item])

    def source(self, run: Run, *, key: str) -> Source:
        """Reads it there."""
        return self._shelf.source(f"{place_of_source(run.job.uuid, key)}/{SOURCE}")

    async def take_beside(
        self, run: Run, files: Sequence[BesideFile], plans: Iterable[OutputPlan], *, key: str
    ) -> None:
        """What these outputs need beside the source, into this run's folder.

        Raises:
            errors.Transient: `storage_unavailable`, also where it is gone.
        """
        named = {name for plan in plans for name in names_beside(plan)}
        for file in files:
            if file.name in named:
                piece = Piece(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
                try:
                    await self.take(run, place_of_beside(run.job.uuid, key), piece, run.folder / file.name)
                except Missing as missing:
                    told = f"What lies beside the source is gone from the storage: {missing}."
                    raise errors.Transient("storage_unavailable", told) from missing

    async def clear(self, job: UUID) -> None:
        """Nobody needs any of it any more. What cannot be removed now is left to retention."""
        try:
            count = await self._shelf.remove(place_of_job(job))
        except errors.Failure as failure:
            log.warning("chunks.not_cleared", code=failure.code)
        else:
            log.info("chunks.cleared", objects=count)


def piece_of(file: ChunkFile) -> Piece:
    """What a file of a chunk is in the storage, below the place of its chunk."""
    return Piece(name=f"{file.output}/{file.name or 'picture'}", size_bytes=file.size_bytes, sha256=file.sha256)


def item_from(file: ChunkFile, path: Path) -> Item:
    return Item(piece=piece_of(file), path=path, content_type=CONTENT_TYPE)


async def beside(folder: Path, plans: Iterable[OutputPlan]) -> tuple[BesideFile, ...]:
    """What these outputs need beside their source, as it lies in `folder`."""
    names = sorted({name for plan in plans for name in names_beside(plan)})
    pieces = [(await in_thread(item_of, folder, name)).piece for name in names]
    return tuple(BesideFile(name=piece.name, size_bytes=piece.size_bytes, sha256=piece.sha256) for piece in pieces)


def names_beside(plan: OutputPlan) -> Iterator[str]:
    """The files that an output needs beside its source."""
    for stream in plan.streams:
        video = stream.video
        if video is not None and video.watermark is not None:
            yield video.watermark.file
        if video is not None and video.burnt is not None and video.burnt.script is not None:
            yield video.burnt.script.file
            if video.burnt.file is not None:
                yield video.burnt.file
        for text in stream.subtitles:
            yield from (text.script.file, text.file)


def _facts(path: Path) -> tuple[int, str]:
    return path.stat().st_size, digest(path)
