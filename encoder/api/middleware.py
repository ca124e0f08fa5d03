"""What happens to every request: an id, the open server's guard, problems for all errors, headers for all answers."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import random
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from encoder import errors, tracing
from encoder.api import problems
from encoder.api.auth import Challenged
from encoder.api.cors import OTHERS, SAFE, Origins
from encoder.api.counted import count, route_of
from encoder.api.dialect import DIALECT
from encoder.api.problems import Problem
from encoder.api.rates import RATED
from encoder.errors import Rejected
from encoder.log import bound, get_logger
from encoder.metrics.api import in_flight, refused_callers

log = get_logger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
_chance = random.Random()  # noqa: S311  # seeded by the system; see `new_request_id`

SERVER = "encoder"  # no version: it would only tell which weakness to try
_OUR_FAULT = 500
_FOR_PLAYERS = "/folders/"  # a page of any origin may play what it has a signed link to
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def new_request_id() -> str:
    """Another one for each request. It opens nothing, so it need not be secret chance, which costs a system call."""
    return f"{_chance.getrandbits(128):032x}"


def secure(response: web.StreamResponse, request_id: str) -> None:
    """Add the headers that every answer has."""
    response.headers.update({"Server": SERVER, "X-Request-Id": request_id})
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler for `on_response_prepare`."""
    if "X-Request-Id" not in response.headers:
        secure(response, request[REQUEST_ID])
    rated = request.get(RATED)
    if rated is not None:
        response.headers.update(rated.headers)


def frame(origins: Origins, *, loopback_only: bool, stopping: asyncio.Event) -> Middleware:
    """The one middleware, around everything. `origins`: whose pages may call.

    Once the server is `stopping` each answer says that the connection ends with it: whoever kept it, and asked again
    when it is closed, would not know whether he was heard.
    """

    @web.middleware
    async def framed(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = new_request_id()
        began = time.monotonic()
        with in_flight.of().track_inprogress(), bound(request_id=request[REQUEST_ID]), _traced(request):
            response = await _answered(request, handler, origins, loopback_only=loopback_only)
            tracing.note({"http.response.status_code": response.status})
            if response.status >= _OUR_FAULT:
                tracing.failed(str(response.status))
        if stopping.is_set() and not response.prepared:
            response.force_close()
        count(request, response, time.monotonic() - began)
        return response

    return framed


def _traced(request: web.Request) -> AbstractContextManager[None]:
    """A span around each call that may change something; a trace of the caller's goes on in it."""
    if request.method in SAFE:
        return nullcontext()
    route = route_of(request)
    return tracing.span(
        f"{request.method} {route}",
        tracing.Kind.SERVER,
        {"http.request.method": request.method, "http.route": route},
        caller=request.headers.get("traceparent"),
    )


async def _answered(
    request: web.Request, handler: Handler, origins: Origins, *, loopback_only: bool
) -> web.StreamResponse:
    try:
        if loopback_only:
            _check_neighbour(request, origins)
        return origins.permission(request) or await handler(request)
    except Exception as error:
        problem = problem_of(error, request)
        if request.writer.output_size:  # an answer has begun: all that is left is to break it off
            raise
        return last_word(request, _in_their_words(request, problem))


def problem_of(error: Exception, request: web.Request) -> Problem:
    """What an error means to the caller; what the operator should know of it is logged."""
    problem = _problem(error, request[REQUEST_ID])
    if isinstance(error, Challenged):
        refused_callers.of(error.faults[0].code).inc()
    if isinstance(error, errors.StoreUnavailable):
        route, reason = route_of(request), str(error)
        log.warning("request.unanswered", route=route, reason=reason)
    if problem is None:
        log.error("request.failed", route=route_of(request), exc_info=error)
        return problems.internal(request[REQUEST_ID])
    return problem


def last_word(request: web.Request, response: web.Response) -> web.Response:
    """An answer to a request that may not have been read to its end."""
    if request.content.exception() is not None or not request.content.is_eof():
        response.force_close()  # the rest of the body must not be taken for the next request
    return response


def _in_their_words(request: web.Request, problem: Problem) -> web.Response:
    dialect = request.get(DIALECT)
    return problem if dialect is None else dialect.retold(problem.told, problem.beside)


def _problem(error: Exception, request_id: str) -> Problem | None:
    """What an error means to the caller; None for one that nobody foresaw."""
    match error:
        case Rejected():
            return problems.of_faults(error.faults, request_id, headers=_beside(error))
        case errors.Failure():
            return problems.of_failure(error, request_id)
        case errors.StoreUnavailable():
            return problems.unavailable("database_unavailable", request_id)
        case web.HTTPException():
            return problems.of_status(error.status, request_id, allow=error.headers.get("Allow"))
        case ConnectionError():  # the caller went away: nobody hears this
            return problems.of_status(408, request_id)
        case _:
            return None


def _beside(refusal: Rejected) -> Mapping[str, str]:
    """The headers that belong to a refusal."""
    match refusal:
        case Challenged():
            return {"WWW-Authenticate": refusal.challenge}
        case errors.TooMany():
            return {"Retry-After": str(math.ceil(refusal.retry_after_s))}
        case _:
            return {}


def _check_neighbour(request: web.Request, origins: Origins) -> None:
    """An open server is everyone's who can make a browser talk to it, so names and origins must be our own."""
    host = request.headers.get("Host", "")
    if not (_is_loopback(host) and _is_loopback(request.host)):  # a target in absolute form has a host of its own
        message = "This server is open to its own machine only; call it as 127.0.0.1, [::1] or localhost."
        raise Rejected.because("host_not_allowed", message)
    origin = request.headers.get("Origin")
    if origins.let_in(request) or (request.path.startswith(_FOR_PLAYERS) and request.method in ("GET", "HEAD")):
        return
    is_foreign = origin is not None and origin.lower() != f"{request.scheme}://{host}".lower()
    if is_foreign or (request.method not in SAFE and request.headers.get("Sec-Fetch-Site", "none") in OTHERS):
        raise Rejected.because("origin_not_allowed", "Pages of other origins may not call this server.")


@lru_cache(maxsize=64)  # callers name few hosts
def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(f"//{host}")
        name = parts.hostname or ""
        valid = parts.netloc == host and parts.username is None and (parts.port or 0) >= 0
        return valid and (name == "localhost" or ipaddress.ip_address(name).is_loopback)
    return False
