"""Settings and webhooks as pages: what they do is what the API does, and what is refused is said at its field."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from encoder.api.auth import KeyGate
from encoder.dashboard.page import SAID
from encoder.model.key import Scope
from encoder.store.postgres import PostgresStore
from encoder.store.rows import DeliveryTry
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.keyed import key_in

OURS = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = "\"'><img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def see(api: Api, path: str, *, status: int = 200) -> str:
    async with api.ask("GET", path) as response:
        text: str = await response.text()
        assert (response.status, response.content_type) == (status, "text/html"), text
    assert "<img" not in text
    return text


async def send(api: Api, path: str, form: object = None) -> tuple[int, str, str]:
    """Status, page (or where to go on), and the sentence that goes along."""
    async with api.ask("POST", path, data=form, headers=OURS, allow_redirects=False) as response:
        said = response.cookies[SAID].value if SAID in response.cookies else ""
        text = response.headers.get("Location") or await response.text()
        assert "<img" not in text
        return response.status, text, said


async def test_a_key_is_made_shown_once_and_revoked_when_that_is_meant(api: Api) -> None:
    form = [("seen", "0"), ("name", HOSTILE), ("tenant", "7"), ("days", ""), ("scope", "read")]
    status, page, _ = await send(api, "/ui/settings/keys", form)
    assert status == 200
    assert "This is shown once" in page
    (made,) = (await api.get("/keys"))["keys"]
    assert (made["name"], made["tenant"], made["scopes"], made["expiresAt"]) == (HOSTILE, 7, ["read"], None)
    assert made["prefix"] in page
    status, page, _ = await send(api, "/ui/settings/keys", form)
    assert (status, "A key was made since" in page, len((await api.get("/keys"))["keys"])) == (422, True, 1), "a reload"
    listed = await see(api, "/ui/settings/keys")
    assert re.findall("enc_live_[0-9A-Za-z]{6,}", listed) == []
    revoke = f"/ui/settings/keys/{made['id']}/revoke"
    status, asked, _ = await send(api, revoke)
    assert (status, 'name="confirm"' in asked) == (200, True)
    assert (await api.get("/keys"))["keys"][0]["live"]
    status, to, said = await send(api, revoke, {"confirm": "1"})
    assert (status, to, "opens%20nothing" in said) == (303, "/ui/settings/keys", True)
    assert not (await api.get("/keys"))["keys"][0]["live"]


async def test_what_is_refused_is_said_at_its_field_and_the_rest_is_kept(api: Api) -> None:
    form = [("seen", "0"), ("name", "support"), ("tenant", "x"), ("scope", "read")]
    status, page, _ = await send(api, "/ui/settings/keys", form)
    assert status == 422
    assert 'name="name" type="text" value="support"' in page
    assert re.search(r'id="tenant"[^>]*aria-invalid="true"', page)
    assert re.search(r'value="read" checked', page)
    assert not re.search(r'value="write" checked', page)
    status, page, _ = await send(api, "/ui/settings/presets", {"name": "mine", "members": '{"crf": "low"'})
    assert (status, "Nothing was kept" in page) == (422, True)
    status, page, _ = await send(
        api, "/ui/settings/presets", {"name": "mine", "members": '{"container": "mp4", "crf": 99}'}
    )
    assert (status, "&#34;crf&#34;: 99" in page) == (422, True)
    assert (await api.get("/presets"))["presets"][-1]["builtIn"]


async def test_a_preset_of_ones_own_is_kept_changed_and_removed(api: Api) -> None:
    members = {"preset": "h264", "crf": 20}
    form = {"name": "mine", "about": HOSTILE, "members": json.dumps(members)}
    assert (await send(api, "/ui/settings/presets", form))[:2] == (303, "/ui/settings/presets")
    told = await api.get("/presets/mine")
    assert (told["about"], told["members"], told["version"]) == (HOSTILE, members, 1)
    assert "version 1" in await see(api, "/ui/settings/presets")
    page = await see(api, "/ui/settings/presets/mine")
    assert json.loads(unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1])) == members  # type: ignore[index]  # there is one
    assert "built in" in await see(api, "/ui/settings/presets/h264")
    assert (await send(api, "/ui/settings/presets/mine/remove"))[0] == 200
    assert (await send(api, "/ui/settings/presets/mine/remove", {"confirm": "1"}))[0] == 303
    await see(api, "/ui/settings/presets/mine", status=404)


async def test_an_endpoint_shows_its_secret_once_and_is_told_a_test(api: Api) -> None:
    form: list[tuple[str, str]] = [
        ("name", "shop"), ("url", "https://media.example.com/hook?token=S3nt1nel"), ("format", "standard"),
        ("events", "job.completed"), ("events", "job.failed"), ("settings", ""), ("enabled", "1"),
    ]  # fmt: skip
    status, page, _ = await send(api, "/ui/settings/endpoints", form)
    assert (status, "whsec_" in page) == (200, True)
    told = await api.get("/webhooks/endpoints/shop")
    assert (told["events"], told["enabled"], told["format"]) == (["job.completed", "job.failed"], True, "standard")
    for path in ("/ui/settings/endpoints", "/ui/settings/endpoints/shop"):
        shown = await see(api, path)
        assert "whsec_" not in shown
        assert "S3nt1nel" not in shown
    status, to, _ = await send(api, "/ui/settings/endpoints/shop/test")
    assert status == 303
    assert "endpoint.test" in await see(api, to)
    assert "none: a test" in await see(api, to)
    meant = {"confirm": "1", "seen": told["secretAt"].replace("Z", "+00:00")}
    status, page, _ = await send(api, "/ui/settings/endpoints/shop/rotate", meant)
    assert (status, "whsec_" in page) == (200, True)
    rotated = (await api.get("/webhooks/endpoints/shop"))["secretAt"]
    status, _, said = await send(api, "/ui/settings/endpoints/shop/rotate", meant)
    assert (status, "meanwhile" in said) == (303, True)
    assert (await api.get("/webhooks/endpoints/shop"))["secretAt"] == rotated, "a reload ends no secret that is in use"
    off = [("name", "shop"), ("known", "1"), ("url", "https://media.example.com/hook"), ("format", "standard")]
    assert (await send(api, "/ui/settings/endpoints", off))[0] == 303
    assert not (await api.get("/webhooks/endpoints/shop"))["enabled"]
    assert (await send(api, "/ui/settings/endpoints/shop/remove", {"confirm": "1"}))[0] == 303
    assert (await api.get("/webhooks/endpoints"))["endpoints"] == []


async def test_a_rule_is_kept_and_its_secrets_are_not_shown(api: Api) -> None:
    rule: dict[str, Any] = {
        "source": {"bucket": "films", "prefix": "up/", "access_key_id": "S3nt1nel", "access_key_secret": "S3nt1nel"},
        "outputs": [{"preset": "h264", "path": "done/{name}.mp4"}],
    }
    status, to, _ = await send(api, "/ui/settings/ingest", {"name": "films", "rule": json.dumps(rule)})
    assert (status, to) == (303, "/ui/settings/ingest")
    assert (await api.get("/ingest/rules/films"))["source"]["prefix"] == "up/"
    for path in ("/ui/settings/ingest", "/ui/settings/ingest/films"):
        assert "S3nt1nel" not in await see(api, path)
    off = {**rule, "enabled": False}
    assert (await send(api, "/ui/settings/ingest", {"name": "films", "rule": json.dumps(off)}))[0] == 303
    written = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", await see(api, "/ui/settings/ingest/films"), re.DOTALL)
    assert written is not None
    assert json.loads(unescape(written[1]))["enabled"] is False, "or it would be on again as soon as it is kept"
    broken = {**rule, "outputs": [{"preset": "nothing", "path": "x"}]}
    status, page, _ = await send(api, "/ui/settings/ingest", {"name": "films", "rule": json.dumps(broken)})
    assert (status, "/outputs/0/preset" in page) == (422, True)
    assert (await send(api, "/ui/settings/ingest/films/remove", {"confirm": "1"}))[0] == 303
    assert (await api.get("/ingest/rules"))["rules"] == []


async def test_deliveries_are_found_shown_and_told_again(api: Api, store: PostgresStore) -> None:
    """H1: what a receiver said is text."""
    body = {
        "source": {"kind": "inline", "data": "QUJD"},
        "outputs": [{"preset": "h264"}],
        "notificationUrl": "https://media.example.com/hook",
    }
    job = (await api.submit(body))["id"]
    given_up = DeliveryTry(state="exhausted", status=500, error="refused", answer=HOSTILE)
    claim = await work.claim_one(store, queue="io")
    await store.settle_delivery(claim, given_up, work.done())
    (told,) = (await api.get("/webhooks/deliveries"))["deliveries"]
    page = await see(api, f"/ui/webhooks?status=exhausted&event=&endpoint=&job={job}")
    assert f'href="/ui/webhooks/{told["id"]}"' in page
    assert "No delivery matches" in await see(api, "/ui/webhooks?status=delivered")
    assert "onerror=alert" in await see(api, f"/ui/webhooks/{told['id']}")
    status, _, said = await send(api, f"/ui/webhooks/{told['id']}/replay")
    assert (status, "told%20again" in said) == (303, True)
    (again,) = (await api.get("/webhooks/deliveries"))["deliveries"]
    assert (again["status"], again["webhookId"]) == ("pending", told["webhookId"])
    assert (await send(api, "/ui/webhooks/replay"))[0] == 200
    assert (await send(api, f"/ui/webhooks/replay?job={job}", {"confirm": "1"}))[0] == 303
    await see(api, "/ui/webhooks/987654321", status=404)
    await see(api, "/ui/webhooks?status=sent", status=400)


async def test_who_may_only_read_sees_no_button(store: PostgresStore, tmp_path: Path) -> None:
    async with running(store, tmp_path, gate=KeyGate(store), loopback_only=False) as api:
        entered = await api.ask(
            "POST", "/ui/login", data={"key": await key_in(store, Scope.READ)}, headers=OURS, allow_redirects=False
        )
        cookies = {name: morsel.value for name, morsel in entered.cookies.items()}
        for tab in ("presets", "endpoints", "ingest", "retention", "about"):
            async with api.ask("GET", f"/ui/settings/{tab}", cookies=cookies) as page:
                text = await page.text()
            assert page.status == 200
            assert not re.search(r'method="post"(?! action="/ui/(preferences|logout)")', text), tab
            assert "/ui/settings/keys" not in text
        for path in ("/ui/settings/keys", "/ui/settings/new-preset"):
            async with api.ask("GET", path, cookies=cookies) as page:
                assert page.status == 403
                assert "lacks the scope" in await page.text()
