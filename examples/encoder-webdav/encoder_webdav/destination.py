"""Publishes to a WebDAV server: beside the final name first, then moved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from encoder import errors
from encoder.destinations import http
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.errors import Fault, in_order
from encoder.model.paths import part_name
from encoder.net.guard import Url, check_url
from encoder.net.http import Ask, Web
from encoder.plugins import Surroundings
from encoder_webdav.members import Members

_AWAY = "destination_unavailable"
_AUTH = frozenset({401, 403})
_MISSING = frozenset({404, 409})  # RFC 4918: 409 where the folder above is missing
_FOR_A_WHILE = frozenset({408, 423, 425, 429})


def check_destination(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    yield from http.check(_as_http(members), surroundings)
    if members.url.endswith("/") and not surroundings.folder:
        yield Fault(path="/url", code="invalid_path", message="The address names a folder, but one file is made.")


@dataclass(frozen=True, kw_only=True)
class WebdavDestination:
    """A file, or the folder of a package. `key` is the same on every attempt."""

    tells_sha256 = False
    url: Url
    members: http.Members
    web: Web
    key: str

    @classmethod
    def made(cls, members: Members, surroundings: Surroundings) -> Self:
        url = in_order(check_url(members.url, surroundings.web.policy))
        return cls(url=url, members=_as_http(members), web=surroundings.web, key=surroundings.key)

    @property
    def uri(self) -> str:
        return self.url.shown

    async def look(self) -> Receipt | None:
        return await self._plain(self.url).look()

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        part = self._part(parcel.token)
        try:
            await self._make_folder(_above(part))
            await self._plain(part).publish(parcel, sent=sent, fence=_open)
            await fence()
            await self._move(part)
        except BaseException:
            with suppress(errors.Failure):
                await self.discard(parcel.token)
            raise
        return Receipt(uri=self.uri, size_bytes=parcel.size_bytes, sha256=None)

    async def discard(self, token: str) -> None:
        status = await self._ask("DELETE", self._part(token))
        if status not in _MISSING:
            _require_done(status)

    def within(self, name: str) -> Destination:
        return replace(self, url=self.url.below(name), key=self.key + name)

    async def close(self) -> None:
        """Nothing: a connection ends with its request."""

    def _plain(self, url: Url) -> http.HttpDestination:
        """WebDAV is HTTP, where it puts a file or looks at one."""
        return http.HttpDestination(url, self.members, self.web, key=self.key)

    def _part(self, token: str) -> Url:
        return replace(self.url, target=part_name(self.url.path, token))

    async def _make_folder(self, folder: Url) -> None:
        """Make `folder`, and those above it as far as they are missing."""
        status = await self._ask("MKCOL", folder)
        if status in _MISSING and folder.path != "/":
            await self._make_folder(_above(folder))
            status = await self._ask("MKCOL", folder)
        if status != 405:  # it is there already, says RFC 4918, 9.3.1
            _require_done(status)

    async def _move(self, part: Url) -> None:
        _require_done(await self._ask("MOVE", part, {"Destination": self.url.text, "Overwrite": "T"}))

    async def _ask(self, method: str, url: Url, own: Mapping[str, str] | None = None) -> int:
        ask = Ask(method=method, url=url, headers=self.members.headers, own=own or {}, hops=0)
        async with self.web.ask(ask, away=_AWAY) as response:
            return response.status


def _as_http(members: Members) -> http.Members:
    return http.Members(url=members.url, headers=members.headers())


def _above(url: Url) -> Url:
    """The folder that `url` lies in."""
    return replace(url, target=url.path.removesuffix("/").rpartition("/")[0] + "/")


async def _open() -> None:
    """No fence: what is put beside the final name is not seen."""


def _require_done(status: int) -> None:
    """Raises errors.Permanent or errors.Transient unless `status` is a success."""
    if 200 <= status < 300:
        return
    message = f"The WebDAV server answered {status}."
    if status in _AUTH:
        raise errors.Permanent("destination_auth_failed", message)
    if status in _MISSING:
        raise errors.Permanent("destination_not_found", message)
    if 400 <= status < 500 and status not in _FOR_A_WHILE:
        raise errors.Permanent("destination_refused", message)
    raise errors.Transient(_AWAY, message)
