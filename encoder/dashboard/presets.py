"""Settings: what outputs are made of, by a name. The built-in ones, and the tenant's own."""

from __future__ import annotations

from aiohttp import web
from multidict import MultiDict

from encoder.api import presets
from encoder.api.answers import PresetAnswer
from encoder.dashboard.forms import Filled, filled, object_of, pretty
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.key import Scope

_HOME = "/ui/settings/presets"
_ONE = f"{_HOME}/{{name}}"


async def listed(visit: Visit) -> web.Response:
    """GET /ui/settings/presets."""
    every = await presets.all_of(visit.call)
    return visit.show("presets.html", area="settings", tab="presets", presets=every)


async def new(visit: Visit) -> web.Response:
    """GET /ui/settings/new-preset."""
    example: dict[str, Json] = {"preset": "h264", "crf": 20, "height": 720}
    return _form(visit, Filled(values={"members": pretty(example)}))


async def shown(visit: Visit) -> web.Response:
    """GET /ui/settings/presets/{name}."""
    preset = await presets.one(visit.call, visit.request.match_info["name"])
    return _form(visit, _of(preset), preset=preset)


async def keep(visit: Visit) -> web.Response:
    """POST /ui/settings/presets: makes one, or a new version of the one of that name."""
    form = await visit.form()
    try:
        kept = await presets.keep(visit.call, form.get("name", "").strip(), _wanted(form))
    except Rejected as refusal:
        return _form(visit, filled(form, refusal), status=422)
    return await visit.back(f"“{kept.name}” is kept, version {kept.version}, for the jobs to come.", to=_HOME)


async def remove(visit: Visit) -> web.Response:
    """POST /ui/settings/presets/{name}/remove."""
    name = visit.request.match_info["name"]
    told = f"No job can name “{name}” any more. Jobs that did keep what it said."
    asks = await visit.confirmed(Question(text=told, verb=f"Remove “{name}”", keep="Keep it"))
    if asks is not None:
        return asks
    await presets.drop(visit.call, name)
    return await visit.back(f"“{name}” is removed.", to=_HOME)


def _form(visit: Visit, form: Filled, *, preset: PresetAnswer | None = None, status: int = 200) -> web.Response:
    return visit.show("preset.html", status=status, area="settings", tab="presets", form=form, preset=preset)


def _of(preset: PresetAnswer) -> Filled:
    values = {"name": preset.name, "about": preset.about, "members": pretty(dict(preset.members))}
    return Filled(values=values)


def _wanted(form: MultiDict[str]) -> Json:
    """The body that `PUT /presets/{name}` would take."""
    return {"about": form.get("about", "").strip(), "members": object_of(form.get("members", ""), "/members")}


PAGES = (
    Page(method="GET", path=_HOME, handler=listed),
    Page(method="POST", path=_HOME, handler=keep, scope=Scope.WRITE),
    Page(method="GET", path="/ui/settings/new-preset", handler=new, scope=Scope.WRITE),
    Page(method="GET", path=_ONE, handler=shown),
    Page(method="POST", path=f"{_ONE}/remove", handler=remove, scope=Scope.WRITE),
)
