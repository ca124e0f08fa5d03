"""What stores say, read in each one's own way, once."""

from __future__ import annotations

import json

import pytest

from encoder.api.body import read_json
from encoder.errors import Rejected
from encoder.ingest.events import Notice, ObjectEvent, Origin, Subscription, read_events
from encoder.model.base import Json
from tests.lab import told


def events(body: Json) -> tuple[ObjectEvent, ...]:
    found = read_events(read_json(json.dumps(body).encode()), read_json)
    assert isinstance(found, Notice)
    return found.events


def one(body: Json) -> ObjectEvent:
    (event,) = events(body)
    return event


S3_EVENT = ObjectEvent(
    origin=Origin.S3,
    bucket="media",
    key="in/a.mp4",
    is_new=True,
    where="/Records/0",
    etag=told.ETAG,
    sequencer="0055AED6DCD90281E5",
    size_bytes=1024,
)


def test_a_record_of_s3() -> None:
    assert one(told.s3()) == S3_EVENT


def test_a_record_of_minio() -> None:
    event = one(told.minio())
    assert (event.origin, event.bucket, event.key, event.is_new) == (Origin.MINIO, "media", "in/a.mp4", True)
    assert (event.version_id, event.etag, event.size_bytes) == (None, told.ETAG, 1024)


def test_a_record_of_ceph() -> None:
    event = one(told.ceph())
    assert (event.origin, event.key, event.is_new) == (Origin.CEPH, "in/a.mp4", True)
    assert (event.version_id, event.etag, event.sequencer, event.size_bytes) == (None, None, "F7E6D75DC742D108", 1024)


def test_an_event_of_eventbridge() -> None:
    event = one(told.eventbridge())
    assert (event.origin, event.bucket, event.key, event.is_new) == (Origin.EVENTBRIDGE, "media", "in/a.mp4", True)
    assert (event.version_id, event.etag) == ("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", told.ETAG)
    assert (event.sequencer, event.size_bytes, event.where) == ("00617F08299329D189", 1024, "")


@pytest.mark.parametrize(
    ("key", "sent_by_s3", "sent_by_minio"),
    [
        ("a b+c.mp4", "a+b%2Bc.mp4", "a+b%2Bc.mp4"),
        ("in/100%2F.mp4", "in/100%252F.mp4", "in%2F100%252F.mp4"),
        ("für – 日.mp4", "f%C3%BCr+%E2%80%93+%E6%97%A5.mp4", "f%C3%BCr+%E2%80%93+%E6%97%A5.mp4"),
        ("in/a:b&c=d'e.mp4", "in/a%3Ab%26c%3Dd%27e.mp4", "in%2Fa%3Ab%26c%3Dd%27e.mp4"),
        ("in//a.mp4", "in//a.mp4", "in%2F%2Fa.mp4"),
        ("😀.mp4", "%F0%9F%98%80.mp4", "%F0%9F%98%80.mp4"),
    ],
)
def test_odd_keys_come_out_as_they_are_whoever_tells_of_them(key: str, sent_by_s3: str, sent_by_minio: str) -> None:
    """Each origin has an encoding of its own, and it is undone once: what looks encoded after that is so."""
    assert one(told.s3(sent_by_s3)).key == key
    assert one(told.sns(told.s3(sent_by_s3))).key == key
    assert one(told.minio(sent_by_minio)).key == key
    assert one(told.ceph(key)).key == key
    assert one(told.eventbridge(key)).key == key


def test_a_key_that_is_no_text_is_told_as_none() -> None:
    assert one(told.s3("in/%FF.mp4")).key is None


def test_a_key_that_no_object_can_have_is_told_as_none() -> None:
    assert one(told.s3("%C3%BC" * 512)).key == "ü" * 512
    assert one(told.s3("%C3%BC" * 513)).key is None
    assert one(told.eventbridge("k" * 1025)).key is None


