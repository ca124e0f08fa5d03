"""The platform's storage as a folder on this machine, or on one that all roles mount."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlencode

from encoder.destinations.file import FileDestination
from encoder.destinations.protocol import Destination
from encoder.files import beneath
from encoder.files.beneath import closing
from encoder.files.roots import Spot
from encoder.files.threads import in_thread
from encoder.model.paths import path_fault


class FolderStorage:
    """`root` exists and is ours alone. `link_secret` signs links; whoever knows it reads everything.

    `public_url`: how receivers of links reach our API, without a slash at its end.
    """

    def __init__(
        self, root: Path, *, public_url: str, link_secret: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        self._root = root
        self._public_url = public_url.rstrip("/")
        self._link_secret = link_secret
        self._clock = clock

    def destination(self, key: str) -> Destination:
        return FileDestination(self._spot(key.removesuffix("/")), uri=f"storage:{key}", away="storage_unavailable")

    def link(self, key: str, *, expires: datetime, file_name: str) -> str:
        self._spot(key)
        until = str(int(expires.timestamp()))
        query = {"expires": until, "name": file_name, "signature": self._signature(key, until, file_name)}
        return f"{self._public_url}/storage/{quote(key)}?{urlencode(query)}"

    async def remove(self, prefix: str) -> int:
        return await in_thread(_remove, self._spot(prefix))

    def resolve(self, key: str, query: Mapping[str, str]) -> Path | None:
        """The file that a link names; None if it was not signed by us, has expired, or is not there."""
        until, name = query.get("expires", ""), query.get("name", "")
        signature = self._signature(key, until, name)
        if not hmac.compare_digest(signature.encode(), query.get("signature", "").encode(errors="replace")):
            return None
        if path_fault(key) is not None or int(until) < self._clock():
            return None
        spot = self._spot(key)
        try:
            os.close(beneath.open_file(spot.root, spot.way))
        except OSError:
            return None
        return spot.path

    def _spot(self, key: str) -> Spot:
        if path_fault(key) is not None:
            raise ValueError(f"{key!r} is no key of ours")
        return Spot(root=self._root, way=PurePosixPath(key))

    def _signature(self, key: str, until: str, name: str) -> str:
        signed = f"{key}\n{until}\n{name}".encode(errors="replace")
        return hmac.new(self._link_secret, signed, hashlib.sha256).hexdigest()


def _remove(spot: Spot) -> int:
    """Remove a whole folder; how many files were in it."""
    with suppress(FileNotFoundError, NotADirectoryError):
        with closing(beneath.open_folder(spot.root, spot.way)) as folder:
            count = sum(len(files) for _, _, files, _ in os.fwalk(dir_fd=folder))
        shutil.rmtree(spot.path)
        return count
    return 0
