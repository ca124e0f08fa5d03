"""The one table of what the API can do: it mounts the routes, and the document is written from it."""

from __future__ import annotations

from encoder.api import answers, dead, docs, events, files, fleet, health, jobs, query, receive, uploads
from encoder.api.metrics import QueueMetrics
from encoder.api.operations import Header, Operation
from encoder.errors import FailureClass
from encoder.model.key import Scope
from encoder.model.media import Media

_JSON_PROBLEMS = (408, 413, 415, 422, 503)
_OF_AN_UPLOAD = (404, 409)  # that is named as a source
_FILE = ("*/*",)  # of the type that its name tells
_OF_THE_JOB = dict.fromkeys(("getJob", "listEvents", "cancelJob", "retryJob", "deleteJob"), "id")
_LIMIT = query.whole("limit", "how many at most", low=1, high=200, default=50)


def operations(queue: QueueMetrics, *, folder: bool = True) -> tuple[Operation, ...]:
    """Every operation, in the order of docs/api.md. `folder`: whether the platform's storage is one."""
    every = (*_JOBS, *_ONE_JOB, *_UPLOADS, *_PLATFORM, *_STORAGE, *_SERVER, _metrics(queue))
    listed = tuple(operation for operation in every if folder or not operation.folder)
    return (*listed, _document(listed))


