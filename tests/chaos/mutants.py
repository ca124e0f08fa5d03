"""Breaks each guarantee on purpose, in a copy of the repository, and runs the test that must notice: `make mutants`.

`--write` puts what came of it into docs/why/reliability.md; words choose the guarantees (`ARGS="G3 G11"`).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lab.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "why" / "reliability.md"
LIMIT_S = 300.0
_TABLE = re.compile(r"(<!-- mutants -->\n).*?(<!-- /mutants -->)", re.DOTALL)
_SAYS = {0: "NOT SEEN", 1: "seen"}


def copied(to: Path) -> None:
    """What git knows of the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0")[:-1]:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, to / name, follow_symlinks=False)


def ran(mutant: Mutant, folder: Path) -> int:
    """pytest's exit code."""
    file, _, name = mutant.test.partition("::")
    if file.startswith("contracts/"):
        engine = "mysql" if "/mysql/" in mutant.file else "postgres"
        file = f"integration/test_store_{engine}.py"
    chosen = f"{name} and {mutant.case}" if mutant.case else name
    command = (
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        f"tests/{file}",
        "-k",
        chosen,
    )
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, check=False, timeout=LIMIT_S, stdout=subprocess.DEVNULL
        ).returncode
    except subprocess.TimeoutExpired:
        return 1  # it waits for what never comes


def tried(mutant: Mutant, folder: Path) -> str:
    """Whether the test passes as the code is, and fails as it is not."""
    file = folder / "encoder" / mutant.file
    whole = file.read_text()
    if (code := ran(mutant, folder)) != 0:
        return f"does not even pass: {code}"
    file.write_text(whole.replace(mutant.old, mutant.new))
    try:
        code = ran(mutant, folder)
    finally:
        file.write_text(whole)
    return _SAYS.get(code, f"did not run: {code}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("guarantees", nargs="*")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    rows: list[str] = []
    with tempfile.TemporaryDirectory(prefix="encoder-mutants-") as name:
        Path(name).chmod(0o755)
        copied(Path(name))
        for mutant in MUTANTS:
            if not asked.guarantees or mutant.guarantee in asked.guarantees:
                came = tried(mutant, Path(name))
                rows.append(f"| {mutant.guarantee} | {mutant.what} | {came} | `{mutant.test}` |")
                print(rows[-1], flush=True)
    if asked.write and not asked.guarantees:
        told = "| | broken on purpose | | by |\n|---|---|---|---|\n" + "".join(f"{row}\n" for row in rows)
        PAGE.write_text(_TABLE.sub(lambda found: found[1] + told + found[2], PAGE.read_text()))
    return 0 if all("| seen |" in row for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
