"""Files that callers bring."""

from __future__ import annotations

from dataclasses import replace

from encoder.api import announce, answers_uploads, passes, tus, uploads
from encoder.api.operations import Header, Operation
from encoder.api.routes.common import JSON_PROBLEMS, OF_AN_UPLOAD
from encoder.model.key import Scope

_ONE = f"{passes.FOLDER}/{{token}}"
_OF_TUS = (410, 412, 423, 460, 507)
_RESUMABLE = Header(name="Tus-Resumable", about="the version that is spoken", pattern="^1[.]0[.]0$", required=True)
_OFFSET = Header(name="Upload-Offset", about="where the piece begins", pattern="^[0-9]{1,16}$")
_CHECKSUM = Header(
    name="Upload-Checksum",
    about="sha1, sha256 or md5 of the piece, a blank, and base64",
    pattern="^(sha1|sha256|md5) [A-Za-z0-9+/]{2,}={0,2}$",
)

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
        about="404 `upload_not_there` tells the status.",
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
        about="The first output of the last job made of it; 404 `upload_not_there` tells the status.",
        handler=uploads.processed,
        scope=Scope.READ,
        answers={200: (answers_uploads.DownloadAnswer,)},
        problems=(404, 410, 503),
    ),
    Operation(
        method="OPTIONS",
        path=passes.FOLDER,
        operation_id="describeTus",
        summary="What of tus 1.0 is spoken here",
        handler=tus.options,
        scope=None,
        answers={204: ()},
    ),
    Operation(
        method="POST",
        path=passes.FOLDER,
        operation_id="createTusUpload",
        summary="Announce a file by tus 1.0; its first piece may come along",
        handler=tus.create,
        scope=Scope.WRITE,
        body=passes.PIECE,
        body_required=False,
        headers=(
            _RESUMABLE,
            Header(name="Upload-Length", about="how many bytes the file has", pattern="^[0-9]{1,16}$", required=True),
            Header(name="Upload-Metadata", about="`filename`, `filetype`, and members of `POST /upload`, in base64"),
            _CHECKSUM,
        ),
        answers={201: ()},
        problems=(*JSON_PROBLEMS, *OF_AN_UPLOAD, *_OF_TUS),
    ),
    Operation(
        method="HEAD",
        path=_ONE,
        operation_id="getTusOffset",
        summary="How much of a file is here",
        handler=tus.head,
        scope=None,
        headers=(_RESUMABLE,),
        answers={200: ()},
        problems=(404, 410, 412, 503),
    ),
    Operation(
        method="PATCH",
        path=_ONE,
        operation_id="patchTusUpload",
        summary="Bring the next piece of a file",
        handler=tus.patch,
        scope=None,
        body=passes.PIECE,
        headers=(_RESUMABLE, replace(_OFFSET, required=True), _CHECKSUM),
        answers={204: ()},
        problems=(404, 408, 409, 413, 415, 503, *_OF_TUS),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        operation_id="deleteTusUpload",
        summary="Give a file up that has not come yet",
        handler=tus.delete,
        scope=None,
        headers=(_RESUMABLE,),
        answers={204: ()},
        problems=(404, 409, 410, 412, 503),
    ),
    Operation(
        method="POST",
        path=_ONE,
        operation_id="overrideTusMethod",
        summary="As PATCH, HEAD or DELETE, for those who can send nothing but POST",
        handler=tus.post,
        scope=None,
        body=passes.PIECE,
        body_required=False,
        headers=(
            Header(
                name="X-HTTP-Method-Override", about="what is meant", pattern="^(PATCH|HEAD|DELETE)$", required=True
            ),
            _RESUMABLE,
            _OFFSET,
            _CHECKSUM,
        ),
        answers={200: (), 204: ()},
        problems=(404, 408, 409, 413, 415, 503, *_OF_TUS),
    ),
)
