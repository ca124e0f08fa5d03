"""Files that callers bring."""

from __future__ import annotations

from encoder.api import answers, uploads
from encoder.api.operations import Operation
from encoder.api.routes.common import JSON_PROBLEMS
from encoder.model.key import Scope

UPLOADS = (
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
        problems=JSON_PROBLEMS,
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
