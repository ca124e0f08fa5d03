"""What stores send when an object was made, in our words. Nobody is asked: a body in, events out.

Each origin writes the key in its own way, and so it is decoded by origin, once. A guess would be wrong for some: `%2F`
may be a slash, or three characters of a name. Members that nobody knows are passed over, for new minor versions bring
some; a new major version is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_plus

from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.place import pointer

UNSUPPORTED = "unsupported_event"
_MADE = "ObjectCreated:"
_LONGEST_KEY = 1024  # bytes, of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_NO_VERSION = frozenset({"", "null"})  # of a bucket that keeps no versions


class Origin(StrEnum):
    """Who says so, and how it writes keys."""

    S3 = "s3"  # as forms of web pages: `a b+c` is `a+b%2Bc`
    MINIO = "minio"  # so too, with `/` as `%2F`
    EVENTBRIDGE = "eventbridge"  # as they are
    CEPH = "ceph"  # as they are


_SOURCES = {"aws:s3": Origin.S3, "minio:s3": Origin.MINIO, "ceph:s3": Origin.CEPH}
_ENCODED = frozenset({Origin.S3, Origin.MINIO})


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent:
    """Something happened to an object. `is_new`: it was made; `where`: JSON Pointer into the body.

    All of it is what a stranger says. `key` None: no object can have the one that was told.
    """

    origin: Origin
    bucket: str
    key: str | None
    is_new: bool
    where: str
    version_id: str | None = None
    etag: str | None = None
    sequencer: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Some events. `topic`: of SNS, through which they came."""

    events: tuple[ObjectEvent, ...] = ()
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """SNS asks whether what a topic says is wanted here; whoever fetches `url` agrees."""

    topic: str
    url: str


def read_events(body: Json, read_text: Callable[[bytes], Json]) -> Notice | Subscription:
    """What `body` says. `read_text`: reads the JSON text that SNS wraps.

    Raises:
        errors.Rejected: `unsupported_event`; and what `read_text` raises.
    """
    if isinstance(body, dict) and isinstance(body.get("Type"), str) and "TopicArn" in body:
        return _from_sns(body, read_text)
    return Notice(events=_events(body, ""))


def _from_sns(body: dict[str, Json], read_text: Callable[[bytes], Json]) -> Notice | Subscription:
    topic = _text(body, "TopicArn")
    match body["Type"]:
        case "Notification":
            return Notice(topic=topic, events=_events(read_text(_text(body, "Message").encode()), "/Message"))
        case "SubscriptionConfirmation":
            return Subscription(topic=topic, url=_text(body, "SubscribeURL"))
        case "UnsubscribeConfirmation":
            return Notice(topic=topic)
        case _:
            raise _unsupported("/Type", "is no type of SNS that is known here")


def _events(body: Json, where: str) -> tuple[ObjectEvent, ...]:
    if not isinstance(body, dict):
        raise _unsupported(where, "must be an object")
    if body.get("Event") == "s3:TestEvent":  # the first word of S3: it says that the way is open
        return ()
    if "detail-type" in body:
        return (_from_eventbridge(body, where),)
    records = body.get("Records")
    if not isinstance(records, list):
        raise _unsupported(where, "is no event of S3, SNS, EventBridge, MinIO or Ceph")
    # inside a text there are no places to point at
    return tuple(_from_record(record, where or pointer("Records", at)) for at, record in enumerate(records))


def _from_record(record: Json, where: str) -> ObjectEvent:
    origin = _SOURCES.get(str(_of(record, "eventSource")))
    if origin is None:
        raise _unsupported(where, f"must have an `eventSource` of {', '.join(_SOURCES)}")
    if str(_of(record, "eventVersion")).partition(".")[0] != "2":
        raise _unsupported(where, "must be of `eventVersion` 2: another one may mean something else")
    bucket, told = _of(record, "s3", "bucket", "name"), _of(record, "s3", "object")
    key = _of(told, "key")
    if not isinstance(bucket, str) or not isinstance(key, str):
        raise _unsupported(where, "must name a bucket and a key")
    return ObjectEvent(
        origin=origin,
        bucket=bucket,
        key=_key(key, encoded=origin in _ENCODED),
        is_new=str(_of(record, "eventName")).removeprefix("s3:").startswith(_MADE),
        where=where,
        version_id=_version(_of(told, "versionId")),
        etag=_etag(_of(told, "eTag")),
        sequencer=_said(_of(told, "sequencer")),
        size_bytes=_size(_of(told, "size")),
    )


def _from_eventbridge(body: dict[str, Json], where: str) -> ObjectEvent:
    detail = _of(body, "detail")
    bucket, told = _of(detail, "bucket", "name"), _of(detail, "object")
    key = _of(told, "key")
    if body.get("source") != "aws.s3" or not isinstance(bucket, str) or not isinstance(key, str):
        raise _unsupported(where, "must come from `aws.s3`, and name a bucket and a key")
    if str(_of(detail, "version")).partition(".")[0] != "0":
        raise _unsupported(where, "must have a `detail` of `version` 0: another one may mean something else")
    return ObjectEvent(
        origin=Origin.EVENTBRIDGE,
        bucket=bucket,
        key=_key(key, encoded=False),
        is_new=body["detail-type"] == "Object Created",
        where=where,
        version_id=_version(_of(told, "version-id")),
        etag=_etag(_of(told, "etag")),
        sequencer=_said(_of(told, "sequencer")),
        size_bytes=_size(_of(told, "size")),
    )


def _of(value: Json, *names: str) -> Json:
    """What stands there, through objects; None where one is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(body: dict[str, Json], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise _unsupported(pointer(name), "must be text")
    return value


def _said(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _version(value: Json) -> str | None:
    said = _said(value)
    return None if said in _NO_VERSION else said


def _etag(value: Json) -> str | None:
    """As we write it: some have it in quotes."""
    said = _said(value)
    return said and (said.strip('"') or None)


def _size(value: Json) -> int | None:
    """Ceph has written it as text."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None  # noqa: PLR2004  # 64 bits


def _key(told: str, *, encoded: bool) -> str | None:
    """The key itself; None where no object can have it."""
    try:
        key = unquote_plus(told, errors="strict") if encoded else told
    except UnicodeDecodeError:
        return None
    return key if len(key.encode()) <= _LONGEST_KEY else None


def _unsupported(where: str, message: str) -> Rejected:
    return Rejected.because(UNSUPPORTED, message, path=where)
