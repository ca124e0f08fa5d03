"""The fields of the form for a new job. A field is named by the JSON Pointer of what it says of the job.

A place may be of several kinds, whose members have equal names: there the kind that was chosen stands behind a colon,
`/source:s3/path`. What has no field is said in JSON, in a field named by what it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from encoder.api.wire_s3 import ACLS
from encoder.ffmpeg import codecs, containers, overlay, rules, subtitles


class Kind(StrEnum):
    """How what is written into a field is read."""

    TEXT = "text"
    ADDRESS = "address"  # a URL, which may hold secrets
    NUMBER = "number"
    CHOICE = "choice"
    NUMERAL = "numeral"  # a choice of numbers
    SWITCH = "switch"
    SECRET = "secret"  # noqa: S105  # a kind, not one
    KEY = "key"  # a secret of several lines
    PAIRS = "pairs"  # a line each: name, `:`, value
    JSON = "json"


SECRETS = frozenset({Kind.SECRET, Kind.KEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`member`: its pointer from the part on that it belongs to. `unit`: behind a number. `wide`: takes a line."""

    member: str
    label: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    unit: str = ""
    hint: str = ""
    example: str = ""
    secret: bool = False
    wide: bool = False

    @property
    def is_secret(self) -> bool:
        return self.secret or self.kind in SECRETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that are seen together."""

    name: str
    label: str
    fields: tuple[Field, ...]


def _choice(member: str, label: str, choices: Iterable[object], *, kind: Kind = Kind.CHOICE, hint: str = "") -> Field:
    return Field(member=member, label=label, kind=kind, choices=tuple(map(str, choices)), hint=hint)


def _number(member: str, label: str, unit: str, *, example: str = "") -> Field:
    return Field(member=member, label=label, kind=Kind.NUMBER, unit=unit, example=example)


_HEADERS = Field(
    member="headers", label="Headers", kind=Kind.PAIRS, secret=True, example="Authorization: Bearer …", wide=True,
    hint="One a line. Kept secret.",
)  # fmt: skip
_ADDRESS = Field(member="url", label="Address", kind=Kind.ADDRESS, example="https://example.com/holiday.mov", wide=True)
_S3 = (
    Field(member="bucket", label="Bucket", example="my-bucket"),
    Field(member="path", label="Path", example="uploads/holiday.mov", wide=True),
    Field(member="region", label="Region", example="eu-central-1"),
    Field(
        member="endpointUrl", label="Endpoint", kind=Kind.ADDRESS, example="https://s3.example.com",
        hint="Of a server other than Amazon's.",
    ),
    Field(member="access_key_id", label="Access key id", kind=Kind.SECRET, hint="Without keys: the operator's."),
    Field(member="access_key_secret", label="Secret access key", kind=Kind.SECRET),
    Field(member="session_token", label="Session token", kind=Kind.SECRET),
)  # fmt: skip
_SERVER = (
    _choice("kind", "Protocol", ("sftp", "ftps", "ftp")),
    Field(member="host", label="Host", example="files.example.com"),
    _number("port", "Port", ""),
    Field(member="path", label="Path", example="in/holiday.mov", wide=True),
    Field(member="username", label="User name", kind=Kind.SECRET),
    Field(member="password", label="Password", kind=Kind.SECRET),
    Field(member="privateKey", label="Private key", kind=Kind.KEY, hint="Of SFTP: PEM or OpenSSH.", wide=True),
    Field(member="hostKey", label="Host key", hint="Of SFTP: how the server is known.", example="SHA256:…", wide=True),
)
_FILE = (Field(member="path", label="Path on the server", example="/media/holiday.mov", wide=True),)
_WHOLE = (Field(member="", label="The place as JSON", kind=Kind.JSON, example='{"kind": "…", …}', wide=True),)
_ACL = _choice("acl", "Access", ACLS)

SOURCES: Mapping[str, Group] = {
    group.name: group
    for group in (
        Group(name="upload", label="A file of yours", fields=(Field(member="fileId", label="File"),)),
        Group(name="url", label="URL", fields=(_ADDRESS, _HEADERS)),
        Group(name="s3", label="S3", fields=_S3),
        Group(name="server", label="FTP or SFTP", fields=_SERVER),
        Group(name="file", label="On the server's disk", fields=_FILE),
        Group(name="json", label="As JSON", fields=_WHOLE),
    )
}
DESTINATIONS: Mapping[str, Group] = {
    group.name: group
    for group in (
        Group(
            name="url",
            label="URL",
            fields=(_ADDRESS, _choice("method", "Method", ("PUT", "POST")), _HEADERS),
        ),
        Group(name="s3", label="S3", fields=(*_S3, _ACL)),
        Group(name="server", label="FTP or SFTP", fields=_SERVER),
        Group(name="file", label="On the server's disk", fields=_FILE),
        Group(name="json", label="As JSON", fields=_WHOLE),
    )
}
OUTPUT: tuple[Group, ...] = (
    Group(
        name="picture",
        label="Picture",
        fields=(
            _choice("container", "Container", containers.CONTAINERS),
            _choice("videoCodec", "Video codec", codecs.video_codecs()),
            _number("width", "Width", "px"),
            _number("height", "Height", "px"),
            _choice("fit", "Fit", rules.FITS),
            _number("fps", "Frame rate", "fps"),
            _choice("rotate", "Turn", rules.ROTATIONS, kind=Kind.NUMERAL, hint="Degrees, beside the source's own."),
            Field(member="upscale", label="May be enlarged", kind=Kind.SWITCH),
        ),
    ),
    Group(
        name="quality",
        label="Quality",
        fields=(
            _number("crf", "CRF", "", example="23"),
            _number("targetQuality", "Wanted quality", "VMAF", example="93"),
            Field(member="videoBitrate", label="Video bitrate", example="2500k"),
            Field(member="maxBitrate", label="Peak bitrate", example="4M"),
            Field(member="encoderPreset", label="Encoder preset", example="medium"),
            Field(member="twoPass", label="Two passes", kind=Kind.SWITCH),
            Field(
                member="chunked", label="In chunks", kind=Kind.SWITCH, hint="By several workers; else where that pays."
            ),
        ),
    ),
    Group(
        name="sound",
        label="Sound",
        fields=(
            _choice("audioCodec", "Audio codec", codecs.audio_codecs()),
            Field(member="audioBitrate", label="Audio bitrate", example="128k"),
            _choice("audioChannels", "Channels", rules.CHANNELS, kind=Kind.NUMERAL),
            _number("loudness", "Loudness", "LUFS", example="-16"),
        ),
    ),
    Group(
        name="more",
        label="Part, subtitles, watermark",
        fields=(
            _number("clip/start", "Clip from", "s"),
            _number("clip/end", "Clip to", "s"),
            _choice("subtitles", "Subtitles", subtitles.MODES),
            Field(
                member="watermark/source/url",
                label="Watermark",
                kind=Kind.ADDRESS,
                example="https://example.com/logo.png",
                wide=True,
            ),
            _choice("watermark/position", "Its place", overlay.POSITIONS),
            _number("watermark/scale", "Its width", "of the picture's", example="0.1"),
            _number("watermark/opacity", "Its opacity", "0 to 1", example="1"),
        ),
    ),
)
OUTPUT_FIELDS: tuple[Field, ...] = tuple(field for group in OUTPUT for field in group.fields)
JOB: tuple[Field, ...] = (
    Field(
        member="notificationUrl", label="Webhook", kind=Kind.ADDRESS, example="https://example.com/webhook", wide=True,
        hint="Is told what becomes of the job, signed.",
    ),
    Field(member="priority", label="Priority", kind=Kind.NUMBER, example="0", hint="−100 to 100: higher runs sooner."),
    Field(member="tags", label="Tags", hint="Between commas.", example="trailer, summer", wide=True),
    Field(member="queue", label="Queue", example="encode", hint="Which workers take it."),
    Field(
        member="metadata", label="Metadata", kind=Kind.PAIRS, hint="One a line; comes back with the job.",
        example="orderId: 42", wide=True,
    ),
)  # fmt: skip
