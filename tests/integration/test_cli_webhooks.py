"""Webhooks on the command line: endpoints, what they were told, and a receiver on one's own machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from encoder.model.ids import TenantId
from encoder.store.protocol import Store
from encoder.vault import Vault, new_key
from encoder.webhooks.sign import new_secret, tenant_secret
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.command import Done, encoder, start
from tests.lab.hook import Hook
from tests.lab.platform import WEBHOOK_SECRET
from tests.lab.post import Post


@dataclass(frozen=True, kw_only=True)
class Desk:
    api: Api
    hook: Hook
    post: Post

    async def webhooks(self, *words: str) -> Done:
        return await encoder("webhooks", *words, url=self.api.url)


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Desk]:
    vault = Vault([new_key()])
    async with running(store, tmp_path, vault=vault) as api, Hook() as hook:
        yield Desk(api=api, hook=hook, post=Post(store=store, vault=vault))


async def test_an_endpoint_is_put_tested_and_removed(desk: Desk) -> None:
    none = await desk.webhooks("endpoints")
    assert (none.code, none.out, "webhooks put NAME" in none.err) == (0, "", True)
    made = await desk.webhooks("put", "shop", "--to", desk.hook.url("/shop"), "--event", "job.completed")
    line, secret = made.out.splitlines()
    assert line == f"shop  {desk.hook.url('/shop')}  standard  job.completed"
    assert (made.code, secret.startswith("whsec_"), "shown once" in made.err) == (0, True, True)

    assert (await desk.webhooks("test", "shop")).out == "delivery 1\n"
    await desk.post.tell_all()
    assert desk.hook.told[0].verified(secret)["type"] == "endpoint.test"
    listed = await desk.webhooks("deliveries", "--endpoint", "shop", "--status", "delivered")
    assert ("delivered endpoint.test" in listed.out, "a test  shop  tries 1  HTTP 200" in listed.out) == (True, True)
    rotated = json.loads((await desk.webhooks("rotate", "shop", "--json")).out)
    assert rotated["secret"] != secret

    assert (await desk.webhooks("remove", "shop")).err == "removed shop\n"
    refused = await desk.webhooks("put", "shop", "--to", "ftp://a.example/")
    assert (refused.code, "/url must begin with http:// or https://" in refused.err) == (2, True)
    refused = await desk.webhooks("put", "shop", "--to", "https://u:p@example.com/x")
    assert ("put a token into its query" in refused.err, "headers" in refused.err) == (True, False)


async def test_what_is_not_there_is_said_so_and_no_job_is_spoken_of(desk: Desk) -> None:
    """Nor does anybody listen for ever to an endpoint that there never was."""
    for words in (("listen", "--endpoint", "nope"), ("rotate", "nope"), ("test", "nope"), ("replay", "9999")):
        done = await desk.webhooks(*words)
        assert (done.code, "error: not_found: There is no such" in done.err, "job" in done.err) == (2, True, False)


async def test_what_was_told_is_listed_and_told_again(desk: Desk, store: Store) -> None:
    desk.hook.answers = [410, 410]
    for _ in range(2):
        await work.enqueue(store, hook=desk.hook.url())
    await desk.post.tell_all()
    told = [json.loads(each) for each in (await desk.webhooks("deliveries", "--json")).out.splitlines()]
    assert [(each["id"], each["status"]) for each in told] == [(2, "gone"), (1, "gone")]
    assert (await desk.webhooks("replay", "1")).out == "delivery 1 is told again\n"
    assert (await desk.webhooks("replay", "--status", "gone", "--yes")).out == "1 told again, 0 left\n"
    await desk.post.tell_all()
    assert (await desk.webhooks("deliveries", "--status", "gone")).out == ""
    unsaid = await desk.webhooks("replay")
    assert (unsaid.code, "say which" in unsaid.err) == (2, True)


async def test_a_receiver_on_this_machine_is_told_what_happens_though_nobody_else_is(desk: Desk, store: Store) -> None:
    """It verifies as in earnest, under the id that others get, and nothing reaches it from outside."""
    await work.enqueue(store, hook="https://receiver.example/hook")
    async with listening(desk, "--secret", WEBHOOK_SECRET, "--limit", "2") as process:
        _, claim = await work.working(store, hook="https://receiver.example/hook")
        await store.settle(claim, work.failing())
        out, _ = await asyncio.wait_for(process.communicate(), 20)
    rows = {row.webhook_id: json.loads(row.body) for row in await work.deliveries(store)}
    told = [(each.id, each.verified(WEBHOOK_SECRET)) for each in desk.hook.told]
    assert [(rows[name]["type"], rows[name]["timestamp"]) for name, _ in told] == [
        (event["type"], event["timestamp"]) for _, event in told
    ]
    assert told[0][1]["data"]["job"].keys() == rows[told[0][0]]["data"]["job"].keys()
    assert (process.returncode, out.count("→ 200".encode())) == (0, 2)


async def test_a_receiver_on_this_machine_is_told_what_an_endpoint_is(desk: Desk, store: Store) -> None:
    await desk.webhooks("put", "shop", "--to", "https://shop.example/", "--format", "mediaconvert")
    async with listening(desk, "--endpoint", "shop", "--secret", WEBHOOK_SECRET, "--limit", "1") as process:
        _, claim = await work.working(store)
        await store.settle(claim, work.failing())
        await asyncio.wait_for(process.communicate(), 20)
    (row,) = await work.deliveries(store)
    assert [(told.id, told.body.decode(), told.genuine) for told in desk.hook.told] == [
        (row.webhook_id, row.body, True)
    ]


@asynccontextmanager
async def listening(desk: Desk, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start("webhooks", "listen", "--to", desk.hook.url("/mine"), *words, url=desk.api.url)
    try:
        assert process.stderr is not None
        assert await asyncio.wait_for(process.stderr.readline(), 20) == b"Listening; Ctrl-C ends it.\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_an_operator_can_tell_each_tenant_its_secret(tmp_path: Path) -> None:
    async def told(*words: str, **environment: str) -> Done:
        return await encoder("webhooks", "secret", "--data", str(tmp_path), *words, **environment)

    none = await told()
    assert (none.code, "there is none" in none.err) == (2, True)
    (tmp_path / "webhook-secret").write_text(WEBHOOK_SECRET)
    assert (await told()).out == f"{WEBHOOK_SECRET}\n"
    seventh = tenant_secret(WEBHOOK_SECRET, TenantId(7))
    assert (await told("--tenant", "7")).out == f"{seventh}\n"
    both = await told("--tenant", "7", ENCODER_WEBHOOK_SECRET=f"{new_secret()},{WEBHOOK_SECRET}")
    assert both.out.splitlines()[1] == seventh
    short = await told(ENCODER_WEBHOOK_SECRET="whsec_c2hvcnQ=")
    assert (short.code, "c2hvcnQ" in short.err) == (2, False)
