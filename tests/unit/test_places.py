"""The two readers of a place agree: what the job language takes, the kinds take, member by member."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
import pytest

from encoder.api import wire, wire_s3
from encoder.api.wire_types import WirePlace
from encoder.destinations.registry import Destinations
from encoder.errors import Rejected
from encoder.files.roots import Roots
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.wiring.checks import Checks
from tests.contracts.test_destinations import no_storage
from tests.unit.test_addresses import READ
from tests.unit.test_api_wire import KEYS, PUT, S3_OUT, WHOLE, job


@pytest.fixture(scope="module")
def places() -> wire.Places:
    around = Surroundings(web=Web(policy=Policy()), roots=Roots(paths=[Path("/media")]))
    destinations = Destinations(around, stored=no_storage)
    return Checks(sources=Sources(around), destinations=destinations, policy=Policy())


def _to(destination: dict[str, Any]) -> dict[str, Any]:
    return job(outputs=[{"preset": "h264", "destination": destination}])


@pytest.mark.parametrize("part", WHOLE, ids=str)
def test_a_place_with_every_member_is_one_for_its_kind_too(part: type[WirePlace], places: wire.Places) -> None:
    place = WHOLE[part]
    if "privateKey" in place:  # this one is looked into
        key = asyncssh.generate_private_key("ssh-ed25519")
        place = place | {"privateKey": key.export_private_key().decode(), "hostKey": key.get_fingerprint()}
    wire.read_job(job(source=place) if part.__name__ in READ else _to(place), places)


@pytest.mark.parametrize("member", ["acl", "storageClass"])
def test_every_word_of_s3_is_one_for_both(member: str, places: wire.Places) -> None:
    words = {"acl": wire_s3.ACLS, "storageClass": wire_s3.STORAGE_CLASSES}[member]
    for word in words:
        wire.read_job(_to(S3_OUT | KEYS | {member: word}), places)


@pytest.mark.parametrize("path", ["out/{jobId}/{sourceName}-{width}x{height}.{preset}", "{uuid}"])
def test_a_path_may_hold_templates_wherever_it_is_written(path: str, places: wire.Places) -> None:
    for place in (
        S3_OUT | KEYS | {"path": path},
        KEYS | {"url": f"s3://my-bucket/{path}"},
        {"kind": "ftp", "host": "h.example", "path": path},
        {"url": f"ftp://h.example/{path}"},
        {"url": f"sftp://h.example//{path}"},
        {"url": f"https://h.example/{path}"},
        {"url": f"file:///media/{path}"},
    ):
        wire.read_job(_to(place), places)


G1 = [
    "../x",
    "a/../../b",
    "%2e%2e%2fx",
    "a/%2e%2e/b",
    "..\\x",
    ".",
    "..",
    "a//b",
    "a/./b",
    "a" * 1025,
    "a/",
    "{nobody}",
]


@pytest.mark.parametrize("path", G1)
def test_a_path_that_leaves_its_folder_is_refused_wherever_it_is_written(path: str, places: wire.Places) -> None:
    """G1 of security.md: decoded once, and not to be decoded into something else by whoever comes next."""
    for place, member in (
        (S3_OUT | KEYS | {"path": path}, "path"),
        (KEYS | {"url": f"s3://my-bucket/{path}"}, "url"),
        ({"kind": "ftp", "host": "h.example", "path": path}, "path"),
        ({"url": f"ftps://h.example/{path}"}, "url"),
        ({"kind": "sftp", "host": "h.example", "path": f"/{path}"}, "path"),
        ({"url": f"sftp://h.example/{path}"}, "url"),
        ({"kind": "file", "path": f"/media/{path}"}, "path"),
        ({"url": f"file:///media/{path}"}, "url"),
    ):
        with pytest.raises(Rejected) as refused:
            wire.read_job(_to(place), places)
        [fault] = refused.value.faults
        assert fault.path == f"/outputs/0/destination/{member}"
        assert fault.code in {"invalid_path", "invalid_url", "out_of_range"}, place


def test_two_outputs_may_share_a_template_that_tells_them_apart(places: wire.Places) -> None:
    outputs = [{"preset": name, "destination": {"url": "ftp://h.example/{preset}"}} for name in ("h264", "vp9")]
    wire.read_job(job(outputs=[*outputs, {"preset": "h264", "destination": PUT}]), places)
