"""A folder of files on its way: what players find there is whole at every moment, or it is nothing that they play."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.files.roots import Roots
from encoder.model.content import CONTENT_TYPES
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.signer import Signer
from encoder.storage.folder import FolderStorage
from encoder.suites.cargo import Gate, noise
from encoder.worker.package import Package, pack
from encoder.worker.publish import AT_ONCE, TRIES, all_stand, discard
from tests.contracts.test_destinations import no_storage
from tests.lab.numbers import Growth
from tests.lab.packages import (
    KEY,
    MANIFESTS,
    SEGMENTS,
    Forgetful,
    files_below,
    made,
    missing,
    packaged,
    sending,
)
from tests.lab.put import Shelf, refusing_late, resetting
from tests.lab.wire import Exchange, Script, lab_web

URL = "http://127.77.0.1:8000/out"
PROBE = Path("/proc/self/fd")


@pytest.fixture
async def package(tmp_path: Path) -> Package:
    return await packaged(tmp_path / "made")


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    async with Shelf() as shelf:
        yield shelf


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where the storage keeps the folder of `stored`."""
    return tmp_path / "storage" / KEY


@pytest.fixture
def stored(tmp_path: Path) -> Destination:
    root = tmp_path / "storage"
    root.mkdir()
    storage = FolderStorage(root, public_url="http://127.0.0.1:8080", signer=Signer(b"lab"))
    return Destinations(Surroundings(), stored=storage.destination).make(None, KEY)


def on(shelf: Shelf) -> Destination:
    place: Place = {"kind": "http", "url": shelf.url("/hls/?token=SENTINEL")}
    return Destinations(Surroundings(web=lab_web()), stored=no_storage).make(place, KEY)


async def test_a_package_knows_its_files_what_they_are_and_which_come_last(package: Package) -> None:
    assert [item.piece.name for item in package.body] == sorted(SEGMENTS)
    assert [item.piece.name for item in package.manifests] == list(MANIFESTS)
    assert {item.content_type for item in package.body} == {"video/iso.segment"}
    assert {item.content_type for item in package.manifests} == {"application/vnd.apple.mpegurl"}
    assert package.size_bytes == sum(len(data) for data in made(package).values())
    listed = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(made(package).items()))
    assert package.sha256 == hashlib.sha256(listed.encode()).hexdigest()


