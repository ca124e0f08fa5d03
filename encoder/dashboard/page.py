"""What a page is: one row of the table in `routes`. It mounts the route, lets in, and makes pages of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from aiohttp import hdrs, web
from multidict import MultiDict

from encoder.api import middleware, operations, query
from encoder.api.auth import Caller, Challenged
from encoder.api.cors import SAFE, foreign, is_ours
from encoder.api.operations import Call
from encoder.api.parts import Parts
from encoder.api.problems import Problem
from encoder.api.query import Parameter, Query
from encoder.dashboard.address import back_to, is_local
from encoder.dashboard.health import health
from encoder.dashboard.look import CLOCK, CLOCKS, THEME, THEMES, Look
from encoder.dashboard.session import Sessions
from encoder.model.key import Scope

Handler = Callable[["Visit"], Awaitable[web.StreamResponse]]
LOGIN = "/ui/login"
SAID = "encoder-said"  # a sentence about what was just done, for the next page
# with `no-referrer`, as all else has it, a browser hides from us that a form is our own (`Origin: null`)
_OURSELVES = "same-origin"
_SAID_S = 30
_MOST_SAID = 1000  # letters: a cookie holds 4 kB
_AFTER = "after"  # a field of forms: where to go on
_ASKED = frozenset({_AFTER, "confirm", "typed"})  # fields that belong to a question


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`scope`: what a key must be good for; None: it is for everybody, also for those who have not logged in.

    `query`: the parameters that it takes; None: it reads its query itself. `fragment`: a part of a page, for our
    scripts: whoever has not logged in is refused, not sent to the door, and errors are problems as the API's.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None = Scope.READ
    query: tuple[Parameter, ...] | None = ()
    fragment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all pages are made with. `parts`: the API's, with a gate that knows who has logged in."""

    parts: Parts
    look: Look
    sessions: Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked before something is done. `verb`: on its button, with its object: "Cancel 37 jobs".

    `keep`: on the other button. `typed`: what must be typed to mean it.
    """

    text: str
    verb: str
    keep: str = "Go back"
    typed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a person. `call`: the same, as functions of the API take it. `strip`: what is wrong now."""

    call: Call
    desk: Desk
    strip: Mapping[str, str] = field(default_factory=dict)

    @property
    def request(self) -> web.Request:
        return self.call.request

    @property
    def caller(self) -> Caller | None:
        """Who looks; None at the door."""
        return self.call.caller

    def may(self, scope: str) -> bool:
        """Whether the visitor's key is good for it."""
        return self.caller is not None and scope in self.caller.scopes

    def show(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **facts: object
    ) -> web.Response:
        """A page, or a part of one. `facts`: what the template names."""
        cookies = self.request.cookies
        said, theme, clock = cookies.get(SAID, ""), cookies.get(THEME), cookies.get(CLOCK)
        shown = {
            "visit": self,
            "said": unquote(said),
            "theme": theme if theme in THEMES else THEMES[0],
            "clock": clock if clock in CLOCKS else CLOCKS[0],
            "strip": self.strip,
        }
        text = self.desk.look.render(template, {**shown, **facts})
        response = web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=headers)
        response.headers["Referrer-Policy"] = _OURSELVES
        if said:
            response.del_cookie(SAID, path="/", httponly=True, samesite="Strict")
        return response

    def problem(self, problem: Problem) -> web.Response:
        """What went wrong, as a page."""
        return self.show("problem.html", status=problem.status, headers=problem.beside, problem=problem.told)

    def door(self, problem: Problem) -> web.Response:
        """Of a form that came when the login had ended: in again, and back to where it stood."""
        after, wrong = (
            back_to(self.request, "/"),
            "Your login has ended, and nothing was done. Log in, then do it again.",
        )
        return self.show("login.html", status=problem.status, headers=problem.beside, after=after, wrong=wrong)

    async def form(self) -> MultiDict[str]:
        """The fields of a form, without its files."""
        given = await self.request.post()
        return MultiDict((name, value) for name, value in given.items() if isinstance(value, str))

    async def confirmed(self, question: Question) -> web.Response | None:
        """None where the form says that it is meant; else the page that asks, with all that the form holds."""
        form = await self.form()
        if form.get("confirm") == "1" and form.get("typed", "").strip() == (question.typed or ""):
            return None
        kept = [(name, value) for name, value in form.items() if name not in _ASKED]
        return self.show("confirm.html", question=question, kept=kept, after=await self.after())

    async def after(self, otherwise: str = "/") -> str:
        """Where the visitor came from, if that was a page of ours."""
        told = (await self.form()).get(_AFTER, "")
        return told if is_local(told) else back_to(self.request, otherwise)

    async def back(self, sentence: str, *, to: str | None = None) -> web.Response:
        """Go on where the visitor came from, or `to`; there the sentence is shown, once."""
        response = web.Response(status=303, headers={hdrs.LOCATION: to or await self.after()})
        said = quote(sentence[:_MOST_SAID])
        response.set_cookie(SAID, said, max_age=_SAID_S, path="/", httponly=True, samesite="Strict")
        return response


def mount(page: Page, desk: Desk) -> web.RouteDef:
    """The route of a page."""

    async def handle(request: web.Request) -> web.StreamResponse:
        visit = Visit(call=Call(parts=desk.parts, request=request, query=Query({}), caller=None), desk=desk)
        try:
            visit = await _let_in(visit, page)
            if visit.caller is not None and page.method == "GET" and not page.fragment:
                visit = replace(visit, strip=await health(visit.call))
            response = await page.handler(visit)
        except Exception as error:
            if page.fragment or request.writer.output_size:
                raise
            if _is_stranger(error) and request.method in SAFE:
                return web.Response(status=303, headers={hdrs.LOCATION: f"{LOGIN}?next={quote(request.path_qs)}"})
            problem = middleware.problem_of(error, request)
            page_of_it = visit.problem if not _is_stranger(error) else visit.door
            return middleware.last_word(request, page_of_it(problem))
        session = desk.sessions.of(request)
        if session is not None and not response.prepared and visit.caller is not None:
            desk.sessions.renew(response, session)
        return response

    settings = {"allow_head": False} if page.method == "GET" else {}
    return web.RouteDef(page.method, page.path, handle, settings)


async def _let_in(visit: Visit, page: Page) -> Visit:
    """The visit, as that of whoever may make it."""
    request, parts = visit.request, visit.call.parts
    if request.method not in SAFE and not is_ours(request, public_host=parts.public_host):
        raise foreign()
    caller = None
    if page.scope is not None:
        caller = await parts.gate.admit(request, page.scope)
        operations.count(request, caller, request.method, parts)
    filled = MultiDict((name, value) for name, value in request.query.items() if value)  # forms send empty fields too
    asked = Query({}) if page.query is None else query.read(filled, page.query)
    return replace(visit, call=replace(visit.call, query=asked, caller=caller))


def _is_stranger(error: Exception) -> bool:
    return isinstance(error, Challenged) and error.faults[0].code == "unauthorized"
