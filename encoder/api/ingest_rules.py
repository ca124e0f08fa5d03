"""Ingest rules: put, shown, removed, and opened for use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import uuid4

from aiohttp import web

from encoder.api import answers_ingest as answers
from encoder.api import presets, problems
from encoder.api.body import receive
from encoder.api.jobs import spec_of
from encoder.api.operations import Asker, Call, answer
from encoder.api.parts import Parts
from encoder.api.wire_faults import put_back
from encoder.api.wire_ingest import RULE_NAME, read_rule
from encoder.errors import CATALOGUE, Fault, Rejected
from encoder.ingest import job
from encoder.ingest.rules import Rule
from encoder.model.base import Json, from_json
from encoder.model.ids import TenantId
from encoder.model.queue import ENCODE
from encoder.model.secrets import hide_in, reveal_in
from encoder.store.kept import NewRule, RuleRow

MOST_RULES = 100  # of a tenant: each event is held against all of them
_WITH_SECRETS = ("source", "outputs", "notificationUrl")
_ABSENT = "There is no such ingest rule."


async def listed(call: Call) -> web.Response:
    """GET /ingest/rules."""
    return answer(await every(call))


async def every(call: Call) -> answers.RulesAnswer:
    """The tenant's, by name."""
    rows = await call.parts.store.rules(call.tenant_id)
    return answers.RulesAnswer(rules=tuple(map(_told, rows)))


async def shown(call: Call) -> web.Response:
    """GET /ingest/rules/{name}."""
    return answer(await one(call, call.request.match_info["name"]))


async def one(call: Call, name: str) -> answers.RuleAnswer:
    """The rule of this name.

    Raises:
        errors.Rejected: `not_found`.
    """
    row = await call.parts.store.rule(call.tenant_id, name) if _is_name(name) else None
    if row is None:
        raise problems.not_found(_ABSENT)
    return _told(row)


async def put(call: Call) -> web.Response:
    """PUT /ingest/rules/{name}: as it will be from now on, whole. Jobs that were made stay as they are."""
    name = _named(call.request.match_info["name"])
    return answer(await keep(call, name, await receive(call.request)))


async def keep(call: Call, name: str, body: Json) -> answers.RuleAnswer:
    """The rule that `body` says, kept under this name.

    Raises:
        errors.Rejected: every fault of it; `too_many_rules`.
    """
    name = _named(name)
    members, paths = read_rule(body, await presets.known(call.parts.store, call.tenant_id, body))
    rule, secrets = _hidden(members, call.parts.places.secret_members)
    await require_sound(call, members)
    uuid = uuid4()
    new = NewRule(
        tenant_id=call.tenant_id,
        name=name,
        uuid=uuid,
        spec={"rule": rule, "paths": list(paths)},
        sealed=call.parts.vault.seal(secrets, tenant_id=call.tenant_id, job_uuid=uuid),
    )
    row = await call.parts.store.put_rule(new, most=MOST_RULES)
    if row is None:
        raise Rejected.because("too_many_rules", CATALOGUE["too_many_rules"].to_do)
    return _told(row)


async def remove(call: Call) -> web.Response:
    """DELETE /ingest/rules/{name}: nothing is made by it any more. Jobs that were made stay."""
    await drop(call, call.request.match_info["name"])
    return web.Response(status=204)


async def drop(call: Call, name: str) -> None:
    """Remove the rule of this name.

    Raises:
        errors.Rejected: `not_found`.
    """
    if not _is_name(name) or not await call.parts.store.remove_rule(call.tenant_id, name):
        raise problems.not_found(_ABSENT)


def _is_name(name: str) -> bool:
    return re.fullmatch(RULE_NAME, name) is not None


def _named(name: str) -> str:
    """The name, if a rule can bear it.

    Raises:
        errors.Rejected: `invalid_value`.
    """
    if not _is_name(name):
        message = "The name must be at most 64 letters, digits and any of `_.-`, and begin with a letter or digit."
        raise Rejected.because("invalid_value", message)
    return name


async def enabled(parts: Parts, tenant_id: TenantId) -> Sequence[Rule]:
    """A tenant's rules that are to be used."""
    return [rule for rule in map(Rule.of, await parts.store.rules(tenant_id)) if rule.enabled]


def opened(parts: Parts, tenant_id: TenantId, rule: Rule) -> dict[str, Json]:
    """A rule's words with its secrets, from which its jobs are made.

    Raises:
        errors.Permanent: `secret_unreadable`.
    """
    if rule.sealed is None:
        return rule.members
    return reveal_in(rule.members, parts.vault.open(rule.sealed, tenant_id=tenant_id, job_uuid=rule.uuid))


async def require_sound(asker: Asker, members: dict[str, Json]) -> None:
    """Look whether jobs can be made by a rule.

    Raises:
        errors.Rejected: what would be wrong with each of them, at the members of the rule.
    """
    try:
        await spec_of(asker, job.sample(members))
    except Rejected as wrong:
        moved = (
            Fault(path=job.in_rule(found.path, members), code=found.code, message=found.message)
            for found in wrong.faults
        )
        raise Rejected(*{found.path: found for found in moved}.values()) from None


def _hidden(
    members: dict[str, Json], secret_members: dict[str, frozenset[str]]
) -> tuple[dict[str, Json], dict[str, str]]:
    """A rule without its secrets, and those.

    Raises:
        errors.Rejected: one of them is what is shown in its place.
    """
    kept = {name: members[name] for name in _WITH_SECRETS if name in members}
    if faults := put_back(kept):
        raise Rejected(*faults)
    shown, secrets = hide_in(kept, secret_members)
    return {**members, **shown}, secrets


def _told(row: RuleRow) -> answers.RuleAnswer:
    said: dict[str, Json] = {"priority": 0, "queue": ENCODE, "enabled": True, "metadata": {}, "tags": [], "topics": []}
    about: dict[str, object] = {"name": row.name, "version": row.version}
    times: dict[str, object] = {"createdAt": row.created_at, "updatedAt": row.updated_at}
    return from_json(answers.RuleAnswer, {"notificationUrl": None, **said, **Rule.of(row).members, **about, **times})
