from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PEERS = ROOT / "tests" / "bench" / "peer"
LOCKS = {
    "run": ROOT / "requirements" / "run.txt",
    "dev": ROOT / "requirements" / "dev.txt",
    "peers": PEERS / "requirements.txt",
}
EXTRAS = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]


def _text(lock: str) -> str:
    return LOCKS[lock].read_text()


def _entries(lock: str) -> Iterator[tuple[Requirement, int]]:
    """Each requirement with the number of its hashes."""
    for entry in re.split(r"\n(?=\S)", _text(lock).strip()):
        line = entry.partition("\\")[0].strip()
        if line and not line.startswith("#"):
            yield Requirement(line), entry.count("--hash=sha256:")


def _versions(lock: str) -> dict[str, Version]:
    return {
        canonicalize_name(requirement.name): Version(str(requirement.specifier).removeprefix("=="))
        for requirement, _ in _entries(lock)
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock: str) -> None:
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ", _text(lock)) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_one_version_with_its_hashes(lock: str) -> None:
    loose = [
        str(wanted) for wanted, hashes in _entries(lock) if not hashes or not str(wanted.specifier).startswith("==")
    ]
    assert loose == []


@pytest.mark.parametrize(("lock", "wanted"), [("run", []), ("dev", EXTRAS)])
def test_a_lock_satisfies_the_project(lock: str, wanted: list[str]) -> None:
    locked = _versions(lock)
    requirements = map(Requirement, [*PROJECT["dependencies"], *wanted])
    unmet = [str(each) for each in requirements if not _meets(locked.get(canonicalize_name(each.name)), each)]
    assert unmet == [], "run `make lock`"


def _meets(version: Version | None, requirement: Requirement) -> bool:
    return version is not None and version in requirement.specifier


def test_the_locks_of_the_peers_satisfy_what_the_bench_asks_for() -> None:
    wanted = [Requirement(line) for line in (PEERS / "requirements.in").read_text().splitlines() if line[0] != "#"]
    locked = _versions("peers")
    assert [str(each) for each in wanted if not _meets(locked.get(canonicalize_name(each.name)), each)] == []
    asked = json.loads((PEERS / "package.json").read_text())
    packages = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    assert packages.pop("") == {name: asked[name] for name in ("dependencies", "optionalDependencies")}
    assert [name for name, package in packages.items() if "integrity" not in package or "resolved" in package] == []


def test_dev_holds_all_of_run_at_the_same_versions() -> None:
    assert _versions("run").items() <= _versions("dev").items()


def test_nothing_committed_for_set_up_names_a_registry() -> None:
    scripts = [ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "scripts").glob("*.sh")]
    assert [path.name for path in scripts if re.search(r"https?://", path.read_text())] == []


@pytest.mark.xdist_group("locked")
def test_xdist_finds_the_groups_of_tests(request: pytest.FixtureRequest) -> None:
    """By the end of a name; a pytest that keeps names elsewhere loses them, and each server of the lab starts twice."""
    grouped = request.config.getoption("loadgroup", default=False)
    assert request.node.nodeid.endswith("@locked") == grouped
