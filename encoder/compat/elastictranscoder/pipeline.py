"""A pipeline: the buckets and the receiver that jobs name by one id."""

from __future__ import annotations

from encoder.model.base import Record
from encoder.model.job import Place

SECRET = ("access_key_id", "access_key_secret", "session_token")
HIDDEN = "***"


class Pipeline(Record):
    """`input` and `output`: of kind `s3`, without a path. `thumbnails`: where pictures go; None: as `output`."""

    input: Place
    output: Place
    thumbnails: Place | None = None
    notification_url: str | None = None

    def at(self, key: str) -> Place:
        """Where a job reads `key` from."""
        return {**self.input, "kind": "s3", "path": key}

    def to(self, key: str) -> Place:
        """Where it writes `key` to."""
        return {**self.output, "kind": "s3", "path": key}

    def picture(self, key: str) -> Place:
        """Where pictures go."""
        return {**(self.thumbnails or self.output), "kind": "s3", "path": key}
