"""Who is told what."""

from __future__ import annotations

from encoder.api import answers_webhooks as answers
from encoder.api import query, webhooks
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS, LIMIT
from encoder.model.event import TELLABLE, EventType
from encoder.model.key import Scope

_STATES = ("pending", "delivered", "exhausted", "gone")
_FILTERS = (
    query.text("job", "only of this job, by number or uuid"),
    query.text("endpoint", "only to the endpoint of this name"),
    query.choice("event", "only of events of this type", sorted({*TELLABLE, EventType.ENDPOINT_TEST})),
    query.moment("createdAfter", "only what was written at this time or later"),
    query.moment("createdBefore", "only what was written before this time"),
)
_ONE = "/webhooks/endpoints/{name}"

WEBHOOKS = (
    Operation(
        method="GET",
        path="/webhooks/endpoints",
        operation_id="listEndpoints",
        summary="Receivers that are told of every job, by name",
        handler=webhooks.endpoints,
        scope=Scope.READ,
        answers={200: (answers.EndpointsAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="GET",
        path=_ONE,
        operation_id="getEndpoint",
        summary="One of them, without its secrets",
        handler=webhooks.endpoint,
        scope=Scope.READ,
        answers={200: (answers.EndpointAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="PUT",
        path=_ONE,
        operation_id="putEndpoint",
        summary="Make one, and be shown its secret, or change one, whose secrets stay",
        about="A new one answers 201 with its secret, which is shown once.",
        handler=webhooks.put,
        scope=Scope.WRITE,
        body="Endpoint",
        answers={200: (answers.EndpointAnswer,), 201: (answers.EndpointAnswer,)},
        problems=(*JSON_PROBLEMS, 409),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        operation_id="deleteEndpoint",
        summary="Remove one; what waits for it is told to nobody",
        handler=webhooks.remove,
        scope=Scope.WRITE,
        answers={204: ()},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path=f"{_ONE}/rotate",
        operation_id="rotateEndpoint",
        summary="Give one a new secret, which is shown; the old one signs beside it for a while",
        handler=webhooks.rotate,
        scope=Scope.WRITE,
        query=(query.whole("keepHours", "how long the old secret signs", low=24, high=720, default=24),),
        answers={200: (answers.EndpointAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path=f"{_ONE}/test",
        operation_id="testEndpoint",
        summary="Tell it of a job that there never was, the way that all is told",
        handler=webhooks.test,
        scope=Scope.WRITE,
        answers={202: (answers.TestAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/webhooks/deliveries",
        operation_id="listDeliveries",
        summary="What was told to whom, newest first",
        handler=webhooks.deliveries,
        scope=Scope.READ,
        query=(
            query.choice("status", "only those that stand so", _STATES),
            *_FILTERS,
            LIMIT,
            query.text("cursor", "`nextCursor` of the page before"),
        ),
        answers={200: (answers.DeliveriesAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/webhooks/deliveries/{id}",
        operation_id="getDelivery",
        summary="One of them, with the text that is sent",
        handler=webhooks.delivery,
        scope=Scope.READ,
        answers={200: (answers.DeliveryAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/webhooks/deliveries/replay",
        operation_id="replayDeliveries",
        summary="Tell again all that match, the newest first, each under the same `webhook-id`",
        about="Ends after ten seconds, and says what is left.",
        handler=webhooks.replay_all,
        scope=Scope.WRITE,
        query=(
            query.choice("status", "only those that stand so; `exhausted` if nothing is said", _STATES),
            *_FILTERS,
            query.whole("limit", "how many to tell again at most", low=1, high=1000, default=webhooks.DEFAULT_REPLAY),
        ),
        answers={200: (answers.ReplayAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/webhooks/deliveries/{id}/replay",
        operation_id="replayDelivery",
        summary="Tell it again, under the same `webhook-id`",
        handler=webhooks.replay,
        scope=Scope.WRITE,
        answers={202: ()},
        problems=(404, 503),
    ),
)
