"""FTP sources against servers that misbehave, and FTPS against ones that cannot be trusted."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from encoder import errors
from encoder.model.job import Place
from encoder.net import ftp_talk
from encoder.net.dial import dial
from encoder.net.ftp_talk import Site
from encoder.net.guard import Host
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.sources.protocol import Incoming
from encoder.sources.registry import Sources
from encoder.suites.cargo import noise, read
from tests.lab.canary import Canary
from tests.lab.dns import FakeDns
from tests.lab.ftpd import NAME, Ftpd
from tests.lab.ftpx import Ftpx
from tests.lab.served import source
from tests.lab.tls import Authority
from tests.lab.wire import PUBLIC, lab_web

DATA = noise(1_500_000)
OTHER = noise(len(DATA), seed=2)


@pytest.fixture
async def server() -> AsyncIterator[Ftpx]:
    async with Ftpx(files={"in.mov": DATA}) as server:
        yield server


async def got(server: Ftpx, *, idle_s: float = 5.0, **members: str) -> tuple[Incoming, bytes]:
    return await read(source(server.place("in.mov", **members), lab_web(idle_s=idle_s)))


async def test_a_hostile_pasv_leads_nowhere_but_to_the_server_itself(server: Ftpx) -> None:
    """C15: the server refuses EPSV and names 127.66.0.1, the canary's address, for its data."""
    server.answers["EPSV"] = "500 never heard of it"
    async with Canary():
        _, data = await got(server)
    assert data == DATA
    assert "PASV" in server.said


@pytest.mark.parametrize(
    "answer",
    ["229 (|||6379|)", "229 (|||22|)", "229 (|||0|)", "229 (|||99999|)", "229 (|||x|)", "229 somewhere"],
)
async def test_a_port_that_is_none_for_data_is_not_dialled(server: Ftpx, answer: str) -> None:
    """C15"""
    server.answers["EPSV"] = answer
    with pytest.raises(errors.Transient, match=r"source_unavailable.*port"):
        await got(server)


@pytest.mark.parametrize("member", ["path", "username", "password", "host"])
@pytest.mark.parametrize("text", ["x\r\nDELE in.mov", "x\nDELE in.mov", "x\0", "x\x85y"])
async def test_a_line_break_in_a_member_is_refused_before_anything_is_said(
    server: Ftpx, member: str, text: str
) -> None:
    """C16"""
    sources = Sources(Surroundings(web=lab_web()))
    place = server.place("in.mov") | {member: text}
    faults = sources.check(place)
    assert [fault.path for fault in faults] == [f"/{member}"]
    with pytest.raises(errors.Permanent):
        sources.make(place)
    assert server.said == []


async def test_who_names_no_user_is_anonymous(server: Ftpx) -> None:
    await got(server)
    assert server.said[:2] == ["USER anonymous", "PASS anonymous@"]


async def test_a_password_in_the_clear_is_warned_of_in_the_log(server: Ftpx) -> None:
    with capture_logs() as logs:
        await got(server)
        await got(server, username="ann", password="SENTINEL")
    assert [each["event"] for each in logs] == ["ftp.password_in_the_clear"]
    assert "SENTINEL" not in repr(logs)


@pytest.mark.parametrize(
    ("verb", "answer", "failure"),
    [
        ("USER", "421 too many users", "Transient source_unavailable"),
        ("USER", "530 not you", "Permanent source_auth_failed"),
        ("PASS", "530 not you", "Permanent source_auth_failed"),
        ("PASS", "331 again", "Transient source_unavailable"),
        ("PASS", "", "Transient source_unavailable"),
        ("EPSV", "425 no", "Transient source_unavailable"),
        ("RETR", "425 no", "Transient source_unavailable"),
        ("RETR", "450 busy", "Transient source_unavailable"),
        ("RETR", "451 oh", "Transient source_unavailable"),
        ("RETR", "", "Transient source_unavailable"),
        ("RETR", "530 not you", "Permanent source_auth_failed"),
        ("RETR", "550 no such file", "Permanent source_not_found"),
        ("RETR", "553 no", "Permanent source_auth_failed"),
        ("SIZE", "421 enough", "Transient source_unavailable"),
    ],
)
async def test_what_a_server_refuses_is_told_by_its_class(server: Ftpx, verb: str, answer: str, failure: str) -> None:
    """J1, J14"""
    server.answers[verb] = answer
    with pytest.raises(errors.Failure) as raised:
        await got(server)
    assert f"{type(raised.value).__name__} {raised.value.code}" == failure


