"""What a job may say about S3: names that steer no request elsewhere, and credentials that are whole."""

from __future__ import annotations

import pytest

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.net.s3 import S3Access
from encoder.net.s3_multipart import spans
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from tests.lab.wire import lab_web

OWN = {"access_key_id": "AKIA1", "access_key_secret": "s3cret/+="}
PLACE: Place = {"kind": "s3", "bucket": "my-bucket", "path": "in/a b.mov", **OWN}


def faults(place: Place, *, buckets: frozenset[str] | None = None) -> set[tuple[str, str]]:
    """Of the place as a source, and as a destination; they have the same."""
    surroundings = Surroundings(web=lab_web(), s3=S3Access(buckets=buckets))
    read = {(fault.path, fault.code) for fault in Sources(surroundings).check(place)}
    written = {(fault.path, fault.code) for fault in Destinations(surroundings, stored=_no_storage).check(place)}
    assert read == written
    return read


def _no_storage(_key: str) -> Destination:
    raise AssertionError("the place is given")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"bucket": "a.b-c.9"},
        {"bucket": "a" * 63},
        {"region": "us-gov-east-1"},
        {"region": "auto"},
        {"endpointUrl": "http://127.77.0.1:9000"},
        {"endpointUrl": "https://abc.r2.example.com/storage/v1/s3"},
        {"session_token": "IQoJb3JpZ2luX2VjE//////////wEaCXVzLWVhc3QtMSJ=="},
    ],
)
def test_what_is_in_order_passes(members: Place) -> None:
    assert faults({**PLACE, **members}) == set()


@pytest.mark.parametrize(
    "bucket",
    [
        *("..", "a@127.66.0.1", "My-Bucket", "ab", "a" * 64, "a..b", "a.-b", "a-.b", "-ab", "ab-", ".ab", "ab.", "a_b"),
        *("127.66.0.1", "a/b", "a?b", "a#b", "a b", "a\nb", "abc\n", "%2e%2e", "ä-bucket", "arn:aws:s3:::b", ""),
    ],
)
def test_a_bucket_that_is_no_name_is_refused(bucket: str) -> None:
    """C14"""
    assert faults({**PLACE, "bucket": bucket}) == {("/bucket", "invalid_value")}


@pytest.mark.parametrize(
    "region",
    ["x.evil.test/#", "x.evil.test", "us-east-1/", "us-east-1\n", "US-EAST-1", "", "-a", "a-", "a" * 33, "a@b"],
)
def test_a_region_that_is_no_name_is_refused(region: str) -> None:
    """C14"""
    assert faults({**PLACE, "region": region}) == {("/region", "invalid_value")}


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://127.66.0.1:9000", "address_not_allowed"),
        ("http://169.254.169.254", "address_not_allowed"),
        ("http://[fd00:ec2::254]", "address_not_allowed"),
        ("http://100.100.100.200", "address_not_allowed"),
        ("http://168.63.129.16", "address_not_allowed"),
        ("http://[::ffff:127.0.0.1]", "address_not_allowed"),
        ("http://localhost:9000", "address_not_allowed"),
        ("http://2130706433", "invalid_url"),
        ("http://me:pass@127.77.0.1", "invalid_url"),
        ("http://127.77.0.1\\@127.66.0.1", "invalid_url"),
        ("ftp://127.77.0.1", "invalid_url"),
        ("http://127.77.0.1:6379", "port_not_allowed"),
        ("http://127.77.0.1/?a=b", "invalid_url"),
        ("http://127.77.0.1/#a", "invalid_url"),
        ("s3", "invalid_url"),
    ],
)
def test_an_endpoint_leads_nowhere_that_an_address_may_not(endpoint: str, code: str) -> None:
    """C1, C2, C3, C10, C11, C13, C14"""
    assert faults({**PLACE, "endpointUrl": endpoint}) == {("/endpointUrl", code)}


@pytest.mark.parametrize(
    "path", ["", "/a", "../x", "a/../../b", "%2e%2e%2fx", "..\\x", "a//b", "a\x00", "a" * 1025, "a/"]
)
def test_a_path_that_is_none_is_refused(path: str) -> None:
    """G1 of security.md"""
    assert faults({**PLACE, "path": path}) == {("/path", "invalid_path")}


def test_the_platform_s_credentials_go_to_no_server_that_a_caller_wrote() -> None:
    """C23"""
    place: Place = {"kind": "s3", "bucket": "my-bucket", "path": "a", "endpointUrl": "http://127.77.0.1:9000"}
    assert faults(place) == {("/access_key_id", "credentials_required")}
    assert faults(place, buckets=frozenset({"my-bucket"})) == {("/access_key_id", "credentials_required")}


