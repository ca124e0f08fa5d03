"""Files that callers bring."""

from __future__ import annotations

from encoder.api import announce, answers_uploads, uploads
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS, OF_AN_UPLOAD
from encoder.model.key import Scope

UPLOADS = (
    Operation(
        method="POST",
        path="/upload",
        operation_id="announceUpload",
        summary="Announce a file, and learn how to bring it",
        handler=announce.announce,
        scope=Scope.WRITE,
        body="Upload",
        answers={200: (answers_uploads.UploadAnswer,)},
        links=dict.fromkeys(("getUploadStatus", "getUploadedFile", "getProcessedFile"), "file_id"),
        problems=(*JSON_PROBLEMS, *OF_AN_UPLOAD),
    ),
    Operation(
        method="GET",
        path="/upload/{id}/status",
        operation_id="getUploadStatus",
        summary="Whether an upload has arrived, and what became of it",
        handler=uploads.status,
        scope=Scope.READ,
        answers={200: (answers_uploads.UploadStatusAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/upload/{id}/download/original",
        operation_id="getUploadedFile",
        summary="A link to the file as it was brought, good for an hour",
        handler=uploads.original,
        scope=Scope.READ,
        answers={200: (answers_uploads.DownloadAnswer,)},
        problems=(404, 503),
    ),
    Operation(
        method="GET",
        path="/upload/{id}/download/processed",
        operation_id="getProcessedFile",
        summary="A link to what was made of it, good for an hour",
        handler=uploads.processed,
        scope=Scope.READ,
        answers={200: (answers_uploads.DownloadAnswer,)},
        problems=(404, 503),
    ),
)
