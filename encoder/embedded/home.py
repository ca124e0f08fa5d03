"""The data folder of `encoder up`: everything that one machine keeps, and the secrets that it makes for itself.

.encoder/
secret-key        seals callers' secrets; without it they are lost
webhook-secret    signs webhooks
postgres/         the embedded database
storage/          outputs without a destination
scratch/          work in progress
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from encoder import errors


@dataclass(frozen=True, slots=True)
class Home:
    """A data folder, mode 0700 when we make it."""

    folder: Path

    def make(self) -> None:
        """Raises:
        errors.Unfit: the folder cannot be had.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise errors.Unfit(f"{self.folder} cannot be made ({error.strerror}); choose another: --data.") from error

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    def secret_key(self, make: Callable[[], str]) -> str:
        """The key that seals callers' secrets, made on first start."""
        return _kept(self.folder / "secret-key", make)

    def webhook_secret(self) -> str:
        """The secret that signs webhooks, made on first start."""
        return _kept(self.folder / "webhook-secret", _new_webhook_secret)


def _new_webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made and written, 0600, by whoever comes first."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(text := make())
        os.fsync(descriptor)
    return text
