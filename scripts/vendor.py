"""Writes encoder/dashboard/static/vendor/ and icons.svg anew, from npm packages as vendor.toml names them.

`python3 scripts/vendor.py`; needs npm. A file that is not what vendor.toml says ends it, unless --accept is given:
then its hash is printed, to be written there by whoever has looked at what changed.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

STATIC = Path(__file__).parent.parent / "encoder" / "dashboard" / "static"
VENDOR = STATIC / "vendor"
_SVG = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def main() -> int:
    table = tomllib.loads((VENDOR / "vendor.toml").read_text())
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for package in table["package"]:
            held = fetched(package["name"], package["version"], Path(folder))
            for name, told in package.get("files", {}).items():
                body = read(held, told["from"])
                found = hashlib.sha256(body).hexdigest()
                if found != told["sha256"]:
                    print(f"{name}: sha256 is {found}", file=sys.stderr)
                    wrong += 1
                (VENDOR / name).write_bytes(body)
            if "icons" in package:
                (STATIC / "icons.svg").write_text(sprite(held, package["icons"]))
    return 0 if not wrong or "--accept" in sys.argv else 1


def fetched(name: str, version: str, folder: Path) -> Path:
    """The package's archive."""
    run = ["npm", "pack", "--silent", f"{name}@{version}"]
    done = subprocess.run(run, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603  # names are ours
    return folder / done.stdout.strip()


def read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as held:
        member = held.extractfile(f"package/{name}")
        if member is None:
            raise SystemExit(f"{archive.name} has no {name}")
        return member.read()


def sprite(archive: Path, icons: list[str]) -> str:
    """One file of symbols, each named as its icon."""
    symbols = []
    for icon in icons:
        drawn = _SVG.search(read(archive, f"build/svg/{icon}-16.svg").decode())
        if drawn is None:
            raise SystemExit(f"{icon} is no picture")
        symbols.append(f'<symbol id="{icon}" viewBox="0 0 16 16">{drawn[1]}</symbol>\n')
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


if __name__ == "__main__":
    raise SystemExit(main())
