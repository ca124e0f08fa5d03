"""What `POST /upload` takes: of the file, spelled as upload APIs spell it, and of the job that is to be made of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from encoder.api.wire import MAX_OUTPUTS
from encoder.api.wire_faults import Reader, distinct
from encoder.api.wire_output import Output
from encoder.api.wire_place import Destination
from encoder.api.wire_types import (
    ABSENT,
    WHOLE,
    HttpUrl,
    Metadata,
    OneOf,
    QueueName,
    Tags,
    Text,
    Wire,
    form,
    without_noise,
)
from encoder.errors import Fault, Rejected
from encoder.ffmpeg.codecs import TOGGLE
from encoder.ffmpeg.presets import Presets
from encoder.model.base import Json
from encoder.model.state import UploadProtocol

MOST_BYTES = 2**53 - 1  # every JSON reader has whole numbers so far

FileName = Annotated[Text, Field(max_length=255)]
# what a browser would show as a page or run has no place in a store of videos
ContentType = Annotated[
    str,
    Field(max_length=127),
    *form(
        r"^((video|audio)/[A-Za-z0-9][A-Za-z0-9.+_-]*|application/(mxf|octet-stream))$",
        "must be video/…, audio/…, application/mxf or application/octet-stream",
    ),
]


# members of a job that may stand in an announcement, and mean there what they mean in `POST /jobs`
_OF_THE_JOB = ("notificationUrl", "priority", "queue", "metadata", "tags")
_OF_THE_ONLY_OUTPUT = ("preset", "destination")
_ONLY_OUTPUT = re.compile(r"/outputs/0(?=/|$)")
_NO_JOB = "must not stand beside `outputs: []`, which asks for no job"


def _schema(schema: dict[str, Any]) -> None:
    without_noise(schema)
    said_twice = [{"required": [name]} for name in _OF_THE_ONLY_OUTPUT]
    schema["dependentSchemas"] = {"outputs": {"not": {"anyOf": said_twice}}}
    schema["if"] = {"properties": {"protocol": {"const": str(UploadProtocol.TUS)}}, "required": ["protocol"]}
    schema["then"] = {"required": ["size_bytes"]}


class Upload(Wire):
    """A file that is about to be brought, and the job that is to be made of it: of one output, `preset` to
    `destination`, unless `outputs` says which. With `outputs: []` none is made.
    """

    model_config = ConfigDict(alias_generator=str, json_schema_extra=_schema)

    file_name: FileName = Field(description="only shown; its suffix must be one that is taken here")
    size_bytes: Annotated[int, Field(ge=1, le=MOST_BYTES), WHOLE] = Field(
        ABSENT, description="just so many bytes are taken; absent: as many as the operator allows"
    )
    content_type: ContentType = Field(ABSENT, description="told by the suffix when absent")
    protocol: Annotated[str, OneOf(*map(str, UploadProtocol))] = Field(
        UploadProtocol.PUT.value, description="one request, a form, or tus 1.0, which needs `size_bytes`"
    )
    preset: str = Field(ABSENT, description=f"of the one output; absent: {TOGGLE}")
    destination: Destination = Field(ABSENT, description="of the one output; absent: the platform's own storage")
    outputs: Annotated[list[Output], Field(max_length=MAX_OUTPUTS)] = Field(
        ABSENT, description="in place of `preset` and `destination`; none: no job is made"
    )
    notification_url: HttpUrl = Field(ABSENT, alias="notificationUrl", description="as of a job")
    priority: Annotated[int, Field(ge=-100, le=100), WHOLE] = Field(ABSENT, description="as of a job")
    queue: QueueName = Field(ABSENT, description="as of a job")
    metadata: Metadata = Field(ABSENT, description="as of a job")
    tags: Tags = Field(ABSENT, description="as of a job")


_UPLOAD: Reader[Upload] = Reader(Upload)


def read_upload(
    body: Json, known: Presets, *, suffixes: Collection[str], most_bytes: int
) -> tuple[Upload | None, list[Fault]]:
    """The upload that `body` announces, and all that is wrong with it but for its job.

    `known`: the presets that it may name. `suffixes`: lower case, with their dot.
    """
    upload, faults = _UPLOAD.read(body, known=known)
    if upload is not None:
        faults = [*_limits(upload, suffixes, most_bytes), *_unclear(upload)]
    return upload, faults


def job_of(body: Json, upload_id: UUID) -> dict[str, Json] | None:
    """The job that an announcement asks for, as `POST /jobs` would be sent it; None where it asks for none."""
    if not isinstance(body, dict) or body.get("outputs") == []:
        return None
    told: dict[str, Json] = {name: body[name] for name in _OF_THE_JOB if name in body}
    source: Json = {"kind": "upload", "fileId": str(upload_id)}
    return {"source": source, "outputs": body.get("outputs", [_only_output(body)]), **told}


def at_its_place(body: Json, faults: Collection[Fault]) -> list[Fault]:
    """The faults of `job_of(body)`, where the caller wrote what they are of."""
    if isinstance(body, dict) and "outputs" in body:
        return list(faults)
    return [Fault(path=_ONLY_OUTPUT.sub("", fault.path), code=fault.code, message=fault.message) for fault in faults]


def require_none(faults: list[Fault]) -> None:
    """Raises errors.Rejected: every fault there is, one per place."""
    if faults:
        raise Rejected(*distinct(faults))


def _only_output(body: Mapping[str, Json]) -> dict[str, Json]:
    output: dict[str, Json] = {"preset": body.get("preset", TOGGLE)}
    return {**output, "destination": body["destination"]} if "destination" in body else output


def _limits(upload: Upload, suffixes: Collection[str], most_bytes: int) -> Iterator[Fault]:
    if not upload.file_name.lower().endswith(tuple(suffixes)):
        known = ", ".join(suffixes)
        yield Fault(path="/file_name", code="invalid_value", message=f"must end in one of {known}")
    if (upload.size_bytes or 0) > most_bytes:
        yield Fault(path="/size_bytes", code="out_of_range", message=f"must be at most {most_bytes}")
    if upload.protocol == UploadProtocol.TUS and upload.size_bytes is ABSENT:
        yield Fault(path="/size_bytes", code="missing_field", message="must be there: tus tells the length first")


def _unclear(upload: Upload) -> Iterator[Fault]:
    """What says the same thing twice, or something of a job that is not to be."""
    sent = upload.sent()
    if "outputs" not in sent:
        return
    for name in _OF_THE_ONLY_OUTPUT:
        if name in sent:
            yield Fault(path=f"/{name}", code="unsupported_combination", message="must not stand beside `outputs`")
    for name in _OF_THE_JOB if not upload.outputs else ():
        if name in sent:
            yield Fault(path=f"/{name}", code="unsupported_combination", message=_NO_JOB)
