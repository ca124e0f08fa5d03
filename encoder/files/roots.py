"""The folders that the operator opened to sources and destinations of kind `file` (`ENCODER_FILE_ROOTS`)."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from encoder.errors import Fault
from encoder.files.beneath import closing, open_folder, refuses
from encoder.model.paths import path_fault

LONGEST_NAME_BYTES = 255  # Linux takes no longer ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A file's place: `way` beneath `root`, without `..`."""

    root: Path
    way: PurePosixPath

    @property
    def path(self) -> Path:
        return self.root / self.way


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    paths: Sequence[Path] = ()

    def spot(self, path: str, *, folder: bool = False) -> Spot | Fault:
        """Where `path`, absolute, lies beneath the innermost root that holds it. The disk is not asked."""
        fault = path_fault(path.removeprefix("/"), folder=folder)
        if fault is not None:
            return fault
        asked = PurePosixPath(path)
        if any(len(part.encode()) > LONGEST_NAME_BYTES for part in asked.parts):
            message = f"A name in the path is longer than {LONGEST_NAME_BYTES} bytes."
            return Fault(path="", code="invalid_path", message=message)
        for root in sorted(self.paths, key=lambda root: len(root.parts), reverse=True):
            if asked.is_relative_to(root) and asked != PurePosixPath(root):
                return Spot(root=root, way=asked.relative_to(root))
        return _not_allowed("The path lies under no folder that ENCODER_FILE_ROOTS names.")

    def check(self, path: str, *, folder: bool = False) -> Fault | None:
        """What is wrong with `path`, links included as they stand now. What is missing may still appear."""
        spot = self.spot(path, folder=folder)
        if isinstance(spot, Fault):
            return spot
        try:
            with closing(open_folder(spot.root, spot.way.parent)) as parent:
                linked = stat.S_ISLNK(os.stat(spot.way.name, dir_fd=parent, follow_symlinks=False).st_mode)
        except OSError as error:
            linked = refuses(error)
        return _not_allowed("The path leads through a link or a file.") if linked else None


def _not_allowed(why: str) -> Fault:
    return Fault(path="", code="path_not_allowed", message=why)