@pytest.mark.parametrize("last_word", ["426 broke off", "451 disk trouble", ""])
async def test_a_transfer_without_a_good_last_word_is_not_whole(server: Ftpx, last_word: str) -> None:
    """J14: though every byte has come."""
    server.last_word = last_word
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await got(server)


async def test_a_transfer_that_breaks_off_goes_on_where_it_broke(server: Ftpx) -> None:
    server.gives, server.last_word = 500_000, "426 broke off"
    asked = source(server.place("in.mov"), lab_web())
    have = bytearray()

    async def part() -> None:
        async for chunk in incoming.chunks:
            have.extend(chunk)

    async with asked.open() as incoming:
        with pytest.raises(errors.Transient):
            await part()
    server.gives, server.last_word = None, "226 done"
    rest, data = await read(asked, offset=len(have), validator=incoming.validator)
    assert (len(have), rest.offset) == (500_000, 500_000)
    assert bytes(have) + data == DATA


async def test_a_server_that_cannot_go_on_in_the_middle_begins_again(server: Ftpx) -> None:
    asked = source(server.place("in.mov"), lab_web())
    first, _ = await read(asked)
    server.answers["REST"] = "502 not here"
    again, data = await read(asked, offset=1000, validator=first.validator)
    assert (again.offset, data) == (0, DATA)


@pytest.mark.parametrize("at", ["EPSV", "QUIT"], ids=["before it is read", "after"])
async def test_a_file_that_is_replaced_while_it_is_read_is_never_spliced(server: Ftpx, at: str) -> None:
    """Size and time are asked for before the transfer begins; the other file is as large as this one."""
    asked = source(server.place("in.mov"), lab_web())
    first, _ = await read(asked)
    await server.deserted()

    def replaced() -> None:
        server.files["in.mov"], server.changed = OTHER, "20261120180000"

    server.before[at] = replaced
    if at == "EPSV":
        with pytest.raises(errors.Transient, match=r"source_unavailable.*changed"):
            await read(asked, offset=1000, validator=first.validator)
    else:
        await read(asked, offset=1000, validator=first.validator)
        await server.deserted()
    server.before.clear()
    again, data = await read(asked, offset=len(DATA), validator=first.validator)
    assert (again.offset, data) == (0, OTHER)


@pytest.mark.parametrize("unknown", ["SIZE", "MDTM"])
async def test_a_file_of_which_too_little_is_told_is_read_from_the_start(server: Ftpx, unknown: str) -> None:
    server.answers[unknown] = "500 never heard of it"
    incoming, data = await got(server)
    assert (incoming.validator, data) == (None, DATA)
    assert incoming.size_bytes == (None if unknown == "SIZE" else len(DATA))


async def test_a_size_of_endless_digits_is_none(server: Ftpx) -> None:
    server.answers["SIZE"] = f"213 {'9' * 5000}"
    incoming, data = await got(server)
    assert (incoming.size_bytes, data) == (None, DATA)


@pytest.mark.parametrize(
    "greeting",
    ["220-\r\n" + "line\r\n" * 600, "220 " + "x" * 3_000_000, "SSH-2.0-OpenSSH_9.2", "\x00\xff" * 100, "554 no"],
    ids=["endless", "long", "another protocol", "noise", "no"],
)
async def test_what_is_no_greeting_is_no_server(server: Ftpx, greeting: str) -> None:
    server.greeting = greeting
    with pytest.raises(errors.Failure, match=r"source_unavailable|source_auth_failed"):
        await got(server)


async def test_a_greeting_may_have_many_lines_in_any_encoding(server: Ftpx) -> None:
    server.greeting = "220-Gr\xfc\xdfe\r\n 220 not yet\r\n220-nor yet\r\n220 now"
    _, data = await got(server)
    assert data == DATA


async def test_a_server_that_falls_silent_is_a_timeout(server: Ftpx) -> None:
    """J6"""
    server.greeting = "220-and then nothing"
    with pytest.raises(errors.Transient, match="timeout"):
        await got(server, idle_s=0.1)


