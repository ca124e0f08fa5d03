"""Files only under the roots, whatever the path, the links in it, or what happens between check and use."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from encoder import errors
from encoder.destinations.file import FileDestination
from encoder.destinations.registry import Destinations
from encoder.files.roots import Roots, Spot
from encoder.model.job import Place
from encoder.model.paths import part_name
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.suites.cargo import Gate, parcel, read
from encoder.suites.destination import nothing
from tests.contracts.test_destinations import no_storage

KEY = "jobs/0191b2c4/0.mp4"


class Ground:
    """A root with a file in it, a neighbour outside, and links between them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.outside = folder / "rootless"
        for place in (self.root, self.outside):
            place.mkdir()
            (place / "in.mov").write_bytes(b"media")
        (self.root / "link.mov").symlink_to(self.outside / "in.mov")
        (self.root / "inner.mov").symlink_to(self.root / "in.mov")
        (self.root / "away").symlink_to(self.outside)
        surroundings = Surroundings(roots=Roots(paths=[self.root, Path("/nonexistent")]))
        self.sources = Sources(surroundings)
        self.destinations = Destinations(surroundings, stored=no_storage)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def place(path: object) -> Place:
    return {"kind": "file", "path": str(path)}


def forbidden(ground: Ground) -> Iterator[str]:
    root = ground.root
    yield from (f"{root}/../rootless/in.mov", f"{root}/a/../../rootless/in.mov", f"{root}/%2e%2e/rootless/in.mov")
    yield from (f"{root}/link.mov", f"{root}/inner.mov", f"{root}/away/in.mov", f"{root}/in.mov/deeper")
    yield from (
        str(ground.outside / "in.mov"),
        "/etc/passwd",
        "in.mov",
        str(root),
        f"{root}/",
        "/",
        "",
        f"/{root}/in.mov",
    )


def test_a_path_out_of_the_roots_is_a_fault_of_that_member(ground: Ground) -> None:
    """G7 of security.md"""
    for path in forbidden(ground):
        for registry in (ground.sources, ground.destinations):
            faults = registry.check(place(path))
            assert [(fault.path, fault.code) for fault in faults] in (
                [("/path", "path_not_allowed")],
                [("/path", "invalid_path")],
            ), path


def test_a_path_under_a_root_is_in_order_even_while_nothing_is_there(ground: Ground) -> None:
    for path in ("in.mov", "later/in.mov", "{uuid}/{width}.mp4"):
        assert ground.destinations.check(place(ground.root / path)) == []
    assert ground.sources.check(place(ground.root / "later.mov")) == []
    assert ground.sources.check(place("/nonexistent/in.mov")) == []


@pytest.mark.parametrize("way", ["{}", "{}/out.mp4"])
def test_a_name_that_no_disk_takes_is_refused_before_anything_is_encoded(ground: Ground, way: str) -> None:
    longest, longer = (f"{ground.root}/{way.format('ü' * 127 + end)}" for end in ("n", "nn"))
    assert ground.destinations.check(place(longest)) == []
    [fault] = ground.destinations.check(place(longer))
    assert (fault.path, fault.code) == ("/path", "invalid_path")


def test_without_roots_there_are_no_files() -> None:
    """G7 of security.md"""
    faults = Sources(Surroundings()).check(place("/srv/in.mov"))
    assert [fault.code for fault in faults] == ["path_not_allowed"]


async def test_a_link_that_came_after_the_check_is_not_followed(ground: Ground, tmp_path: Path) -> None:
    """G7 of security.md"""
    source = ground.sources.make(place(ground.root / "late.mov"))
    deep = ground.sources.make(place(ground.root / "sub" / "in.mov"))
    target = ground.destinations.make(place(ground.root / "sub" / "out.mp4"), KEY)
    (ground.root / "late.mov").symlink_to(ground.outside / "in.mov")
    (ground.root / "sub").symlink_to(ground.outside)
    for linked in (source, deep):
        with pytest.raises(errors.Permanent, match="path_not_allowed"):
            await read(linked)
    with pytest.raises(errors.Permanent, match="path_not_allowed"):
        await target.publish(parcel(tmp_path, b"x"), sent=nothing, fence=Gate().fence)
    assert await target.look() is None
    assert [path.name for path in ground.outside.iterdir()] == ["in.mov"]


async def test_a_link_at_the_final_name_is_replaced_and_not_written_through(ground: Ground, tmp_path: Path) -> None:
    target = FileDestination(Spot(root=ground.root, way=PurePosixPath("link.mov")), uri="file:///x")
    assert await target.look() is None
    await target.publish(parcel(tmp_path, b"new"), sent=nothing, fence=Gate().fence)
    assert (ground.outside / "in.mov").read_bytes() == b"media"
    assert (ground.root / "link.mov").read_bytes() == b"new"
    assert not (ground.root / "link.mov").is_symlink()


async def test_what_is_no_file_is_not_read(ground: Ground) -> None:
    os.mkfifo(ground.root / "pipe")
    for path in (ground.root / "pipe", ground.root.parent / "root" / "folder"):
        if path.name == "folder":
            path.mkdir()
        with pytest.raises(errors.Permanent, match="path_not_allowed"):
            await read(ground.sources.make(place(path)))


async def test_a_folder_in_the_place_of_the_file_is_not_replaced(ground: Ground, tmp_path: Path) -> None:
    (ground.root / "out.mp4").mkdir()
    target = ground.destinations.make(place(ground.root / "out.mp4"), KEY)
    with pytest.raises(errors.Permanent, match="path_not_allowed"):
        await target.publish(parcel(tmp_path, b"x"), sent=nothing, fence=Gate().fence)
    assert sorted(path.name for path in ground.root.iterdir() if path.name.endswith(".part")) == []


async def test_a_disk_that_takes_no_more_is_told_as_such_and_left_clean(ground: Ground, tmp_path: Path) -> None:
    made = parcel(tmp_path, bytes(1_000_000))
    target = ground.destinations.make(place(ground.root / "out.mp4"), KEY)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))  # a file's own limit, since nobody can fill a disk here
    try:
        with pytest.raises(errors.Resource, match="disk_full"):
            await target.publish(made, sent=nothing, fence=Gate().fence)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (ground.root / "out.mp4").exists()
    assert not list(ground.root.glob(".*.part"))


async def test_a_root_that_is_gone_is_told_as_such(tmp_path: Path) -> None:
    root = tmp_path / "unmounted"
    destinations = Destinations(Surroundings(roots=Roots(paths=[root])), stored=no_storage)
    with pytest.raises(errors.Permanent, match="destination_not_found"):
        await destinations.make(place(root / "out.mp4"), KEY).publish(
            parcel(tmp_path, b"x"), sent=nothing, fence=Gate().fence
        )


async def test_a_dead_attempts_leftover_is_discarded_by_its_token_alone(ground: Ground, tmp_path: Path) -> None:
    target = ground.destinations.make(place(ground.root / "out.mp4"), KEY)
    one, two = (ground.root / part_name("out.mp4", token) for token in ("7-1", "7-2"))
    for part in (one, two):
        part.write_bytes(b"half")
    await target.discard("7-1")
    assert (one.exists(), two.exists()) == (False, True)
    await target.publish(parcel(tmp_path, b"whole", attempt="7-2"), sent=nothing, fence=Gate().fence)
    assert not list(ground.root.glob(".*.part"))