async def test_a_link_among_the_files_is_not_followed(tmp_path: Path) -> None:
    """G4 of security.md: whoever took ffmpeg over may leave one to a file that the worker can read."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "master.m3u8").write_text("#EXTM3U\n")
    (folder / "0.m4s").symlink_to("/etc/passwd")
    with pytest.raises(errors.Permanent, match="output_invalid"):
        await pack(folder, manifests=["master.m3u8"])


@pytest.mark.parametrize("name", ["0.m4s\r\nDELE x", "a\\b", "%2e%2e%2fx", "\udcff"])
async def test_a_name_that_is_none_of_ours_goes_nowhere(name: str, tmp_path: Path) -> None:
    """G1 of security.md: an FTP server would take the first one for two commands."""
    folder = tmp_path / "made"
    folder.mkdir()
    for each in ("master.m3u8", name):
        (folder / each).write_bytes(b"")
    with pytest.raises(errors.Permanent, match="output_invalid"):
        await pack(folder, manifests=["master.m3u8"])


async def test_a_package_without_its_manifest_is_none(tmp_path: Path) -> None:
    with pytest.raises(errors.Permanent, match="output_invalid"):
        await pack(tmp_path, manifests=["master.m3u8"])


def test_every_kind_of_file_in_a_package_has_its_type() -> None:
    wanted = {".m3u8", ".mpd", ".m4s", ".mp4", ".ts", ".vtt", ".jpg", ".png", ".webp", ".json"}
    assert CONTENT_TYPES.keys() == wanted
    assert all(re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind) for kind in CONTENT_TYPES.values())


async def test_a_package_stands_whole_in_the_storage(package: Package, stored: Destination, kept: Path) -> None:
    gate, told = Gate(), list[int]()
    await sending(package, stored, gate=gate, told=told.append).send()
    assert files_below(kept) == made(package)
    assert stored.uri == f"storage:{KEY}"
    assert gate.asked == len(package.pieces)
    assert told[-1] == max(told) == package.size_bytes


async def test_a_package_stands_whole_on_a_server(package: Package, shelf: Shelf) -> None:
    await sending(package, on(shelf)).send()
    assert shelf.objects == {f"/hls/{name}": data for name, data in made(package).items()}
    assert {request.target.rpartition("?")[2] for request in shelf.seen} == {"token=SENTINEL"}
    assert "SENTINEL" not in on(shelf).uri
    types = {request.target: request.headers["content-type"] for request in shelf.seen}
    assert types["/hls/master.m3u8?token=SENTINEL"] == "application/vnd.apple.mpegurl"
    keys = [request.headers["idempotency-key"] for request in shelf.seen]
    assert len(set(keys)) == len(keys)


async def test_equal_files_of_a_package_are_not_taken_for_one(tmp_path: Path, shelf: Shelf) -> None:
    """Two seconds of silence are as good as any others: a server that goes by the key would else keep one of them."""
    folder = tmp_path / "silent"
    folder.mkdir()
    for name in ("0.m4s", "1.m4s"):
        (folder / name).write_bytes(bytes(1000))
    (folder / "master.m3u8").write_text("#EXTM3U\n0.m4s\n1.m4s\n")
    await sending(await pack(folder, manifests=["master.m3u8"]), on(shelf)).send()
    assert len({request.headers["idempotency-key"] for request in shelf.seen}) == 3


async def test_at_no_moment_does_a_playlist_name_what_is_not_there(package: Package, shelf: Shelf) -> None:
    moments: list[list[str]] = []

    async def fence() -> None:
        moments.append(missing({path.removeprefix("/hls/"): data for path, data in shelf.objects.items()}))

    shipment = sending(package, on(shelf))
    shipment.fence = fence
    await shipment.send()
    assert moments == [[]] * len(package.pieces)
    order = [request.target.partition("?")[0].removeprefix("/hls/") for request in shelf.seen]
    assert tuple(order[-len(MANIFESTS) :]) == MANIFESTS


async def test_four_files_go_at_a_time_and_their_connections_with_them(package: Package, shelf: Shelf) -> None:
    crowd = Crowd(shelf)
    shelf.faults = [crowd.taking] * len(SEGMENTS)
    await sending(package, on(shelf)).send()
    assert crowd.most == AT_ONCE
    assert shelf.objects.keys() == {f"/hls/{name}" for name in made(package)}


class Crowd:
    """Lets nobody go before as many have come as are expected, and counts them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._full = asyncio.Event()
        self._here = 0
        self.most = 0

    async def taking(self, exchange: Exchange) -> None:
        self._here += 1
        self.most = max(self.most, self._here)
        if self._here == AT_ONCE:
            self._full.set()
        await self._full.wait()
        self._shelf.objects[exchange.request.target.partition("?")[0]] = await exchange.body()
        self._here -= 1
        await exchange.answer(201)


@pytest.mark.parametrize("fault", [refusing_late(503), resetting(after=100_000)], ids=["503", "RST"])
async def test_a_file_that_fails_for_a_while_is_tried_again_and_no_other(
    package: Package, shelf: Shelf, fault: Script
) -> None:
    again = Growth("encoder_stage_retries_total", stage="deliver", code="destination_unavailable")
    told: list[int] = []
    shelf.faults = [fault] * (TRIES - 1)
    await sending(package, on(shelf), told=told.append).send()
    assert shelf.objects == {f"/hls/{name}": data for name, data in made(package).items()}
    assert told[-1] == package.size_bytes
    puts = [request for request in shelf.seen if request.method == "PUT"]
    assert len(puts) == len(package.pieces) + TRIES - 1
    assert again.now == TRIES - 1


