"""The release before this one, as it landed: its code beside ours, run by the same Python with the same libraries.

`tests/upgrade/previous.txt` names its commit, `previous.tar.xz` holds it; `scripts/previous.sh` writes both.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

HERE = Path(__file__).parent.parent / "upgrade"
COMMIT = (HERE / "previous.txt").read_text().strip()
ARCHIVE = HERE / "previous.tar.xz"


def unpack(folder: Path) -> Path:
    """Its code below `folder`, which is to be the `PYTHONPATH` of its roles."""
    with tarfile.open(ARCHIVE) as archive:
        if hasattr(tarfile, "data_filter"):  # not in the first releases of Python 3.11
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)  # noqa: S202  # an archive of our own
    return folder


def schema(tree: Path) -> int:
    """The version of the schema that it was made for."""
    steps = (tree / "encoder" / "store" / "sql" / "postgres").glob("step_*.sql")
    return max(int(found[1]) for step in steps if (found := re.fullmatch(r"step_(\d+)\.sql", step.name)))
