"""Files that callers bring, as the API tells them."""

from __future__ import annotations

from encoder.api.answers_uploads import UploadAnswer, UploadErrorAnswer, UploadStatusAnswer
from encoder.errors import CATALOGUE
from encoder.model.media import Media
from encoder.model.state import JobState, UploadProtocol
from encoder.storage.protocol import Invitation
from encoder.store.kept import UploadRow
from encoder.store.rows import JobRow, OutputRow

# what an upload is called while its job stands so; a job that waits has not begun with it
_OF_JOB = {
    JobState.PROCESSING: "processing",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
# why what came was not taken: the words of the catalogue are for whoever is sending just now
_WHY = {
    "upload_expired": "No file came in time.",
    "upload_too_large": "The file that came is larger than announced, or than is taken.",
    "upload_incomplete": "The file that came is smaller than announced, or empty.",
    "unsupported_media_type": "The file that came is of another type than announced.",
}


def status(row: UploadRow, job: JobRow | None) -> str:
    """How it stands, in one word: as the job that was made of it, once that has begun."""
    standing: str = row.ended or row.state
    return standing if job is None else _OF_JOB.get(job.state, standing)


def invited(row: UploadRow, invitation: Invitation, *, s3_key: str) -> UploadAnswer:
    return UploadAnswer(
        file_id=row.id,
        upload_url=invitation.url,
        s3_key=s3_key,
        expires_in=round((row.expires_at - row.created_at).total_seconds()),
        method=invitation.method,
        headers=dict(invitation.headers),
        fields=dict(invitation.fields),
    )


def upload(row: UploadRow, job: JobRow | None) -> UploadStatusAnswer:
    """`job`: the one that was made of it, if there is one still."""
    output = job.outputs[0] if job else None
    return UploadStatusAnswer(
        file_id=row.id,
        file_name=row.file_name,
        processing_status=status(row, job),
        original_codec=_codec(job.media) if job and job.media else None,
        target_codec=_target(output) if output else None,
        processing_time=_seconds(job) if job else None,
        job_id=job.id if job else None,
        received_bytes=_received(row),
        error=_why(row.problem) if row.problem else None,
    )


def _received(row: UploadRow) -> int | None:
    return row.offset_bytes if row.protocol is UploadProtocol.TUS else row.size_bytes


def _why(code: str) -> UploadErrorAnswer:
    return UploadErrorAnswer(code=code, message=_WHY.get(code, CATALOGUE[code].title))


def _codec(media: Media) -> str | None:
    codecs = [stream.codec for stream in media.video] + [stream.codec for stream in media.audio]
    return codecs[0] if codecs else None


def _target(output: OutputRow) -> str | None:
    """The codec that was made; until then the one that is planned."""
    if output.delivered is not None:
        return output.delivered.video_codec or output.delivered.audio_codec
    if output.plan is not None:
        planned = output.plan.video or output.plan.audio
        return planned.codec if planned else None
    return None


def _seconds(job: JobRow) -> float | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()
