"""Objects that appear in buckets."""

from __future__ import annotations

from encoder.api import answers_ingest as answers
from encoder.api import ingest, ingest_rules
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS
from encoder.model.key import Scope

INGEST = (
    Operation(
        method="GET",
        path="/ingest/rules",
        operation_id="listIngestRules",
        summary="Rules by which objects of buckets become jobs",
        handler=ingest_rules.listed,
        scope=Scope.READ,
        answers={200: (answers.RulesAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="GET",
        path="/ingest/rules/{name}",
        operation_id="getIngestRule",
        summary="A rule, without what is secret of it",
        handler=ingest_rules.shown,
        scope=Scope.READ,
        answers={200: (answers.RuleAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="PUT",
        path="/ingest/rules/{name}",
        operation_id="putIngestRule",
        summary="Make a rule, or replace it whole by its next version; its jobs stay as they are",
        handler=ingest_rules.put,
        scope=Scope.WRITE,
        body="IngestRule",
        answers={200: (answers.RuleAnswer,)},
        problems=(404, 409, *JSON_PROBLEMS),
    ),
    Operation(
        method="DELETE",
        path="/ingest/rules/{name}",
        operation_id="removeIngestRule",
        summary="Remove a rule; its jobs stay",
        handler=ingest_rules.remove,
        scope=Scope.WRITE,
        answers={204: ()},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/ingest/s3",
        operation_id="ingestObjects",
        summary="Take in what a store says of new objects; answered once their jobs stand",
        about="The body may also come as `text/plain` or untyped, the key as a Basic password.",
        handler=ingest.take,
        scope=Scope.WRITE,
        body="ObjectEvents",
        of_stores=True,
        answers={200: (answers.IngestAnswer,)},
        problems=JSON_PROBLEMS,
    ),
)