_JOBS = (
    Operation(
        method="POST",
        path="/jobs",
        operation_id="submitJob",
        summary="Submit a job, or with `dryRun` see what would be made of it",
        handler=jobs.submit,
        scope=Scope.WRITE,
        body="Job",
        query=(query.switch("dryRun", "probe and plan only; nothing is stored"),),
        headers=(
            Header(
                name="Idempotency-Key",
                about="the same key and body within 24 h: the first answer again",
                pattern=f"^{jobs.KEY}$",
            ),
        ),
        answers={200: (answers.PreviewAnswer,), 202: (answers.AcceptedAnswer,)},
        links=_OF_THE_JOB,
        problems=(*_JSON_PROBLEMS, *_OF_AN_UPLOAD),
    ),
    Operation(
        method="GET",
        path="/jobs",
        operation_id="listJobs",
        summary="Jobs, newest first",
        handler=jobs.listed,
        scope=Scope.READ,
        query=(
            query.states("status", "only jobs in one of these states"),
            query.text("q", "only jobs with this in their source's file name, uuid or tags, in any case"),
            query.text("tag", "only jobs with this tag"),
            query.moment("createdAfter", "only jobs submitted at this time or later"),
            query.moment("createdBefore", "only jobs submitted before this time"),
            _LIMIT,
            query.text("cursor", "`nextCursor` of the page before, with the same filters"),
        ),
        answers={200: (answers.JobsAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="POST",
        path="/probe",
        operation_id="probe",
        summary="Facts of a source",
        handler=jobs.probe,
        scope=Scope.WRITE,
        body="Probe",
        answers={200: (Media,)},
        problems=(*_JSON_PROBLEMS, *_OF_AN_UPLOAD),
    ),
)

_ONE_JOB = (
    Operation(
        method="GET",
        path="/jobs/{id}",
        operation_id="getJob",
        summary="A job with its outputs, by number or uuid",
        handler=jobs.shown,
        scope=Scope.READ,
        answers={200: (answers.JobAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="DELETE",
        path="/jobs/{id}",
        operation_id="deleteJob",
        summary="Cancel a job if needed, and remove it with what the platform's own storage holds of it",
        handler=jobs.delete,
        scope=Scope.WRITE,
        answers={204: ()},
        problems=(404, 503),
    ),
    Operation(
        method="POST",
        path="/jobs/{id}/cancel",
        operation_id="cancelJob",
        summary="Stop a job; ffmpeg is ended on every worker",
        handler=jobs.cancel,
        scope=Scope.WRITE,
        answers={202: (answers.AcceptedAnswer,)},
        problems=(404, 409, 503),
    ),
    Operation(
        method="POST",
        path="/jobs/{id}/retry",
        operation_id="retryJob",
        summary="A new run of what failed or was cancelled",
        handler=jobs.retry,
        scope=Scope.WRITE,
        answers={202: (answers.AcceptedAnswer,)},
        problems=(404, 409, 503),
    ),
    Operation(
        method="GET",
        path="/jobs/{id}/events",
        operation_id="listEvents",
        summary="A job's timeline; with `Accept: text/event-stream` live until the job ends",
        handler=events.events,
        scope=Scope.READ,
        query=(
            query.whole("after", "only events behind this `seq`", low=0, high=10**9, default=0),
            query.whole("limit", "how many at most", low=1, high=events.BATCH, default=events.BATCH),
        ),
        headers=(Header(name="Last-Event-ID", about="of a stream: the event after which to go on"),),
        answers={200: (answers.EventsAnswer, "text/event-stream")},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/jobs/{id}/outputs/{outputId}/log",
        operation_id="getLog",
        summary="ffmpeg's log of an output's last attempt",
        handler=jobs.log,
        scope=Scope.READ,
        answers={200: ("text/plain",)},
        problems=(404, 503),
    ),
)

_UPLOADS = (
    Operation(
        method="POST",
        path="/upload",
        operation_id="announceUpload",
        summary="Announce a file, and learn how to bring it",
        handler=uploads.announce,
        scope=Scope.WRITE,
        body="Upload",
        answers={200: (answers.UploadAnswer,)},
        links={"getUploadStatus": "file_id"},
        problems=_JSON_PROBLEMS,
    ),
    Operation(
        method="GET",
        path="/upload/{id}/status",
        operation_id="getUploadStatus",
        summary="Whether an upload has arrived, and what became of it",
        handler=uploads.status,
        scope=Scope.READ,
        answers={200: (answers.UploadStatusAnswer,)},
        problems=(404, 503),
    ),
)

_PLATFORM = (
    Operation(
        method="GET",
        path="/presets",
        operation_id="listPresets",
        summary="Presets and the members that they stand for",
        handler=fleet.listed_presets,
        scope=Scope.READ,
        answers={200: (answers.PresetsAnswer,)},
    ),
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
        path="/dead",
        operation_id="listDeadLetters",
        summary="What failed, by code and class, with what to do about it",
        handler=dead.listed,
        scope=Scope.READ,
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
    Operation(
        method="GET",
        path="/webhooks/deliveries",
        operation_id="listDeliveries",
        summary="What was told to whom, newest first",
        handler=fleet.deliveries,
        scope=Scope.READ,
        query=(query.text("job", "only of this job, by number or uuid"), _LIMIT),
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

_STORAGE = (
    *(
        Operation(
            method=method,
            path="/storage/{key}",
            folder=True,
            operation_id=operation_id,
            summary="A file of the platform's storage, by a signed link; ranges are served",
            handler=files.download,
            scope=None,
            query=(
                query.text("expires", "from the link", required=True),
                query.text("name", "from the link", required=True),
                query.text("signature", "from the link", required=True),
            ),
            answers={200: _FILE, 206: _FILE, 304: ()},
            problems=(404, 412, 416),
        )
        for method, operation_id in (("GET", "getFile"), ("HEAD", "headFile"))
    ),
    *(
        Operation(
            method=method,
            path="/folders/{token}/{key}",
            folder=True,
            operation_id=operation_id,
            summary="A file of a folder in the platform's storage, by a signed link or from beside one",
            handler=files.shared,
            scope=None,
            answers={200: _FILE, 206: _FILE, 304: ()},
            problems=(404, 412, 416),
        )
        for method, operation_id in (("GET", "getSharedFile"), ("HEAD", "headSharedFile"))
    ),
    Operation(
        method="PUT",
        path="/storage/{key}",
        folder=True,
        operation_id="putFile",
        summary="Bring the file of an upload, by a signed invitation",
        handler=receive.put,
        scope=None,
        body="*/*",
        query=(
            query.text("expires", "from the invitation", required=True),
            query.text("size", "from the invitation", required=True),
            query.text("type", "from the invitation", required=True),
            query.text("signature", "from the invitation", required=True),
        ),
        answers={200: (answers.UploadStatusAnswer,)},
        problems=(404, 408, 409, 413, 415, 503, 507),
    ),
)

_SERVER = (
    Operation(
        method="GET",
        path="/livez",
        operation_id="live",
        summary="The process answers",
        handler=health.live,
        scope=None,
        answers={200: (answers.HealthAnswer,)},
    ),
    *(
        Operation(
            method="GET",
            path=path,
            operation_id=operation_id,
            summary="Requests would succeed; 503 with the reasons otherwise",
            handler=health.ready,
            scope=None,
            answers={200: (answers.HealthAnswer,), 503: (answers.HealthAnswer,)},
        )
        for path, operation_id in (("/health", "health"), ("/readyz", "ready"))
    ),
    Operation(
        method="GET",
        path="/docs",
        operation_id="docsPage",
        summary="This document as a page on which calls can be tried",
        handler=docs.ui_page,
        scope=None,
        answers={200: ("text/html",)},
    ),
    Operation(
        method="GET",
        path="/docs/ui/{name}",
        operation_id="docsFile",
        summary="A file of that page",
        handler=docs.ui_file,
        scope=None,
        answers={200: ("text/javascript", "text/css", "image/png")},
        problems=(404,),
    ),
    Operation(
        method="GET",
        path="/docs/errors",
        operation_id="errorsPage",
        summary="Every code, what it means and what to do",
        handler=docs.errors_page,
        scope=None,
        answers={200: ("text/html",)},
    ),
)


def _metrics(queue: QueueMetrics) -> Operation:
    return Operation(
        method="GET",
        path="/metrics",
        operation_id="metrics",
        summary="Numbers for Prometheus",
        handler=health.metrics(queue),
        scope=Scope.ADMIN,
        answers={200: ("text/plain",)},
    )


def _document(listed: tuple[Operation, ...]) -> Operation:
    return Operation(
        method="GET",
        path="/openapi.json",
        operation_id="openapi",
        summary="This document, without itself",
        handler=docs.served(listed),
        scope=None,
        answers={200: ("application/json",)},
    )
