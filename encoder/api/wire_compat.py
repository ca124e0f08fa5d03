"""What the doors for callers of other services take, as their own documents have it, for ours.

No more is said here than that: what of it is made, refused or changed, docs/reference/compat.md tells and
`encoder.compat` does.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_NULL = {"type": "null"}
_YES = {"enum": [True, False, "true", "false"]}


def _object(about: str, *required: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401  # schemas
    """Members that need not be there may be null, as SDKs write them."""
    members = {name: schema if name in required else {"anyOf": [schema, _NULL]} for name, schema in properties.items()}
    return {"type": "object", "description": about, "properties": members, "required": [*required]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_INPUT = _object("The file to read, in the pipeline's bucket.", "Key", Key=_TEXT, TimeSpan={"type": "object"})
_OUTPUT = _object(
    "A file, or a rendition of a playlist.", "Key", "PresetId", Key=_TEXT, PresetId=_TEXT, SegmentDuration=_TEXT
)
_PLAYLIST = _object(
    "A package of outputs.", "Name", "Format", "OutputKeys", Name=_TEXT, Format=_TEXT, OutputKeys=_list(_TEXT)
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "ElasticTranscoderJob": _object(
        "A `CreateJob` of Elastic Transcoder, API 2012-09-25; docs/reference/compat.md has a table of its members.",
        "PipelineId",
        PipelineId=_TEXT,
        Input=_INPUT,
        Output=_OUTPUT,
        Outputs=_list(_OUTPUT),
        OutputKeyPrefix=_TEXT,
        Playlists=_list(_PLAYLIST),
        UserMetadata={"type": "object", "additionalProperties": _TEXT},
    ),
    "ElasticTranscoderPreset": {
        **_object(
            "A `Preset` of Elastic Transcoder, as `ReadPreset` has it; docs/reference/compat.md says what it becomes.",
            "Container",
            **dict.fromkeys(("Container", "Name", "Description", "Id", "Arn", "Type"), _TEXT),
            **{name: {"type": "object"} for name in ("Video", "Audio", "Thumbnails")},
        ),
        "additionalProperties": False,
    },
    "CoconutBody": _object(
        "A job of Coconut, API v2; docs/reference/compat.md has a table of its members.",
        "input",
        "storage",
        "outputs",
        input=_object("An address, or a service with its bucket and key.", url=_TEXT, service=_TEXT),
        storage=_object("Where all outputs go.", service=_TEXT, bucket=_TEXT, path=_TEXT),
        outputs={"type": "object", "description": "Each by its format, such as `mp4:720p`.", "minProperties": 1},
        notification=_object("Who is told.", "url", type={"enum": ["http", ""]}, url=_TEXT, events=_YES),
    ),
}
