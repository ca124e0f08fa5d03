"""Settings: the keys of the API, for whoever steers the whole."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from multidict import MultiDict

from encoder.api import keys
from encoder.api.answers_keys import KeyAnswer
from encoder.dashboard.forms import Filled, filled
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.key import Scope

_HOME = "/ui/settings/keys"
_USUAL = Filled(values={"tenant": "1"}, many={"scope": frozenset({"read", "write"})})


async def listed(visit: Visit) -> web.Response:
    """GET /ui/settings/keys."""
    return await _page(visit, _USUAL)


async def create(visit: Visit) -> web.Response:
    """POST /ui/settings/keys: the answer is the only page that ever shows it, and loaded again it makes no other."""
    form = await visit.form()
    try:
        if form.get("seen") != _newest((await keys.every(visit.call)).keys):
            raise Rejected.because("invalid_value", "A key was made since this page was shown: is it the one you want?")
        made = await keys.made(visit.call, _wanted(form))
    except Rejected as refusal:
        return await _page(visit, filled(form, refusal), status=422)
    return visit.show("secret.html", area="settings", tab="keys", what=f"key “{made.name}”", secret=made.key, to=_HOME)


async def revoke(visit: Visit) -> web.Response:
    """POST /ui/settings/keys/{id}/revoke."""
    ref = visit.request.match_info["id"]
    listed = (await keys.every(visit.call)).keys
    name = next((key.name for key in listed if str(key.id) == ref), ref)
    told = f"Whoever uses “{name}” is let in no more, ten seconds from now at the latest. It cannot be taken back."
    asks = await visit.confirmed(Question(text=told, verb="Revoke the key", keep="Keep it"))
    if asks is not None:
        return asks
    await keys.end(visit.call, ref)
    return await visit.back(f"The key “{name}” opens nothing any more.", to=_HOME)


async def _page(visit: Visit, form: Filled, *, status: int = 200) -> web.Response:
    every = (await keys.every(visit.call)).keys
    return visit.show(
        "keys.html", status=status, area="settings", tab="keys", keys=every, form=form, seen=_newest(every)
    )


def _newest(every: Sequence[KeyAnswer]) -> str:
    """The number of the last key: a page says which it was shown with."""
    return str(max((key.id for key in every), default=0))


def _wanted(form: MultiDict[str]) -> Json:
    """The body that `POST /keys` would take."""
    numbers = {name: _whole(form.get(name, "")) for name in ("tenant", "days")}
    scopes: list[Json] = [*form.getall("scope", [])]
    return {"name": form.get("name", ""), "scopes": scopes, **{name: told for name, told in numbers.items() if told}}


def _whole(text: str) -> Json:
    """A number, or what was written in place of one."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text  # noqa: PLR2004  # digits


PAGES = (
    Page(method="GET", path=_HOME, handler=listed, scope=Scope.ADMIN),
    Page(method="POST", path=_HOME, handler=create, scope=Scope.ADMIN),
    Page(method="POST", path=f"{_HOME}/{{id}}/revoke", handler=revoke, scope=Scope.ADMIN),
)
