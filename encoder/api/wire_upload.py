"""What `POST /upload` takes. Its members are spelled as upload APIs spell them, with underscores."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated

from pydantic import ConfigDict, Field

from encoder.api.wire_faults import Reader
from encoder.api.wire_types import ABSENT, WHOLE, Text, Wire, form
from encoder.errors import Fault, Rejected
from encoder.model.base import Json

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


class Upload(Wire):
    """A file that is about to be brought."""

    model_config = ConfigDict(alias_generator=str)

    file_name: FileName = Field(description="only shown; its suffix must be one that is taken here")
    size_bytes: Annotated[int, Field(ge=1, le=MOST_BYTES), WHOLE] = Field(
        ABSENT, description="just so many bytes are taken; absent: as many as the operator allows"
    )
    content_type: ContentType = Field(ABSENT, description="told by the suffix when absent")


_UPLOAD: Reader[Upload] = Reader(Upload)


def read_upload(body: Json, *, suffixes: Collection[str], most_bytes: int) -> Upload:
    """The upload that `body` announces. `suffixes`: lower case, with their dot.

    Raises:
        errors.Rejected: every fault of it.
    """
    upload, faults = _UPLOAD.read(body)
    if upload is not None:
        faults = list(_limits(upload, suffixes, most_bytes))
    if upload is None or faults:
        raise Rejected(*faults)
    return upload


def _limits(upload: Upload, suffixes: Collection[str], most_bytes: int) -> Iterator[Fault]:
    if not upload.file_name.lower().endswith(tuple(suffixes)):
        known = ", ".join(suffixes)
        yield Fault(path="/file_name", code="invalid_value", message=f"must end in one of {known}")
    if (upload.size_bytes or 0) > most_bytes:
        yield Fault(path="/size_bytes", code="out_of_range", message=f"must be at most {most_bytes}")
