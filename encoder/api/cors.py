"""Pages of other origins that the operator lets call: `ENCODER_CORS_ORIGINS`.

They are let read answers and their headers, with whatever key they have; cookies are no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from aiohttp import hdrs, web

from encoder import errors
from encoder.api import tus_headers
from encoder.errors import Rejected

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED = ", ".join(("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", *tus_headers.ASKED))
_TOLD = ", ".join(
    ("Idempotency-Replayed", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id", *tus_headers.TOLD)
)
_KEPT_S = 600  # by a browser, before it asks again
SAFE = ("GET", "HEAD", "OPTIONS")  # whoever follows a link to us changes nothing
OTHERS = ("cross-site", "same-site")  # what browsers say of a page that is not ours, also where they tell no `Origin`


class Origins:
    """Raises errors.Unfit for what is none: a scheme, a host and a port, as browsers send them."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                told = "must be origins, such as https://app.example.com, in small letters and without a path"
                raise errors.Unfit(f"ENCODER_CORS_ORIGINS {told}.")
        self._known = frozenset(origins)

    def let_in(self, request: web.Request) -> bool:
        """Whether the request comes from a page of such an origin."""
        return request.headers.get(hdrs.ORIGIN) in self._known

    def require_own(self, request: web.Request, *, public_host: str) -> None:
        """A browser sends simple forms, and opens streams, for any page, though it shows the answer to none but ours.

        Raises:
            errors.Rejected: `origin_not_allowed`: another page sends it.
        """
        if not self.let_in(request) and is_ours(request, public_host=public_host) is False:
            raise foreign()

    def permission(self, request: web.Request) -> web.Response | None:
        """The answer to what a browser asks before it lets such a page call; None where it asks nothing."""
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return None
        if not self.let_in(request):
            return None
        allowed = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _ASKED,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(_KEPT_S),
        }
        return web.Response(status=204, headers=allowed)

    async def add(self, request: web.Request, response: web.StreamResponse) -> None:
        """Signal handler for `on_response_prepare`: lets such a page read the answer and its headers."""
        if not self._known or hdrs.ACCESS_CONTROL_ALLOW_ORIGIN in response.headers:
            return
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        if self.let_in(request):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _TOLD


def is_ours(request: web.Request, *, public_host: str) -> bool | None:
    """Whether a page of our own sends it, by what the browser says; None where it says nothing."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get(hdrs.ORIGIN)
    if site is not None:
        return site not in OTHERS
    if origin is not None:  # an old browser, or no TLS
        host = origin.partition("://")[2].lower()  # "" of what is none, and of `null`
        return host != "" and host in {request.host.lower(), public_host}
    return None


def foreign() -> Rejected:
    return Rejected.because("origin_not_allowed", "Pages of other origins may not call this server.")