async def test_a_failure_repeats_neither_password_nor_the_servers_words(server: Ftpx) -> None:
    """P7"""
    server.answers["PASS"] = "530 SENTINEL is no password of ann"
    with pytest.raises(errors.Permanent) as raised:
        await got(server, username="ann", password="SENTINEL")
    shown = [repr(raised.value), repr(raised.value.__cause__), repr(raised.value.__suppress_context__)]
    assert "SENTINEL" not in " ".join(shown)
    assert "SENTINEL" not in repr(Site(host=Host(name="h", port=21), secure=False, password="SENTINEL"))


@pytest.mark.parametrize("answer", ["500 never heard of it", "534 not here"])
async def test_a_server_without_tls_is_not_talked_to_in_the_clear(server: Ftpx, answer: str) -> None:
    server.answers["AUTH"] = answer
    with pytest.raises(errors.Permanent, match="tls_error"):
        await got(server, kind="ftps", username="ann", password="SENTINEL")
    assert server.said == ["AUTH TLS"]


async def test_words_slipped_in_before_tls_are_not_taken_for_words_under_it(server: Ftpx) -> None:
    """The answer to AUTH and one more come in one piece: the second was said in the clear."""
    server.answers["AUTH"] = "234 go ahead\r\n200 all is well"
    with pytest.raises(errors.Permanent, match="tls_error"):
        await got(server, kind="ftps")


@pytest.mark.parametrize("bad", ["another authority", "another name", "expired"])
async def test_a_certificate_that_cannot_be_trusted_ends_the_conversation(
    server: Ftpx, tmp_path: Path, bad: str
) -> None:
    """J21"""
    ours = Authority.new(tmp_path)
    signer = Authority.new(tmp_path) if bad == "another authority" else ours
    server.tls = signer.server("other.example" if bad == "another name" else NAME, expired=bad == "expired")
    web = lab_web(lookup=FakeDns(script={NAME: [[PUBLIC]]}), tls=ours.trusted())
    with pytest.raises(errors.Permanent, match="tls_error"):
        await read(source(server.place("in.mov", kind="ftps", host=NAME, password="SENTINEL"), web))
    assert server.said == ["AUTH TLS"]


@pytest.mark.xdist_group("ftp")
@pytest.mark.parametrize("kind", ["ftp", "ftps"])
async def test_a_path_may_begin_at_the_servers_root(ftp_server: Ftpd, kind: str) -> None:
    (ftp_server.folder / "rooted.mov").write_bytes(DATA)
    _, data = await read(source(ftp_server.members(f"{ftp_server.folder}/rooted.mov", kind=kind), ftp_server.web()))
    assert data == DATA


@pytest.mark.xdist_group("ftp")
@pytest.mark.parametrize("name", ["[a] *?.mov", "-la", "a 'b' \"c\".mov", "ü é 漢字.mov", "a%20b.mov", "~root.mov"])
async def test_a_name_is_taken_as_it_stands(ftp_server: Ftpd, name: str) -> None:
    """Nothing in it is a pattern, an option or an escape."""
    (ftp_server.folder / name).write_bytes(DATA[:1000])
    incoming, data = await read(source(ftp_server.members(name), ftp_server.web()))
    assert (incoming.file_name, data) == (name, DATA[:1000])


async def test_a_server_that_breaks_off_at_once_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    left = list[socket.socket]()

    async def dial_and_be_left(host: str, port: int, web: Web, *, away: str) -> socket.socket:
        left.append(await dial(host, port, web, away=away))
        visitor, _ = door.accept()
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        visitor.close()  # RST
        while not select.select([left[0]], [], [], 0)[0]:
            await asyncio.sleep(0)
        return left[0]

    monkeypatch.setattr(ftp_talk, "dial", dial_and_be_left)
    with socket.create_server((PUBLIC, 0)) as door:
        place: Place = {"kind": "ftp", "host": PUBLIC, "port": door.getsockname()[1], "path": "in.mov"}
        with pytest.raises(errors.Transient, match="source_unavailable"):
            await read(Sources(Surroundings(web=lab_web())).make(place))
    assert left[0].fileno() == -1
