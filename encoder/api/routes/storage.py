"""The platform's storage, where it is a folder."""

from __future__ import annotations

from encoder.api import answers_uploads, files, query, receive
from encoder.api.operations import Operation

_FILE = ("*/*",)  # of the type that its name tells

STORAGE = (
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
            problems=(404, 410, 412, 416),
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
            problems=(404, 410, 412, 416),
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
        answers={200: (answers_uploads.UploadStatusAnswer,)},
        problems=(404, 408, 409, 410, 413, 415, 503, 507),
    ),
    Operation(
        method="POST",
        path="/storage/{key}",
        folder=True,
        operation_id="postFile",
        summary="Bring the file of an upload by a form, whose fields are the invitation",
        handler=receive.post,
        scope=None,
        body="multipart/form-data",
        answers={201: (answers_uploads.UploadStatusAnswer,)},
        problems=(404, 408, 409, 410, 413, 415, 503, 507),
    ),
)
