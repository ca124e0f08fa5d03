"""What the image holds, and what it does not."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from encoder import __version__
from encoder.store import postgres
from tests.lab import container
from tests.lab.container import IMAGE, REPOSITORY

MOST_UNPACKED_BYTES = 600 * 10**6
DOCS = "/usr/share/doc/encoder"
LISTED = """
import json
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in distributions()}))
"""
UNCOMPILED = """
import os, sys
import encoder.roles.serve
specs = [module.__spec__ for module in sys.modules.values() if getattr(module, "__spec__", None)]
cached = [spec.cached for spec in specs if (spec.origin or "").endswith(".py") and spec.cached]
assert len(cached) > 500
print([path for path in cached if not os.path.exists(path)])
"""
WRITABLE = """
import os
for top, folders, files in os.walk("/"):
    folders[:] = [each for each in folders if not os.path.islink(os.path.join(top, each))]
    if top == "/":
        folders[:] = [each for each in folders if each not in ("dev", "proc", "sys")]  # the runtime's
    for path in (top, *(os.path.join(top, each) for each in files)):
        if os.access(path, os.W_OK):
            print(path)
"""


def _python(program: str) -> str:
    return container.run("-I", "-c", program, entrypoint="/opt/encoder/bin/python")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _inspected() -> dict[str, Any]:
    return dict(json.loads(container.podman("image", "inspect", IMAGE).stdout)[0])


def _sbom() -> dict[str, Any]:
    return dict(json.loads(container.run(f"{DOCS}/sbom.cdx.json", entrypoint="cat")))


def test_lock_installed_and_sbom_are_the_same() -> None:
    """Q6"""
    lock = [Requirement(line.rstrip("\\ ")) for line in _lines("requirements/image.txt") if line[0] not in " #-"]
    locked = {
        _plain(each.name): str(each.specifier).removeprefix("==")
        for each in lock
        if each.marker is None or each.marker.evaluate()
    }
    installed = {_plain(name): version for name, version in json.loads(_python(LISTED)).items()}
    purls = [component["purl"].partition("?")[0].split("@") for component in _sbom()["components"]]
    listed = {purl[0].removeprefix("pkg:pypi/"): purl[1] for purl in purls if purl[0].startswith("pkg:pypi/")}
    assert locked == installed == listed

    there = container.run("-W", "-f", "${Package} ${Version}\n", entrypoint="dpkg-query").split("\n")
    debian = {component["name"]: component["version"] for component in _sbom()["components"] if _is_debian(component)}
    assert debian == dict(line.split() for line in there if line)


def _lines(file: str) -> list[str]:
    return [line for line in (REPOSITORY / file).read_text().splitlines() if line]


def _is_debian(component: dict[str, Any]) -> bool:
    return str(component["purl"]).startswith("pkg:deb/")


def test_the_sbom_names_the_ffmpeg_that_is_there_by_its_bytes() -> None:
    (ffmpeg,) = (component for component in _sbom()["components"] if component["name"] == "ffmpeg")
    said = {each["name"]: each["value"] for each in ffmpeg["properties"]}
    digest = container.run(said["encoder:path"], entrypoint="sha256sum").split()[0]
    assert ffmpeg["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert "--enable-libx264" in said["encoder:buildconf"]
    listing = container.run("-lnd", said["encoder:path"], entrypoint="ls").split()
    assert (listing[0], listing[2], listing[3]) == ("-rwxr-xr-x", "0", "0")


def test_each_package_has_its_licence_told() -> None:
    notice = container.run(f"{DOCS}/NOTICE", entrypoint="cat")
    texts = [line.strip() for line in notice.splitlines() if line.startswith("  /")]
    assert len(texts) > 40
    container.run("-l", *texts, "/usr/share/common-licenses/GPL-3", entrypoint="ls")
    for name in json.loads(_python(LISTED)):
        assert re.search(rf"^{re.escape(name)} \S+: \S", notice, re.MULTILINE), name


def test_nothing_may_be_written_but_scratch_and_tmp() -> None:
    assert sorted(_python(WRITABLE).split()) == ["/scratch", "/tmp"]


def test_nothing_of_the_image_is_the_users() -> None:
    """Were its root not read-only, there would still be nothing of ours that it could change."""
    own = container.podman(
        "run",
        "--rm",
        "--no-healthcheck",
        "--network=host",
        "--entrypoint=/opt/encoder/bin/python",
        IMAGE,
        "-c",
        WRITABLE,
    )
    assert sorted(own.stdout.split()) == ["/run/lock", "/scratch", "/tmp", "/var/tmp"]


def test_no_tool_that_builds_is_left() -> None:
    tools = "import shutil; print(*filter(shutil.which, 'pip pip3 gcc cc g++ make ld as git curl wget'.split()))"
    assert _python(tools).strip() == ""
    assert _python("import importlib.util as u; print(u.find_spec('pip'), u.find_spec('ensurepip'))") == "None None\n"
    history = container.podman("history", "--no-trunc", "--format={{.CreatedBy}}", IMAGE).stdout
    assert "apt-get" in history
    assert not re.search(r"\bpip\b|gcc|build-essential|python3-venv|secret", history)


def test_python_finds_all_it_needs_compiled() -> None:
    """The root is read-only: what is not compiled now would be compiled at each start."""
    assert _python(UNCOMPILED) == "[]\n"


def test_labels_and_defaults() -> None:
    said = _inspected()
    labels = said["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["encoder.schema"] == str(postgres.VERSION)
    assert {"title", "revision", "created", "licenses", "source"} <= {name.rpartition(".")[2] for name in labels}
    assert said["User"] == "10001:10001"
    assert said["Config"]["Entrypoint"] == ["tini", "--", "encoder"]
    assert said["Healthcheck"]["Test"] == ["CMD", "encoder", "doctor", "--live"]
    assert said["Healthcheck"]["Interval"] == 30 * 10**9
    assert container.run("--version") == f"encoder {__version__}\n"


def test_it_is_no_larger_than_it_should_be() -> None:
    """A tenth above the aim is too much. scripts/image.sh prints what it is, and packed."""
    assert _inspected()["Size"] < 1.1 * MOST_UNPACKED_BYTES


@pytest.mark.skipif(not container.BUILD, reason="scripts/image.sh says how to build")
def test_one_hash_that_is_not_as_locked_stops_the_build(tmp_path: Path) -> None:
    """Q3"""
    for part in ("Dockerfile", ".dockerignore"):
        shutil.copy(REPOSITORY / part, tmp_path)
    for folder in ("encoder", "scripts", "requirements"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    lock = tmp_path / "requirements" / "image.txt"
    first, *others = lock.read_text().split("\n\n" if "\n\n" in lock.read_text() else "\naioftp")
    lock.write_text("\naioftp".join([re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", first), *others]))
    done = container.podman(*container.BUILD, str(tmp_path), check=False)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stdout + done.stderr
