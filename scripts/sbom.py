"""Writes what the image holds: `sbom.cdx.json` (CycloneDX 1.6) and `NOTICE`, which says where each licence's text lies.

Run in the build of the image by the image's own Python, from what is installed and not from what was asked for:
`sbom.py DEBIAN FOLDER`, where DEBIAN has a line per package of Debian: name, version, architecture, and name and
version of its source, with tabs between.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av

import encoder
from encoder.ffmpeg import wheel

Component = dict[str, Any]

_TEXTS = ("licen", "copying", "notice")
_DISTRO = "debian-12"


def main(debian: Path, folder: Path) -> None:
    """Write both files into `folder`."""
    packages = [line.split("\t") for line in debian.read_text().splitlines()]
    installed = sorted(distributions(), key=lambda each: each.name.lower())
    components = [_ffmpeg(wheel.binary()), _libraries(), *map(_python, installed), *map(_debian, packages)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(json.dumps(_bom(components), indent=1, ensure_ascii=False) + "\n")
    (folder / "NOTICE").write_text("\n".join([*_notice(components, installed), ""]))


def _bom(components: Sequence[Component]) -> Component:
    version = encoder.__version__
    subject = {"type": "application", "bom-ref": "encoder", "name": "encoder", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": list(components),
    }


def _python(package: Distribution) -> Component:
    name = package.name.lower().replace("_", "-").replace(".", "-")
    purl = f"pkg:pypi/{name}@{quote(package.version)}"
    return _component("library", name, package.version, purl, licences=_licences(package))


def _licences(package: Distribution) -> list[Component]:
    """As its author says it: an expression of SPDX, a name, or else the classifiers."""
    said = package.metadata.json
    if "license_expression" in said:
        return [{"expression": said["license_expression"]}]
    named = str(said.get("license", "")).strip().splitlines()[:1]
    classified = [line.rpartition("::")[2].strip() for line in said.get("classifier", ()) if "License ::" in line]
    return [{"license": {"name": name}} for name in named or classified]


def _debian(package: Sequence[str]) -> Component:
    name, version, architecture, source, source_version = package
    purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={architecture}&distro={_DISTRO}"
    if (source, source_version) != (name, version):
        purl += f"&upstream={quote(source)}%40{quote(source_version)}"
    return _component("library", name, version, purl)


def _ffmpeg(binary: Path) -> Component:
    """The one that encodes: a static build, so that what it was configured with is all that says what is in it."""
    said = subprocess.check_output([binary, "-version"], text=True)  # noqa: S603  # a binary of ours
    version = said.split()[2].removeprefix("n")
    (configured,) = (line for line in said.splitlines() if line.startswith("configuration:"))
    return _component(
        "application",
        "ffmpeg",
        version,
        f"pkg:generic/ffmpeg@{quote(version)}",
        licences=[{"license": {"id": "GPL-3.0-or-later"}}],
        hashes=[{"alg": "SHA-256", "content": hashlib.sha256(binary.read_bytes()).hexdigest()}],
        cpe=f"cpe:2.3:a:ffmpeg:ffmpeg:{version.partition('-')[0]}:*:*:*:*:*:*:*",
        properties=[
            {"name": "encoder:path", "value": str(binary)},
            {"name": "encoder:buildconf", "value": configured.removeprefix("configuration: ")},
        ],
    )


def _libraries() -> Component:
    """The one that probes: its libraries lie in PyAV's wheel, under other numbers."""
    version = str(av.ffmpeg_version_info)
    return _component(
        "library",
        "ffmpeg-libraries",
        version,
        f"pkg:generic/ffmpeg@{quote(version)}",
        cpe=f"cpe:2.3:a:ffmpeg:ffmpeg:{version.partition('-')[0]}:*:*:*:*:*:*:*",
        properties=[{"name": "encoder:path", "value": str(Path(av.__file__).parent.parent / "av.libs")}],
    )


def _component(
    kind: str, name: str, version: str, purl: str, *, licences: Sequence[Component] = (), **more: object
) -> Component:
    made = {"type": kind, "bom-ref": f"{name}:{purl}", "name": name, "version": version, "purl": purl, **more}
    return made | ({"licenses": list(licences)} if licences else {})


def _notice(components: Sequence[Component], installed: Sequence[Distribution]) -> Iterator[str]:
    yield f"This image holds Encoder {encoder.__version__} and the works of others, each under its own licence."
    yield "Names and versions of all of them, Debian's packages too, stand in sbom.cdx.json beside this file."
    yield ""
    yield f"ffmpeg {components[0]['version']}: GPL-3.0-or-later, /usr/share/common-licenses/GPL-3"
    yield "  Its source is that of https://ffmpeg.org; how it was configured stands in sbom.cdx.json."
    yield "packages of Debian: /usr/share/doc/*/copyright"
    for package in installed:
        said = [each.get("expression") or each["license"]["name"] for each in _licences(package)]
        yield f"{package.name} {package.version}: {', '.join(said)}"
        yield from (f"  {text}" for text in _texts(package))


def _texts(package: Distribution) -> list[str]:
    """Where the text of its licence lies in the image."""
    files = [file for file in package.files or () if file.name.lower().startswith(_TEXTS)]
    return sorted(str(package.locate_file(file)) for file in files)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
