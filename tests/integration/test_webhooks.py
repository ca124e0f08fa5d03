"""Webhooks as a receiver gets them, and receivers that do their worst."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from encoder import errors
from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.net.http import Web
from encoder.webhooks import sign
from encoder.webhooks.hosts import MOST_BOOKED_S, MOST_SILENT, PER_HOST, REST_S
from encoder.webhooks.schedule import Sent
from encoder.webhooks.send import READ_BYTES, Later, Sender
from tests.lab.canary import Canary
from tests.lab.dns import FakeDns
from tests.lab.hook import Hook
from tests.lab.origin import falling_silent, redirecting
from tests.lab.tls import Authority
from tests.lab.wire import PUBLIC, Exchange, lab_web

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"n" * 24).decode()
BODY = json.dumps({"type": "job.completed", "data": {"text": "ü\n"}})


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook() as hook:
        yield hook


def sender(
    *,
    web: Web | None = None,
    secrets: tuple[str, ...] = (SECRET,),
    shift_s: float = 0.0,
    total_s: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
) -> Sender:
    return Sender(
        web or lab_web(),
        secrets=secrets,
        total_s=total_s,
        now=lambda: datetime.now(UTC) + timedelta(seconds=shift_s),
        uniform=lambda _low, _high: 0.0,
        clock=clock,
    )


async def tell(by: Sender, url: str, *, tenant_id: TenantId = DEFAULT_TENANT, tried: int = 1) -> Sent:
    secrets = by.secrets(tenant_id)
    sent = await by.send(tenant_id=tenant_id, url=url, webhook_id="evt_1", body=BODY, secrets=secrets, tried=tried)
    assert isinstance(sent, Sent)
    return sent


async def test_the_published_library_verifies_what_arrives(hook: Hook) -> None:
    """I1"""
    sent = await tell(sender(), hook.url("/hook?token=1"))
    assert (sent.result.state, sent.result.status) == ("delivered", 200)
    told = hook.told[0]
    assert told.verified(SECRET) == json.loads(BODY)
    assert told.body == BODY.encode()
    assert (told.id, told.request.method, told.request.target) == ("evt_1", "POST", "/hook?token=1")
    assert told.request.headers["content-type"] == "application/json"
    assert told.request.headers["content-length"] == str(len(told.body))


async def test_a_changed_byte_is_noticed(hook: Hook) -> None:
    """I1"""
    await tell(sender(), hook.url())
    told = hook.told[0]
    for changed in (told.body.replace(b"completed", b"cancelled"), told.body + b" "):
        with pytest.raises(WebhookVerificationError):
            replace(told, body=changed).verified(SECRET)


@pytest.mark.parametrize("shift_s", [-360, 360])
async def test_an_old_or_early_webhook_is_noticed(hook: Hook, shift_s: float) -> None:
    """I1"""
    await tell(sender(shift_s=shift_s), hook.url())
    with pytest.raises(WebhookVerificationError):
        hook.told[0].verified(SECRET)


async def test_both_secrets_verify_while_both_are_listed(hook: Hook) -> None:
    """I9"""
    await tell(sender(secrets=(NEW_SECRET, SECRET)), hook.url())
    await tell(sender(secrets=(NEW_SECRET,)), hook.url())
    for secret in (NEW_SECRET, SECRET):
        assert hook.told[0].verified(secret)
    assert hook.told[1].verified(NEW_SECRET)
    with pytest.raises(WebhookVerificationError):
        hook.told[1].verified(SECRET)


async def test_no_tenant_can_forge_anothers_events(hook: Hook) -> None:
    for tenant_id in (TenantId(1), TenantId(2), TenantId(3)):
        await tell(sender(), hook.url(), tenant_id=tenant_id)
    secrets = [sign.tenant_secret(SECRET, TenantId(number)) for number in (1, 2, 3)]
    assert secrets[0] == SECRET
    for number, told in enumerate(hook.told):
        for other, secret in enumerate(secrets):
            if number == other:
                assert told.verified(secret)
            else:
                with pytest.raises(WebhookVerificationError):
                    told.verified(secret)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", base64.b64encode(b"s" * 32).decode(), "whsec_" + "x" * 33, "whsec_ключ"]
)
def test_a_secret_that_is_none_refuses_to_start(secret: str) -> None:
    """I13"""
    with pytest.raises(errors.Unfit) as refused:
        sender(secrets=(secret,))
    assert len(secret) < len("whsec_x") or secret not in str(refused.value)


async def test_every_try_carries_one_id_and_its_own_time(hook: Hook) -> None:
    """I2"""
    hook.answers = [500] * 9
    states = []
    for tried in range(1, 11):
        sent = await tell(sender(shift_s=tried), hook.url(), tried=tried)
        states.append(sent.result.state)
    assert states == ["pending"] * 9 + ["delivered"]
    assert {told.id for told in hook.told} == {"evt_1"}
    assert len({told.request.headers["webhook-timestamp"] for told in hook.told}) == 10
    assert len({told.request.headers["webhook-signature"] for told in hook.told}) == 10


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(hook: Hook, status: int) -> None:
    """I3"""
    async with Canary() as canary:
        hook.answers = [redirecting(canary.url(), status=status), redirecting("/elsewhere", status=status)]
        for _ in range(2):
            sent = await tell(sender(), hook.url())
            assert (sent.result.state, sent.result.status) == ("pending", status)
    assert len(hook.told) == 2


async def test_an_address_that_turned_forbidden_is_not_dialled_and_the_schedule_goes_on() -> None:
    """C17"""
    async with Canary() as canary:
        dns = FakeDns(script={"turned.example": [["127.66.0.1"]]})
        for url in (canary.url(host="turned.example"), canary.url()):
            sent = await tell(sender(web=lab_web(lookup=dns)), url, tried=2)
            assert (sent.result.state, sent.result.error) == ("pending", "address_not_allowed")
            assert sent.delay_seconds == 300


async def test_silence_ends_in_time(hook: Hook) -> None:
    """I6"""
    hook.answers = [falling_silent()]
    sent = await tell(sender(total_s=0.2), hook.url())
    assert (sent.result.state, sent.result.status, sent.result.error) == ("pending", None, "timeout")
    assert sent.delay_seconds >= 60


async def test_a_trickle_of_headers_ends_in_time(hook: Hook) -> None:
    """I6"""

    async def trickle(exchange: Exchange) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
            await exchange.write(bytes([byte]))
            await asyncio.sleep(0.01)

    hook.answers = [trickle]
    sent = await tell(sender(total_s=0.2), hook.url())
    assert (sent.result.state, sent.result.error) == ("pending", "timeout")


async def test_a_status_is_an_answer_though_its_text_never_ends(hook: Hook) -> None:
    """I6"""
    hook.answers = [falling_silent(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")]
    sent = await tell(sender(total_s=0.2), hook.url())
    assert (sent.result.state, sent.result.status) == ("delivered", 200)


async def test_little_is_read_of_a_huge_answer_and_less_is_kept(hook: Hook) -> None:
    """I6"""
    written = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal written
        await exchange.head(500)
        while True:
            await exchange.write(b"\0\xffx" * 21_000)
            written += 63_000

    hook.answers = [endless]
    sent = await tell(sender(), hook.url())
    assert sent.result.answer is not None
    assert len(sent.result.answer) <= 1024
    assert "\0" not in sent.result.answer
    assert written < 200 * READ_BYTES  # what the kernel's buffers hold, and no gigabyte


async def test_ten_thousand_headers_are_no_answer(hook: Hook) -> None:
    """I6"""

    async def flood(exchange: Exchange) -> None:
        await exchange.head(200, {f"X-{number}": "x" * 100 for number in range(10_000)})

    hook.answers = [flood]
    sent = await tell(sender(), hook.url())
    assert sent.result.state == "pending"
    assert sent.result.error == "receiver_unavailable"


async def test_a_slow_receiver_takes_four_at_a_time_and_holds_up_no_other(hook: Hook) -> None:
    by, at_once, full, go_on = sender(), [0], asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        at_once[0] += 1
        if at_once[0] == 4:
            full.set()
        await go_on.wait()
        at_once[0] -= 1
        await exchange.answer(200)

    hook.answers = [slow] * 6
    waiting = [asyncio.create_task(tell(by, hook.url())) for _ in range(6)]
    await asyncio.wait_for(full.wait(), 5)
    async with Hook(host="127.77.0.2") as other:
        assert (await tell(by, other.url())).result.state == "delivered"
    assert (len(hook.told), at_once) == (4, [4])
    go_on.set()
    assert {(await task).result.state for task in waiting} == {"delivered"}


async def test_what_finds_a_host_busy_comes_again_one_after_the_other(hook: Hook) -> None:
    """I6: five thousand of a receiver that hangs are claimed as fast as it takes them, and no faster."""
    by, full, go_on = sender(clock=lambda: 0.0), asyncio.Event(), asyncio.Event()

    async def hang(exchange: Exchange) -> None:
        if len(hook.told) == PER_HOST:
            full.set()
        await go_on.wait()
        await exchange.answer(200)

    hook.answers = [hang] * PER_HOST
    hanging = [asyncio.create_task(tell(by, hook.url())) for _ in range(PER_HOST)]
    await asyncio.wait_for(full.wait(), 5)
    began, put_off = time.monotonic(), []
    for _ in range(5000):
        sent = await by.send(
            tenant_id=DEFAULT_TENANT, url=hook.url(), webhook_id="evt_2", body=BODY, secrets=[SECRET], tried=1
        )
        assert isinstance(sent, Later)
        put_off.append(sent.after_s)
    assert time.monotonic() - began < 5  # only the first has waited in its slot
    assert put_off[:3] == [0.25, 0.5, 0.75]
    assert put_off[-1] == MOST_BOOKED_S
    go_on.set()
    await asyncio.gather(*hanging)
    assert len(hook.told) == PER_HOST


async def test_a_receiver_that_is_silent_is_let_alone_but_for_one_at_a_time(hook: Hook) -> None:
    """I6: what is not dialled counts as a try without an answer, and another tenant's is dialled."""
    shift_s = [0.0]
    by = sender(total_s=0.1, clock=lambda: time.monotonic() + shift_s[0])

    async def tried(tenant_id: TenantId = DEFAULT_TENANT) -> str | None:
        sent = await tell(by, hook.url(), tenant_id=tenant_id)
        assert (sent.result.state, sent.delay_seconds) in {("delivered", 0), ("pending", 60)}
        return sent.result.error

    hook.answers = [falling_silent()] * (MOST_SILENT + 1)
    assert [await tried() for _ in range(MOST_SILENT)] == ["timeout"] * MOST_SILENT
    assert [await tried() for _ in range(3)] == ["receiver_silent"] * 3
    assert len(hook.told) == MOST_SILENT

    shift_s[0] += REST_S
    looking = asyncio.create_task(tried())
    await asyncio.sleep(0)
    assert await tried() == "receiver_silent"  # while the one that looks has its turn
    assert await looking == "timeout"
    shift_s[0] += REST_S
    assert await tried() == "receiver_silent"  # it rests twice as long now
    assert await tried(TenantId(2)) is None
    shift_s[0] += REST_S
    assert [await tried() for _ in range(3)] == [None] * 3
    assert len(hook.told) == MOST_SILENT + 1 + 4


@pytest.mark.parametrize("fault", ["self-signed", "expired", "wrong host"])
async def test_a_certificate_that_is_not_valid_is_never_overlooked(tmp_path: Path, fault: str) -> None:
    """I11"""
    authority, other = Authority.new(tmp_path), Authority.new(tmp_path, name="nobody's authority")
    signer = other if fault == "self-signed" else authority
    host = "evil.example" if fault == "wrong host" else "good.example"
    dns = FakeDns(script={"good.example": [[PUBLIC]]})
    async with Hook(tls=signer.server(host, expired=fault == "expired")) as hook:
        web = lab_web(lookup=dns, tls=authority.trusted())
        sent = await tell(sender(web=web), hook.url(host="good.example"))
    assert (sent.result.state, sent.result.error) == ("pending", "tls_error")
    assert hook.told == []