def test_the_platform_s_credentials_serve_the_buckets_that_were_named() -> None:
    """C23"""
    place: Place = {"kind": "s3", "bucket": "my-bucket", "path": "a"}
    assert faults(place) == set()
    assert faults(place, buckets=frozenset({"my-bucket"})) == set()
    assert faults(place, buckets=frozenset({"another"})) == {("/access_key_id", "credentials_required")}
    assert faults(place, buckets=frozenset()) == {("/access_key_id", "credentials_required")}
    assert faults({**place, **OWN}, buckets=frozenset({"another"})) == set()


def test_the_platform_s_credentials_do_not_open_its_storage() -> None:
    """C23: what other jobs made lies there."""
    access = S3Access(buckets=frozenset({"my-bucket"}), closed=("my-bucket", "encoder/"))
    sources = Sources(Surroundings(web=lab_web(), s3=access))
    place: Place = {"kind": "s3", "bucket": "my-bucket", "path": "encoder/jobs/0191b2c4/0.mp4"}
    assert [fault.code for fault in sources.check(place)] == ["credentials_required"]
    assert sources.check({**place, "path": "encoders/in.mov"}) == []
    whole = Sources(Surroundings(web=lab_web(), s3=S3Access(closed=("my-bucket", ""))))
    assert [fault.code for fault in whole.check({**place, "path": "in.mov"})] == ["credentials_required"]
    assert whole.check({**place, "bucket": "another"}) == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"access_key_id": "a"}, "/access_key_secret"),
        ({"access_key_secret": "a"}, "/access_key_id"),
        ({"access_key_id": "a", "session_token": "t"}, "/access_key_secret"),
    ],
)
def test_credentials_come_whole(given: Place, path: str) -> None:
    place: Place = {"kind": "s3", "bucket": "my-bucket", "path": "a", **given}
    assert faults(place) == {(path, "missing_field")}


@pytest.mark.parametrize("name", ["access_key_id", "access_key_secret", "session_token"])
@pytest.mark.parametrize("value", ["", "a b", "a\r\nX-Evil: 1", "ключ", "a\x00", "a" * 8193])
def test_a_credential_is_printable(name: str, value: str) -> None:
    place: Place = {**PLACE, "session_token": "t", name: value}
    assert faults(place) == {(f"/{name}", "invalid_value")}


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"acl": "everyone"}, "/acl"),
        ({"storageClass": "FAST"}, "/storageClass"),
        ({"contentType": "video/mp4\r\nX-Evil: 1"}, "/contentType"),
        ({"contentType": ""}, "/contentType"),
        ({"cacheControl": "max-age=1\n"}, "/cacheControl"),
        ({"cacheControl": "ä"}, "/cacheControl"),
        ({"metadata": {"a b": "c"}}, "/metadata/a b"),
        ({"metadata": {"A": "c"}}, "/metadata/A"),
        ({"metadata": {"": "c"}}, "/metadata/"),
        ({"metadata": {"encoder-sha256": "c"}}, "/metadata/encoder-sha256"),
        ({"metadata": {"a": "c\r\nX-Evil: 1"}}, "/metadata/a"),
        ({"metadata": {"a": "ä"}}, "/metadata/a"),
        ({"metadata": {"a": "x" * 1000, "b": "x" * 1000, "c": "x" * 100}}, "/metadata"),
    ],
)
def test_what_an_object_is_given_along_is_in_order(members: Place, path: str) -> None:
    destinations = Destinations(Surroundings(web=lab_web()), stored=_no_storage)
    assert [fault.path for fault in destinations.check({**PLACE, **members})] == [path]


MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("size_bytes", "count", "step"),
    [
        (1, 1, 16 * MEBIBYTE),
        (16 * MEBIBYTE, 1, 16 * MEBIBYTE),
        (16 * MEBIBYTE + 1, 2, 16 * MEBIBYTE),
        (9000 * 16 * MEBIBYTE, 9000, 16 * MEBIBYTE),
        (9000 * 16 * MEBIBYTE + 9000, 9000, 16 * MEBIBYTE + 1),
        (5 * 1024**4, 9000, 610_839_794),
    ],
)
def test_parts_cover_a_file_and_are_never_too_many(size_bytes: int, count: int, step: int) -> None:
    cut = list(spans(size_bytes, at_least=16 * MEBIBYTE))
    at = 0
    for number, (told, start, size) in enumerate(cut, start=1):
        assert (told, start) == (number, at)
        assert size > 0
        at += size
    assert at == size_bytes
    assert len(cut) == count
    assert {size for _, _, size in cut[:-1]} <= {step}
