"""What a lint has found: the first fault of each kind, and every file that a manifest names."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from encoder.files.beneath import closing, open_file
from encoder.packaging.boxes import broken

_MOST_TEXT_BYTES = 64 << 20


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

    def must(self, fault: str, holds: bool, told: str) -> None:  # noqa: FBT001  # reads as a sentence
        """Note the fault unless it holds; the first of its kind is told."""
        if not holds:
            self.faults.setdefault(fault, told)

    def same(self, fault: str, place: str, found: object, expected: object) -> None:
        self.must(fault, found == expected, f"{place}: {found}, not {expected}")

    def name(self, name: str, *, by: str) -> str | None:
        """The file that the manifest `by` calls `name`; None where that is no relative path within the package."""
        parts = PurePosixPath(name).parts
        if not name or ":" in name or name.startswith("/") or ".." in parts or "?" in name or "#" in name:
            self.must("address", holds=False, told=f"{by}: {name!r} leads out of the package")
            return None
        path = (PurePosixPath(by).parent / name).as_posix()
        self.named.add(path)
        return path

    def text(self, name: str) -> str:
        """A manifest.

        Raises:
            errors.Permanent: `output_invalid`, it cannot be read.
        """
        try:
            with closing(open_file(self.folder, PurePosixPath(name))) as file, open(file, closefd=False) as text:
                return text.read(_MOST_TEXT_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            raise broken(f"{name} cannot be read") from error
