"""What the API answers about files that callers bring. Members are spelled as upload APIs spell them."""

from __future__ import annotations

from uuid import UUID

from msgspec import field

from encoder.model.base import Record
from encoder.model.ids import JobId


class UploadAnswer(Record):
    """How to bring a file: one request with `method` and `headers` as they stand, and the file as its body; with
    `fields` a form of these, and the file as its last one, `file`; of tus, `upload_url` is where its pieces go.
    """

    file_id: UUID = field(name="file_id")
    upload_url: str = field(name="upload_url")
    s3_key: str = field(name="s3_key")
    expires_in: int = field(name="expires_in")
    method: str
    headers: dict[str, str]
    fields: dict[str, str]


class UploadErrorAnswer(Record):
    """Why no file came, or none that was announced."""

    code: str
    message: str


class UploadStatusAnswer(Record):
    """`processing_status`: pending, uploaded, processing, completed, failed, cancelled; once a job works on it, as that
    stands. `received_bytes`: so many have come for good, where that is known before all have.
    """

    file_id: UUID = field(name="file_id")
    file_name: str = field(name="file_name")
    processing_status: str = field(name="processing_status")
    original_codec: str | None = field(name="original_codec")
    target_codec: str | None = field(name="target_codec")
    processing_time: float | None = field(name="processing_time")
    job_id: JobId | None = field(name="job_id")
    received_bytes: int | None = field(name="received_bytes")
    error: UploadErrorAnswer | None


class DownloadAnswer(Record):
    """A link from which anyone may read, for an hour."""

    download_url: str = field(name="download_url")
