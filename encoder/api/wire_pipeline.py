"""What `PUT /compat/elastictranscoder/pipelines/{id}` takes: the buckets that jobs name by one id."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from encoder.api.wire import Places
from encoder.api.wire_faults import Reader, below, put_back
from encoder.api.wire_s3 import S3Bucket, S3BucketTo
from encoder.api.wire_types import ABSENT, HttpUrl, Wire
from encoder.compat.elastictranscoder.pipeline import Pipeline as Kept
from encoder.errors import Fault, Rejected
from encoder.model.base import Json, to_json

_ANY_KEY = "key"  # of what a pipeline will be asked for, only its buckets can be checked


class Pipeline(Wire):
    """Where jobs of Elastic Transcoder that name it read from and write to, and who is told of them."""

    input: S3Bucket
    output: S3BucketTo
    thumbnails: S3BucketTo = Field(ABSENT, description="absent: they go where the rest goes")
    notification_url: HttpUrl = Field(ABSENT, description="is told of its jobs, in Elastic Transcoder's words, signed")


_PIPELINE: Reader[Pipeline] = Reader(Pipeline)


def read_pipeline(body: Json, places: Places) -> Kept:
    """The pipeline that `body` describes.

    Raises:
        errors.Rejected: every fault of it.
    """
    pipeline, faults = _PIPELINE.read(body)
    if pipeline is not None:
        kept = _kept(pipeline)
        faults = list(_meaning(kept, places))
    if pipeline is None or faults:
        raise Rejected(*faults)
    return kept


def _kept(pipeline: Pipeline) -> Kept:
    return Kept(
        input=pipeline.input.sent(),
        output=pipeline.output.sent(),
        thumbnails=None if pipeline.thumbnails is ABSENT else pipeline.thumbnails.sent(),
        notification_url=pipeline.notification_url,
    )


def _meaning(kept: Kept, places: Places) -> Iterator[Fault]:
    yield from put_back(to_json(kept))
    yield from below("/input", places.source(kept.at(_ANY_KEY)))
    yield from below("/output", places.destination(kept.to(_ANY_KEY), folder=False))
    if kept.thumbnails is not None:
        yield from below("/thumbnails", places.destination(kept.picture(_ANY_KEY), folder=False))
    if kept.notification_url is not None:
        yield from below("/notificationUrl", places.receiver(kept.notification_url))
