"""Packages to send, and eyes on what stands of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from encoder import errors
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.metrics.transfer import Tally
from encoder.model.result import Piece
from encoder.suites.cargo import Gate, noise
from encoder.worker.package import Package, pack
from encoder.worker.publish import Shipment

KEY = "jobs/0191b2c4-0000-7000-8000-000000000000/0/"
MANIFESTS = ("720p.m3u8", "360p.m3u8", "master.m3u8")
SEGMENTS = tuple(f"{height}/{number}.m4s" for height in ("720p", "360p") for number in range(6))


async def packaged(folder: Path) -> Package:
    """Two renditions of six segments each, their playlists, and the one that names those."""
    for seed, name in enumerate(SEGMENTS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(noise(300_000, seed=seed))
    for height in ("720p", "360p"):
        (folder / f"{height}.m3u8").write_text("#EXTM3U\n" + "\n".join(f"{height}/{n}.m4s" for n in range(6)))
    (folder / "master.m3u8").write_text("#EXTM3U\n720p.m3u8\n360p.m3u8\n")
    return await pack(folder, manifests=MANIFESTS)


def sending(
    package: Package,
    destination: Destination,
    *,
    attempt: str = "7-1",
    promised: frozenset[Piece] = frozenset(),
    gate: Gate | None = None,
    told: Callable[[int], None] = lambda _done: None,
    tally: Tally | None = None,
) -> Shipment:
    return Shipment(
        package=package,
        destination=destination,
        token=attempt,
        promised=promised,
        fence=(gate or Gate()).fence,
        told=told,
        stopping=lambda: False,
        tally=tally or Tally("out", "http"),
        uniform=lambda _low, _high: 0.0,
    )


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(package: Package) -> dict[str, bytes]:
    return {item.piece.name: item.path.read_bytes() for item in (*package.body, *package.manifests)}


def missing(there: Mapping[str, bytes]) -> list[str]:
    """What a player would miss: all that a playlist names, and that is not there."""
    playlists = [data.decode() for name, data in there.items() if name.endswith(".m3u8")]
    named = {line for text in playlists for line in text.splitlines() if not line.startswith("#")}
    return sorted(named - there.keys())


class Forgetful:
    """Publishes each file, and breaks off before it says so the first time."""

    def __init__(self, inner: Destination, broke: set[str]) -> None:
        self._inner = inner
        self._broke = broke
        self.uri = inner.uri
        self.tells_sha256 = inner.tells_sha256

    def within(self, name: str) -> Destination:
        return type(self)(self._inner.within(name), self._broke)

    async def look(self) -> Receipt | None:
        return await self._inner.look()

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        receipt = await self._inner.publish(parcel, sent=sent, fence=fence)
        if self.uri in self._broke:
            return receipt
        self._broke.add(self.uri)
        raise errors.Transient("destination_unavailable", "The answer was lost.")

    async def discard(self, token: str) -> None:
        await self._inner.discard(token)

    async def close(self) -> None:
        await self._inner.close()