async def test_a_failure_in_the_middle_leaves_no_manifest(package: Package, shelf: Shelf) -> None:
    async def forbidden(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(403)

    shelf.scripts["/hls/360p/3.m4s"] = forbidden
    with pytest.raises(errors.Permanent, match="destination_auth_failed"):
        await sending(package, on(shelf)).send()
    assert [path for path in shelf.objects if path.endswith(".m3u8")] == []


async def test_a_file_that_never_gets_through_leaves_no_manifest(package: Package, shelf: Shelf) -> None:
    shelf.scripts["/hls/360p/3.m4s"] = refusing_late(500)
    with pytest.raises(errors.Transient, match="destination_unavailable"):
        await sending(package, on(shelf)).send()
    assert [path for path in shelf.objects if path.endswith(".m3u8")] == []
    tries = [request for request in shelf.seen if request.target.startswith("/hls/360p/3.m4s")]
    assert [request.method for request in tries].count("PUT") == TRIES


async def test_a_lease_that_is_lost_in_the_middle_leaves_no_manifest_and_nothing_half(
    package: Package, stored: Destination, kept: Path
) -> None:
    gate = Gate()

    async def fence() -> None:
        await gate.fence()
        if gate.asked > 5:
            raise errors.LeaseLost

    shipment = sending(package, stored)
    shipment.fence = fence
    with pytest.raises(errors.LeaseLost):
        await shipment.send()
    assert all(name in SEGMENTS for name in files_below(kept))


async def test_a_cancelled_package_leaves_nothing_half_and_no_descriptor(
    package: Package, stored: Destination, kept: Path
) -> None:
    held = asyncio.Event()

    async def fence() -> None:
        held.set()
        await asyncio.Event().wait()

    shipment = sending(package, stored)
    shipment.fence = fence
    task = asyncio.create_task(shipment.send())
    await held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_below(kept) == {}
    assert not [link for link in PROBE.iterdir() if link.is_symlink() and "made" in str(link.readlink())]


@pytest.mark.parametrize("name", ["720p/2.m4s", "master.m3u8"])
async def test_what_stands_from_an_earlier_attempt_is_not_sent_again(
    name: str, package: Package, stored: Destination, kept: Path
) -> None:
    await sending(package, stored).send()
    (kept / name).write_bytes(b"another")
    before = {each: (kept / each).stat().st_ino for each in made(package)}
    told: list[int] = []
    await sending(package, stored, attempt="7-2", promised=frozenset(package.pieces), told=told.append).send()
    assert files_below(kept) == made(package)
    changed = [each for each, node in before.items() if (kept / each).stat().st_ino != node]
    assert changed == [name]
    assert told[-1] == package.size_bytes


async def test_what_nobody_promised_is_replaced_unseen(package: Package, stored: Destination, kept: Path) -> None:
    """The first attempt does not ask: reading all that stands there would cost as much as sending it."""
    await sending(package, stored).send()
    before = (kept / "master.m3u8").stat().st_ino
    await sending(package, stored, attempt="7-2").send()
    assert (kept / "master.m3u8").stat().st_ino != before


async def test_a_file_that_arrived_though_its_try_failed_is_not_sent_twice(
    package: Package, stored: Destination, kept: Path
) -> None:
    """The answer was lost: what stands is looked at before it is sent again."""
    gate = Gate()
    await sending(package, Forgetful(stored, set()), gate=gate).send()
    assert files_below(kept) == made(package)
    assert gate.asked == len(package.pieces)


async def test_a_package_stands_only_if_all_its_files_do(package: Package, stored: Destination, kept: Path) -> None:
    assert not await all_stand(package.pieces, stored)
    await sending(package, stored).send()
    assert await all_stand(package.pieces, stored)
    (kept / "360p" / "5.m4s").write_bytes(noise(300_000, seed=99))
    assert not await all_stand(package.pieces, stored)


async def test_a_server_that_tells_no_checksum_proves_nothing(package: Package, shelf: Shelf) -> None:
    await sending(package, on(shelf)).send()
    assert not await all_stand(package.pieces, on(shelf))


async def test_what_a_dead_attempt_left_half_written_is_found_by_its_names(
    package: Package, stored: Destination, kept: Path
) -> None:
    """L9 for packages: any of the files may have been on its way."""
    held = asyncio.Event()

    async def dying() -> None:
        held.set()
        await asyncio.Event().wait()

    shipment = sending(package, stored)
    shipment.fence = dying
    task = asyncio.create_task(shipment.send())
    await held.wait()
    left = {name: data for name, data in files_below(kept).items() if name.endswith(".part")}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for name, data in left.items():  # SIGKILL cleans up after nobody
        (kept / name).write_bytes(data)
    assert left
    await discard(package.pieces, stored, "7-2")
    assert files_below(kept).keys() == left.keys()
    await discard(package.pieces, stored, "7-1")
    assert files_below(kept) == {}


@pytest.mark.parametrize("kind", ["file", "http"])
async def test_a_package_needs_a_folder(kind: str, tmp_path: Path) -> None:
    """G1 of security.md: the path of a package, and of no single file, ends in a slash."""
    surroundings = Surroundings(web=lab_web(), roots=Roots(paths=[tmp_path]))
    destinations = Destinations(surroundings, stored=no_storage)
    file: Place = {"kind": "file", "path": f"{tmp_path}/out"}
    folder: Place = {"kind": "file", "path": f"{tmp_path}/out/"}
    if kind == "http":
        file, folder = {"kind": "http", "url": URL}, {"kind": "http", "url": f"{URL}/?sig=1"}
    else:  # an address may end in a slash and take a file nevertheless
        assert [fault.code for fault in destinations.check(folder)] == ["invalid_path"]
    assert destinations.check(folder, folder=True) == destinations.check(file) == []
    assert [fault.code for fault in destinations.check(file, folder=True)] == ["invalid_path"]
    with pytest.raises(errors.Permanent, match="invalid_path"):
        destinations.make(file, KEY)
    assert destinations.make(folder, KEY).within("a b/0.m4s").uri.endswith("/out/a%20b/0.m4s")
