"""Keys of the API, for operators who are let in already. `encoder keys` makes the first one, on the database itself."""

from __future__ import annotations

import re
from datetime import timedelta

from aiohttp import web

from encoder.api import answers_keys as answers
from encoder.api import problems
from encoder.api.body import receive
from encoder.api.operations import Call, answer
from encoder.api.wire_key import read_key
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.ids import KeyId, TenantId
from encoder.model.key import digest, new_key, shown
from encoder.store.kept import KeyRow, NewKey

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


async def listed(call: Call) -> web.Response:
    """GET /keys."""
    return answer(await every(call))


async def create(call: Call) -> web.Response:
    """POST /keys."""
    return answer(await made(call, await receive(call.request)), status=201)


async def revoke(call: Call) -> web.Response:
    """DELETE /keys/{id}."""
    await end(call, call.request.match_info["id"])
    return web.Response(status=204)


async def every(call: Call) -> answers.KeysAnswer:
    """All that were ever made, of all tenants, the oldest first."""
    return answers.KeysAnswer(keys=tuple(_told(row) for row in await call.parts.store.keys()))


async def made(call: Call, body: Json) -> answers.KeyAnswer:
    """A new key, as `body` wants it, and the only time that it is shown.

    Raises:
        errors.Rejected: every fault of `body`; `insufficient_scope`, for nobody gives what he has not.
    """
    wanted = read_key(body)
    lacks = sorted(wanted.scopes - call.let_in.scopes)
    if lacks:
        told = f"A key gives only what it has, and yours lacks {', '.join(f'`{scope}`' for scope in lacks)}."
        raise Rejected.because("insufficient_scope", told, path="/scopes")
    key = new_key()
    new = NewKey(
        tenant_id=TenantId(wanted.tenant),
        name=wanted.name,
        prefix=shown(key),
        digest=digest(key),
        scopes=wanted.scopes,
        good_for=timedelta(days=wanted.days) if wanted.days else None,
    )
    return _told(await call.parts.store.add_key(new), key)


async def end(call: Call, ref: str) -> None:
    """Revoke the key of this number.

    Raises:
        errors.Rejected: `not_found`.
    """
    if not _NUMBER.fullmatch(ref) or not await call.parts.store.revoke_key(KeyId(int(ref))):
        raise problems.not_found("There is no such key; GET /keys lists those that there are.")


def _told(row: KeyRow, key: str | None = None) -> answers.KeyAnswer:
    return answers.KeyAnswer(
        id=row.id,
        tenant=row.tenant_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(sorted(row.scopes)),
        live=row.live,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
        key=key,
    )
