"""The contract of a store, for whatever database: run it with a fixture `store` that gives an empty one."""

from __future__ import annotations

from tests.contracts.store_admission import AdmissionSuite, OwnQueueSuite, QueueSuite
from tests.contracts.store_chunks import ChunksSuite
from tests.contracts.store_dead import DeadLetterSuite
from tests.contracts.store_deliveries import DeliverySuite
from tests.contracts.store_endpoints import EndpointSuite
from tests.contracts.store_graph import GraphSuite
from tests.contracts.store_ingest import IngestSuite
from tests.contracts.store_insights import FleetSuite, SpanSuite
from tests.contracts.store_jobs import CancelSuite, DeleteSuite, EnqueueSuite, ReadSuite, RetrySuite
from tests.contracts.store_keys import KeySuite
from tests.contracts.store_one_job import OneJobSuite
from tests.contracts.store_pipelines import PipelineSuite
from tests.contracts.store_presets import PresetSuite
from tests.contracts.store_retention import RetentionSuite
from tests.contracts.store_tasks import (
    ClaimSuite,
    FenceSuite,
    LeaseSuite,
    MarkSuite,
    SettleSuite,
    TrailSuite,
    UnavailableSuite,
)
from tests.contracts.store_uploads import UploadSuite
from tests.contracts.store_usage import UsageSuite
from tests.contracts.store_watching import WatchingSuite
from tests.contracts.store_workers import ClinicSuite, WakeSuite, WorkerSuite


class StoreSuite(
    EnqueueSuite,
    CancelSuite,
    RetrySuite,
    DeleteSuite,
    ReadSuite,
    DeadLetterSuite,
    ClaimSuite,
    OneJobSuite,
    AdmissionSuite,
    OwnQueueSuite,
    QueueSuite,
    MarkSuite,
    FenceSuite,
    SettleSuite,
    TrailSuite,
    GraphSuite,
    ChunksSuite,
    LeaseSuite,
    UnavailableSuite,
    DeliverySuite,
    EndpointSuite,
    UploadSuite,
    UsageSuite,
    KeySuite,
    IngestSuite,
    PresetSuite,
    PipelineSuite,
    RetentionSuite,
    WorkerSuite,
    FleetSuite,
    SpanSuite,
    ClinicSuite,
    WakeSuite,
    WatchingSuite,
):
    """All of it."""
