"""Endpoints and deliveries over HTTP, told to a real receiver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from encoder.api import webhooks
from encoder.model.ids import JobId
from encoder.store.protocol import Store
from encoder.store.receivers import DeliveryFilter, DeliveryLook
from encoder.vault import Vault, new_key
from encoder.webhooks.hosts import PER_HOST
from tests.lab import databases, work
from tests.lab.api import Api, running
from tests.lab.canary import Canary
from tests.lab.hook import Hook, Told
from tests.lab.outage import outage
from tests.lab.platform import WEBHOOK_SECRET
from tests.lab.post import Post
from tests.lab.wire import Exchange

SHOP = "/webhooks/endpoints/shop"
_OVER = "UPDATE webhook_endpoints SET old_secret_until = created_at"


@dataclass(frozen=True, kw_only=True)
class Office:
    """The API, the post that tells, a receiver, and the database below."""

    api: Api
    post: Post
    hook: Hook
    dsn: str

    async def put(self, name: str = "shop", *, status: int = 201, **body: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
        body.setdefault("url", self.hook.url(f"/{name}"))
        async with self.api.ask("PUT", f"/webhooks/endpoints/{name}", json=body) as response:
            told: dict[str, Any] = await response.json()
            assert response.status == status, told
            return told

    async def post_to(self, path: str, *, status: int) -> Any:  # noqa: ANN401  # JSON
        async with self.api.ask("POST", path) as response:
            assert response.status == status, await response.text()
            return await response.json() if response.content_type == "application/json" else None

    async def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.api.get(f"/webhooks/deliveries?limit=200&{query}"))["deliveries"]
        return listed

    async def tell(self) -> list[Told]:
        """One try of all that is due; what arrived."""
        before = len(self.hook.told)
        await self.post.hurry(self.dsn)
        await self.post.tell_all()
        return self.hook.told[before:]


@pytest.fixture
async def office(store: Store, dsn: str, tmp_path: Path) -> AsyncIterator[Office]:
    vault = Vault([new_key()])
    async with running(store, tmp_path, vault=vault) as api, Hook() as hook:
        yield Office(api=api, post=Post(store=store, vault=vault), hook=hook, dsn=dsn)


def is_signed(told: Told, secret: str) -> bool:
    try:
        told.verified(secret)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.both_databases
async def test_an_endpoint_is_told_of_every_job_under_a_secret_of_its_own(office: Office, store: Store) -> None:
    """I1, P1: the secret is shown once, and stands nowhere else than sealed."""
    made = await office.put(events=["job.submitted"], url=office.hook.url("/shop?token=s3cret"))
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["url"], made["events"], made["format"]) == (
        office.hook.url("/shop?***"),
        ["job.submitted"],
        "standard",
    )
    shown = await office.api.get(SHOP)
    assert shown == made | {"secret": None}
    assert await office.api.get("/webhooks/endpoints") == {"endpoints": [shown]}

    await work.enqueue(store)
    (told,) = await office.tell()
    assert told.request.target == "/shop?token=s3cret"
    assert told.verified(secret)["type"] == "job.submitted"
    assert not is_signed(told, WEBHOOK_SECRET)
    (delivery,) = await office.deliveries()
    assert (delivery["status"], delivery["endpoint"], delivery["url"]) == ("delivered", "shop", made["url"])
    kept = await databases.rows(office.dsn)
    assert [table for table, row in kept if secret in row or secret[6:20] in row or "s3cret" in row] == []


@pytest.mark.both_databases
async def test_two_secrets_sign_until_the_old_one_is_over(office: Office, store: Store) -> None:
    """I9"""
    old = (await office.put(events=["job.submitted"]))["secret"]
    rotated = await office.post_to(f"{SHOP}/rotate", status=200)
    new = rotated["secret"]
    assert (new != old, rotated["oldSecretUntil"] > rotated["secretAt"]) == (True, True)
    await work.enqueue(store)
    (told,) = await office.tell()
    assert (is_signed(told, old), is_signed(told, new)) == (True, True)

    await databases.run(office.dsn, _OVER)
    await work.enqueue(store)
    (told,) = await office.tell()
    assert (is_signed(told, old), is_signed(told, new)) == (False, True)
    assert (await office.api.get(SHOP))["oldSecretUntil"] is None
    assert (await office.put(status=200, events=["job.failed"]))["secret"] is None  # a change keeps the secret
    await office.post_to(f"{SHOP}/rotate?keepHours=23", status=400)


async def test_nine_refusals_later_the_same_event_arrives_under_the_same_id(office: Office, store: Store) -> None:
    """I2, I4: what is no 410 is tried again."""
    secret = (await office.put(events=["job.submitted"]))["secret"]
    office.hook.answers = [500, 404, 400, 501, 503, 429, 302, 500, 500]
    await work.enqueue(store)
    for number in range(1, 11):
        assert len(await office.tell()) == 1, number
    assert len({told.id for told in office.hook.told}) == 1
    assert len({told.request.headers["webhook-signature"] for told in office.hook.told}) >= 1
    assert all(is_signed(told, secret) for told in office.hook.told)
    assert await office.tell() == []
    (delivery,) = await office.deliveries()
    assert (delivery["status"], delivery["tries"], delivery["httpStatus"]) == ("delivered", 10, 200)


async def test_what_ten_tries_could_not_tell_is_shown_and_told_again_in_bulk(office: Office, store: Store) -> None:
    """I10"""
    await office.put(events=["job.submitted", "job.failed"])
    job, claim = await work.working(store)
    await store.settle(claim, work.failing())
    office.hook.answers = [500] * 20
    for _ in range(10):
        await office.tell()
    exhausted = await office.deliveries("status=exhausted")
    assert [(each["type"], each["tries"]) for each in exhausted] == [("job.failed", 10), ("job.submitted", 10)]
    assert (await office.api.get(f"/jobs/{job.id}"))["status"] == "failed"

    before = {told.id for told in office.hook.told}
    assert await office.post_to("/webhooks/deliveries/replay?limit=1", status=200) == {"replayed": 1, "left": 1}
    assert await office.post_to("/webhooks/deliveries/replay?endpoint=shop", status=200) == {"replayed": 1, "left": 0}
    assert {told.id for told in await office.tell()} == before
    assert {each["status"] for each in await office.deliveries()} == {"delivered"}
    assert await office.post_to("/webhooks/deliveries/replay?status=gone", status=200) == {"replayed": 0, "left": 0}


async def test_a_receiver_that_is_gone_ends_what_a_job_tells_it_and_no_others(office: Office, store: Store) -> None:
    """I4"""
    await office.put("shop")
    await office.put("till", events=["job.submitted"])
    office.hook.answers = [410]
    job, claim = await work.working(store)
    await store.settle(claim, work.failing())
    other = await work.enqueue(store)
    while await office.tell():
        pass
    (till,) = await office.deliveries(f"endpoint=till&job={job.id}")
    told = {each["status"] for each in await office.deliveries(f"endpoint=shop&job={job.id}")}
    (later,) = await office.deliveries(f"endpoint=shop&job={other.id}")
    assert (told, till["status"], later["status"]) == ({"gone"}, "delivered", "delivered")


async def test_an_endpoint_that_is_disabled_or_removed_is_told_nothing_more(office: Office, store: Store) -> None:
    for name in ("off", "away"):
        await office.put(name, events=["job.submitted"])
    await work.enqueue(store)
    await office.put("off", status=200, enabled=False)
    async with office.api.ask("DELETE", "/webhooks/endpoints/away") as response:
        assert response.status == 204
    async with office.api.ask("DELETE", "/webhooks/endpoints/away") as response:
        assert response.status == 404
    assert await office.tell() == []
    errors = {each["endpoint"]: (each["status"], each["error"]) for each in await office.deliveries()}
    assert errors == {"off": ("exhausted", "endpoint_disabled"), "away": ("exhausted", "endpoint_removed")}
    await work.enqueue(store)
    assert len(await office.deliveries()) == 2

    await office.put("off", status=200, url=office.hook.url("/elsewhere"))
    assert (await office.post_to("/webhooks/deliveries/replay?endpoint=off", status=200))["replayed"] == 1
    assert [told.request.target for told in await office.tell()] == ["/elsewhere"]


async def test_a_replay_of_what_nowhere_matches_ends_in_its_time_too(
    office: Office, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.put(events=["job.submitted"])
    for _ in range(4):
        await work.enqueue(store)
    looked, look = [], type(store).look_at_deliveries

    async def counting(self: Store, wanted: DeliveryFilter) -> DeliveryLook:
        looked.append(wanted.look)
        return await look(self, wanted)

    monkeypatch.setattr(type(store), "look_at_deliveries", counting)
    monkeypatch.setattr(webhooks, "DeliveryFilter", partial(DeliveryFilter, look=1))
    monkeypatch.setattr(webhooks, "MOST_S", 0.0)
    nobody = "/webhooks/deliveries/replay?status=pending&endpoint=nobody"
    assert await office.post_to(nobody, status=200) == {"replayed": 0, "left": 0}
    assert looked == [1, webhooks.COUNTED]


async def test_a_test_arrives_as_all_that_is_told(office: Office) -> None:
    secret = (await office.put())["secret"]
    delivery = (await office.post_to(f"{SHOP}/test", status=202))["deliveryId"]
    (told,) = await office.tell()
    event = told.verified(secret)
    assert (event["type"], event["data"]["job"]["metadata"]) == ("endpoint.test", {"test": True})
    (listed,) = await office.deliveries("event=endpoint.test")
    assert (listed["id"], listed["jobId"], listed["status"]) == (delivery, None, "delivered")
    await office.post_to(f"/webhooks/deliveries/{delivery}/replay", status=202)
    assert [again.id for again in await office.tell()] == [told.id]
    await office.post_to("/webhooks/endpoints/nobody/test", status=404)


async def test_mediaconverts_form_carries_our_signature(office: Office, store: Store) -> None:
    secret = (await office.put(format="mediaconvert", settings={"account": "111122223333"}))["secret"]
    _, claim = await work.working(store)
    await store.mark(claim)
    await store.settle(claim, work.failing())
    events = [told.verified(secret) for told in await office.tell()]
    assert {(event["source"], event["account"], event["region"]) for event in events} == {
        ("aws.mediaconvert", "111122223333", "us-east-1")
    }
    assert [event["detail"]["status"] for event in events] == ["PROGRESSING", "ERROR"]
    await office.post_to(f"{SHOP}/test", status=202)
    (told,) = await office.tell()
    assert told.verified(secret)["detail"]["status"] == "COMPLETE"


async def test_events_that_overtake_each_other_can_be_put_in_order(office: Office, store: Store) -> None:
    """I14"""
    secret = (await office.put())["secret"]
    _, claim = await work.working(store)
    office.hook.answers = [503]
    await store.settle(claim, work.failing())
    while await office.tell():
        pass
    jobs = [told.verified(secret)["data"]["job"] for told in office.hook.told]
    seen = [job["sequence"] for job in jobs]
    assert seen != sorted(seen)  # the first was told again at last
    last = max(jobs, key=lambda job: job["sequence"])
    assert (last["status"], [job["sequence"] for job in jobs if job["status"] == "failed"][-1]) == (
        "failed",
        last["sequence"],
    )


async def test_a_redirect_is_not_followed_and_shown_as_what_it_is(office: Office, store: Store) -> None:
    """I3"""
    async with Canary() as canary:
        await office.put(events=["job.submitted"])

        async def elsewhere(exchange: Exchange) -> None:
            await exchange.answer(307, headers={"Location": canary.url()})

        office.hook.answers = [elsewhere]
        await work.enqueue(store)
        await office.tell()
    (delivery,) = await office.deliveries()
    assert (delivery["status"], delivery["error"]) == ("pending", "answered 307")


async def test_no_body_of_an_event_holds_a_secret(office: Office) -> None:
    """I12"""
    secret = (await office.put())["secret"]
    job = {
        "source": {"url": "https://source.example/in.mp4?X-Amz-Signature=s3cret"},
        "outputs": [
            {"preset": "h264", "destination": {"url": "https://out.example/o.mp4", "headers": {"X": "s3cret"}}}
        ],
        "notificationUrl": office.hook.url("/own?token=s3cret"),
    }
    job_id = JobId((await office.api.submit(job))["id"])
    await office.api.ask("POST", f"/jobs/{job_id}/cancel")
    while await office.tell():
        pass
    assert len(office.hook.told) == 2 * 2  # submitted and cancelled, to both
    for told in office.hook.told:
        assert (b"s3cret" in told.body, secret.encode() in told.body, len(told.body) < 20_000) == (False, False, True)


WRONG: list[tuple[Any, str, str]] = [
    ({}, "/url", "missing_field"),
    ({"url": "ftp://a.example/"}, "/url", "invalid_url"),
    ({"url": "http://10.0.0.1/"}, "/url", "address_not_allowed"),
    ({"url": "https://a.example/", "events": ["job.told"]}, "/events/0", "invalid_value"),
    ({"url": "https://a.example/", "events": []}, "/events", "out_of_range"),
    ({"url": "https://a.example/", "events": ["job.failed", "job.failed"]}, "/events", "invalid_value"),
    ({"url": "https://a.example/", "format": "xml"}, "/format", "invalid_value"),
    ({"url": "https://a.example/", "secret": "whsec_c2hvcnQ="}, "/secret", "unknown_field"),
    ({"url": "https://a.example/", "headers": {"Host": "b", "webhook-id": "x\r\ny"}}, "/headers", "unknown_field"),
    ({"url": "https://a.example/", "settings": {"region": "x"}}, "/settings/region", "unknown_field"),
    (
        {"url": "https://a.example/", "format": "mediaconvert", "settings": {"account": "1"}},
        "/settings/account",
        "invalid_value",
    ),
    (
        {"url": "https://a.example/", "format": "mediaconvert", "events": ["output.uploaded"]},
        "/events/0",
        "unsupported_combination",
    ),
]


async def test_what_is_wrong_with_an_endpoint_is_named(office: Office) -> None:
    """I13: nobody sets the secret or a header."""
    for body, path, code in WRONG:
        async with office.api.ask("PUT", SHOP, json=body) as response:
            told = await response.json()
        assert (response.status, [(each["path"], each["code"]) for each in told["errors"]]) == (422, [(path, code)])
    for name in ("a b", "-x", "x" * 65, "ä", ".x"):
        async with office.api.ask("PUT", f"/webhooks/endpoints/{name}", json={"url": "https://a.example/"}) as response:
            assert response.status == 422
        async with office.api.ask("GET", f"/webhooks/endpoints/{name}") as response:
            assert response.status == 404


async def test_an_address_as_it_is_shown_is_refused_and_so_loses_no_token(office: Office) -> None:
    """Whoever puts back what GET says keeps the token or is told."""
    await office.put(url=office.hook.url("/shop?token=s3cret"))
    shown = (await office.api.get(SHOP))["url"]
    assert shown.endswith("/shop?***")
    told = await office.put(url=shown, status=422)
    assert [(each["path"], each["code"]) for each in told["errors"]] == [("/url", "invalid_value")]


async def test_a_tenant_has_so_many_endpoints_and_no_more(office: Office) -> None:
    for number in range(20):
        await office.put(f"e{number}")
    assert (await office.put("more", status=409))["code"] == "too_many_endpoints"
    await office.put("e7", status=200)


async def test_pages_of_deliveries_follow_each_other(office: Office, store: Store) -> None:
    await office.put(events=["job.submitted"])
    for _ in range(5):
        await work.enqueue(store)
    seen, query = [], "limit=2&endpoint=shop"
    cursor = ""
    while cursor is not None:
        page = await office.api.get(f"/webhooks/deliveries?{query}{cursor and f'&cursor={cursor}'}")
        seen += [each["jobId"] for each in page["deliveries"]]
        cursor = page["nextCursor"]
        if cursor is not None:
            for other in ("/webhooks/deliveries?limit=2&endpoint=till", "/jobs?limit=2"):
                async with office.api.ask("GET", f"{other}&cursor={cursor}") as response:
                    assert (response.status, (await response.json())["code"]) == (400, "invalid_cursor")
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


async def test_a_busy_host_leaves_the_slots_to_other_receivers(office: Office, store: Store) -> None:
    """I6: what finds its turns taken is put off, uncharged, and arrives."""
    await office.put(events=["job.submitted"])
    await work.enqueue(store)
    (claim,) = await work.claim(store, queue="io")
    go_on, full = asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        if len(office.hook.told) == PER_HOST:
            full.set()
        await go_on.wait()
        await exchange.answer(200)

    office.hook.answers = [slow] * PER_HOST
    others = [asyncio.create_task(office.post.send(office.hook.url("/slow"))) for _ in range(PER_HOST)]
    await asyncio.wait_for(full.wait(), 5)
    await office.post.tell(claim)
    (waiting,) = await office.deliveries()
    assert (waiting["status"], waiting["tries"], len(office.hook.told)) == ("pending", 0, PER_HOST)
    go_on.set()
    await asyncio.gather(*others)
    (told,) = await office.tell()
    (delivery,) = await office.deliveries()
    assert (delivery["status"], delivery["tries"], json.loads(told.body)["type"]) == ("delivered", 1, "job.submitted")


async def test_what_ends_while_its_receiver_is_down_arrives_when_it_is_back(dsn: str, tmp_path: Path) -> None:
    """The small form of `python -m tests.lab.outage`, a real worker in both."""
    figures = await outage(dsn, tmp_path, jobs=24)
    assert (figures.deliveries, figures.arrived, figures.twice, figures.genuine) == (48, 48, 0, True)
