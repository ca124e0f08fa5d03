"""Whom S3 requests reach, and with whose keys: what is dialled is checked, and the operator's keys stay home."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder import errors
from encoder.model.job import Place
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.net.s3 import S3Access
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.suites.cargo import read
from tests.lab.canary import Canary
from tests.lab.dns import FakeDns
from tests.lab.rgw import KEY_ID, KEY_SECRET, Bucket, Gateway
from tests.lab.tls import Authority
from tests.lab.wire import Exchange, Server, lab_web

pytestmark = pytest.mark.xdist_group("s3")

OWN = {"access_key_id": KEY_ID, "access_key_secret": KEY_SECRET}
WRONG = {"AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "SENTINEL"}


@pytest.fixture(autouse=True)
def no_operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An operator who has set nothing, on a machine without a role."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with Canary() as canary:
        yield canary


@pytest.fixture
def bucket(s3_server: Gateway) -> Bucket:
    made = s3_server.bucket()
    made.put("in.mov", b"data")
    return made


def source(place: Place, web: Web | None = None) -> Source:
    return Sources(Surroundings(web=web or lab_web(), s3=S3Access(pause_s=0))).make(place)


def at(endpoint: str | None, bucket: str = "my-bucket", **members: str) -> Place:
    place: Place = {"kind": "s3", "bucket": bucket, "path": "in.mov", **members}
    return place if endpoint is None else {**place, "endpointUrl": endpoint}


async def test_a_name_that_leads_to_a_forbidden_address_is_not_dialled(canary: Canary) -> None:
    """C4, C13, C14"""
    dns = FakeDns(script={"s3.example": [["127.66.0.1"]]})
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await read(source(at(f"http://s3.example:{canary.port}", **OWN), lab_web(lookup=dns)))


async def test_one_forbidden_answer_refuses_the_name(canary: Canary) -> None:
    """C6"""
    dns = FakeDns(script={"s3.example": [["127.77.0.1", "127.66.0.1"]]})
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await read(source(at(f"http://s3.example:{canary.port}", **OWN), lab_web(lookup=dns)))


async def test_a_name_that_is_rebound_is_looked_at_each_time(bucket: Bucket, canary: Canary) -> None:
    """C5: the second reading asks anew, and is refused; the first was of the address that was checked."""
    dns = FakeDns(script={"s3.example": [["127.77.0.9"], ["127.66.0.1"]]})
    made = source(at(f"http://s3.example:{bucket.gateway.port}", bucket.name, **OWN), lab_web(lookup=dns))
    assert (await read(made))[1] == b"data"
    assert dns.asked["s3.example"] == 1
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await read(made)


async def test_amazon_s_own_names_are_looked_at_too(canary: Canary) -> None:
    """C14: bucket and region are a caller's words, and become part of the name."""
    names = ("my-bucket.s3.amazonaws.com", "my-bucket.s3.eu-west-1.amazonaws.com")
    dns = FakeDns(script={name: [["127.66.0.1"]] for name in names})
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await read(source(at(None, region="eu-west-1", **OWN), lab_web(lookup=dns)))
    assert set(dns.asked) < set(names)


@pytest.mark.parametrize(("host", "expired"), [("s3.example", True), ("other.example", False)])
async def test_a_certificate_that_is_not_valid_is_not_trusted(tmp_path: Path, host: str, expired: bool) -> None:
    """J21"""
    authority = Authority.new(tmp_path)
    web = lab_web(lookup=FakeDns(script={"s3.example": [["127.77.0.1"]]}), tls=authority.trusted())
    async with Server(tls=authority.server(host, expired=expired)) as server:
        with pytest.raises(errors.Permanent, match="tls_error"):
            await read(source(at(server.url("", host="s3.example"), **OWN), web))
        assert server.seen == []


async def test_a_server_behind_tls_is_spoken_to_by_its_name(tmp_path: Path) -> None:
    authority = Authority.new(tmp_path)
    web = lab_web(lookup=FakeDns(script={"s3.example": [["127.77.0.1"]]}), tls=authority.trusted())

    async def give(exchange: Exchange) -> None:
        await exchange.answer(206, b"data", {"ETag": '"v1"', "Content-Range": "bytes 0-3/4"})

    async with Server(tls=authority.server("s3.example"), scripts={"/my-bucket/in.mov": give}) as server:
        _, data = await read(source(at(server.url("", host="s3.example"), **OWN), web))
        assert server.seen[0].headers["host"] == f"s3.example:{server.port}"
    assert data == b"data"


