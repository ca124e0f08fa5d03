"""Ingest over HTTP: a gateway of Ceph tells of its objects, and by rules each becomes one job."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web as server

from encoder.api.auth import KeyGate
from encoder.api.rates import Buckets, Rates
from encoder.model.ids import TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.net.s3 import SHA256, S3Access
from encoder.plugins import Surroundings
from encoder.queue.ceiling import Ceiling
from encoder.queue.enqueue import Enqueue
from encoder.queue.erase import ObjectSweep
from encoder.store.engines import open_store
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from encoder.vault import Vault
from encoder.vault import new_key as new_secret
from tests.lab import databases, rgw, told
from tests.lab.api import Api, running
from tests.lab.dns import FakeDns
from tests.lab.rgw import Bucket, Gateway
from tests.lab.tls import Authority
from tests.lab.wire import lab_web

pytestmark = pytest.mark.xdist_group("s3")

SECRET = "sentinel+secret/7f3a"
SNS, SNS_AT = "sns.eu-central-1.amazonaws.com", "127.77.0.43"


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as api:
        yield api


@pytest.fixture
def bucket(s3_server: Gateway) -> Bucket:
    return s3_server.bucket()


def a_rule(bucket: Bucket, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    source = {"bucket": bucket.name, "prefix": "in/", **bucket.credentials}
    return {"source": source, "outputs": [{"preset": "hls", "path": "{dir}/{name}_processed/hls/"}], **more}


async def put(api: Api, rule: dict[str, Any], name: str = "videos", *, status: int = 200) -> dict[str, Any]:
    async with api.ask("PUT", f"/ingest/rules/{name}", json=rule) as response:
        said: dict[str, Any] = await response.json()
        assert response.status == status, said
        return said


async def tell(api: Api, body: object, *, status: int = 200, **more: Any) -> Any:  # noqa: ANN401  # JSON
    async with api.ask("POST", "/ingest/s3", **({"json": body} if body is not None else {}), **more) as response:
        said = await response.json()
        assert response.status == status, said
        return said["records"] if status == 200 else said


async def jobs(api: Api) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await api.get("/jobs?limit=200"))["jobs"]
    return listed


@pytest.mark.both_databases
async def test_what_is_put_into_a_bucket_becomes_a_job_each_once(api: Api, bucket: Bucket) -> None:
    """The gateway tells of objects by itself, however they are made and whatever they are called."""
    await put(api, a_rule(bucket, tags=["ingested"]))
    await asyncio.to_thread(bucket.push, f"{api.url}/ingest/s3")
    keys = ["in/2026/a b+c%2F – ü.mp4", "in/plain.MOV", "in/{jobId}.mp4"]
    for key in (*keys, "in/readme.txt", "out/a.mp4", "in/a_processed/hls/init.mp4"):
        await asyncio.to_thread(bucket.put, key, b"video")
    await asyncio.to_thread(bucket.remove, "in/readme.txt")
    made = {job["source"]["path"]: job for job in await jobs(api)}
    assert set(made) == set(keys)
    job = made[keys[0]]
    assert job["tags"] == ["ingested"]
    assert job["outputs"][0]["spec"]["destination"]["path"] == "in/2026/a b+c%2F – ü_processed/hls/"
    assert made[keys[2]]["outputs"][0]["spec"]["destination"]["path"] == "in/-jobId-_processed/hls/"
    etag = bucket.about(keys[0])["ETag"].strip('"')
    about = {"rule": "videos", "version": 1, "origin": "ceph", "bucket": bucket.name, "key": keys[0]}
    assert job["metadata"]["ingest"] == {**about, "etag": etag, "sizeBytes": 5}


@pytest.mark.both_databases
async def test_what_is_told_three_times_at_once_and_to_two_servers_is_one_job(
    api: Api, dsn: str, tmp_path: Path, bucket: Bucket
) -> None:
    """Whoever tells it hears of the same job; a new version of the object is another one."""
    await put(api, a_rule(bucket))
    await asyncio.to_thread(bucket.put, "in/a.mp4", b"video")
    other_store = await open_store(dsn)
    (tmp_path / "other").mkdir()
    async with running(other_store, tmp_path / "other", vault=api.parts.vault) as other:
        body = told.ceph(bucket=bucket.name)
        records = await asyncio.gather(*(tell(each, body) for each in (api, other, api, other, api, other)))
        assert len({record["jobId"] for (record,) in records}) == 1
        again = await tell(other, told.s3(bucket=bucket.name, eventSource="ceph:s3", sequencer="2", eTag="another"))
    await other_store.close()
    assert [record["skipped"] for record in again] == [None]
    assert len(await jobs(api)) == 2
    await asyncio.to_thread(bucket.remove, "in/a.mp4")
    known = await tell(api, told.s3(bucket=bucket.name, eventSource="ceph:s3", sequencer="2", eTag="another"))
    assert known == again  # though the object is gone


@pytest.mark.both_databases
async def test_each_record_is_told_what_became_of_it(api: Api, bucket: Bucket) -> None:
    await put(api, a_rule(bucket))
    await put(api, a_rule(bucket, enabled=False), "off")
    await put(api, {**a_rule(bucket), "source": {**a_rule(bucket)["source"], "prefix": "in/hd/"}}, "hd")
    await asyncio.to_thread(bucket.put, "in/hd/a.mp4", b"video")
    await asyncio.to_thread(bucket.put, "in/empty.mp4", b"")
    mark = {SHA256: "ab" * 32}
    await asyncio.to_thread(
        lambda: bucket.client.put_object(Bucket=bucket.name, Key="in/ours.mp4", Body=b"x", Metadata=mark)
    )
    keys = ["in/hd/a.mp4", "in/empty.mp4", "in/ours.mp4", "in/gone.mp4", "in/a.txt", "in/x//y.mp4", "out/a.mp4"]
    body = {"Records": [told.ceph(key, bucket=bucket.name)["Records"][0] for key in keys]}
    records = await tell(api, body)
    assert [(record["key"], record["rule"], record["skipped"]) for record in records] == [
        ("in/hd/a.mp4", "hd", None),
        ("in/hd/a.mp4", "videos", None),
        ("in/empty.mp4", "videos", "empty"),
        ("in/ours.mp4", "videos", "own_output"),
        ("in/gone.mp4", "videos", "gone"),
        ("in/a.txt", None, "suffix"),
        ("in/x//y.mp4", "videos", "invalid_key"),
        ("out/a.mp4", None, "no_rule"),
    ]
    assert {record["jobId"] for record in records} == {None, *(job["id"] for job in await jobs(api))}


async def test_what_cannot_be_taken_is_not_confirmed_and_holds_up_none_behind_it(api: Api, bucket: Bucket) -> None:
    """503 until all of it stands; then whoever sends it again makes nothing twice."""
    wrong = a_rule(bucket)
    wrong["source"] |= {"prefix": "wrong/", "access_key_secret": "not-the-secret"}
    await put(api, a_rule(bucket))
    await put(api, wrong, "wrong")
    for key in ("in/a.mp4", "wrong/a.mp4"):
        await asyncio.to_thread(bucket.put, key, b"video")
    body = {"Records": [told.ceph(key, bucket=bucket.name)["Records"][0] for key in ("wrong/a.mp4", "in/a.mp4")]}
    problem = await tell(api, body, status=503)
    assert (problem["code"], problem["errors"][1]["path"]) == ("ingest_incomplete", "/Records/0")
    assert problem["errors"][1]["code"] == "source_auth_failed"
    assert problem["errors"][1]["message"].startswith("wrong/a.mp4 by the rule wrong: ")
    assert problem["detail"].startswith("Send them again")
    assert len(await jobs(api)) == 1
    wrong["source"] |= bucket.credentials
    await put(api, wrong, "wrong")
    assert [record["skipped"] for record in await tell(api, body)] == [None, None]
    assert len(await jobs(api)) == 2


async def test_one_call_looks_at_so_many_objects_and_no_more(api: Api, bucket: Bucket) -> None:
    """2,000 records by 100 rules would be 200,000 questions to a server that the caller names."""
    for name in ("one", "two"):
        await put(api, a_rule(bucket), name)
    record = told.ceph("in/a.mp4", bucket=bucket.name)["Records"][0]
    problem = await tell(api, {"Records": [record] * 501}, status=413)
    assert problem["code"] == "body_too_large"
    assert await jobs(api) == []


async def test_what_one_call_has_no_time_for_is_sent_again(
    api: Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(api, a_rule(bucket))
    monkeypatch.setattr("encoder.api.ingest.LONGEST_S", 0.0)
    problem = await tell(api, told.ceph("in/a.mp4", bucket=bucket.name), status=503)
    assert [fault["code"] for fault in problem["errors"]] == ["ingest_incomplete", "ingest_incomplete"]
    assert problem["errors"][1]["path"] == "/Records/0"
    assert await jobs(api) == []


async def test_a_rule_that_can_make_no_jobs_any_more_loses_no_event(api: Api, bucket: Bucket) -> None:
    async with api.ask("PUT", "/presets/mine", json={"members": {"preset": "h264", "height": 480}}) as response:
        assert response.status == 200
    await put(api, a_rule(bucket, outputs=[{"preset": "mine"}]))
    await asyncio.to_thread(bucket.put, "in/a.mp4", b"video")
    async with api.ask("DELETE", "/presets/mine") as response:
        assert response.status == 204
    problem = await tell(api, told.ceph(bucket=bucket.name), status=503)
    assert [fault["code"] for fault in problem["errors"]] == ["ingest_incomplete", "unknown_preset"]


async def test_a_rule_whose_secrets_no_key_opens_holds_up_no_other(
    api: Api, store: Store, tmp_path: Path, bucket: Bucket
) -> None:
    (tmp_path / "other").mkdir()
    async with running(store, tmp_path / "other", vault=Vault([new_secret()])) as other:
        await put(other, {**a_rule(bucket), "source": {**a_rule(bucket)["source"], "prefix": "sealed/"}}, "sealed")
    await put(api, a_rule(bucket))
    for key in ("in/a.mp4", "sealed/a.mp4"):
        await asyncio.to_thread(bucket.put, key, b"video")
    assert (await tell(api, told.ceph(bucket=bucket.name)))[0]["skipped"] is None
    problem = await tell(api, told.ceph("sealed/a.mp4", bucket=bucket.name), status=503)
    assert [fault["code"] for fault in problem["errors"]] == ["ingest_incomplete", "secret_unreadable"]


@pytest.mark.both_databases
async def test_a_tenant_that_has_all_it_may_have_is_sent_the_event_again(
    store: Store, tmp_path: Path, bucket: Bucket
) -> None:
    """What was made before is told all the same."""
    vault = Vault([new_secret()])
    submit = Enqueue(store, vault, max_attempts=3, new_uuid=uuid4, ceiling=Ceiling(store, most=1, clock=lambda: 0.0))
    async with running(store, tmp_path, submit=submit, vault=vault) as api:
        await put(api, a_rule(bucket))
        for key in ("in/a.mp4", "in/b.mp4"):
            await asyncio.to_thread(bucket.put, key, b"video")
        first = await tell(api, told.ceph(bucket=bucket.name))
        problem = await tell(api, told.ceph("in/b.mp4", bucket=bucket.name), status=503)
        assert problem["errors"][1]["code"] == "queue_full"
        assert await tell(api, told.ceph(bucket=bucket.name)) == first


@pytest.mark.both_databases
async def test_what_was_seen_is_forgotten_after_15_days_and_not_before(api: Api, dsn: str, bucket: Bucket) -> None:
    """By any worker: SQS may hand out a message for 14."""
    await put(api, a_rule(bucket))
    for number, days in enumerate((2, 14)):  # the first one ages by both
        key = f"in/{number}.mp4"
        await asyncio.to_thread(bucket.put, key, b"video")
        await tell(api, told.ceph(key, bucket=bucket.name))
        age = f"{days} DAY" if databases.is_mysql(dsn) else f"'{days} days'"
        await databases.run(dsn, f"UPDATE ingest_seen SET seen_at = seen_at - INTERVAL {age}")  # noqa: S608  # ours
    sweep = ObjectSweep(api.parts.store, uniform=lambda low, _high: low)
    assert await sweep.sweep() == 1
    assert await sweep.sweep() == 0
    assert len(await databases.ask(dsn, "SELECT 1 FROM ingest_seen")) == 1


@pytest.mark.both_databases
async def test_a_rule_is_versioned_and_jobs_keep_what_they_were_made_with(api: Api, bucket: Bucket) -> None:
    await put(api, a_rule(bucket))
    for key in ("in/a.mp4", "in/b.mp4"):
        await asyncio.to_thread(bucket.put, key, b"video")
    await tell(api, told.ceph("in/a.mp4", bucket=bucket.name))
    changed = await put(api, a_rule(bucket, outputs=[{"preset": "h264"}, {"preset": "vp9"}], priority=7))
    assert (changed["version"], changed["priority"]) == (2, 7)
    await tell(api, told.ceph("in/b.mp4", bucket=bucket.name))
    new, old = await jobs(api)
    assert (old["metadata"]["ingest"]["version"], len(old["outputs"]), old["priority"]) == (1, 1, 0)
    assert (new["metadata"]["ingest"]["version"], len(new["outputs"]), new["priority"]) == (2, 2, 7)
    async with api.ask("DELETE", "/ingest/rules/videos") as response:
        assert response.status == 204
    assert [record["skipped"] for record in await tell(api, told.ceph("in/b.mp4", bucket=bucket.name))] == ["no_rule"]
    assert (await put(api, a_rule(bucket)))["version"] == 1


@pytest.mark.both_databases
async def test_secrets_of_a_rule_are_sealed_and_shown_nowhere(api: Api, dsn: str, bucket: Bucket) -> None:
    """S1, F10: they serve its jobs, and no answer, row or GET has them."""
    to = {"url": f"https://media.example.com/{{name}}.mp4?token={SECRET}", "headers": {"Authorization": SECRET}}
    rule = a_rule(bucket, notificationUrl=f"https://media.example.com/hook?key={SECRET}")
    rule["outputs"].append({"preset": "h264", "destination": to})
    said = [await put(api, rule), await api.get("/ingest/rules/videos"), await api.get("/ingest/rules")]
    assert said[1] == said[0] == said[2]["rules"][0]
    assert said[0]["source"]["access_key_secret"] == "***"
    assert said[0]["notificationUrl"] == "https://media.example.com/hook?***"
    await asyncio.to_thread(bucket.put, "in/a.mp4", b"video")
    (record,) = await tell(api, told.ceph(bucket=bucket.name))
    said.append(await api.get(f"/jobs/{record['jobId']}"))
    rows = await databases.rows(dsn)
    assert any(table == "ingest_rules" for table, _ in rows)
    for secret in (SECRET, rgw.KEY_SECRET):
        assert secret not in json.dumps(said)
        assert not [table for table, row in rows if secret in row]
    for path in ("/source/access_key_secret", "/outputs/1/destination/url", "/notificationUrl"):
        refused = await put(api, {name: said[0][name] for name in rule}, status=422)
        assert path in [fault["path"] for fault in refused["errors"]]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"source": {"bucket": "media", "endpointUrl": "http://10.0.0.1/"}},
        "/source/endpointUrl",
        "address_not_allowed",
    ),
    (
        {"source": {"bucket": "media", "endpointUrl": "http://127.77.0.9:9000"}},
        "/source/access_key_id",
        "credentials_required",
    ),
    ({"outputs": [{"preset": "hls", "path": "{dir}/{nome}/x/"}]}, "/outputs/0/path", "invalid_path"),
    ({"outputs": [{"preset": "hls", "path": "out/a.mp4"}]}, "/outputs/0/path", "invalid_path"),
    ({"outputs": [{"preset": "h264", "path": "{dir}/{name}_x.mp4"}]}, "/outputs/0/path", "output_is_source"),
    ({"outputs": [{"preset": "nope"}]}, "/outputs/0/preset", "unknown_preset"),
    ({"queue": "nowhere"}, "/queue", "unknown_queue"),
    ({"notificationUrl": "http://10.0.0.1/"}, "/notificationUrl", "address_not_allowed"),
    ({"metadata": {"ingest": 1}}, "/metadata/ingest", "invalid_value"),
]


async def test_a_rule_whose_jobs_would_be_refused_is_refused_at_its_members(api: Api, bucket: Bucket) -> None:
    """C23: the operator's credentials go nowhere that a caller wrote."""
    for changes, path, code in REFUSED:
        refused = await put(api, {**a_rule(bucket), **changes}, status=422)
        assert (path, code) in [(fault["path"], fault["code"]) for fault in refused["errors"]]
    assert (await api.get("/ingest/rules"))["rules"] == []


