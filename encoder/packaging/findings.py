"""What a lint has found: the first fault of each kind, and every file that a manifest names."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from posixpath import normpath

from encoder.files.beneath import open_file
from encoder.packaging.boxes import broken

_TELLING = ("missing", "broken", "order", "gap", "alignment")
_MOST_BYTES = 64 << 20


class Findings:
    """`files`: sizes of all that lie in the package, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: dict[str, str] = {}
        self.named: set[str] = set()
        self.files: dict[str, int] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                continue
            self.files[path.relative_to(folder).as_posix()] = path.lstat().st_size

    @property
    def weighed(self) -> dict[str, str]:
        """The faults, those first that explain others: where a segment is missing there is also a gap."""
        telling = [fault for fault in _TELLING if fault in self.faults]
        return {fault: self.faults[fault] for fault in (*telling, *self.faults)}

    def must(self, fault: str, holds: bool, told: str) -> None:  # noqa: FBT001  # reads as a sentence
        """Note the fault unless it holds; the first of its kind is told."""
        if not holds:
            self.faults.setdefault(fault, told)

    def same(self, fault: str, place: str, found: object, expected: object) -> None:
        self.must(fault, found == expected, f"{place}: {found}, not {expected}")

    def name(self, name: str, *, by: str) -> str | None:
        """The file that the manifest `by` calls `name`; None where that is no relative path within the package."""
        path = normpath(PurePosixPath(by).parent / name)
        if not name or name.startswith("/") or path.startswith("..") or any(mark in name for mark in ":?#"):
            self.must("address", holds=False, told=f"{by}: {name!r} leads out of the package")
            return None
        self.named.add(path)
        return path

    def text(self, name: str) -> str:
        """A manifest. Raises as `bytes`."""
        return self.bytes(name).decode(errors="replace")

    def bytes(self, name: str) -> bytes:
        """A small file.

        Raises:
            errors.Permanent: `output_invalid`, it cannot be read.
        """
        try:
            with os.fdopen(open_file(self.folder, PurePosixPath(name)), "rb") as file:
                return file.read(_MOST_BYTES)
        except OSError as error:
            raise broken(f"{name} cannot be read") from error
