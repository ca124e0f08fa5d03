"""Doors for callers of other services: at an address of ours, and at the paths that their own libraries call."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.api import answers_compat, compat_coconut, compat_elastictranscoder, jobs, pipelines
from encoder.api.compat_dialects import COCONUT, ELASTIC_TRANSCODER
from encoder.api.operations import Header, Operation
from encoder.api.routes.common import JSON_PROBLEMS
from encoder.model.formats.coconut import CoconutJob
from encoder.model.key import Scope

_KEY = Header(
    name="Idempotency-Key", about="the same key and body within 24 h: the first answer again", pattern=f"^{jobs.KEY}$"
)
_LIST = "/compat/elastictranscoder/pipelines"
_PIPELINE = f"{_LIST}/{{name}}"

PIPELINES = (
    Operation(
        method="GET",
        path=_LIST,
        operation_id="listPipelines",
        summary="The pipelines that there are",
        handler=pipelines.listed,
        scope=Scope.READ,
        answers={200: (answers_compat.PipelinesAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="GET",
        path=_PIPELINE,
        operation_id="getPipeline",
        summary="A pipeline: the buckets that jobs of Elastic Transcoder name by one id",
        handler=pipelines.shown,
        scope=Scope.READ,
        answers={200: (answers_compat.PipelineAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="PUT",
        path=_PIPELINE,
        operation_id="putPipeline",
        summary="Make a pipeline, or replace it whole",
        handler=pipelines.put,
        scope=Scope.WRITE,
        body="Pipeline",
        answers={200: (answers_compat.PipelineAnswer,)},
        problems=(*JSON_PROBLEMS, 404, 409),
    ),
    Operation(
        method="DELETE",
        path=_PIPELINE,
        operation_id="deletePipeline",
        summary="Remove a pipeline; jobs that named it go on",
        handler=pipelines.remove,
        scope=Scope.WRITE,
        answers={204: ()},
        problems=(404, 503),
    ),
)


def _elastic_transcoder(root: str, name: str) -> Iterator[Operation]:
    """`CreateJob`, `ReadJob` and `CancelJob` below `root`. `name`: tells these operations from the same elsewhere."""
    yield Operation(
        method="POST",
        path=f"{root}/jobs",
        operation_id=f"createTranscoderJob{name}",
        summary="Elastic Transcoder's `CreateJob`, translated",
        handler=compat_elastictranscoder.create,
        scope=Scope.WRITE,
        body="ElasticTranscoderJob",
        headers=(_KEY,),
        answers={201: (answers_compat.TranscoderJobAnswer,)},
        problems=(*JSON_PROBLEMS, 404),
        dialect=ELASTIC_TRANSCODER,
    )
    yield Operation(
        method="GET",
        path=f"{root}/jobs/{{id}}",
        operation_id=f"readTranscoderJob{name}",
        summary="Elastic Transcoder's `ReadJob`",
        handler=compat_elastictranscoder.read,
        scope=Scope.READ,
        answers={200: (answers_compat.TranscoderJobAnswer,)},
        problems=(404, 503),
        dialect=ELASTIC_TRANSCODER,
    )
    yield Operation(
        method="DELETE",
        path=f"{root}/jobs/{{id}}",
        operation_id=f"cancelTranscoderJob{name}",
        summary="Elastic Transcoder's `CancelJob`",
        handler=compat_elastictranscoder.cancel,
        scope=Scope.WRITE,
        answers={202: (answers_compat.TranscoderCancelAnswer,)},
        problems=(404, 409, 503),
        dialect=ELASTIC_TRANSCODER,
    )


def _coconut(root: str, name: str) -> Iterator[Operation]:
    """As `_elastic_transcoder`, of Coconut's API v2."""
    yield Operation(
        method="POST",
        path=f"{root}/jobs",
        operation_id=f"createCoconutJob{name}",
        summary="A job in Coconut's words, translated",
        handler=compat_coconut.create,
        scope=Scope.WRITE,
        body="CoconutBody",
        headers=(_KEY,),
        answers={201: (CoconutJob,)},
        problems=(*JSON_PROBLEMS, 404),
        dialect=COCONUT,
    )
    yield Operation(
        method="GET",
        path=f"{root}/jobs/{{id}}",
        operation_id=f"readCoconutJob{name}",
        summary="A job as Coconut tells it",
        handler=compat_coconut.read,
        scope=Scope.READ,
        answers={200: (CoconutJob,)},
        problems=(404, 503),
        dialect=COCONUT,
    )


COMPAT = (
    *PIPELINES,
    *_elastic_transcoder("/compat/elastictranscoder", ""),
    *_elastic_transcoder("/compat/elastictranscoder/2012-09-25", "Below"),
    *_elastic_transcoder("/2012-09-25", "AtRoot"),
    *_coconut("/compat/coconut", ""),
    *_coconut("/compat/coconut/v2", "Below"),
    *_coconut("/v2", "AtRoot"),
)