async def test_a_proxy_of_the_environment_is_not_asked(
    bucket: Bucket, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C12"""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url())
    assert (await read(source(bucket.place("in.mov"))))[1] == b"data"


async def test_keys_of_the_request_come_before_those_of_the_environment(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    assert (await read(source(bucket.place("in.mov"))))[1] == b"data"


async def test_keys_of_the_environment_serve_the_operator_s_server(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's own server may stand where no caller may go."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    assert (await read(source(at(None, bucket.name), Web(policy=Policy()))))[1] == b"data"


async def test_an_ambient_key_is_never_sent_to_a_server_that_a_caller_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """C23: also where the place was stored before, or came past the API."""
    for name, value in WRONG.items():
        monkeypatch.setenv(name, value)
    async with Server() as server:
        with pytest.raises(errors.Permanent, match="credentials_required"):
            source(at(server.url("")))
        assert server.seen == []


async def test_a_request_with_keys_carries_nothing_of_the_operator_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """C23: neither the key, nor the token, nor a word of the environment."""
    for name, value in {**WRONG, "AWS_SESSION_TOKEN": "SENTINEL-TOKEN", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)

    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(403)

    async with Server(scripts={"/my-bucket/in.mov": refuse}) as server:
        with pytest.raises(errors.Permanent, match="source_auth_failed"):
            await read(source(at(server.url(""), access_key_id="AKIAOURS", access_key_secret="s3cret")))
        (request,) = server.seen
    said = request.head.decode("latin-1")
    assert "Credential=AKIAOURS/" in said
    for secret in ("AKIAWRONG", "SENTINEL", "s3cret"):
        assert secret not in said


async def test_keys_of_a_shared_file_come_after_the_environment_and_before_the_role(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.gateway.url)
    role = json.dumps(
        {
            "AccessKeyId": KEY_ID,
            "SecretAccessKey": KEY_SECRET,
            "Token": "",
            "Expiration": "2999-01-01T00:00:00Z",
        }
    ).encode()

    async def lend(exchange: Exchange) -> None:
        await exchange.answer(200, role, {"Content-Type": "application/json"})

    async with Server(host="127.0.0.1", scripts={"/role": lend}) as machine:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", machine.url("/role"))
        assert (await read(source(at(None, bucket.name))))[1] == b"data"
        assert len(machine.seen) == 1
        shared = f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {KEY_SECRET}\n"
        await asyncio.to_thread((tmp_path / "credentials").write_text, shared)
        assert (await read(source(at(None, bucket.name))))[1] == b"data"
        assert len(machine.seen) == 1
        for name, value in WRONG.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(errors.Permanent, match="source_auth_failed"):
            await read(source(at(None, bucket.name)))


async def test_without_any_key_the_caller_is_told_so(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.gateway.url)
    with pytest.raises(errors.Permanent, match="credentials_required"):
        await read(source(at(None, bucket.name)))


async def test_a_role_that_cannot_be_had_for_a_moment_is_waited_for(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is not to blame for the machine's own credentials."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.gateway.url)

    async def broken(exchange: Exchange) -> None:
        await exchange.answer(500, b"{}", {"Content-Type": "application/json"})

    async with Server(host="127.0.0.1", scripts={"/role": broken}) as machine:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", machine.url("/role"))
        with pytest.raises(errors.Transient, match="source_unavailable"):
            await read(source(at(None, bucket.name)))


@pytest.mark.parametrize("headers", [{"Last-Modified": "garbage"}, {"Content-Range": "bytes 0-1/" + "9" * 5000}])
async def test_an_answer_that_cannot_be_understood_is_the_servers_fault(headers: dict[str, str]) -> None:
    async def odd(exchange: Exchange) -> None:
        await exchange.answer(206, b"data", headers)

    async with Server(scripts={"/my-bucket/in.mov": odd}) as server:
        with pytest.raises(errors.Transient, match="source_unavailable"):
            await read(source(at(server.url(""), **OWN)))