async def test_a_rule_has_a_name_and_there_are_no_more_than_may_be(
    api: Api, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoder.api.ingest_rules.MOST_RULES", 1)
    assert (await put(api, a_rule(bucket), ".hidden", status=422))["code"] == "invalid_value"
    await put(api, a_rule(bucket))
    await put(api, a_rule(bucket))
    assert (await put(api, a_rule(bucket), "second", status=409))["code"] == "too_many_rules"


async def test_events_are_taken_as_text_and_untyped_and_by_no_other_operation(api: Api) -> None:
    """A7, B12: the one exception, and no door for pages of others."""
    data, skip = json.dumps(told.s3()).encode(), ["Content-Type"]
    for taken in ("application/json", "text/plain", "text/plain; charset=UTF-8", None):
        headers = {"Content-Type": taken} if taken else {}
        more: dict[str, Any] = {"headers": headers, "skip_auto_headers": skip}
        assert (await tell(api, None, data=data, **more))[0]["skipped"] == "no_rule"
        async with api.ask("PUT", "/ingest/rules/a", data=data, **more) as response:
            assert response.status == (422 if taken == "application/json" else 415)
    hostile = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    assert (await tell(api, None, data=data, headers=hostile, status=403))["code"] == "origin_not_allowed"
    for other in ("application/x-www-form-urlencoded", "text/html", "text/plain; charset=utf-16"):
        problem = await tell(api, None, data=b"{}", headers={"Content-Type": other}, status=415)
        assert problem["code"] == "unsupported_media_type"


async def test_what_is_no_event_is_refused(api: Api) -> None:
    assert (await tell(api, told.s3(eventVersion="3.0"), status=422))["code"] == "unsupported_event"
    assert await tell(api, told.FIRST) == []


async def test_a_key_may_come_as_the_password_of_basic_here_and_nowhere_else(store: Store, tmp_path: Path) -> None:
    """B1, B5: whose key it is says whose rules are asked."""
    text, theirs = new_key(), new_key()
    for key, tenant in ((text, 1), (theirs, 2)):
        row = NewKey(
            tenant_id=TenantId(tenant), name="a", prefix=shown(key), digest=digest(key), scopes=frozenset(Scope)
        )
        await store.add_key(row)

    def basic(password: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(f'any user:{password}'.encode()).decode()}"}

    rates = Rates(reads=Buckets(60), writes=Buckets(1))  # what stores say is counted among reads
    async with running(store, tmp_path, gate=KeyGate(store), rates=rates, loopback_only=False) as api:
        rule = {"source": {"bucket": "media"}, "outputs": [{"preset": "h264"}]}
        async with api.ask("PUT", "/ingest/rules/a", json=rule, headers={"Authorization": f"Bearer {text}"}) as made:
            assert made.status == 200
        event = told.s3("in/a.txt")
        for _ in range(3):
            assert (await tell(api, event, headers=basic(text)))[0]["skipped"] == "suffix"
        assert (await tell(api, event, headers=basic(theirs)))[0]["skipped"] == "no_rule"
        for wrong in ({}, basic(new_key()), basic(""), {"Authorization": "Basic %%%"}):
            async with api.ask("POST", "/ingest/s3", json=event, headers=wrong) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="encoder", Basic realm="encoder"'
        async with api.ask("GET", "/ingest/rules", headers=basic(text)) as response:
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="encoder"')


@pytest.fixture
async def sns(store: Store, tmp_path: Path) -> AsyncIterator[tuple[Api, list[str]]]:
    """The API, and what was asked of an SNS that is real but for its place."""
    asked: list[str] = []

    async def confirm(request: server.Request) -> server.Response:
        asked.append(request.path_qs)
        return server.Response(status=200 if "good" in request.path_qs else 403)

    (tmp_path / "tls").mkdir()
    authority = Authority.new(tmp_path / "tls")
    app = server.Application()
    app.router.add_get("/", confirm)
    runner = server.AppRunner(app)
    await runner.setup()
    try:
        await server.TCPSite(runner, SNS_AT, 443, ssl_context=authority.server(SNS)).start()
    except PermissionError:
        pytest.skip("port 443 is root's")
    away = lab_web(lookup=FakeDns(script={SNS: [[SNS_AT]]}), tls=authority.trusted())
    async with running(store, tmp_path, surroundings=Surroundings(web=away, s3=S3Access())) as api:
        await put(api, {"source": {"bucket": "media"}, "outputs": [{"preset": "h264"}], "topics": [told.TOPIC]})
        yield api, asked
    await runner.cleanup()


async def test_sns_is_told_that_it_is_wanted_if_a_rule_names_its_topic(sns: tuple[Api, list[str]]) -> None:
    """C1: and nobody else is called."""
    api, asked = sns
    good = f"https://{SNS}/?Action=ConfirmSubscription&Token=good"
    async with api.ask("POST", "/ingest/s3", json=told.invitation(good)) as response:
        assert await response.json() == {"records": [], "subscribed": told.TOPIC}
    assert asked == ["/?Action=ConfirmSubscription&Token=good"]
    other = told.TOPIC.replace("uploads", "others")
    assert (await tell(api, told.invitation(good, topic=other), status=422))["code"] == "unknown_topic"
    assert (await tell(api, told.invitation(f"https://{SNS}/?Token=bad"), status=503))["code"] == "ingest_incomplete"
    for url in (
        good.replace("https", "http"),
        "https://sns.eu-central-1.amazonaws.com.evil.example/",
        "https://evil.example/sns.eu-central-1.amazonaws.com",
        f"https://user@{SNS}/",
        f"https://{SNS}:8443/",
        "https://sns.evil.example#.amazonaws.com/",
        "https://127.0.0.1/",
        "",
    ):
        refused = await tell(api, told.invitation(url), status=422)
        assert (refused["code"], refused["errors"][0]["path"]) == ("address_not_allowed", "/SubscribeURL")
    assert len(asked) == 2
    assert (await tell(api, told.sns(told.s3("in/a.txt"))))[0]["skipped"] == "suffix"
    assert (await tell(api, told.sns(told.s3("in/a.txt"), topic=other)))[0]["skipped"] == "unknown_topic"
