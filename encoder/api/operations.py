"""What an operation of the API is. The one table of them (`routes`) mounts the routes and writes the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from aiohttp import web

from encoder.api import body, problems, query
from encoder.api.auth import Caller
from encoder.api.cors import SAFE
from encoder.api.dialect import DIALECT, Dialect
from encoder.api.parts import Parts
from encoder.api.query import Parameter, Query
from encoder.api.rates import RATED
from encoder.errors import Defect, Rejected
from encoder.model.base import Record
from encoder.model.ids import TenantId
from encoder.model.key import Scope
from encoder.storage.folder import FolderStorage

Handler = Callable[["Call"], Awaitable[web.StreamResponse]]
Answer = type[Record] | str  # a record as JSON, or a media type


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One that an operation minds. `pattern`: those that it takes; None: any, and what it does not know is as none."""

    name: str
    about: str
    pattern: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`about`: what the summary leaves out, in sentences.

    `answers`: what it tells by status, in each of its forms; `problems`: the other statuses that are its own.

    `body`: the class of the job language that it takes, by name; or the media type of bytes that it takes; None: it
    takes none, and refuses one.
    `links`: the operations that its answer leads to, with the member of it that their path takes.
    `scope`: what a key must be good for; None: the operation is public.
    `of_stores`: its callers are programs of others, which know neither our types nor our headers: JSON comes untyped
    too, and a key as the password of Basic.
    `folder`: there is such an operation only where the platform's storage is a folder; what its query says, we wrote.
    `dialect`: its callers are those of another service.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    about: str = ""
    handler: Handler
    scope: Scope | None
    answers: Mapping[int, tuple[Answer, ...]]
    problems: tuple[int, ...] = ()
    query: tuple[Parameter, ...] = ()
    headers: tuple[Header, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    of_stores: bool = False
    body_required: bool = True
    folder: bool = False
    dialect: Dialect | None = None


class Asker(Protocol):
    """In whose name something is done: one call's, or that of whoever else brings jobs in."""

    @property
    def parts(self) -> Parts: ...

    @property
    def tenant_id(self) -> TenantId: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to one operation. `caller`: None where that is public."""

    parts: Parts
    request: web.Request
    query: Query
    caller: Caller | None

    @property
    def tenant_id(self) -> TenantId:
        """Whose key it came with."""
        return self.let_in.tenant_id

    @property
    def let_in(self) -> Caller:
        """Who calls, for the operations that are not public."""
        if self.caller is None:
            raise Defect("nobody was asked who calls a public operation")
        return self.caller

    @property
    def shelf(self) -> FolderStorage:
        """The storage, for the operations that there are only where it is a folder."""
        if self.parts.shelf is None:
            raise Defect("this storage is not ours to serve")
        return self.parts.shelf


def mount(operation: Operation, parts: Parts) -> web.RouteDef:
    """The route of an operation."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if operation.dialect is not None:
            request[DIALECT] = operation.dialect
        try:
            asked = query.read(request.query, operation.query)
        except Rejected as wrong:
            if operation.folder:  # a link that we did not write has no faults: it leads nowhere
                raise problems.not_found("No link of ours reads so.") from wrong
            raise
        caller = None if operation.scope is None else await _admitted(request, operation, operation.scope, parts)
        if operation.body is None:
            await body.refuse(request)
        return await operation.handler(Call(parts=parts, request=request, query=asked, caller=caller))

    # GET does not bring HEAD along: what is served is what is documented
    settings = {"allow_head": False} if operation.method == "GET" else {}
    return web.RouteDef(operation.method, operation.path.replace("{key}", "{key:.+}"), handle, settings)


async def _admitted(request: web.Request, operation: Operation, scope: Scope, parts: Parts) -> Caller:
    """Whose call it is, and one more of those that it may make."""
    if request.method not in SAFE:
        parts.origins.require_own(request, public_host=parts.public_host)
    caller = await parts.gate.admit(request, scope, operation.dialect, basic=operation.of_stores)
    # a store tells of each object by itself, and some not again: it may come as often as whoever only looks
    count(request, caller, "GET" if operation.of_stores else request.method, parts)
    return caller


def count(request: web.Request, caller: Caller, method: str, parts: Parts) -> None:
    """One more of the calls that somebody may make; the answer will say how many are left.

    Raises:
        errors.TooMany: `rate_limited`.
    """
    if caller.counted is None:
        return
    try:
        parts.rates.count(caller.counted, method)
    finally:
        rated = parts.rates.rated(caller.counted, method)
        if rated is not None:
            request[RATED] = rated


def answer(record: Record, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A record as JSON."""
    told = msgspec.json.encode(record)
    return web.Response(status=status, body=told, content_type="application/json", headers=headers)
