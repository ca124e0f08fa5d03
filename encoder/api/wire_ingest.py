"""Ingest rules: a bucket in place of a source, and names of its objects in the places of outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from encoder.api.wire import MAX_OUTPUTS, JobOptions
from encoder.api.wire_faults import Reader, distinct
from encoder.api.wire_output import Output
from encoder.api.wire_s3 import BucketName, S3Reach
from encoder.api.wire_types import ABSENT, MAX_PATH_BYTES, Path, Wire, fault, form, plain, without_noise
from encoder.api.wire_types import distinct as none_twice
from encoder.errors import Fault, Rejected
from encoder.ffmpeg import presets
from encoder.ffmpeg.presets import Presets
from encoder.ingest import template
from encoder.ingest.rules import VIDEO_SUFFIXES
from encoder.model.base import Json
from encoder.model.place import pointer

OF_INGEST = "ingest"  # the member of a job's metadata that says where it comes from
RULE_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_TOPIC = r"^arn:aws[a-z-]{0,16}:sns:[a-z0-9-]{0,32}:[A-Za-z0-9]{0,32}:[A-Za-z0-9_.-]{1,256}$"
_MEETS = (
    "would be taken for a source, and be encoded again: write elsewhere, or, a package, into a folder with a name of "
    "its own, such as `{dir}/{name}_processed/`"
)


_PREFIX_BYTES = MAX_PATH_BYTES - 64  # something comes behind it


def _prefix(value: str) -> str:
    if value.startswith("/") or len(value.encode()) > _PREFIX_BYTES:
        raise fault("invalid_path", f"must have no slash before it, and at most {_PREFIX_BYTES} bytes")
    return plain(value)


def _one_place(schema: dict[str, Any]) -> None:
    without_noise(schema)
    schema["anyOf"] = [{"required": ["preset"]}, {"required": ["container"]}]
    schema["not"] = {"required": ["path", "destination"]}


class RuleSource(S3Reach):
    """Objects of a bucket: those whose keys begin and end so."""

    kind: Literal["s3"] = ABSENT
    bucket: BucketName
    prefix: Annotated[str, Field(max_length=_PREFIX_BYTES), AfterValidator(_prefix)] = ""
    suffixes: Annotated[
        list[Annotated[str, *form(r"^\.[A-Za-z0-9]{1,16}$", "must be a dot and at most 16 letters and digits")]],
        Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True}),
        AfterValidator(none_twice),
    ] = Field(ABSENT, description=f"in any case; absent: {', '.join(VIDEO_SUFFIXES)}")


class RuleOutput(Output):
    """One file of each object. `{dir}` and `{name}` of the object may stand in its path or address."""

    model_config = ConfigDict(json_schema_extra=_one_place)

    path: Path = Field(ABSENT, description="in the same bucket, by the same credentials; in place of `destination`")


class IngestRule(JobOptions):
    """What is made of the objects that appear in a bucket."""

    source: RuleSource
    outputs: Annotated[list[RuleOutput], Field(min_length=1, max_length=MAX_OUTPUTS)]
    topics: Annotated[
        list[Annotated[str, *form(_TOPIC, "must be the ARN of a topic of SNS")]],
        Field(max_length=50, json_schema_extra={"uniqueItems": True}),
        AfterValidator(none_twice),
    ] = Field(ABSENT, description="of SNS, whose word is taken; only what comes through SNS needs one")
    enabled: bool = True


class ObjectEvents(Wire):
    """What a store or its messenger sends, as it comes: S3, SNS, EventBridge, MinIO or Ceph; any members may stand."""

    model_config = ConfigDict(extra="allow")


_RULE: Reader[IngestRule] = Reader(IngestRule)


def read_rule(body: Json, known: Presets = presets.BUILT_IN) -> tuple[dict[str, Json], list[str]]:
    """The rule that `body` is, in its own words, and where its outputs lie in its own bucket, as templates.

    `known`: the presets that it may name. What becomes of its jobs is looked at elsewhere (`ingest_rules`).

    Raises:
        errors.Rejected: every fault of it, one per place.
    """
    rule, faults = _RULE.read(body, known=known)
    if rule is None or not isinstance(body, dict):
        raise Rejected(*faults)
    faults = distinct([*_of_outputs(rule), *_of_metadata(body)])
    if faults:
        raise Rejected(*faults)
    if "priority" in body:
        body = {**body, "priority": rule.priority}  # a whole number, however it was written
    return body, [path for output in rule.outputs if (path := _path_in(output, rule.source.bucket)) is not None]


def _of_outputs(rule: IngestRule) -> Iterator[Fault]:
    for number, output in enumerate(rule.outputs):
        if output.path is not ABSENT and output.destination is not ABSENT:
            message = "must not stand beside `destination`"
            yield Fault(path=pointer("outputs", number, "path"), code="unsupported_combination", message=message)
            continue
        where = pointer("outputs", number, "destination" if output.path is ABSENT else "path")
        wrong = template.fault(_text_of(output))
        if wrong is not None:
            yield Fault(path=where, code=wrong.code, message=wrong.message)
        path = _path_in(output, rule.source.bucket)
        if path is not None and template.meets(path, prefix=rule.source.prefix, suffixes=_suffixes(rule)):
            yield Fault(path=where, code="output_is_source", message=_MEETS)


def _text_of(output: RuleOutput) -> Json:
    """The path or address in which templates may stand."""
    if output.path is not ABSENT:
        return output.path
    place = {} if output.destination is ABSENT else output.destination.place()
    return place.get("url", place.get("path"))


def _path_in(output: RuleOutput, bucket: str) -> str | None:
    """Its path, a template, if it lies in this bucket: on whatever server, for they have several names."""
    if output.path is not ABSENT:
        return str(output.path)
    place = {} if output.destination is ABSENT else output.destination.place()
    return str(place["path"]) if (place.get("kind"), place.get("bucket")) == ("s3", bucket) else None


def _suffixes(rule: IngestRule) -> tuple[str, ...]:
    return tuple(suffix.lower() for suffix in rule.source.suffixes or VIDEO_SUFFIXES)


def _of_metadata(body: Mapping[str, Json]) -> Iterator[Fault]:
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and OF_INGEST in metadata:
        message = f"must not be there: in `{OF_INGEST}` each job says where it comes from"
        yield Fault(path=pointer("metadata", OF_INGEST), code="invalid_value", message=message)
