"""What schemathesis must be told to make any request of ours at all: the hook of `python -m tests.lab.document`."""

from __future__ import annotations

import schemathesis

from encoder.api.passes import PIECE


def learn() -> None:
    schemathesis.serializer.alias(PIECE, "application/octet-stream")


learn()
