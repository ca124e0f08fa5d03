"""In and out, by an API key, where the server asks for keys. And how somebody wants to see the pages."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import hdrs, web

from encoder.api import middleware
from encoder.api.auth import Challenged, hash_of
from encoder.dashboard.address import is_local
from encoder.dashboard.look import CLOCK, CLOCKS, THEME, THEMES
from encoder.dashboard.page import LOGIN, Page, Visit
from encoder.errors import TooMany
from encoder.model.key import Scope

_YEAR_S = 365 * 24 * 3600
_KEPT = f"{LOGIN}/kept"
_WORDS = {
    "unauthorized": "This key opens nothing here: it is mistyped, revoked or has ended.",
    "insufficient_scope": "This key lacks the scope read, without which there is nothing to see.",
}


async def door(visit: Visit) -> web.Response:
    """GET /ui/login."""
    if not visit.call.parts.gate.asks_for_keys:
        return _go("/")
    return visit.show("login.html", after=_local(visit.request.query.get("next")), wrong="")


async def enter(visit: Visit) -> web.Response:
    """POST /ui/login: any key opens that may read."""
    form = await visit.form()
    after, hashed = _local(form.get("next")), hash_of(form.get("key", "").strip())
    try:
        await visit.call.parts.gate.admit_known(hashed, visit.request, Scope.READ)
    except (Challenged, TooMany) as refusal:
        problem = middleware.problem_of(refusal, visit.request)
        wrong = _WORDS.get(problem.told.code, problem.told.detail)
        return visit.show("login.html", status=problem.status, headers=problem.beside, after=after, wrong=wrong)
    response = _go(f"{_KEPT}?next={quote(after)}")
    visit.desk.sessions.begin(response, hashed)
    return response


async def kept(visit: Visit) -> web.Response:
    """GET /ui/login/kept: whether the browser has kept the login. Without TLS it drops it, and says nothing."""
    after = _local(visit.request.query.get("next"))
    if visit.desk.sessions.of(visit.request) is not None:
        return _go(after)
    wrong = "Your browser did not keep the login, for this page came without TLS. Use HTTPS or an SSH tunnel."
    return visit.show("login.html", status=403, after=after, wrong=wrong)


async def leave(visit: Visit) -> web.Response:
    """POST /ui/logout."""
    response = _go(LOGIN)
    visit.desk.sessions.end(response)
    return response


async def prefer(visit: Visit) -> web.Response:
    """POST /ui/preferences: colours and clock, kept by the browser alone."""
    form, response = await visit.form(), _go(await visit.after())
    for cookie, choices in ((THEME, THEMES), (CLOCK, CLOCKS)):
        chosen = form.get(cookie.removeprefix("encoder-"), "")
        if chosen in choices:
            response.set_cookie(cookie, chosen, max_age=_YEAR_S, path="/", samesite="Lax")
    return response


async def absent(_visit: Visit) -> web.Response:
    """Where there is no page."""
    raise web.HTTPNotFound


def _go(address: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: address})


def _local(address: str | None) -> str:
    """An address of ours, whatever came."""
    return address if address and is_local(address) else "/"


PAGES = (
    Page(method="GET", path=LOGIN, handler=door, scope=None, query=None),
    Page(method="POST", path=LOGIN, handler=enter, scope=None),
    Page(method="GET", path=_KEPT, handler=kept, scope=None, query=None),
    Page(method="POST", path="/ui/logout", handler=leave, scope=None),
    Page(method="POST", path="/ui/preferences", handler=prefer, scope=None),
)
