"""The job of one object, written as a caller would post it, from a rule in the words in which it was put."""

from __future__ import annotations

from collections.abc import Mapping

from encoder.ingest import template
from encoder.model.base import Json
from encoder.model.place import pointer

_OPTIONS = ("notificationUrl", "priority", "queue", "metadata", "tags")
_OF_A_RULE = frozenset({"kind", "prefix", "suffixes"})  # of a rule's source, and of no place
_SAMPLE = "folder/sample.mp4"


def job_of(rule: Mapping[str, Json], key: str) -> Json:
    """The job that `rule` makes of the object `key`; `POST /jobs` would take it."""
    source, outputs = _object(rule.get("source")), rule.get("outputs")
    bucket = {"kind": "s3", **{name: value for name, value in source.items() if name not in _OF_A_RULE}}
    return {
        **{name: rule[name] for name in _OPTIONS if name in rule},
        "source": {**bucket, "path": key},
        "outputs": [_output(_object(each), bucket, key) for each in outputs] if isinstance(outputs, list) else [],
    }


def sample(rule: Mapping[str, Json]) -> Json:
    """The job of an object as there may be one day."""
    return job_of(rule, f"{_object(rule.get('source')).get('prefix', '')}{_SAMPLE}")


def in_rule(path: str, rule: Mapping[str, Json]) -> str:
    """Where that stands in the rule to which `path` points in its job."""
    if path == "/source/path":
        return "/source/prefix"
    outputs = rule.get("outputs")
    for number, output in enumerate(outputs if isinstance(outputs, list) else []):
        if "path" in _object(output) and path.startswith(pointer("outputs", number, "destination")):
            return pointer("outputs", number, "path")
    return path


def _output(output: Mapping[str, Json], bucket: Mapping[str, Json], key: str) -> Json:
    job = {name: value for name, value in output.items() if name != "path"}
    if "path" in output:
        job["destination"] = {**bucket, "path": output["path"]}
    place = job.get("destination")
    return {**job, "destination": template.filled(place, key)} if isinstance(place, dict) else job


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
