"""Which rules make a job of an object, and why others do not. Nobody is asked: events and rules in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

import msgspec

from encoder.ingest import template
from encoder.ingest.events import ObjectEvent
from encoder.model.base import Json
from encoder.model.ids import TenantId
from encoder.store.kept import RuleRow

VIDEO_SUFFIXES = (
    *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv"),
)


class Skip(StrEnum):
    """Why no job was made. A word never changes its meaning."""

    NOT_CREATED = "not_created"  # something else happened to the object
    INVALID_KEY = "invalid_key"  # no source can have this name
    NO_RULE = "no_rule"  # of this bucket and prefix, or none that is enabled
    UNKNOWN_TOPIC = "unknown_topic"  # of SNS: no rule of this bucket and prefix names it
    SUFFIX = "suffix"  # it is no video, by its name
    OWN_OUTPUT = "own_output"  # we made it
    UPLOAD = "upload"  # it was announced with `POST /upload`, and is looked after there
    GONE = "gone"  # there is no such object any more
    EMPTY = "empty"  # it has no bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What decides whether an object is one of a rule's. `folders`: where its outputs lie in its bucket, as templates.

    `members`: its own words, in which its jobs are written, but for its secrets, which are `sealed` to `uuid`.
    """

    name: str
    version: int
    uuid: UUID
    bucket: str
    members: dict[str, Json]
    sealed: bytes | None = None
    prefix: str = ""
    suffixes: tuple[str, ...] = VIDEO_SUFFIXES
    topics: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: RuleRow) -> Rule:
        """What was found in order when it was put. `spec`: its words, and the paths of its outputs in its bucket."""
        members, paths = _object(row.spec["rule"]), _texts(row.spec["paths"])
        source = _object(members["source"])
        return cls(
            name=row.name,
            version=row.version,
            uuid=row.uuid,
            sealed=row.sealed,
            members=members,
            bucket=str(source["bucket"]),
            prefix=str(source.get("prefix", "")),
            suffixes=tuple(suffix.lower() for suffix in _texts(source.get("suffixes"))) or VIDEO_SUFFIXES,
            topics=_texts(members.get("topics")),
            folders=tuple(dict.fromkeys(path for path in paths if path.endswith("/"))),
        )

    @property
    def enabled(self) -> bool:
        return bool(self.members.get("enabled", True))


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def choose(rules: Iterable[Rule], event: ObjectEvent, topic: str | None) -> Sequence[Rule] | Skip:
    """The rules that make a job of what happened, or why none does. `topic`: of SNS, through which it was told."""
    key = event.key
    if not event.is_new:
        return Skip.NOT_CREATED
    if key is None:
        return Skip.INVALID_KEY
    near = [rule for rule in rules if rule.bucket == event.bucket and key.startswith(rule.prefix)]
    heard = [rule for rule in near if topic is None or topic in rule.topics]
    if not heard:
        return Skip.UNKNOWN_TOPIC if near else Skip.NO_RULE
    named = [rule for rule in heard if key.lower().endswith(rule.suffixes)]
    if not named:
        return Skip.SUFFIX
    chosen = [rule for rule in named if not any(template.lies_in(key, folder) for folder in rule.folders)]
    return chosen or Skip.OWN_OUTPUT


def digest(tenant_id: TenantId, rule: str, event: ObjectEvent, *, etag: str | None) -> bytes:
    """Equal for two tellings of one thing, and different for two things. `etag`: the store's, where nobody told one.

    Sequencers are compared for equality alone: how they are ordered, documents say in two ways.
    """
    version = (
        ("version", event.version_id)
        if event.version_id is not None
        else ("made", event.etag or etag or "", event.sequencer or "")
    )
    return sha256(msgspec.json.encode((tenant_id, rule, event.origin, event.bucket, event.key, *version))).digest()
