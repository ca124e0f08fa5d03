"""JSON Schemas of what the API takes, for its document."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from encoder.api.wire import Job, Probe


def schemas(ref_template: str) -> dict[str, Any]:
    """Each class of the job language by its name."""
    _, document = models_json_schema([(Job, "validation"), (Probe, "validation")], ref_template=ref_template)
    definitions: dict[str, Any] = document["$defs"]
    return definitions
