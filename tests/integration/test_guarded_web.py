"""The guarded way out against a hostile internet: what is checked is what is dialled."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder import errors
from encoder.errors import Fault
from encoder.net import resolve
from encoder.net.guard import Policy, Url, check_url
from encoder.net.http import Ask, Web
from tests.lab.canary import Canary
from tests.lab.dns import FakeDns, Silent
from tests.lab.origin import answering, chain, falling_silent, redirecting, saying
from tests.lab.tls import Authority
from tests.lab.wire import POLICY, PUBLIC, Exchange, Script, Server, lab_web

FORBIDDEN = "127.66.0.1"


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with Canary() as canary:
        yield canary


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.scripts["/x"] = ok
        yield server


async def ok(exchange: Exchange) -> None:
    await exchange.answer(200, b"hello")


def url_of(text: str) -> Url:
    url = check_url(text, POLICY)
    assert not isinstance(url, Fault), url
    return url


async def get(web: Web, text: str, **headers: str) -> bytes:
    ask = Ask(method="GET", url=url_of(text), headers=headers)
    async with web.ask(ask, away="source_unavailable") as response:
        return await response.read()


async def test_a_name_that_leads_to_a_forbidden_address_is_not_dialled(canary: Canary) -> None:
    """C4"""
    dns = FakeDns(script={"evil.example": [[FORBIDDEN]]})
    with pytest.raises(errors.Permanent, match="address_not_allowed") as refused:
        await get(lab_web(lookup=dns), canary.url(host="evil.example"))
    assert FORBIDDEN not in refused.value.message


async def test_one_forbidden_answer_refuses_all(server: Server) -> None:
    """C6"""
    dns = FakeDns(script={"evil.example": [[PUBLIC, FORBIDDEN]]})
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await get(lab_web(lookup=dns), server.url("/x", host="evil.example"))
    assert server.seen == []


@pytest.mark.parametrize("address", ["::1", "::ffff:127.66.0.1", "2002:7f42:1::", "fd00:ec2::254", "169.254.169.254"])
async def test_an_answer_in_any_form_is_refused(address: str) -> None:
    """C3, C13"""
    dns = FakeDns(script={"evil.example": [[address]]})
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await get(lab_web(lookup=dns), "http://evil.example/x")


async def test_a_name_is_looked_up_once_for_each_connection(canary: Canary, server: Server) -> None:
    """C5"""
    dns = FakeDns(script={"rebinding.example": [[PUBLIC], [FORBIDDEN]]})
    web = lab_web(lookup=dns)
    assert await get(web, server.url("/x", host="rebinding.example")) == b"hello"
    assert dns.asked["rebinding.example"] == 1
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await get(web, canary.url(host="rebinding.example"))


async def test_a_literal_address_is_checked_when_it_is_dialled(canary: Canary) -> None:
    smuggled = Url(scheme="http", host=FORBIDDEN, port=canary.port, target="/x")  # as if the reader of URLs had erred
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        async with lab_web().ask(Ask(method="GET", url=smuggled), away="source_unavailable"):
            pytest.fail("it was dialled")


@pytest.mark.parametrize(
    "to",
    [
        "http://127.66.0.1:{port}/x",
        "//127.66.0.1:{port}/x",
        "http://evil.example:{port}/x",
        "http://127.0.0.1:{port}/x",
        "http://[::ffff:127.66.0.1]:{port}/x",
        "http://127.66.0.1\\@127.77.0.1:{port}/x",
        "http://localhost:{port}/x",
        "file:///etc/passwd",
        "ftp://127.77.0.1/x",
        "gopher://127.77.0.1:{port}/x",
        "http://user@127.77.0.1/x",
        "http://127.77.0.1:22/x",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_where_no_caller_may_go_is_not_followed(
    canary: Canary, server: Server, to: str, status: int
) -> None:
    """C7, C13"""
    server.scripts["/away"] = redirecting(to.format(port=canary.port), status=status)
    dns = FakeDns(script={"evil.example": [[FORBIDDEN]]})
    with pytest.raises(errors.Permanent, match="redirect_not_allowed"):
        await get(lab_web(lookup=dns), server.url("/away"))


async def test_five_redirects_are_followed_and_no_sixth(server: Server) -> None:
    """C7"""
    assert await get(lab_web(), chain(server, 5, end=ok)) == b"hello"
    with pytest.raises(errors.Permanent, match="too_many_redirects"):
        await get(lab_web(), chain(server, 6, end=ok))


async def test_a_redirect_to_nowhere_is_not_followed(server: Server) -> None:
    server.scripts["/nowhere"] = answering(302, then=ok)
    with pytest.raises(errors.Permanent, match="redirect_not_allowed"):
        await get(lab_web(), server.url("/nowhere"))


async def test_a_loop_of_redirects_ends(server: Server) -> None:
    """C7"""
    server.scripts["/loop"] = redirecting("/loop")
    with pytest.raises(errors.Permanent, match="too_many_redirects"):
        await get(lab_web(), server.url("/loop"))
    assert len(server.seen) == 6


async def test_the_callers_headers_never_reach_another_origin(server: Server) -> None:
    """C8"""
    async with Server(host="127.77.0.2") as other:
        other.scripts["/x"] = redirecting(server.url("/x"))
        server.scripts["/here"] = redirecting("/away")
        server.scripts["/away"] = redirecting(other.url("/x"))
        headers = {"Authorization": "Bearer SENTINEL", "X-Api-Key": "SENTINEL", "Cookie": "a=SENTINEL"}
        assert await get(lab_web(), server.url("/here"), **headers) == b"hello"
        assert [b"SENTINEL" in request.head for request in server.seen] == [True, True, True]
        assert [b"SENTINEL" in request.head for request in other.seen] == [False]


async def test_cookies_are_not_carried_from_one_answer_to_the_next(server: Server) -> None:
    server.scripts["/set"] = answering(302, then=ok, headers={"Location": "/x", "Set-Cookie": "a=1; Path=/"})
    dns = FakeDns(script={"good.example": [[PUBLIC]]})  # no client keeps the cookies of a literal address
    assert await get(lab_web(lookup=dns), server.url("/set", host="good.example")) == b"hello"
    assert "cookie" not in server.seen[1].headers


async def test_a_redirect_from_https_to_http_is_not_followed(server: Server, tmp_path: Path) -> None:
    """C8"""
    authority = Authority.new(tmp_path)
    dns = FakeDns(script={"good.example": [[PUBLIC]]})
    async with Server(tls=authority.server("good.example")) as secure:
        secure.scripts["/down"] = redirecting(server.url("/x"))
        with pytest.raises(errors.Permanent, match="redirect_not_allowed"):
            await get(lab_web(lookup=dns, tls=authority.trusted()), secure.url("/down", host="good.example"))
    assert server.seen == []


async def test_a_proxy_in_the_environment_is_ignored(
    canary: Canary, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C12"""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url())
    assert await get(lab_web(), server.url("/x")) == b"hello"


