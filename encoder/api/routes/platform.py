"""What the platform has, does and has done."""

from __future__ import annotations

from encoder.api import answers, dead, fleet, query, quotas
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS
from encoder.errors import FailureClass
from encoder.model.key import Scope

PLATFORM = (
    Operation(
        method="GET",
        path="/workers",
        operation_id="listWorkers",
        summary="Live workers and what each runs now",
        handler=fleet.workers,
        scope=Scope.ADMIN,
        answers={200: (answers.WorkersAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="GET",
        path="/stats",
        operation_id="getStats",
        summary="Jobs by state, queues by depth and age; what jobs of a time have used",
        handler=fleet.stats,
        scope=Scope.READ,
        query=(
            query.moment("createdAfter", "add up what was used by jobs submitted at this time or later"),
            query.moment("createdBefore", "only by jobs submitted before this time; now when absent"),
        ),
        answers={200: (answers.StatsAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="GET",
        path="/tenants/{tenant}/usage",
        operation_id="getUsage",
        summary="What jobs of a tenant that were submitted in a time have used",
        handler=fleet.usage,
        scope=Scope.ADMIN,
        query=(
            query.moment("createdAfter", "jobs submitted at this time or later; the first of this month when absent"),
            query.moment("createdBefore", "only jobs submitted before this time; now when absent"),
        ),
        answers={200: (answers.UsageAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/queues/{queue}/pause",
        operation_id="pauseQueue",
        summary="Start nothing of a queue until it is resumed; what runs goes on",
        handler=fleet.pause,
        scope=Scope.ADMIN,
        query=(query.text("because", "why; shown with all that waits"),),
        answers={200: (answers.QueueAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/queues/{queue}/resume",
        operation_id="resumeQueue",
        summary="End the pause of a queue",
        handler=fleet.resume,
        scope=Scope.ADMIN,
        answers={200: (answers.QueueAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/quotas",
        operation_id="listQuotas",
        summary="How much of each queue tenants may have, where something was said",
        handler=quotas.listed,
        scope=Scope.ADMIN,
        answers={200: (answers.QuotasAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="PUT",
        path="/tenants/{tenant}/quotas/{queue}",
        operation_id="putQuota",
        summary="Say how much of a queue a tenant may have; what runs goes on",
        handler=quotas.put,
        scope=Scope.ADMIN,
        body="Quota",
        answers={200: (answers.QuotaAnswer,)},
        problems=(404, *JSON_PROBLEMS),
    ),
    Operation(
        method="DELETE",
        path="/tenants/{tenant}/quotas/{queue}",
        operation_id="deleteQuota",
        summary="Let a tenant have of a queue what everybody may",
        handler=quotas.remove,
        scope=Scope.ADMIN,
        answers={204: ()},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/dead",
        operation_id="listDeadLetters",
        summary="What failed, by code and class, with what to do about it",
        handler=dead.listed,
        scope=Scope.READ,
        query=(
            query.choice("class", "only failures of this class", FailureClass),
            query.moment("failedAfter", "only of jobs that failed at this time or later"),
            query.moment("failedBefore", "only of jobs that failed before this time"),
        ),
        answers={200: (answers.DeadAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="POST",
        path="/dead/redrive",
        operation_id="redrive",
        summary="Retry failed jobs, the oldest first; one of `code`, `class` and `failedAfter` must be given",
        handler=dead.redrive,
        scope=Scope.WRITE,
        query=(
            query.text("code", "only jobs that failed with this code"),
            query.choice("class", "only jobs whose failure is of this class", FailureClass),
            query.moment("failedAfter", "only jobs that failed at this time or later"),
            query.moment("failedBefore", "only jobs that failed before this time"),
            query.whole("limit", "how many to retry at most", low=1, high=1000, default=dead.DEFAULT_LIMIT),
        ),
        answers={200: (answers.RedriveAnswer,)},
        problems=(503,),
    ),
)
