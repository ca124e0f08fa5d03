"""Who is told what."""

from __future__ import annotations

from encoder.api import answers, fleet, query
from encoder.api.operations import Operation
from encoder.api.routes.common import LIMIT
from encoder.model.key import Scope

WEBHOOKS = (
    Operation(
        method="GET",
        path="/webhooks/deliveries",
        operation_id="listDeliveries",
        summary="What was told to whom, newest first",
        handler=fleet.deliveries,
        scope=Scope.READ,
        query=(query.text("job", "only of this job, by number or uuid"), LIMIT),
        answers={200: (answers.DeliveriesAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/webhooks/deliveries/{id}/replay",
        operation_id="replayDelivery",
        summary="Tell it again, under the same `webhook-id`",
        handler=fleet.replay,
        scope=Scope.WRITE,
        answers={202: ()},
        problems=(404, 503),
    ),
)
