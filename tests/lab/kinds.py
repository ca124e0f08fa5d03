"""What is wrong with an object by the schemas of Kubernetes' newest two versions, or by ours of foreign kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.lab.manifests import Object

_SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema"
_FOREIGN = json.loads((Path(__file__).parent / "foreign_kinds.json").read_text())
_POD_TEMPLATE_OF = "ScaledJob"  # a Job of Kubernetes inside


@cache
def versions() -> tuple[str, str]:
    """The newest two, as `1.37.0`."""
    found = [each.name.removesuffix("-local-strict")[1:] for each in _SCHEMAS.iterdir() if each.name.endswith("strict")]
    *_, before, newest = sorted(found, key=lambda version: [int(part) for part in version.split(".")])
    return before, newest


def faults(each: Object) -> list[str]:
    """Of one object; a kind that has no schema is a fault."""
    if f"{each['apiVersion']}/{each['kind']}" in _FOREIGN["$defs"]:
        return [*_foreign(each)]
    return [fault for version in versions() for fault in _own(each, version)]


def _own(each: Object, version: str) -> Iterator[str]:
    validator = _validator(version, each["apiVersion"], each["kind"])
    if validator is None:
        yield f"{version}: there is no {each['apiVersion']} {each['kind']}"
        return
    yield from (f"{version}: {error.json_path}: {error.message}" for error in validator.iter_errors(each))


def _foreign(each: Object) -> Iterator[str]:
    if extra := set(each) - {"apiVersion", "kind", "metadata", "spec"}:
        yield f"unknown members {extra}"
    for part, name in (("metadata", "metadata"), ("spec", f"{each['apiVersion']}/{each['kind']}")):
        schema = {"$ref": f"#/$defs/{name.replace('/', '~1')}", "$defs": _FOREIGN["$defs"]}
        for error in Draft202012Validator(schema).iter_errors(each[part]):
            yield f"{error.json_path}: {error.message}"
    if each["kind"] == _POD_TEMPLATE_OF:
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "spec": each["spec"]["jobTargetRef"]}
        yield from faults(job)


@cache
def _validator(version: str, api_version: str, kind: str) -> Any:  # noqa: ANN401  # it has no types
    group, _, number = api_version.rpartition("/")
    short = f"{group.partition('.')[0]}-{number}" if group else number
    schema = _SCHEMAS / f"v{version}-local-strict" / f"{kind.lower()}-{short}.json"
    if not schema.is_file():
        return None
    return Draft202012Validator(json.loads(schema.read_text()), registry=_registry(version))


@cache
def _registry(version: str) -> Any:  # noqa: ANN401  # as above
    definitions = json.loads((_SCHEMAS / f"v{version}-local-strict" / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()
