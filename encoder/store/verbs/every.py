"""All verbs that a store has, whatever its engine."""

from __future__ import annotations

from encoder.store.verbs.clinic import Clinic
from encoder.store.verbs.dead import DeadLetters
from encoder.store.verbs.deliveries import Deliveries
from encoder.store.verbs.endpoints import Endpoints
from encoder.store.verbs.ingest import Ingest
from encoder.store.verbs.insights import Insights
from encoder.store.verbs.jobs import Jobs
from encoder.store.verbs.keys import Keys
from encoder.store.verbs.pipelines import Pipelines
from encoder.store.verbs.presets import Presets
from encoder.store.verbs.queues import Queues
from encoder.store.verbs.retention import Retention
from encoder.store.verbs.sealed import Sealed
from encoder.store.verbs.sweeps import Sweeps
from encoder.store.verbs.tasks import Tasks
from encoder.store.verbs.uploads import Uploads
from encoder.store.verbs.watching import Watching
from encoder.store.verbs.workers import Workers


class Every(
    Jobs,
    Watching,
    DeadLetters,
    Tasks,
    Queues,
    Deliveries,
    Endpoints,
    Uploads,
    Keys,
    Presets,
    Pipelines,
    Ingest,
    Sealed,
    Retention,
    Sweeps,
    Workers,
    Insights,
    Clinic,
):
    """An engine adds how it enqueues a job, for that is where they differ most."""