def test_what_sns_wraps_is_read_as_what_it_is_and_keeps_its_topic() -> None:
    notice = read_events(told.sns(told.s3()), read_json)
    assert isinstance(notice, Notice)
    assert notice.topic == told.TOPIC
    assert [event.where for event in notice.events] == ["/Message"]
    inside = read_events(told.sns(told.eventbridge()), read_json)
    assert isinstance(inside, Notice)
    assert inside.events[0].origin is Origin.EVENTBRIDGE


def test_sns_asks_whether_it_is_wanted() -> None:
    asked = read_events(told.invitation("https://sns.example/"), read_json)
    assert asked == Subscription(topic=told.TOPIC, url="https://sns.example/")


@pytest.mark.parametrize(
    "body",
    [told.FIRST, told.sns(told.FIRST), {**told.invitation(), "Type": "UnsubscribeConfirmation"}, {"Records": []}],
)
def test_what_tells_of_no_object_is_taken_all_the_same(body: Json) -> None:
    assert events(body) == ()


@pytest.mark.parametrize(
    ("name", "is_new"),
    [
        ("ObjectCreated:CompleteMultipartUpload", True),
        ("s3:ObjectCreated:Copy", True),
        ("ObjectRemoved:Delete", False),
        ("s3:ObjectRestore:Completed", False),
        ("", False),
    ],
)
def test_only_what_was_made_is_new(name: str, is_new: bool) -> None:
    assert one(told.s3(eventName=name)).is_new is is_new
    assert not one({**told.eventbridge(), "detail-type": "Object Deleted"}).is_new


def test_several_records_are_all_read_and_each_knows_its_place() -> None:
    body: Json = {"Records": [*told.s3()["Records"], *told.ceph("in/b.mp4")["Records"]]}
    assert [(event.key, event.where) for event in events(body)] == [
        ("in/a.mp4", "/Records/0"),
        ("in/b.mp4", "/Records/1"),
    ]


@pytest.mark.parametrize("minor", ["2.0", "2.3", "2.99"])
def test_a_newer_minor_version_is_read_with_what_it_brings(minor: str) -> None:
    assert one(told.s3(eventVersion=minor, brandNew={"a": 1})).key == "in/a.mp4"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (told.s3(eventVersion="3.0"), "/Records/0"),
        (told.s3(eventVersion=None), "/Records/0"),
        (told.s3(eventSource="gcs:objects"), "/Records/0"),
        (told.s3(None), "/Records/0"),
        ({**told.eventbridge(), "detail": {**told.eventbridge()["detail"], "version": "1"}}, ""),
        ({**told.eventbridge(), "source": "aws.ec2"}, ""),
        ({**told.eventbridge(), "detail": []}, ""),
        ({**told.sns(told.s3()), "Type": "Surprise"}, "/Type"),
        ({**told.sns(told.s3()), "Message": {}}, "/Message"),
        (told.sns(told.sns(told.s3())), "/Message"),
        ({**told.invitation(), "SubscribeURL": None}, "/SubscribeURL"),
        ({"Records": {}}, ""),
        ({"Records": [None]}, "/Records/0"),
        ({}, ""),
        ([], ""),
        ("", ""),
    ],
)
def test_what_is_not_understood_is_refused_at_its_place(body: Json, path: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_events(body, read_json)
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [(path, "unsupported_event")]


@pytest.mark.parametrize(("size", "read"), [("1024", 1024), (-1, None), ("1e3", None), (None, None), ("٣", None)])
def test_a_size_that_is_none_is_not_believed(size: Json, read: int | None) -> None:
    assert one(told.s3(size=size)).size_bytes == read


@pytest.mark.parametrize(("version", "read"), [("", None), ("null", None), ("v1", "v1")])
def test_a_version_that_is_none_is_none(version: str, read: str | None) -> None:
    assert one(told.s3(versionId=version)).version_id == read


def test_quotes_around_an_etag_do_not_count() -> None:
    assert one(told.s3(eTag=f'"{told.ETAG}"')).etag == told.ETAG