async def test_each_policy_looks_for_itself(server: Server) -> None:
    """C18"""
    assert await get(lab_web(), server.url("/x")) == b"hello"
    strict = Web(policy=Policy())
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await get(strict, server.url("/x"))
    assert len(server.seen) == 1


async def test_a_resolver_that_never_answers_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "DNS_S", 0.05)
    dns = FakeDns(script={"slow.example": [Silent()]})
    with pytest.raises(errors.Transient, match="timeout"):
        await get(lab_web(lookup=dns), "http://slow.example/x")


@pytest.mark.parametrize("answer", [OSError("SERVFAIL"), socket.gaierror(socket.EAI_NONAME, "unknown"), []])
async def test_a_name_without_an_address_may_have_one_later(answer: OSError | list[str]) -> None:
    dns = FakeDns(script={"nowhere.example": [answer]})
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await get(lab_web(lookup=dns), "http://nowhere.example/x")


async def test_a_closed_port_is_told_as_such() -> None:
    with socket.socket() as unused:
        unused.bind((PUBLIC, 0))
        port = unused.getsockname()[1]
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await get(lab_web(), f"http://{PUBLIC}:{port}/x")


async def test_silence_is_a_timeout(server: Server) -> None:
    server.scripts["/silent"] = falling_silent()
    with pytest.raises(errors.Transient, match="timeout"):
        await get(lab_web(idle_s=0.1), server.url("/silent"))


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n", b""])
async def test_an_answer_that_is_no_http_is_a_broken_connection(server: Server, raw: bytes) -> None:
    server.scripts["/raw"] = saying(raw)
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await get(lab_web(), server.url("/raw"))


