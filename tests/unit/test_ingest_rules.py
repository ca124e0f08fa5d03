"""Which objects are a rule's, what their outputs are called, and that no rule feeds on what it makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from encoder.api.wire_ingest import read_rule
from encoder.errors import Rejected
from encoder.ingest import template
from encoder.ingest.events import ObjectEvent, Origin
from encoder.ingest.job import in_rule, job_of, sample
from encoder.ingest.rules import Rule, Skip, choose, digest
from encoder.model.base import Json
from encoder.model.ids import TenantId

KEYS = {"access_key_id": "AKIA", "access_key_secret": "secret"}
ME = TenantId(1)
EVENT = ObjectEvent(
    origin=Origin.S3,
    bucket="media",
    key="in/a.mp4",
    is_new=True,
    where="",
    etag="e",
    sequencer="1",
)
RULE = Rule(name="r", version=1, uuid=UUID(int=1), bucket="media", prefix="in/", members={}, suffixes=(".mp4", ".mov"))


def a_rule(*outputs: Json, **source: Json) -> dict[str, Any]:
    return {"source": {"bucket": "media", **source}, "outputs": [*outputs] or [{"preset": "h264"}]}


def faults(rule: Json) -> list[tuple[str, str]]:
    try:
        read_rule(rule)
    except Rejected as refused:
        return [(fault.path, fault.code) for fault in refused.faults]
    return []


@pytest.mark.parametrize(
    ("text", "key", "made"),
    [
        ("{dir}/{name}_processed/hls/", "in/2026/a b.mp4", "in/2026/a b_processed/hls/"),
        ("{dir}/{name}_processed/hls/", "a.mp4", "a_processed/hls/"),
        ("out/{dir}/{name}.mp4", "in/a.b.mov", "out/in/a.b.mp4"),
        ("out/{name}/{jobId}.mp4", "in/{jobId}.mp4", "out/-jobId-/{jobId}.mp4"),
        ("out/{dir}.mp4", "{dir}/x.mp4", "out/-dir-.mp4"),
        ("fixed.mp4", "in/a.mp4", "fixed.mp4"),
    ],
)
def test_a_path_is_made_of_the_objects_name(text: str, key: str, made: str) -> None:
    assert template.fill(text, key) == made


def test_in_an_address_the_name_is_encoded() -> None:
    place: dict[str, Json] = {"url": "https://h.example/{dir}/{name}?x=1"}
    assert template.filled(place, "in/a b?#ü.mp4") == {"url": "https://h.example/in/a%20b%3F%23%C3%BC?x=1"}


@pytest.mark.parametrize("path", ["x{dir}/a", "{dir}", "{dir}/{dir}/a", "a/{dir}b/"])
def test_folders_are_whole_and_stand_once(path: str) -> None:
    wrong = template.fault(path)
    assert (wrong is None) == (path == "{dir}")
    assert wrong is None or wrong.code == "invalid_path"


@pytest.mark.parametrize(
    ("path", "prefix", "meets"),
    [
        ("out/{name}.mp4", "in/", False),
        ("in/{name}.mp4", "in/", True),
        ("in/{name}.webm", "in/", False),
        ("in/{name}.MP4", "in/", True),
        ("in/{name}", "in/", True),  # the name may end in .mp4, too
        ("{name}.mp4", "in/", False),  # no name has a slash
        ("{name}/x.mp4", "in/", True),
        ("{preset}_x/x.mp4", "in/", False),
        ("{dir}/{name}_720p.mp4", "in/", True),
        ("{dir}/{name}_720p.mp4", "", True),
        ("anything.mp4", "", True),
        ("in/deeper/x.mp4", "in/", True),
        ("input/x.mp4", "in", True),
        ("i{name}/x.mp4", "in/", True),
        ("o{name}/x.mp4", "in/", False),
        ("in/cam{name}.mp4", "in/cam1", True),
        ("in/dog{name}.mp4", "in/cam1", False),
        # a package may lie below the prefix where its folder tells that it is ours
        ("{dir}/{name}_processed/hls/", "in/", False),
        ("in/{name}/", "", False),  # `in` is a name of its own
        ("{dir}/{name}/", "in/", True),
        ("{name}/", "", True),
        ("{name}/", "in/", True),
        ("in/{name}/", "in/", True),
        ("in/hls/{name}/", "in/", False),
        ("out/{name}/", "in/", False),
        ("{dir}/{name}/", "", True),
    ],
)
def test_a_rule_does_not_feed_on_its_outputs(path: str, prefix: str, meets: bool) -> None:
    assert template.meets(path, prefix=prefix, suffixes=(".mp4", ".mov")) is meets
    rule = a_rule({"preset": "hls" if path.endswith("/") else "h264", "path": path}, prefix=prefix, suffixes=[".mp4"])
    assert faults(rule) == ([("/outputs/0/path", "output_is_source")] if meets else [])


@pytest.mark.parametrize(
    ("key", "folder", "lies"),
    [
        ("in/a_processed/hls/v0/init.mp4", "{dir}/{name}_processed/hls/", True),
        ("a_processed/hls/init.mp4", "{dir}/{name}_processed/hls/", True),
        ("in/deep/er/a_processed/hls/init.mp4", "{dir}/{name}_processed/hls/", True),
        ("in/a_processed/other/init.mp4", "{dir}/{name}_processed/hls/", False),
        ("in/a_processed.mp4", "{dir}/{name}_processed/", False),
        ("in/processed/x.mp4", "in/{name}_processed/", False),
        ("out/hls/x/init.mp4", "out/hls/{name}/", True),
        ("out/hls/x.mp4", "out/hls/{name}/", False),
        ("out/[x]*/a.mp4", "out/[x]*/", True),
        ("out/xy/a.mp4", "out/[x]*/", False),
    ],
)
def test_what_lies_in_a_folder_that_we_make_is_known(key: str, folder: str, lies: bool) -> None:
    assert template.lies_in(key, folder) is lies


def test_a_hostile_template_is_tried_in_no_time() -> None:
    path = "{name}a" * 140 + "/"
    assert not template.lies_in("a" * 1000 + "b/x.mp4", path)
    assert not template.lies_in("/".join("a" * 500) + "/x.mp4", "{dir}/" + "{name}x/" * 100)


@pytest.mark.parametrize(
    ("changes", "topic", "why"),
    [
        ({"is_new": False}, None, Skip.NOT_CREATED),
        ({"key": None}, None, Skip.INVALID_KEY),
        ({"bucket": "other"}, None, Skip.NO_RULE),
        ({"key": "out/a.mp4"}, None, Skip.NO_RULE),
        ({"key": "in/a.txt"}, None, Skip.SUFFIX),
        ({"key": "in/"}, None, Skip.SUFFIX),
        ({"key": "in/mp4"}, None, Skip.SUFFIX),
        ({}, "arn:aws:sns:x:1:other", Skip.UNKNOWN_TOPIC),
        ({"bucket": "other"}, "arn:aws:sns:x:1:other", Skip.NO_RULE),
        ({"key": "in/a_processed/init.mp4"}, None, Skip.OWN_OUTPUT),
    ],
)
def test_what_no_rule_wants_is_told_why(changes: dict[str, Any], topic: str | None, why: Skip) -> None:
    rule = replace(RULE, folders=("{dir}/{name}_processed/",), topics=("arn:aws:sns:x:1:t",))
    assert choose([rule], replace(EVENT, **changes), topic) is why


def test_every_rule_that_wants_an_object_has_it() -> None:
    narrow = replace(RULE, name="narrow", prefix="in/hd/")
    named = replace(RULE, name="named", topics=("t",))
    assert choose([RULE, narrow, named], replace(EVENT, key="in/hd/A.MP4"), None) == [RULE, narrow, named]
    assert choose([RULE, narrow, named], EVENT, "t") == [named]


def test_two_tellings_of_one_thing_are_equal_and_two_things_are_not() -> None:
    def of(event: ObjectEvent, rule: str = "r", tenant: int = 1, etag: str | None = None) -> bytes:
        return digest(TenantId(tenant), rule, event, etag=etag)

    first = of(EVENT)
    assert of(replace(EVENT, where="/Records/7", size_bytes=9)) == first
    assert of(EVENT, etag="of the store") == first  # who told one is believed: the object may be another by now
    assert of(replace(EVENT, etag=None), etag="e") == first
    others = [
        replace(EVENT, origin=Origin.CEPH),
        replace(EVENT, bucket="other"),
        replace(EVENT, key="in/b.mp4"),
        replace(EVENT, etag="f"),
        replace(EVENT, sequencer="01"),  # left or right: nobody pads
        replace(EVENT, sequencer=None),
        replace(EVENT, version_id="1"),
    ]
    assert len({first, of(EVENT, "q"), of(EVENT, tenant=2), *map(of, others)}) == len(others) + 3
    versioned = replace(EVENT, version_id="1")
    assert of(replace(versioned, etag="f", sequencer="2")) == of(versioned)


def test_a_job_is_what_a_caller_would_post() -> None:
    rule = a_rule(
        {"preset": "hls", "path": "{dir}/{name}_processed/hls/"},
        {"preset": "h264", "destination": {"kind": "http", "url": "https://h.example/{name}.mp4"}},
        {"preset": "vp9"},
        prefix="in/",
        suffixes=[".mp4"],
        region="eu-central-1",
        **KEYS,
    )
    bucket = {"kind": "s3", "bucket": "media", "region": "eu-central-1", **KEYS}
    assert job_of({**rule, "tags": ["a"], "topics": [], "enabled": True}, "in/a.mp4") == {
        "source": {**bucket, "path": "in/a.mp4"},
        "outputs": [
            {"preset": "hls", "destination": {**bucket, "path": "in/a_processed/hls/"}},
            {"preset": "h264", "destination": {"kind": "http", "url": "https://h.example/a.mp4"}},
            {"preset": "vp9"},
        ],
        "tags": ["a"],
    }
    told = job_of(rule, "in/a.mp4")
    assert isinstance(told, dict)
    assert set(told) == {"source", "outputs"}


def test_what_is_wrong_with_a_job_is_told_at_the_members_of_the_rule() -> None:
    rule = a_rule({"preset": "hls", "path": "x/"}, {"preset": "h264", "destination": {}})
    assert in_rule("/source/path", rule) == "/source/prefix"
    assert in_rule("/source/access_key_id", rule) == "/source/access_key_id"
    assert in_rule("/outputs/0/destination/path", rule) == "/outputs/0/path"
    assert in_rule("/outputs/1/destination/path", rule) == "/outputs/1/destination/path"
    assert sample(a_rule(prefix="in/"))["source"]["path"] == "in/folder/sample.mp4"  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({}, [("/source", "missing_field"), ("/outputs", "missing_field")]),
        ({**a_rule(), "suffixes": []}, [("/suffixes", "unknown_field")]),
        (a_rule(bucket="Not A Bucket"), [("/source/bucket", "invalid_value")]),
        (a_rule(prefix="/in"), [("/source/prefix", "invalid_path")]),
        (a_rule(prefix="in\n"), [("/source/prefix", "invalid_text")]),
        (a_rule(suffixes=["mp4"]), [("/source/suffixes/0", "invalid_value")]),
        (a_rule(suffixes=[".mp4", ".mp4"]), [("/source/suffixes", "invalid_value")]),
        (a_rule(path="in/a.mp4"), [("/source/path", "unknown_field")]),
        (a_rule(access_key_id="a"), [("/source/access_key_secret", "missing_field")]),
        ({**a_rule(), "topics": ["uploads"]}, [("/topics/0", "invalid_value")]),
        ({**a_rule(), "metadata": {"ingest": 1}}, [("/metadata/ingest", "invalid_value")]),
        (a_rule({"preset": "nope"}), [("/outputs/0/preset", "unknown_preset")]),
        (a_rule({"preset": "hls", "path": "{dir}x/"}), [("/outputs/0/path", "invalid_path")]),
        (
            a_rule({"preset": "h264", "path": "o/a.mp4", "destination": {"url": "https://h.example/a"}}, prefix="in/"),
            [("/outputs/0/path", "unsupported_combination")],
        ),
        (
            a_rule({"preset": "h264", "destination": {"url": "s3://media/in/%7Bname%7D.mp4", **KEYS}}, prefix="in/"),
            [("/outputs/0/destination", "output_is_source")],
        ),
        (a_rule({"preset": "h264", "destination": {"url": "s3://elsewhere/in/a.mp4", **KEYS}}, prefix="in/"), []),
    ],
)
def test_a_rule_is_found_in_order_or_told_what_is_not(rule: Json, found: list[tuple[str, str]]) -> None:
    assert faults(rule) == found


def test_a_priority_is_a_whole_number_however_it_is_written() -> None:
    """It failed: the rule was kept with `8.0`, and could be shown no more."""
    members, _ = read_rule({**a_rule(), "priority": 8.0})
    assert (members["priority"], type(members["priority"])) == (8, int)
