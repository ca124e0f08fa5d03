"""Attempts at an output that is a package: what each writes down, and what the next one finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.destinations.registry import Destinations
from encoder.metrics.transfer import Transfers
from encoder.model.base import replace
from encoder.model.media import Opened
from encoder.model.plan import PackagePlan
from encoder.model.proof import Proof
from encoder.model.result import Intent, Timings
from encoder.model.state import OutputState
from encoder.plugins import Surroundings
from encoder.signer import Signer
from encoder.sources.registry import Sources
from encoder.storage.folder import FolderStorage
from encoder.store.postgres import PostgresStore
from encoder.store.rows import OutputRow
from encoder.worker.context import Made, Proven, Run
from encoder.worker.deliver import Account, Deliver, find_published
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.package import Package
from encoder.worker.places import Places
from tests.lab import facts, shares, work
from tests.lab.packages import KEY, MANIFESTS, SEGMENTS, Forgetful, files_below, made, packaged, sending

HLS = PackagePlan(kind="hls", segment_frames=150, segment_seconds="5/1", playlist_name="master.m3u8")


@pytest.fixture
async def package(tmp_path: Path) -> Package:
    return await packaged(tmp_path / "made")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where the storage keeps the folder of `stored`."""
    return tmp_path / "storage" / KEY


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    root = tmp_path / "storage"
    root.mkdir()
    return FolderStorage(root, public_url="http://127.0.0.1:8080", signer=Signer(b"lab"))


@pytest.fixture
def stored(storage: FolderStorage) -> Destination:
    return storage.destination(KEY)


def kept_by(run: Run) -> Ledger:
    assert isinstance(run.ledger, Ledger)
    return run.ledger


async def test_all_that_a_package_promises_is_written_down_before_the_first_byte_leaves(
    package: Package, stored: Destination, kept: Path, store: PostgresStore
) -> None:
    run = await begun(store)
    transfers = Transfers(clock=lambda: 0.0)
    deliver = Deliver(transfers, clock=lambda: 0.0, uniform=lambda _low, _high: 0.0)
    at_first_byte: list[OutputRow] = []

    class Watched(Forgetful):
        async def publish(
            self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
        ) -> Receipt:
            if not at_first_byte:
                at_first_byte.extend((await kept_by(run).load()).outputs)
            return await super().publish(parcel, sent=sent, fence=fence)

    account = Account(queued=1.0, fetch=2.0)
    await deliver(run, a_proven(package), Watched(stored, set()), account, kind="storage")
    assert files_below(kept) == made(package)
    assert at_first_byte[0].intent is not None
    assert at_first_byte[0].intent.pieces == package.pieces
    assert at_first_byte[0].delivered is None
    (row,) = (await kept_by(run).load()).outputs
    assert row.state is OutputState.UPLOADED
    assert row.delivered is not None
    assert row.delivered.uri == f"storage:{KEY}"
    assert (row.delivered.size_bytes, row.delivered.sha256) == (package.size_bytes, package.sha256)
    assert row.delivered.files == (*sorted(SEGMENTS), *MANIFESTS)
    assert row.timings == Timings(queued=1.0, fetch=2.0, encode=3.0, verify=4.0, upload=0.0, encode_cpu=6.0)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_package_that_an_attempt_published_and_did_not_record_is_found(
    whole: bool, package: Package, stored: Destination, kept: Path, store: PostgresStore
) -> None:
    """L11 for packages: with one file missing it is made again."""
    run = await begun(store)
    intent = Intent(token=run.token, promised=work.made(0), pieces=package.pieces)
    await run.ledger.mark(work.change(0, OutputState.UPLOADING, intent=intent))
    await sending(package, stored).send()
    if not whole:
        (kept / SEGMENTS[3]).unlink()
    (row,) = (await kept_by(run).load()).outputs
    assert await find_published(run, row, stored) is whole
    (row,) = (await kept_by(run).load()).outputs
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
    job, token = await ledger.load(), f"{claim.task_id}-{claim.epoch}"
    return Run(
        held=held,
        ledger=ledger,
        job=job,
        spec=job.spec,
        folder=Path(),
        share=shares.ample(Path()),
        outputs=job.outputs,
        token=token,
    )


def a_proven(package: Package) -> Proven:
    plan = replace(facts.planned(facts.source(), facts.spec()), package=HLS)
    made = Made(plan=plan, path=Path(), command=(), log="", seconds=3.0, cpu_seconds=6.0)
    opened = Opened(media=facts.source(), counts=())
    return Proven(made=made, proof=Proof(checks=()), package=package, seconds=4.0, opened=opened)


async def test_a_package_has_a_folder_of_the_storage_to_itself_and_lets_go_of_it(
    storage: FolderStorage, store: PostgresStore
) -> None:
    run, closed = await begun(store), list[str]()

    class Noting(Forgetful):
        async def close(self) -> None:
            closed.append(self.uri)

    destinations = Destinations(Surroundings(), stored=lambda key: Noting(storage.destination(key), set()))
    places = Places(sources=Sources(Surroundings()), destinations=destinations)
    plan = facts.planned(facts.source(), facts.spec())
    for package, end in ((HLS, "0/"), (None, "0.mp4")):
        async with places.destination(run, replace(plan, package=package)) as destination:
            assert destination.uri == f"storage:jobs/{run.job.uuid}/{end}"
            assert closed == []
        assert closed == [destination.uri]
        closed.clear()
    assert places.destination_label(run, plan) == "storage"
