"""What stands in k8s/ is what a cluster takes, what the product reads, and what docs/operate/kubernetes.md promises."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import click
import pytest

from encoder import __version__
from encoder.batch.ending import Exit
from encoder.cli import exits, root
from encoder.net import guard
from encoder.roles.serve import UNREADY_S
from encoder.settings import Settings
from encoder.worker import loop
from tests.lab import kinds
from tests.lab.manifests import ALONE, APPLIED, BUILDS, K8S, Object, Pod, amount, build, environment, of_kind, pods
from tests.lab.platform import SECRET_KEY, WEBHOOK_SECRET
from tests.lab.pod_security import loosened
from tests.lab.scaler import question

pytestmark = pytest.mark.xdist_group("manifests")

WITH_SETTINGS = [name for name in BUILDS if not name.startswith(("migrate", "examples/"))]
CLUSTER_WIDE = {"Namespace", "PriorityClass"}
KILLED_AFTER_S = 10  # of ffmpeg and its files
ANSWERS_S = 20  # that requests get after readiness went; then
CLOSED_S = 3
SECRETS = {
    "ENCODER_DATABASE_URL": "postgresql://encoder@db.internal/encoder",
    "ENCODER_LISTEN_URL": "postgresql://encoder@db.internal/encoder",
    "ENCODER_SECRET_KEYS": SECRET_KEY,
    "ENCODER_WEBHOOK_SECRET": WEBHOOK_SECRET,
}


@pytest.mark.parametrize("name", BUILDS)
def test_every_object_fits_the_schemas_of_two_versions_and_lies_in_the_namespace(name: str) -> None:
    for each in build(name):
        assert kinds.faults(each) == [], (each["kind"], each["metadata"]["name"])
        assert each["kind"] in CLUSTER_WIDE or each["metadata"]["namespace"] == "encoder", each["metadata"]


def test_what_no_schema_knows_is_a_fault() -> None:
    (trigger, scaled) = of_kind(build("components/keda-postgresql"), "TriggerAuthentication", "ScaledObject")[:2]
    (budget, *_) = of_kind(build("base"), "PodDisruptionBudget")
    assert kinds.faults({**budget, "apiVersion": "policy/v7"})
    assert kinds.faults({**budget, "spec": {**budget["spec"], "maxUnavailabel": 1}})
    assert kinds.faults({**scaled, "kind": "ScaledThing"})
    for each in (trigger, scaled):
        assert kinds.faults({**each, "spec": {**each["spec"], "colour": "red"}})


@pytest.mark.parametrize("name", BUILDS)
def test_no_pod_is_loosened(name: str) -> None:
    """Q1: Pod Security *restricted*, and what we ask beyond it; the namespace has the cluster refuse what is not."""
    found = list(pods(build(name)))
    assert found
    assert {pod.name: loosened(pod) for pod in found if loosened(pod)} == {}
    for namespace in of_kind(build(name), "Namespace"):
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    "loosen",
    [
        lambda pod: pod.spec["securityContext"].pop("runAsNonRoot"),
        lambda pod: pod.spec["securityContext"].pop("seccompProfile"),
        lambda pod: pod.spec.update(hostNetwork=True),
        lambda pod: pod.spec["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
        lambda pod: pod.container["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
        lambda pod: pod.container["securityContext"].pop("allowPrivilegeEscalation"),
        lambda pod: pod.container["securityContext"].pop("readOnlyRootFilesystem"),
        lambda pod: pod.container.update(command=["sh", "-c", "encoder api"]),
        lambda pod: pod.spec.pop("automountServiceAccountToken"),
    ],
)
def test_a_loosened_pod_is_found(loosen: Callable[[Pod], object]) -> None:
    build.cache_clear()
    pod = next(pods(build("base")))
    loosen(pod)
    assert len(loosened(pod)) == 1
    build.cache_clear()


@pytest.mark.parametrize("name", [*APPLIED, *ALONE])
def test_all_images_are_named_by_their_digest_where_they_go_live(name: str) -> None:
    images = {pod.container["image"] for pod in pods(build(name))}
    pinned = {image for image in images if re.fullmatch(r"[\w./-]+@sha256:[0-9a-f]{64}", image)}
    expected = {"localhost/encoder:dev"} if name == "overlays/dev" else pinned
    assert images == expected
    assert len(images) == 1


@pytest.mark.parametrize("name", BUILDS)
def test_the_grace_outlasts_the_drain(name: str) -> None:
    """O8: nothing is killed that was told to end in time."""
    giving_back_s = loop.PUBLISH_S + loop.RETURN_S + KILLED_AFTER_S
    closing_s = UNREADY_S + ANSWERS_S + CLOSED_S
    for pod in pods(build(name)):
        grace_s = pod.spec.get("terminationGracePeriodSeconds", 30)
        drain_s = float(environment(build(name), pod).get("ENCODER_DRAIN_SECONDS", 0))
        needs_s = {
            "api": closing_s,
            "worker": drain_s + giving_back_s,
            "up": drain_s + giving_back_s + ANSWERS_S + CLOSED_S,
        }.get(pod.container["args"][0], 10)
        assert grace_s > needs_s, pod.name
        assert "preStop" not in pod.container.get("lifecycle", {}), pod.name


@pytest.mark.parametrize("name", BUILDS)
def test_where_an_autoscaler_rules_no_apply_resets_what_it_said(name: str) -> None:
    scaled = of_kind(build(name), "HorizontalPodAutoscaler", "ScaledObject")
    ruled = {each["spec"]["scaleTargetRef"]["name"] for each in scaled}
    assert len(ruled) == len(scaled)
    for each in of_kind(build(name), "Deployment"):
        assert each["metadata"]["name"] not in ruled or "replicas" not in each["spec"], each["metadata"]["name"]
    assert ruled <= {each["metadata"]["name"] for each in of_kind(build(name), "Deployment")}


@pytest.mark.parametrize(
    ("name", "engine", "target"),
    [
        ("components/keda-postgresql", "postgres", "targetQueryValue"),
        ("components/scaled-job", "postgres", "targetQueryValue"),
        ("components/keda-mysql", "mysql", "queryValue"),
        ("components/keda-prometheus", None, "threshold"),
    ],
)
def test_the_autoscaler_asks_our_text_and_shares_it_out_by_the_slots_of_a_pod(
    name: str, engine: Literal["postgres", "mysql"] | None, target: str
) -> None:
    """What is asked is what tests/integration/test_wanted_slots.py proves."""
    (scaled,) = of_kind(build(name), "ScaledObject", "ScaledJob")
    (trigger,) = scaled["spec"]["triggers"]
    asked = 'max(encoder_queue_wanted_slots{queue="encode"})' if engine is None else question(engine, "encode")
    assert trigger["metadata"]["query"].strip() == asked
    (settings,) = of_kind(build(name), "ConfigMap")
    assert trigger["metadata"][target] == settings["data"]["ENCODER_WORKER_SLOTS"]
    if scaled["kind"] == "ScaledObject":
        assert (trigger["metricType"], trigger["useCachedMetrics"]) == ("AverageValue", True)
        assert scaled["spec"]["minReplicaCount"] >= 1
        assert scaled["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"
    if engine is None:
        assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_every_setting_stands_in_one_place() -> None:
    """Whoever adds a setting writes it into k8s/base/settings.env, or into k8s/secrets.env.example."""
    told = [*_named(K8S / "base" / "settings.env"), *_named(K8S / "secrets.env.example")]
    ours = [name for name in told if name.startswith("ENCODER_")]
    assert len(ours) == len(set(ours))
    known = {f"ENCODER_{field}".upper() for field in Settings.model_fields}
    assert set(ours) == known
    assert _named(K8S / "secrets.env.example") == list(SECRETS)


@pytest.mark.parametrize("name", WITH_SETTINGS)
def test_each_role_takes_the_settings_that_it_is_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret, value in SECRETS.items():
        (tmp_path / secret).write_text(value)
    monkeypatch.chdir(tmp_path)
    for pod in pods(build(name)):
        with monkeypatch.context() as patch:
            for variable, value in environment(build(name), pod).items():
                patch.setenv(variable, value)
            patch.setenv("ENCODER_SECRETS_DIR", str(tmp_path))
            settings = Settings()
        assert settings.database_url is not None
        assert settings.database_url.get_secret_value() == SECRETS["ENCODER_DATABASE_URL"]
        known = {f"ENCODER_{field}".upper() for field in Settings.model_fields}
        assert {each for each in environment(build(name), pod) if each.startswith("ENCODER_")} <= known


@pytest.mark.parametrize("name", BUILDS)
def test_what_a_pod_may_have_is_told_to_it_and_is_less_than_what_kills_it(name: str) -> None:
    """No kubelet evicts a pod for its own scratch; neither ffmpeg nor Python would see what it may have."""
    for pod in pods(build(name)):
        scratch = pod.volume("scratch")
        if scratch is None:
            continue
        told, resources = environment(build(name), pod), pod.container["resources"]
        assert float(told["ENCODER_CPUS"]) >= amount(resources["requests"]["cpu"])
        assert float(told["ENCODER_MEMORY_BYTES"]) == amount(resources["limits"]["memory"])
        if "emptyDir" in scratch:
            size_bytes = amount(scratch["emptyDir"]["sizeLimit"])
            assert float(told["ENCODER_SCRATCH_BYTES"]) < size_bytes < amount(resources["limits"]["ephemeral-storage"])
        else:
            assert "ENCODER_SCRATCH_BYTES" not in told  # the volume says it


@pytest.mark.parametrize("name", BUILDS)
def test_every_name_leads_somewhere(name: str) -> None:
    objects = build(name)
    accounts = {each["metadata"]["name"] for each in of_kind(objects, "ServiceAccount")}
    templates = list(pods(objects))
    for pod in templates:
        assert pod.spec["serviceAccountName"] in accounts, pod.name
        ports = {port["name"] for port in pod.container.get("ports", ())}
        probes = [pod.container[each] for each in pod.container if each.endswith("Probe")]
        assert {probe["httpGet"]["port"] for probe in probes} <= ports, pod.name
        assert {each["name"] for each in pod.container["volumeMounts"]} == {
            each["name"] for each in pod.spec["volumes"]
        }
        selector = pod.owner["spec"].get("selector", {}).get("matchLabels", {})
        assert selector.items() <= pod.labels.items(), pod.name
    for each in of_kind(objects, "PodDisruptionBudget", "Service", "ServiceMonitor", "PodMonitor"):
        wanted = each["spec"]["selector"].get("matchLabels") or each["spec"]["selector"]
        chosen = [pod for pod in templates if wanted.items() <= pod.labels.items()]
        assert chosen or each["kind"] == "PodMonitor", (each["kind"], each["metadata"]["name"])
        if each["kind"] == "PodDisruptionBudget":
            assert [pod.owner["kind"] for pod in chosen] == ["Deployment"], each["metadata"]["name"]


def test_what_follows_spot_changes_the_steady_worker_too() -> None:
    main, steady = of_kind(build("spot+scratch-volume+keda-postgresql+priority"), "Deployment")[1:]
    assert [each["metadata"]["labels"]["fleet"] for each in (main, steady)] == ["main", "steady"]
    for pod in pods((main, steady)):
        assert "ephemeral" in (pod.volume("scratch") or {})
        assert pod.spec["priorityClassName"] == "encoder-worker"
    settings = build("components/spot")
    spot, kept = (environment(settings, pod) for pod in pods(settings) if pod.role == "worker")
    assert (spot["ENCODER_WORKER_QUEUES"], spot["ENCODER_DRAIN_SECONDS"]) == ("encode", "0")
    assert kept["ENCODER_WORKER_QUEUES"] == "encode,io"


@pytest.mark.parametrize("name", BUILDS)
def test_probes_never_ask_for_what_a_restart_would_not_mend(name: str) -> None:
    """An outage of the database restarts no pod, and none becomes unready for what is so for all."""
    for pod in pods(build(name)):
        probes = {each: pod.container[each]["httpGet"]["path"] for each in pod.container if each.endswith("Probe")}
        served = {"livenessProbe": "/livez", "startupProbe": "/livez", "readinessProbe": "/readyz?scope=local"}
        assert probes == (served if pod.role in ("api", "worker") else {}), pod.name


@pytest.mark.parametrize("name", BUILDS)
def test_the_product_understands_what_it_is_told_to_do(name: str) -> None:
    for pod in pods(build(name)):
        command, *arguments = pod.container["args"]
        found = root.get_command(click.Context(root), command)
        assert found is not None, command
        found.make_context(command, list(arguments), parent=click.Context(root, **root.context_settings))


def test_a_job_of_tables_is_of_one_version_and_tries_no_wrong_setting_again() -> None:
    (job,) = of_kind(build("migrate"), "Job")
    assert job["metadata"]["name"] == f"migrate-{__version__.replace('.', '-')}"
    assert _failing_at_once(job["spec"]) == [exits.USAGE]


def test_a_job_of_one_encode_tries_again_what_may_then_succeed() -> None:
    (job,) = of_kind(build("examples/job-per-encode"), "Job")
    assert _failing_at_once(job["spec"]) == [each for each in Exit if each and not each.again]


def test_retention_ends_before_the_next_begins() -> None:
    (cron,) = of_kind(build("base"), "CronJob")
    spec, job = cron["spec"], cron["spec"]["jobTemplate"]["spec"]
    (pod,) = pods((cron,))
    stops_s = int(pod.container["args"][pod.container["args"].index("--max-seconds") + 1])
    assert stops_s < job["activeDeadlineSeconds"] < 3600
    assert (spec["schedule"].split()[1:], spec["concurrencyPolicy"]) == (["*"] * 4, "Forbid")
    assert _failing_at_once(job) == [exits.LEFT_OVER]


# the network


@pytest.mark.parametrize("role", ["api", "worker"])
def test_who_reaches_what_callers_name_reaches_nothing_that_the_guard_refuses(role: str) -> None:
    """Q2: the second wall has the ranges of the first."""
    for network, _ in guard._DENIED:
        for refused in {network[0], network[network.num_addresses // 2], network[-1]}:
            assert not reaches(role, str(refused), 80), refused
    for address in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"):
        assert reaches(role, address, 80)
        assert reaches(role, address, 2121)


@pytest.mark.parametrize(
    ("role", "address", "port", "is_open"),
    [
        ("api", "10.0.7.7", 5432, True),
        ("worker", "10.0.7.7", 3306, True),
        ("migrate", "10.0.7.7", 5432, True),
        ("convert", "10.0.7.7", 5432, False),
        ("worker", "10.0.7.7", 6379, False),
        ("retention", "93.184.216.34", 443, True),
        ("retention", "93.184.216.34", 80, False),
        ("convert", "93.184.216.34", 443, True),
        ("migrate", "93.184.216.34", 443, False),
        ("worker", "169.254.169.254", 80, False),
        ("retention", "169.254.20.10", 53, True),
    ],
)
def test_each_role_reaches_what_it_is_for(role: str, address: str, port: int, is_open: bool) -> None:
    assert reaches(role, address, port) is is_open


@pytest.mark.parametrize(
    ("role", "namespace", "port", "is_open"),
    [
        ("api", "ingress", "http", True),
        ("api", "monitoring", "http", True),
        ("api", "default", "http", False),
        ("worker", "monitoring", "metrics", True),
        ("worker", "ingress", "metrics", False),
        ("retention", "monitoring", "metrics", False),
    ],
)
def test_each_role_is_reached_by_whom_it_serves(role: str, namespace: str, port: str, is_open: bool) -> None:
    found = any(
        _chooses(source.get("namespaceSelector"), {"kubernetes.io/metadata.name": namespace})
        and port in [each["port"] for each in rule["ports"]]
        for rule in _rules(role, "Ingress")
        for source in rule["from"]
    )
    assert found is is_open


def test_what_nobody_opened_is_shut() -> None:
    """Q2: default deny."""
    (nothing,) = [each for each in of_kind(build("base"), "NetworkPolicy") if each["metadata"]["name"] == "nothing"]
    assert nothing["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def reaches(role: str, address: str, port: int) -> bool:
    """Whether a packet of such a pod may go there, by the policies of the base."""
    at = ipaddress.ip_address(address)
    return any(
        port in [each["port"] for each in rule.get("ports", [{"port": port}])]
        and any(_holds(peer["ipBlock"], at) for peer in rule["to"] if "ipBlock" in peer)
        for rule in _rules(role, "Egress")
    )


def _rules(role: str, direction: str) -> Iterator[Any]:
    for each in of_kind(build("base"), "NetworkPolicy"):
        spec = each["spec"]
        if direction in spec["policyTypes"] and _chooses(spec["podSelector"], {"app.kubernetes.io/component": role}):
            yield from spec.get(direction.lower(), ())


def _chooses(selector: Object | None, labels: dict[str, str]) -> bool:
    if selector is None:
        return False
    asked = all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", ()))
    return asked and selector.get("matchLabels", {}).items() <= labels.items()


def _holds(block: Object, at: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inside = at in ipaddress.ip_network(block["cidr"])
    return inside and not any(at in ipaddress.ip_network(each) for each in block.get("except", ()))


def _failing_at_once(job: Object) -> list[int]:
    """The exit codes that end a Job without another try."""
    rules = job["podFailurePolicy"]["rules"]
    assert rules[0] == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}  # first match wins
    (codes,) = [rule["onExitCodes"]["values"] for rule in rules if rule["action"] == "FailJob"]
    assert isinstance(codes, list)
    return codes


def _named(file: Path) -> list[str]:
    """The variables of an environment file, those that are commented out, too."""
    return re.findall(r"^#?([A-Z_0-9]+)=", file.read_text(), flags=re.MULTILINE)
