"""Files that callers bring: looked after, handed to a job once they have arrived, and given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiohttp import web

from encoder.api import tell_uploads
from encoder.api.answers_uploads import DownloadAnswer
from encoder.api.links import link
from encoder.api.operations import Asker, Call, answer
from encoder.errors import CATALOGUE, Rejected
from encoder.model import beside
from encoder.model.base import replace
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.place import pointer
from encoder.model.state import UploadState
from encoder.queue.enqueue import upload_of
from encoder.sources.upload import read_id
from encoder.store.kept import UploadRow
from encoder.store.rows import JobRow

DOWNLOAD = timedelta(hours=1)


async def status(call: Call) -> web.Response:
    """GET /upload/{id}/status."""
    row, job = await _named(call)
    return answer(tell_uploads.upload(row, job))


async def original(call: Call) -> web.Response:
    """GET /upload/{id}/download/original: a link to the file as it was brought."""
    row, job = await _named(call)
    if row.state is not UploadState.UPLOADED:
        raise _not_there(row, job, "its file is not here")
    url = await call.parts.storage.link(row.key, expires=datetime.now(UTC) + DOWNLOAD, file_name=row.file_name)
    return answer(DownloadAnswer(download_url=url))


async def processed(call: Call) -> web.Response:
    """GET /upload/{id}/download/processed: a link to the first output of the last job that was made of it."""
    row, job = await _named(call)
    if job is None or job.outputs[0].delivered is None:
        raise _not_there(row, job, "nothing has been made of it yet")
    url = await link(call.parts, job, job.outputs[0], good_for=DOWNLOAD)
    if url is None:
        raise _not_there(row, job, "its output lies where no link of ours leads; the job tells its address")
    return answer(DownloadAnswer(download_url=url))


async def find(call: Asker, upload_id: UUID | None, *, path: str = "") -> UploadRow:
    """The upload of this id.

    Raises:
        errors.Rejected: `not_found`, also for another tenant's; `path` is where in the body it was named.
    """
    row = await call.parts.store.upload(call.tenant_id, upload_id) if upload_id else None
    if row is None:
        raise Rejected.because("not_found", "There is no such upload.", path=path)
    return row


async def all_brought(call: Asker, spec: JobSpec) -> JobSpec:
    """`spec` with each upload that it names as `brought` gives it. Raises as `brought`."""
    return replace(await others_brought(call, spec), source=await brought(call, spec.source))


async def others_brought(call: Asker, spec: JobSpec) -> JobSpec:
    """As `all_brought`, but for the job's own source."""
    outputs = [await _beside(call, number, output) for number, output in enumerate(spec.outputs)]
    return replace(spec, outputs=tuple(outputs))


async def brought(call: Asker, source: Place, *, path: str = "/source") -> Place:
    """`source`; if it is an upload, one of this tenant's that has arrived, and under the name that people know.

    Raises:
        errors.Rejected: `not_found`, `upload_not_ready`.
    """
    upload_id = upload_of(source)
    if upload_id is None:
        return source
    path = f"{path}/fileId"
    row = await call.parts.arrivals.look(await find(call, upload_id, path=path))
    if row.state is not UploadState.UPLOADED:
        raise Rejected.because("upload_not_ready", CATALOGUE["upload_not_ready"].to_do, path=path)
    return {**source, "fileName": row.file_name}


async def _named(call: Call) -> tuple[UploadRow, JobRow | None]:
    """The upload that the path names, as it stands, and the last job that was made of it, if there is one still."""
    row = await find(call, read_id(call.request.match_info["id"].lower()))
    row = await call.parts.arrivals.look(row)
    return row, await call.parts.store.job(call.tenant_id, str(row.job_id)) if row.job_id else None


async def _beside(call: Asker, number: int, output: OutputSpec) -> OutputSpec:
    found = beside.sources(output)
    there = {
        where: await brought(call, place, path=pointer("outputs", number, *where)) for where, place in found.items()
    }
    return beside.with_sources(output, there)


def _not_there(row: UploadRow, job: JobRow | None, why: str) -> Rejected:
    return Rejected.because("upload_not_there", f"The upload is {tell_uploads.status(row, job)}: {why}.")
