"""Settings: who is told of every job of the tenant."""

from __future__ import annotations

from aiohttp import web
from multidict import MultiDict

from encoder.api import webhooks
from encoder.api.answers_webhooks import EndpointAnswer
from encoder.dashboard.forms import Filled, filled, object_of, pretty
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.event import TELLABLE
from encoder.model.formats import FORMATS
from encoder.model.key import Scope

_HOME = "/ui/settings/endpoints"
_ONE = f"{_HOME}/{{name}}"
_NEW = Filled(values={"format": "standard"}, many={"enabled": frozenset({"1"})})


async def listed(visit: Visit) -> web.Response:
    """GET /ui/settings/endpoints."""
    every = (await webhooks.every_endpoint(visit.call)).endpoints
    return visit.show("endpoints.html", area="settings", tab="endpoints", endpoints=every)


async def new(visit: Visit) -> web.Response:
    """GET /ui/settings/new-endpoint."""
    return _form(visit, _NEW)


async def shown(visit: Visit) -> web.Response:
    """GET /ui/settings/endpoints/{name}."""
    return _form(visit, _of(await webhooks.one_endpoint(visit.call, visit.request.match_info["name"])), is_new=False)


async def keep(visit: Visit) -> web.Response:
    """POST /ui/settings/endpoints: makes one, or changes the one of that name. A new one's secret is shown once."""
    form = await visit.form()
    is_new = form.get("known") != "1"
    try:
        kept = await webhooks.keep_endpoint(visit.call, form.get("name", "").strip(), _wanted(form))
    except Rejected as refusal:
        return _form(visit, filled(form, refusal), is_new=is_new, status=422)
    if kept.secret is None:
        return await visit.back(f"“{kept.name}” is told so from now on.", to=_HOME)
    return _secret(visit, f"secret of “{kept.name}”", kept.secret)


async def rotate(visit: Visit) -> web.Response:
    """POST /ui/settings/endpoints/{name}/rotate: once from each page. Loaded again, it would end the secret in use."""
    name = visit.request.match_info["name"]
    if (await visit.form()).get("seen") != _seen(await webhooks.one_endpoint(visit.call, name)):
        return await visit.back(f"“{name}” was given a new secret meanwhile, and gets no other by that page.", to=_HOME)
    told = (
        "It gets a new secret, which is shown once. The old one signs beside it for 24 hours: within them, exchange it."
    )
    asks = await visit.confirmed(Question(text=told, verb=f"Give “{name}” a new secret", keep="Keep the old one"))
    if asks is not None:
        return asks
    kept = await webhooks.rotated(visit.call, name)
    return _secret(visit, f"new secret of “{name}”", kept.secret or "")


async def test(visit: Visit) -> web.Response:
    """POST /ui/settings/endpoints/{name}/test."""
    delivery = await webhooks.tested(visit.call, visit.request.match_info["name"])
    return await visit.back("The test is on its way; here is what became of it.", to=f"/ui/webhooks/{delivery}")


async def remove(visit: Visit) -> web.Response:
    """POST /ui/settings/endpoints/{name}/remove."""
    name = visit.request.match_info["name"]
    told = f"“{name}” is told nothing any more, nor what waits for it. Its secret cannot be had again."
    asks = await visit.confirmed(Question(text=told, verb=f"Remove “{name}”", keep="Keep it"))
    if asks is not None:
        return asks
    await webhooks.drop_endpoint(visit.call, name)
    return await visit.back(f"“{name}” is removed.", to=_HOME)


def _form(visit: Visit, form: Filled, *, is_new: bool = True, status: int = 200) -> web.Response:
    return visit.show(
        "endpoint.html",
        status=status,
        area="settings",
        tab="endpoints",
        form=form,
        is_new=is_new,
        events=sorted(TELLABLE),
        formats=tuple(FORMATS.values()),
    )


def _secret(visit: Visit, what: str, secret: str) -> web.Response:
    return visit.show("secret.html", area="settings", tab="endpoints", what=what, secret=secret, to=_HOME)


def _of(endpoint: EndpointAnswer) -> Filled:
    """The form that says what there is."""
    settings = pretty(dict(endpoint.settings)) if endpoint.settings else ""
    ticked = {"events": frozenset(endpoint.events), "enabled": frozenset({"1"} if endpoint.enabled else ())}
    values = {"name": endpoint.name, "url": endpoint.url, "format": endpoint.format, "settings": settings, "known": "1"}
    return Filled(values={**values, "seen": _seen(endpoint)}, many=ticked)


def _seen(endpoint: EndpointAnswer) -> str:
    """By which a page says whose secret it was shown with."""
    return endpoint.secret_at.isoformat()


def _wanted(form: MultiDict[str]) -> Json:
    """The body that `PUT /webhooks/endpoints/{name}` would take."""
    body: dict[str, Json] = {"url": form.get("url", "").strip(), "format": form.get("format", "")}
    if form.getall("events", []):
        body["events"] = [*form.getall("events")]
    if form.get("settings", "").strip():
        body["settings"] = object_of(form["settings"], "/settings")
    return {**body, "enabled": "enabled" in form}


PAGES = (
    Page(method="GET", path=_HOME, handler=listed),
    Page(method="POST", path=_HOME, handler=keep, scope=Scope.WRITE),
    Page(method="GET", path="/ui/settings/new-endpoint", handler=new, scope=Scope.WRITE),
    Page(method="GET", path=_ONE, handler=shown, scope=Scope.WRITE),
    Page(method="POST", path=f"{_ONE}/rotate", handler=rotate, scope=Scope.WRITE),
    Page(method="POST", path=f"{_ONE}/test", handler=test, scope=Scope.WRITE),
    Page(method="POST", path=f"{_ONE}/remove", handler=remove, scope=Scope.WRITE),
)
