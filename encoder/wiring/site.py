"""What the settings say of places, addresses and keys."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from encoder import errors
from encoder.api.addresses import Addresses
from encoder.api.cors import Origins
from encoder.destinations.registry import Destinations
from encoder.files.roots import Roots
from encoder.model.paths import path_fault
from encoder.net.guard import Policy, Url, check_url
from encoder.net.http import Web
from encoder.net.s3 import S3Access
from encoder.plugins import Surroundings
from encoder.retention.sweep import Sweep
from encoder.settings import Settings
from encoder.signer import Signer
from encoder.sources.registry import Sources
from encoder.storage.folder import FolderStorage
from encoder.storage.folder_upkeep import FolderUpkeep
from encoder.storage.protocol import Storage
from encoder.storage.s3 import Room, S3Storage
from encoder.storage.s3_upkeep import S3Upkeep
from encoder.storage.upkeep import Upkeep
from encoder.store.protocol import Store
from encoder.vault import Vault
from encoder.webhooks.send import Sender

clock = time.monotonic
uniform: Callable[[float, float], float] = random.uniform  # jitter needs no secret chance


@dataclass(frozen=True)
class Site:
    """What needs neither a database nor ffmpeg. Each part is built once, when it is first asked for.

    Every part may raise errors.Unfit: a setting cannot work; the message names it.
    """

    settings: Settings

    @cached_property
    def sender(self) -> Sender:
        secrets = [secret.get_secret_value() for secret in self.settings.webhook_secret]
        if not secrets:
            raise errors.Unfit("ENCODER_WEBHOOK_SECRET is not set: webhooks could not be signed.")
        return Sender(self.surroundings.web, secrets=secrets)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self._keys)

    @cached_property
    def policy(self) -> Policy:
        try:
            return Policy.of(*self.settings.allow_addresses, own_ports=self._own_ports, own_name=self._own_name)
        except ValueError as error:
            raise errors.Unfit(f"ENCODER_ALLOW_ADDRESSES: {error}") from error

    @cached_property
    def addresses(self) -> Addresses:
        try:
            return Addresses([ipaddress.ip_network(network) for network in self.settings.trusted_proxies])
        except ValueError as error:
            raise errors.Unfit(f"ENCODER_TRUSTED_PROXIES: {error}") from error

    @cached_property
    def origins(self) -> Origins:
        return Origins(self.settings.cors_origins)

    @property
    def queues(self) -> tuple[str, ...]:
        """The operator's, of events of objects."""
        for url in self.settings.ingest_sqs_urls:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.count("/") < 2:  # noqa: PLR2004
                raise errors.Unfit("ENCODER_INGEST_SQS_URLS must read `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.")
        return self.settings.ingest_sqs_urls

    @cached_property
    def surroundings(self) -> Surroundings:
        roots = tuple(path.absolute() for path in self.settings.file_roots)
        return Surroundings(web=Web(policy=self.policy), roots=Roots(paths=roots), s3=self._s3)

    @property
    def _s3(self) -> S3Access:
        place, named = self.storage_place, self.settings.s3_buckets
        if named is None and self.asks_for_keys:  # callers are not the operator, and may be many
            named = ()
        return S3Access(
            buckets=None if named is None else frozenset(named),
            closed=(place.bucket, place.keys_begin) if isinstance(place, Room) else None,
        )

    @cached_property
    def storage(self) -> Storage:
        return self.shelf or self.unlinked

    @cached_property
    def shelf(self) -> FolderStorage | None:
        """The storage where it is a folder: there the API serves what links lead to."""
        root = self.storage_place
        return self._folder(root, self.signer(b"links")) if isinstance(root, Path) else None

    @property
    def unlinked(self) -> Storage:
        """The storage also where no key is set that could sign links to a folder."""
        place = self.storage_place
        if isinstance(place, Path):
            return self._folder(place, Signer(b""))
        return S3Storage(self.surroundings.s3, self.surroundings.web, place)

    @property
    def upkeep(self) -> Upkeep:
        """Keeps the storage clean; needs no key."""
        place = self.storage_place
        if isinstance(place, Path):
            return FolderUpkeep(place)
        return S3Upkeep(self.surroundings.s3, self.surroundings.web, place)

    def sweep(self, store: Store) -> Sweep:
        """One that goes by the operator's rules."""
        return Sweep(store=store, upkeep=self.upkeep, policy=self.settings.policy, uniform=uniform)

    def _folder(self, root: Path, signer: Signer) -> FolderStorage:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FolderStorage(root, public_url=self.public_url, signer=signer)

    @cached_property
    def storage_place(self) -> Path | Room:
        """Where the storage lies."""
        scheme, _, rest = self.settings.storage.partition(":")
        if scheme == "file" and rest:
            return Path(rest).resolve()
        bucket, _, prefix = rest.removeprefix("//").partition("/")
        room = Room(bucket=bucket, prefix=prefix.removesuffix("/"))
        if scheme == "s3" and rest.startswith("//") and bucket and not (room.prefix and path_fault(room.prefix)):
            return room
        raise errors.Unfit("ENCODER_STORAGE must read `file:FOLDER` or `s3://BUCKET/PREFIX`.")

    @property
    def asks_for_keys(self) -> bool:
        """Whether the API does: where that was asked for, and where others reach it unless that is to be so."""
        return self.settings.auth == "keys" or (self.settings.auth == "loopback" and not self._on_loopback)

    @property
    def _on_loopback(self) -> bool:
        try:
            return self.settings.host == "localhost" or ipaddress.ip_address(self.settings.host).is_loopback
        except ValueError:
            return False

    @cached_property
    def public_url(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return self.settings.public_url or f"http://{host}:{self.settings.port}"

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.surroundings, stored=self.storage.source)

    @cached_property
    def destinations(self) -> Destinations:
        return Destinations(self.surroundings, stored=self.storage.destination)

    def signer(self, purpose: bytes) -> Signer:
        """One for each purpose, the same in all roles of a platform."""
        return Signer(*(hmac.new(key.encode(), purpose, hashlib.sha256).digest() for key in self._keys))

    @property
    def _own_ports(self) -> set[int]:
        return {port for port in (self.settings.port, self.settings.metrics_port) if port is not None}

    @property
    def _own_name(self) -> tuple[str, int] | None:
        """Where others reach us, if that was set."""
        url = check_url(self.settings.public_url or "", Policy())
        return (url.host, url.port) if isinstance(url, Url) else None

    @property
    def _keys(self) -> list[str]:
        keys = [key.get_secret_value() for key in self.settings.secret_keys]
        if not keys:
            raise errors.Unfit("ENCODER_SECRET_KEYS is not set: callers' secrets could not be sealed.")
        return keys
