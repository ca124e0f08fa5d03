"""FTP destinations against servers that misbehave: what is half-written never has the final name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations.ftp import MOST_LINES
from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.plugins import Surroundings
from encoder.suites.cargo import Gate, noise, parcel
from encoder.suites.destination import nothing, publish, used
from tests.lab.canary import Canary
from tests.lab.ftpx import Ftpx
from tests.lab.served import destination
from tests.lab.wire import lab_web

DATA = noise(1_500_000)
OTHER = noise(1000, seed=2)


@pytest.fixture
async def server() -> AsyncIterator[Ftpx]:
    async with Ftpx() as server:
        yield server


def made(server: Ftpx, path: str = "out/720p.mp4", **members: str) -> Destination:
    return destination(server.place(path, **members), lab_web())


async def test_a_hostile_pasv_leads_nowhere_but_to_the_server_itself(server: Ftpx, tmp_path: Path) -> None:
    """C15"""
    server.answers["EPSV"] = "500 never heard of it"
    async with Canary():
        await publish(made(server), parcel(tmp_path, DATA))
    assert server.files == {"out/720p.mp4": DATA}


@pytest.mark.parametrize("path", ["../x", "a/../../b", "%2e%2e%2fx", "..\\x", ".", "a//b", "x\0", "x/", "x" * 1025, ""])
async def test_a_path_that_leads_astray_is_refused(server: Ftpx, path: str) -> None:
    """G1 of security.md"""
    places = Destinations(Surroundings(web=lab_web()), stored=lambda _key: made(server))
    faults = places.check(server.place(path))
    assert [(fault.path, fault.code) for fault in faults] == [("/path", "invalid_path")]


@pytest.mark.parametrize("member", ["path", "username", "password"])
async def test_a_line_break_in_a_member_is_refused_before_anything_is_said(server: Ftpx, member: str) -> None:
    """C16"""
    places = Destinations(Surroundings(web=lab_web()), stored=lambda _key: made(server))
    faults = places.check(server.place("out.mp4") | {member: "x\r\nDELE y"})
    assert [fault.path for fault in faults] == [f"/{member}"]
    assert server.said == []


@pytest.mark.parametrize(
    ("verb", "answer", "failure"),
    [
        ("USER", "421 too many users", "Transient destination_unavailable"),
        ("PASS", "530 not you", "Permanent destination_auth_failed"),
        ("STOR", "425 no", "Transient destination_unavailable"),
        ("STOR", "450 busy", "Transient destination_unavailable"),
        ("STOR", "452 full", "Transient destination_unavailable"),
        ("STOR", "530 not you", "Permanent destination_auth_failed"),
        ("STOR", "550 no such folder", "Permanent destination_not_found"),
        ("STOR", "552 quota", "Permanent destination_auth_failed"),
        ("STOR", "553 no such name", "Permanent destination_auth_failed"),
        ("STOR", "", "Transient destination_unavailable"),
        ("RNFR", "450 busy", "Transient destination_unavailable"),
        ("RNTO", "450 busy", "Transient destination_unavailable"),
        ("RNTO", "553 never", "Permanent destination_auth_failed"),
    ],
)
async def test_what_a_server_refuses_is_told_by_its_class_and_nothing_is_left(
    server: Ftpx, tmp_path: Path, verb: str, answer: str, failure: str
) -> None:
    """J14"""
    server.answers[verb] = answer
    with pytest.raises(errors.Failure) as raised:
        await publish(made(server), parcel(tmp_path, DATA))
    assert f"{type(raised.value).__name__} {raised.value.code}" == failure
    assert server.files == {}


@pytest.mark.parametrize(
    ("takes", "last_word", "failure"),
    [
        (100_000, "426 broke off", "Transient destination_unavailable"),
        (100_000, "452 full", "Transient destination_unavailable"),
        (100_000, "552 quota", "Permanent destination_auth_failed"),
        (100_000, "226 that was all", "Transient destination_unavailable"),
        (None, "451 disk trouble", "Transient destination_unavailable"),
        (None, "", "Transient destination_unavailable"),
    ],
)
async def test_an_upload_that_ends_badly_never_has_the_final_name(
    server: Ftpx, tmp_path: Path, takes: int | None, last_word: str, failure: str
) -> None:
    """J14: cut in the middle, or before 226."""
    server.takes, server.last_word = takes, last_word
    with pytest.raises(errors.Failure) as raised:
        await publish(made(server), parcel(tmp_path, DATA * 8))
    assert f"{type(raised.value).__name__} {raised.value.code}" == failure
    assert not any(word.startswith("RNFR") for word in server.said)
    assert server.files == {}


async def test_a_file_that_came_shorter_than_it_left_is_not_published(server: Ftpx, tmp_path: Path) -> None:
    """A server takes the end of a connection for the end of a file."""
    gate = Gate()
    server.answers["SIZE"] = "213 1000"
    with pytest.raises(errors.Transient, match="integrity_error"):
        await publish(made(server), parcel(tmp_path, DATA), gate)
    assert (gate.asked, server.files) == (0, {})


async def test_a_server_that_tells_no_size_is_believed(server: Ftpx, tmp_path: Path) -> None:
    server.answers["SIZE"] = "500 never heard of it"
    await publish(made(server), parcel(tmp_path, DATA))
    assert server.files == {"out/720p.mp4": DATA}


async def test_what_may_not_be_renamed_onto_is_deleted_first(server: Ftpx, tmp_path: Path) -> None:
    """J15"""
    server.overwrites = False
    server.files["out/720p.mp4"] = OTHER
    await publish(made(server), parcel(tmp_path, DATA))
    assert server.files == {"out/720p.mp4": DATA}
    verbs = [word.partition(" ")[0] for word in server.said]
    begun = verbs.index("RNFR")
    assert verbs[begun : begun + 5] == ["RNFR", "RNTO", "DELE", "RNFR", "RNTO"]


async def test_a_file_that_stands_there_is_not_deleted_where_it_can_be_replaced(server: Ftpx, tmp_path: Path) -> None:
    """J15"""
    server.files["out/720p.mp4"] = OTHER
    await publish(made(server), parcel(tmp_path, DATA))
    assert not any(word.startswith("DELE") for word in server.said)


async def test_what_an_attempt_left_is_discarded_by_its_token(server: Ftpx, tmp_path: Path) -> None:
    server.answers["DELE"] = "450 busy"
    server.answers["RNTO"] = "450 busy"
    with pytest.raises(errors.Transient):
        await publish(made(server), parcel(tmp_path, DATA, attempt="7-1"))
    assert [name.rpartition(".")[2] for name in server.files] == ["part"]
    server.answers.clear()
    async with used(made(server)) as later:
        await later.discard("7-2")
        assert len(server.files) == 1
        await later.discard("7-1")
    assert server.files == {}


async def test_a_conversation_that_the_server_has_ended_is_begun_again(server: Ftpx, tmp_path: Path) -> None:
    async with used(made(server)) as out:
        await out.look()
        server.answers["NOOP"] = "421 you slept"
        await out.publish(parcel(tmp_path, DATA), sent=nothing, fence=Gate().fence)
    assert server.files == {"out/720p.mp4": DATA}
    assert sum(word.startswith("USER") for word in server.said) == 2


async def test_cancelled_while_it_asks_whether_the_server_is_awake_it_leaves_no_connection(server: Ftpx) -> None:
    async with used(made(server)) as out:
        await out.look()
        server.asleep = asyncio.Event()
        looking = asyncio.create_task(out.look())
        await server.asleep.wait()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        await asyncio.wait_for(server.deserted(), 5)


async def test_a_folder_of_files_takes_few_conversations(server: Ftpx, tmp_path: Path) -> None:
    async with used(made(server, "out/hls/")) as folder:
        await asyncio.gather(
            *(
                folder.within(f"{number}.m4s").publish(
                    parcel(tmp_path, OTHER, name=str(number)), sent=nothing, fence=Gate().fence
                )
                for number in range(12)
            )
        )
    assert sorted(server.files) == sorted(f"out/hls/{number}.m4s" for number in range(12))
    assert sum(word.startswith("USER") for word in server.said) == server.most_at_once == MOST_LINES
