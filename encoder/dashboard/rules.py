"""Settings: which new objects of a bucket become jobs."""

from __future__ import annotations

from aiohttp import web

from encoder.api import ingest_rules
from encoder.api.answers_ingest import RuleAnswer
from encoder.dashboard.forms import Filled, filled, object_of, pretty
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import Rejected
from encoder.model.base import Json, to_json
from encoder.model.key import Scope

_HOME = "/ui/settings/ingest"
_ONE = f"{_HOME}/{{name}}"
_TOLD = ("name", "version", "createdAt", "updatedAt")  # by us, and taken from nobody
_EXAMPLE: dict[str, Json] = {
    "source": {"bucket": "my-bucket", "prefix": "uploads/"},
    "outputs": [{"preset": "h264", "path": "done/{name}.mp4"}],
}


async def listed(visit: Visit) -> web.Response:
    """GET /ui/settings/ingest."""
    every = (await ingest_rules.every(visit.call)).rules
    return visit.show("rules.html", area="settings", tab="ingest", rules=every)


async def new(visit: Visit) -> web.Response:
    """GET /ui/settings/new-rule."""
    return _form(visit, Filled(values={"rule": pretty(_EXAMPLE)}))


async def shown(visit: Visit) -> web.Response:
    """GET /ui/settings/ingest/{name}."""
    rule = await ingest_rules.one(visit.call, visit.request.match_info["name"])
    return _form(visit, Filled(values={"name": rule.name, "rule": pretty(_said(rule))}), rule=rule)


async def keep(visit: Visit) -> web.Response:
    """POST /ui/settings/ingest: makes one, or changes the one of that name."""
    form = await visit.form()
    try:
        body = object_of(form.get("rule", ""), "")
        kept = await ingest_rules.keep(visit.call, form.get("name", "").strip(), body)
    except Rejected as refusal:
        return _form(visit, filled(form, refusal), status=422)
    return await visit.back(f"“{kept.name}” is kept: what comes from now on is made by it.", to=_HOME)


async def remove(visit: Visit) -> web.Response:
    """POST /ui/settings/ingest/{name}/remove."""
    name = visit.request.match_info["name"]
    told = f"Nothing is made by “{name}” any more. Jobs that were made stay."
    asks = await visit.confirmed(Question(text=told, verb=f"Remove “{name}”", keep="Keep it"))
    if asks is not None:
        return asks
    await ingest_rules.drop(visit.call, name)
    return await visit.back(f"“{name}” is removed.", to=_HOME)


def _form(visit: Visit, form: Filled, *, rule: RuleAnswer | None = None, status: int = 200) -> web.Response:
    return visit.show("rule.html", status=status, area="settings", tab="ingest", form=form, rule=rule)


def _said(rule: RuleAnswer) -> Json:
    """The rule in the words in which it can be put again, but for what is hidden of it."""
    told = to_json(rule)
    empty: tuple[Json, ...] = (None, [], {})
    return {name: value for name, value in told.items() if name not in _TOLD and value not in empty}


PAGES = (
    Page(method="GET", path=_HOME, handler=listed),
    Page(method="POST", path=_HOME, handler=keep, scope=Scope.WRITE),
    Page(method="GET", path="/ui/settings/new-rule", handler=new, scope=Scope.WRITE),
    Page(method="GET", path=_ONE, handler=shown, scope=Scope.WRITE),
    Page(method="POST", path=f"{_ONE}/remove", handler=remove, scope=Scope.WRITE),
)
