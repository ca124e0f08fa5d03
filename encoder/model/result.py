"""What became of an output, and of the work on it."""

from __future__ import annotations

import msgspec

from encoder.errors import Failure, FailureClass
from encoder.model.base import Record


class Problem(Record):
    """Why something failed: `error` of a job or an output.

    `check`: with `output_invalid`, the check of the proof that tells most, and its member: `picture.rotation`.
    """

    code: str
    message: str
    kind: FailureClass = msgspec.field(name="class")
    retryable: bool
    check: str | None = None

    @classmethod
    def of(cls, failure: Failure) -> Problem:
        return cls(
            code=failure.code,
            message=failure.message,
            kind=failure.kind,
            retryable=failure.retryable,
            check=failure.check,
        )


class Delivered(Record):
    """Where the bytes of an output stand and what they are. `uri` carries no secret.

    Of a package: the folder, the sum of its files, and the SHA-256 of their list as `sha256sum` writes it, by name.
    """

    uri: str
    size_bytes: int
    sha256: str
    files: tuple[str, ...] = ()
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    bitrate: int | None = None  # bit/s
    frames: int | None = None


class Piece(Record):
    """One file of an output. `name`: within the output's folder; "" where the output is that one file."""

    name: str
    size_bytes: int
    sha256: str


class Intent(Record):
    """Written before an upload begins, so that a later attempt can tell what a dead one published."""

    token: str  # of the attempt: what it left half-written carries it
    promised: Delivered
    pieces: tuple[Piece, ...] = ()  # all that it consists of


class Timings(Record):
    """Seconds that each part of an output's last attempt took; None: not done in that attempt.

    `encode`: of what was made in chunks, of all of them, though several were made at once.
    `encode_cpu`: of the processors', in the runs of ffmpeg that encoded it; of one that made several, an equal share.
    `first_frame`: from the first byte of the source that arrived to the first frame that was encoded.
    """

    queued: float | None = None
    fetch: float | None = None
    encode: float | None = None
    verify: float | None = None
    upload: float | None = None
    encode_cpu: float | None = None
    first_frame: float | None = None