async def test_we_ask_for_the_bytes_as_they_are_and_name_ourselves(server: Server) -> None:
    await get(lab_web(), server.url("/x"))
    assert server.seen[0].headers["accept-encoding"] == "identity"
    assert server.seen[0].headers["user-agent"].startswith("encoder/")


async def test_what_was_checked_is_what_is_sent(server: Server) -> None:
    with pytest.raises(AssertionError):
        await get(lab_web(), "http://127.77.0.1\\@x/")
    await get(lab_web(), server.url("/x?sig=a%2Fb+c==&d=%7e"))
    assert server.seen[0].target == "/x?sig=a%2Fb+c==&d=%7e"


class TestTls:
    """J21: `good.example` is where the servers are; the certificates differ."""

    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority.new(tmp_path)

    async def ask(self, context: ssl.SSLContext, trusted: ssl.SSLContext | None) -> bytes:
        dns = FakeDns(script={"good.example": [[PUBLIC]]})
        async with Server(tls=context) as server:
            server.scripts["/x"] = ok
            return await get(lab_web(lookup=dns, tls=trusted), server.url("/x", host="good.example"))

    async def test_a_good_certificate_is_taken(self, authority: Authority) -> None:
        assert await self.ask(authority.server("good.example"), authority.trusted()) == b"hello"

    async def test_an_expired_certificate_is_refused(self, authority: Authority) -> None:
        with pytest.raises(errors.Permanent, match=r"tls_error.*expired"):
            await self.ask(authority.server("good.example", expired=True), authority.trusted())

    async def test_a_certificate_of_another_host_is_refused(self, authority: Authority) -> None:
        with pytest.raises(errors.Permanent, match=r"tls_error.*Hostname mismatch"):
            await self.ask(authority.server("evil.example"), authority.trusted())

    async def test_a_certificate_of_an_unknown_authority_is_refused(self, authority: Authority) -> None:
        with pytest.raises(errors.Permanent, match="tls_error"):
            await self.ask(authority.server("good.example"), None)

    async def test_an_old_protocol_is_refused(self, authority: Authority) -> None:
        old = authority.server("good.example")
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        # not asyncio's server: it drops the connection before its alert is sent
        with socket.create_server((PUBLIC, 0)) as listener:
            answered = asyncio.create_task(asyncio.to_thread(_shake_hands, listener, old))
            dns = FakeDns(script={"good.example": [[PUBLIC]]})
            with pytest.raises(errors.Permanent, match="tls_error"):
                await get(
                    lab_web(lookup=dns, tls=authority.trusted()),
                    f"https://good.example:{listener.getsockname()[1]}/x",
                )
            await answered


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(ssl.SSLError):
        context.wrap_socket(connection, server_side=True)


async def test_a_response_that_is_left_early_ends_its_connection(server: Server) -> None:
    closed = asyncio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.head(200)
        try:
            while True:
                await exchange.write(b"x" * 65536)
        finally:
            closed.set()

    server.scripts["/endless"] = endless
    async with lab_web().ask(Ask(method="GET", url=url_of(server.url("/endless"))), away="x") as response:
        await response.content.readany()
    await asyncio.wait_for(closed.wait(), 5)


async def refused_after(exchange: Exchange) -> None:
    await exchange.body(1)
    exchange.reset()


@pytest.mark.parametrize(
    "script", [saying(b"no http\r\n\r\n"), falling_silent(), refused_after, redirecting("gopher://x?sig=SENTINEL")]
)
async def test_no_failure_tells_the_query_not_even_to_the_log(server: Server, script: Script) -> None:
    """P7"""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(1_000_000)

    server.scripts["/put"] = script
    ask = Ask(method="PUT", url=url_of(server.url("/put?sig=SENTINEL")), body=body)
    with pytest.raises(errors.Failure) as raised:
        async with lab_web(idle_s=0.2).ask(ask, away="destination_unavailable"):
            pytest.fail("there was no answer")
    assert "SENTINEL" not in "".join(traceback.format_exception(raised.value))
