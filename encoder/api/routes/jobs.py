"""Jobs: taken in, listed, one by one."""

from __future__ import annotations

from encoder.api import again, answers, bulk, events, jobs, query, timeline
from encoder.api.answers_timeline import TailAnswer, TimelineAnswer
from encoder.api.operations import Header, Operation
from encoder.api.routes.common import JSON_PROBLEMS, LIMIT, OF_AN_UPLOAD
from encoder.model.key import Scope
from encoder.model.media import Media

_OF_THE_JOB = dict.fromkeys(("getJob", "listEvents", "cancelJob", "retryJob", "deleteJob"), "id")

JOBS = (
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
        problems=(*JSON_PROBLEMS, *OF_AN_UPLOAD),
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
            query.text(
                "q",
                "only jobs with this in their source's file name, uuid, tags, metadata or problem's code, in any case",
            ),
            query.text("tag", "only jobs with this tag"),
            query.text("preset", "only jobs with an output of this preset"),
            query.text("code", "only jobs that failed with this code, or an output of which did"),
            query.moment("createdAfter", "only jobs submitted at this time or later"),
            query.moment("createdBefore", "only jobs submitted before this time"),
            LIMIT,
            query.text("cursor", "`nextCursor` of the page before, with the same filters"),
        ),
        answers={200: (answers.JobsAnswer,)},
        problems=(503,),
    ),
    Operation(
        method="POST",
        path="/jobs/bulk",
        operation_id="actOnJobs",
        summary="Cancel, retry or delete many jobs; a call does some hundreds, its answer leads to the next",
        handler=bulk.act,
        scope=Scope.WRITE,
        body="Bulk",
        answers={200: (answers.BulkAnswer,)},
        problems=JSON_PROBLEMS,
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
        problems=(*JSON_PROBLEMS, *OF_AN_UPLOAD),
    ),
)

ONE_JOB = (
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
        path="/jobs/{id}/request",
        operation_id="getRequest",
        summary="What makes the same job once more: a body of `POST /jobs` and a command, without secrets",
        handler=again.told,
        scope=Scope.READ,
        answers={200: (answers.RequestAnswer,)},
        problems=(404, 503),
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
    Operation(
        method="GET",
        path="/jobs/{id}/outputs/{outputId}/tail",
        operation_id="getTail",
        summary="The end of ffmpeg's log: of what it says now, while it runs",
        handler=timeline.tail,
        scope=Scope.READ,
        answers={200: (TailAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/jobs/{id}/timeline",
        operation_id="getTimeline",
        summary="Which way a job went: its runs, their attempts, and what each did when",
        handler=timeline.timeline,
        scope=Scope.READ,
        answers={200: (TimelineAnswer,)},
        problems=(404, 503),
    ),
)
