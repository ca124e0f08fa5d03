"""What loosens a pod: the Pod Security Standard *restricted*, and what we hold ours to beyond it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.lab.manifests import Pod

UID = 10001
_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def loosened(pod: Pod) -> list[str]:
    """What is not as it should be."""
    return [*_restricted(pod), *_beyond(pod)]


def _restricted(pod: Pod) -> Iterator[str]:
    spec, context, mine = pod.spec, pod.spec.get("securityContext", {}), pod.container.get("securityContext", {})
    if any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "shares namespaces of its node"
    for volume in spec["volumes"]:
        if not volume.keys() - {"name"} <= _VOLUMES:
            yield f"volume {volume['name']} is of another kind"
    if any("hostPort" in port for port in pod.container.get("ports", ())):
        yield "takes a port of its node"
    if mine.get("privileged") or mine.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if not context.get("runAsNonRoot") or context.get("runAsUser") == 0 or "runAsUser" in mine:
        yield "may run as root"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "runs without seccomp"
    if mine.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"


def _beyond(pod: Pod) -> Iterator[str]:
    spec, context, container = pod.spec, pod.spec.get("securityContext", {}), pod.container
    limits = container["resources"].get("limits", {})
    tight = {
        f"does not run as {UID}": {context.get(name) for name in ("runAsUser", "runAsGroup", "fsGroup")} == {UID},
        "has all of its volume changed at each start": context.get("fsGroupChangePolicy") == "OnRootMismatch",
        "may write to its root": container.get("securityContext", {}).get("readOnlyRootFilesystem"),
        "has a token of the cluster": spec.get("automountServiceAccountToken") is False,
        "finds services among its settings": spec.get("enableServiceLinks") is False,
        "has no account of its own": spec.get("serviceAccountName", "default") != "default",
        "runs another program than the image's": "command" not in container,
        "may take all memory of its node": "memory" in limits,
        "is throttled": "cpu" not in limits,
        "has a secret in its environment": "secretKeyRef" not in str(container.get("env")),
        "has a volume without a limit": all(each.get("emptyDir") != {} for each in spec["volumes"]),
    }
    yield from (what for what, holds in tight.items() if not holds)
