"""botocore as callers of Elastic Transcoder have it: its newest version has dropped that service: here it is again.

The model has what the tests ask for of the service's public description (API 2012-09-25): members, paths, errors.
Signing, paths, parsing of answers and errors are botocore's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

_TEXT = ("Key", "FrameRate", "Resolution", "AspectRatio", "Interlaced", "Container")
_OUTPUT = ("Key", "PresetId", "ThumbnailPattern", "Rotate", "SegmentDuration")
_SHAPES: dict[str, Any] = {
    "Text": {"type": "string"},
    "Whole": {"type": "long"},
    "Texts": {"type": "list", "member": {"shape": "Text"}},
    "Pairs": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
}


def _structure(name: str, *texts: str, **members: str) -> None:
    shapes = {**dict.fromkeys(texts, "Text"), **members}
    _SHAPES[name] = {"type": "structure", "members": {member: {"shape": shape} for member, shape in shapes.items()}}


def _list(name: str, of: str) -> None:
    _SHAPES[name] = {"type": "list", "member": {"shape": of}}


_structure("TimeSpan", "StartTime", "Duration")
_structure("Detected", "FrameRate", Width="Whole", Height="Whole", FileSize="Whole", DurationMillis="Whole")
_structure("Input", *_TEXT, TimeSpan="TimeSpan", DetectedProperties="Detected")
_structure("Watermark", "PresetWatermarkId", "InputKey")
_list("Watermarks", "Watermark")
_structure("CreateOutput", *_OUTPUT, Watermarks="Watermarks")
_list("CreateOutputs", "CreateOutput")
_structure("CreatePlaylist", "Name", "Format", OutputKeys="Texts")
_list("CreatePlaylists", "CreatePlaylist")
_structure(
    "CreateJobRequest", "PipelineId", "OutputKeyPrefix", Input="Input", Outputs="CreateOutputs",
    Playlists="CreatePlaylists", UserMetadata="Pairs",
)  # fmt: skip
_structure(
    "Output", "Id", *_OUTPUT, "Status", "StatusDetail", "FrameRate", Watermarks="Watermarks",
    **dict.fromkeys(("Duration", "DurationMillis", "Width", "Height", "FileSize"), "Whole"),
)  # fmt: skip
_list("Outputs", "Output")
_structure("Playlist", "Name", "Format", "Status", "StatusDetail", OutputKeys="Texts")
_list("Playlists", "Playlist")
_structure("Timing", SubmitTimeMillis="Whole", StartTimeMillis="Whole", FinishTimeMillis="Whole")
_structure(
    "Job", "Id", "Arn", "PipelineId", "OutputKeyPrefix", "Status", Input="Input", Output="Output", Outputs="Outputs",
    Playlists="Playlists", UserMetadata="Pairs", Timing="Timing",
)  # fmt: skip
_structure("JobResponse", Job="Job")
_structure("Nothing")
_SHAPES["JobId"] = {
    "type": "structure",
    "required": ["Id"],
    "members": {"Id": {"shape": "Text", "location": "uri", "locationName": "Id"}},
}
_ERRORS = {"ValidationException": 400, "AccessDeniedException": 403, "ResourceNotFoundException": 404}
_ERRORS |= {"ResourceInUseException": 409, "LimitExceededException": 429, "InternalServiceException": 500}
for _name, _status in _ERRORS.items():
    _SHAPES[_name] = {"type": "structure", "members": {}, "exception": True, "error": {"httpStatusCode": _status}}


def _operation(name: str, method: str, path: str, status: int, takes: str, answers: str) -> dict[str, Any]:
    return {
        "name": name,
        "http": {"method": method, "requestUri": f"/2012-09-25{path}", "responseCode": status},
        "input": {"shape": takes},
        "output": {"shape": answers},
        "errors": [{"shape": error} for error in _ERRORS],
    }


_MODEL = {
    "version": "2.0",
    "metadata": {
        "apiVersion": "2012-09-25",
        "endpointPrefix": "elastictranscoder",
        "protocol": "rest-json",
        "serviceFullName": "Amazon Elastic Transcoder",
        "serviceId": "Elastic Transcoder",
        "signatureVersion": "v4",
        "uid": "elastictranscoder-2012-09-25",
    },
    "operations": {
        "CreateJob": _operation("CreateJob", "POST", "/jobs", 201, "CreateJobRequest", "JobResponse"),
        "ReadJob": _operation("ReadJob", "GET", "/jobs/{Id}", 200, "JobId", "JobResponse"),
        "CancelJob": _operation("CancelJob", "DELETE", "/jobs/{Id}", 202, "JobId", "Nothing"),
    },
    "shapes": _SHAPES,
}
_RULES = {
    "version": "1.0",
    "parameters": {"Endpoint": {"builtIn": "SDK::Endpoint", "required": True, "documentation": "", "type": "String"}},
    "rules": [
        {
            "conditions": [],
            "type": "endpoint",
            "endpoint": {"url": {"ref": "Endpoint"}, "properties": {}, "headers": {}},
        }
    ],
}


def client(folder: Path, *, url: str, key: str) -> Any:  # noqa: ANN401  # botocore makes its methods as it goes
    """As callers make it: only address and key are other ones. `folder`: for the model."""
    service = folder / "elastictranscoder" / "2012-09-25"
    service.mkdir(parents=True)
    (service / "service-2.json").write_text(json.dumps(_MODEL))
    (service / "endpoint-rule-set-1.json").write_text(json.dumps(_RULES))
    session = botocore.session.Session()
    session.get_component("data_loader").search_paths.append(str(folder))
    return session.create_client(
        "elastictranscoder",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key="it cannot be checked",
        config=Config(retries={"total_max_attempts": 1}),
    )
