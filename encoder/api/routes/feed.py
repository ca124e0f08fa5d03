"""What changes, live."""

from __future__ import annotations

from encoder.api import feed
from encoder.api.operations import Operation
from encoder.model.key import Scope

FEED = (
    Operation(
        method="GET",
        path="/events",
        operation_id="watchJobs",
        summary="What changes among all jobs, live: each as it stands, for lists; nothing is told again",
        handler=feed.feed,
        scope=Scope.READ,
        answers={200: ("text/event-stream",)},
        problems=(503,),
    ),
)
