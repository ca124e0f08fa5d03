"""What `kubectl apply -k` would send of `k8s/`, and what is to be known of it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.lab.platform import REPOSITORY

Object: TypeAlias = Mapping[str, Any]
K8S = REPOSITORY / "k8s"
COMPONENTS = tuple(sorted(folder.name for folder in (K8S / "components").iterdir()))
# folders, as they are
APPLIED = ("overlays/dev", "overlays/prod", "migrate", "migrate-check", "examples/job-per-encode")
ALONE = tuple(f"components/{name}" for name in COMPONENTS)  # each with the base
BUILDS = (*APPLIED, *ALONE, "spot+scratch-volume+keda-postgresql+priority", "scratch-volume+scaled-job")

_KUBECTL = Path(sys.executable).with_name("kubectl")
_POD_IN = {
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ScaledJob": ("spec", "jobTargetRef", "template"),
}
_QUANTITY = re.compile(r"(\d+)(m|Ki|Mi|Gi)?")
_UNIT = {"": 1.0, "m": 0.001, "Ki": 1024.0, "Mi": 1024.0**2, "Gi": 1024.0**3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What makes pods: `owner` is the object, `labels` and `spec` those of the pods. Each has one container."""

    owner: Object
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def container(self) -> Mapping[str, Any]:
        (only,) = self.spec["containers"]
        assert isinstance(only, dict)
        return only

    @property
    def role(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    def volume(self, name: str) -> Mapping[str, Any] | None:
        return next((each for each in self.spec["volumes"] if each["name"] == name), None)


@cache
def build(name: str) -> tuple[Object, ...]:
    """The objects of a folder, or of the base with components: `components/NAME`, or names joined by `+`."""
    if name in (*APPLIED, "base"):
        return _kustomize(K8S / name)
    wanted = name.removeprefix("components/").split("+")
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder).resolve()
        whole = {
            "namespace": "encoder",
            "resources": [_beside(overlay, K8S / "base")],
            "components": [_beside(overlay, K8S / "components" / each) for each in wanted],
            "images": [{"name": "encoder", "digest": f"sha256:{'0' * 64}"}],
        }
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(whole))
        return _kustomize(overlay)


def pods(objects: tuple[Object, ...]) -> Iterator[Pod]:
    """Of all that makes some."""
    for each in objects:
        if each["kind"] in _POD_IN:
            template: Mapping[str, Any] = each
            for step in _POD_IN[each["kind"]]:
                template = template[step]
            yield Pod(owner=each, labels=template["metadata"]["labels"], spec=template["spec"])


def of_kind(objects: tuple[Object, ...], *kinds: str) -> list[Object]:
    return [each for each in objects if each["kind"] in kinds]


def amount(quantity: str | int) -> float:
    """A quantity as a number: cores, or bytes."""
    match = _QUANTITY.fullmatch(str(quantity))
    assert match, quantity
    return int(match[1]) * _UNIT[match[2] or ""]


def environment(objects: tuple[Object, ...], pod: Pod) -> dict[str, str]:
    """The variables of its container, those from its resources computed as the kubelet does."""
    variables: dict[str, str] = {}
    for source in pod.container.get("envFrom", ()):
        (settings,) = [
            each for each in of_kind(objects, "ConfigMap") if each["metadata"]["name"] == source["configMapRef"]["name"]
        ]
        variables |= settings["data"]
    for each in pod.container.get("env", ()):
        if "value" in each:
            variables[each["name"]] = each["value"]
        else:
            which, _, resource = each["valueFrom"]["resourceFieldRef"]["resource"].partition(".")
            variables[each["name"]] = str(-int(-amount(pod.container["resources"][which][resource]) // 1))
    return variables


def _kustomize(folder: Path) -> tuple[Object, ...]:
    built = subprocess.run([_KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return tuple(each for each in yaml.safe_load_all(built.stdout) if each)


def _beside(folder: Path, other: Path) -> str:
    return str(Path(*[".."] * len(folder.parts[1:]), *other.parts[1:]))


def _write(folder: Path) -> None:
    """Each build that may go live as a file, as `kubectl` would send it; dev's image is loaded by hand."""
    for name in BUILDS:
        if name == "overlays/dev":
            continue
        (folder / f"{name.replace('/', '-')}.yaml").write_text(yaml.safe_dump_all(build(name)))


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
