"""A folder of files on its way: what players find there is whole at every moment, or it is nothing that they play."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from encoder import errors
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.destinations.registry import Destinations
from encoder.files.roots import Roots
from encoder.model.base import replace
from encoder.model.job import Place
from encoder.model.media import Opened
from encoder.model.proof import Proof
from encoder.model.result import Intent, Piece, Timings
from encoder.model.state import OutputState
from encoder.plugins import Surroundings
from encoder.storage.folder import FolderStorage
from encoder.store.postgres import PostgresStore
from encoder.store.rows import OutputRow
from encoder.suites.cargo import Gate, noise
from encoder.worker.context import Made, Proven, Run
from encoder.worker.deliver import Account, Deliver, find_published
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.metrics import Tally, Transfers
from encoder.worker.package import CONTENT_TYPES, Package, pack
from encoder.worker.publish import AT_ONCE, TRIES, Shipment, all_stand, discard
from tests.contracts.test_destinations import no_storage
from tests.lab import facts, work
from tests.lab.put import Shelf, refusing_late, resetting
from tests.lab.wire import Exchange, Script, lab_web

KEY = "jobs/0191b2c4-0000-7000-8000-000000000000/0/"
MANIFESTS = ("720p.m3u8", "360p.m3u8", "master.m3u8")
SEGMENTS = tuple(f"{height}/{number}.m4s" for height in ("720p", "360p") for number in range(6))
URL = "http://127.77.0.1:8000/out"
PROBE = Path("/proc/self/fd")


@pytest.fixture
async def package(tmp_path: Path) -> Package:
    """Two renditions of six segments each, their playlists, and the one that names those."""
    folder = tmp_path / "made"
    for seed, name in enumerate(SEGMENTS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(noise(300_000, seed=seed))
    for height in ("720p", "360p"):
        (folder / f"{height}.m3u8").write_text("#EXTM3U\n" + "\n".join(f"{height}/{n}.m4s" for n in range(6)))
    (folder / "master.m3u8").write_text("#EXTM3U\n720p.m3u8\n360p.m3u8\n")
    return await pack(folder, manifests=MANIFESTS)


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
    storage = FolderStorage(root, public_url="http://127.0.0.1:8080", link_secret=b"lab")
    return Destinations(Surroundings(), stored=storage.destination).make(None, KEY)


def on(shelf: Shelf) -> Destination:
    place: Place = {"kind": "http", "url": shelf.url("/hls/?token=SENTINEL")}
    return Destinations(Surroundings(web=lab_web()), stored=no_storage).make(place, KEY)


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
        tally=tally or counted()[1],
        uniform=lambda _low, _high: 0.0,
    )


def counted() -> tuple[CollectorRegistry, Tally]:
    registry = CollectorRegistry()
    return registry, Tally(Transfers(registry, clock=lambda: 0.0), "out", "http")


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(package: Package) -> dict[str, bytes]:
    return {item.piece.name: item.path.read_bytes() for item in (*package.body, *package.manifests)}


def missing(there: Mapping[str, bytes]) -> list[str]:
    """What a player would miss: all that a playlist names, and that is not there."""
    playlists = [data.decode() for name, data in there.items() if name.endswith(".m3u8")]
    named = {line for text in playlists for line in text.splitlines() if not line.startswith("#")}
    return sorted(named - there.keys())


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
    registry, tally = counted()
    told: list[int] = []
    shelf.faults = [fault] * (TRIES - 1)
    await sending(package, on(shelf), tally=tally, told=told.append).send()
    assert shelf.objects == {f"/hls/{name}": data for name, data in made(package).items()}
    assert told[-1] == package.size_bytes
    puts = [request for request in shelf.seen if request.method == "PUT"]
    assert len(puts) == len(package.pieces) + TRIES - 1
    labels = {"direction": "out", "kind": "http"}
    assert registry.get_sample_value("encoder_transfer_retries_total", labels) == TRIES - 1
    failures = registry.get_sample_value(
        "encoder_transfer_failures_total", labels | {"code": "destination_unavailable"}
    )
    assert failures == TRIES - 1


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


class Forgetful:
    """Publishes each file, and breaks off before it says so the first time."""

    def __init__(self, inner: Destination, broke: set[str]) -> None:
        self._inner = inner
        self._broke = broke
        self.uri = inner.uri

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


async def test_all_that_a_package_promises_is_written_down_before_the_first_byte_leaves(
    package: Package, stored: Destination, kept: Path, store: PostgresStore
) -> None:
    run = await begun(store)
    transfers = Transfers(CollectorRegistry(), clock=lambda: 0.0)
    deliver = Deliver(transfers, clock=lambda: 0.0, uniform=lambda _low, _high: 0.0)
    at_first_byte: list[OutputRow] = []

    class Watched(Forgetful):
        async def publish(
            self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
        ) -> Receipt:
            if not at_first_byte:
                at_first_byte.extend((await run.ledger.load()).outputs)
            return await super().publish(parcel, sent=sent, fence=fence)

    account = Account(queued=1.0, fetch=2.0)
    await deliver(run, a_proven(package), Watched(stored, set()), account, kind="storage")
    assert files_below(kept) == made(package)
    assert at_first_byte[0].intent is not None
    assert at_first_byte[0].intent.pieces == package.pieces
    assert at_first_byte[0].delivered is None
    (row,) = (await run.ledger.load()).outputs
    assert row.state is OutputState.UPLOADED
    assert row.delivered is not None
    assert row.delivered.uri == f"storage:{KEY}"
    assert (row.delivered.size_bytes, row.delivered.sha256) == (package.size_bytes, package.sha256)
    assert row.delivered.files == (*sorted(SEGMENTS), *MANIFESTS)
    assert row.timings == Timings(queued=1.0, fetch=2.0, encode=3.0, verify=4.0, upload=0.0)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_package_that_an_attempt_published_and_did_not_record_is_found(
    whole: bool, package: Package, stored: Destination, kept: Path, store: PostgresStore
) -> None:
    """L11 for packages: with one file missing it is made again."""
    run = await begun(store)
    intent = Intent(token="7-0", promised=work.made(0), pieces=package.pieces)
    await run.ledger.mark(work.change(0, OutputState.UPLOADING, intent=intent))
    await sending(package, stored).send()
    if not whole:
        (kept / SEGMENTS[3]).unlink()
    (row,) = (await run.ledger.load()).outputs
    assert await find_published(run, row, stored) is whole
    (row,) = (await run.ledger.load()).outputs
    assert (row.state, row.delivered) == (
        (OutputState.UPLOADED, work.made(0)) if whole else (OutputState.UPLOADING, None)
    )


async def begun(store: PostgresStore) -> Run:
    """A run whose one output was encoded."""
    _, claim = await work.working(store)
    held = Held(claim, sent_at=0.0)
    ledger = Ledger(store, held, uniform=lambda _low, _high: 0.0)
    for state in (OutputState.ENCODING, OutputState.VERIFYING):
        await ledger.mark(work.change(0, state))
    job = await ledger.load()
    return Run(held=held, ledger=ledger, job=job, spec=job.spec, folder=Path(), outputs=job.outputs, token="7-1")


def a_proven(package: Package) -> Proven:
    plan = replace(facts.planned(facts.source(), facts.spec()), package=True)
    made = Made(plan=plan, path=Path(), command=(), log="", seconds=3.0)
    opened = Opened(media=facts.source(), counts=())
    return Proven(made=made, proof=Proof(checks=()), package=package, seconds=4.0, opened=opened)


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
