"""Presets: built in, and of a tenant's own.

A job gets the members of its presets when it is submitted, and keeps them: a later change of a preset changes no job.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence

from aiohttp import web

from encoder.api import answers, preset_words, problems, tell
from encoder.api.body import receive
from encoder.api.operations import Asker, Call, answer
from encoder.errors import Rejected
from encoder.ffmpeg import presets
from encoder.model.base import Json
from encoder.model.ids import TenantId
from encoder.store import protocol
from encoder.store.kept import NewPreset, PresetRow

MOST = 200  # of one tenant's own
FEW = 10


async def known(store: protocol.Presets, tenant_id: TenantId, body: Json) -> presets.Presets:
    """The presets that a job of a tenant may name: the built-in ones, and its own.

    Of its own only those that `body` names are asked for; all, where one of these is not there, so that a refusal may
    say what was probably meant. A built-in one comes before one's own of the same name.
    """
    names = [name for name in dict.fromkeys(_named(body)) if name not in presets.BUILT_IN]
    rows = await _rows(store, tenant_id, names)
    if len(rows) < len(names):
        rows = await store.presets(tenant_id)
    return {**{row.name: _own(row) for row in rows}, **presets.BUILT_IN}


def _named(body: Json) -> Iterator[str]:
    """Every preset that the outputs of a job name; the body may be anything."""
    outputs = body.get("outputs") if isinstance(body, dict) else None
    for output in outputs if isinstance(outputs, list) else []:
        name = output.get("preset") if isinstance(output, dict) else None
        if isinstance(name, str):
            yield name


async def own_presets(store: protocol.Presets, tenant_id: TenantId, names: Iterable[str]) -> dict[str, presets.Members]:
    """The members of those presets of a tenant's own that there are, with those that they are made of."""
    return {row.name: _own(row).members for row in await _rows(store, tenant_id, [*names])}


async def _rows(store: protocol.Presets, tenant_id: TenantId, names: Sequence[str]) -> Sequence[PresetRow]:
    """Those of a tenant's own that there are. Many are not asked for one by one: a body may name thousands."""
    if len(names) > FEW:
        wanted = frozenset(names)
        return [row for row in await store.presets(tenant_id) if row.name in wanted]
    found = [await store.preset(tenant_id, name) for name in names if _is_name(name)]
    return [row for row in found if row is not None]


def _own(row: PresetRow) -> presets.Preset:
    return presets.Preset(name=row.name, about=row.about, members=presets.whole(row.members), version=row.version)


async def listed(call: Call) -> web.Response:
    """GET /presets."""
    return answer(answers.PresetsAnswer(presets=await all_of(call)))


async def all_of(call: Asker) -> tuple[answers.PresetAnswer, ...]:
    """The built-in ones, then the tenant's own."""
    own = await call.parts.store.presets(call.tenant_id)
    return (*map(tell.built_in, presets.BUILT_IN.values()), *map(tell.preset, own))


async def shown(call: Call) -> web.Response:
    """GET /presets/{name}."""
    return answer(await one(call, call.request.match_info["name"]))


async def one(call: Call, name: str) -> answers.PresetAnswer:
    """The preset of this name.

    Raises:
        errors.Rejected: `not_found`.
    """
    if name in presets.BUILT_IN:
        return tell.built_in(presets.BUILT_IN[name])
    row = await call.parts.store.preset(call.tenant_id, name) if _is_name(name) else None
    if row is None:
        raise _absent()
    return tell.preset(row)


async def put(call: Call) -> web.Response:
    """PUT /presets/{name}: for the jobs to come."""
    name = _name_of_ones_own(call.request.match_info["name"])
    return answer(await keep(call, name, await receive(call.request)))


async def keep(call: Call, name: str, body: Json) -> answers.PresetAnswer:
    """The preset that `body` says, kept under this name.

    Raises:
        errors.Rejected: every fault of it; `preset_built_in`, `too_many_presets`.
    """
    name = _name_of_ones_own(name)
    said = await asyncio.to_thread(preset_words.read, body)
    beside = {_name_of_ones_own(name + behind): members for behind, members in said.beside.items()}
    for other, members in beside.items():
        if members is None:
            await call.parts.store.remove_preset(call.tenant_id, other)
        else:
            await _put(call, other, said.about, members)
    row = await _put(call, name, said.about, said.members)
    return tell.preset(row, said.warnings)


async def _put(call: Call, name: str, about: str, members: dict[str, Json]) -> PresetRow:
    new = NewPreset(tenant_id=call.tenant_id, name=name, about=about, members=members)
    row = await call.parts.store.put_preset(new, most=MOST)
    if row is None:
        raise Rejected.because("too_many_presets", f"There are {MOST} presets of yours already, and more are not kept.")
    return row


async def remove(call: Call) -> web.Response:
    """DELETE /presets/{name}."""
    await drop(call, call.request.match_info["name"])
    return web.Response(status=204)


async def drop(call: Call, name: str) -> None:
    """Remove the preset of this name.

    Raises:
        errors.Rejected: `not_found`, `preset_built_in`.
    """
    if not await call.parts.store.remove_preset(call.tenant_id, _name_of_ones_own(name)):
        raise _absent()


def _name_of_ones_own(name: str) -> str:
    """The name, if a preset of one's own may bear it.

    Raises:
        errors.Rejected: `preset_built_in`, `invalid_value`.
    """
    if name in presets.BUILT_IN:
        raise Rejected.because("preset_built_in", f"`{name}` is built in, and stays as it is.")
    if not _is_name(name):
        told = "A preset's name is at most 64 letters, digits and any of `_.-`, and begins with a letter or digit."
        raise Rejected.because("invalid_value", told)
    return name


def _is_name(name: str) -> bool:
    return re.fullmatch(presets.NAME, name) is not None


def _absent() -> Rejected:
    return problems.not_found("There is no such preset; GET /presets lists those that there are.")
