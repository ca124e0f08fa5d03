"""The one table of the pages, in the order in which the header names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from encoder.api.parts import Parts
from encoder.dashboard import (
    bring,
    bulk,
    dead,
    deliveries,
    door,
    endpoints,
    fleet,
    insights,
    job,
    jobs,
    keys,
    new,
    presets,
    queues,
    rules,
    settings,
    watch,
)
from encoder.dashboard.files import Files
from encoder.dashboard.look import Look
from encoder.dashboard.page import Desk, Page, mount
from encoder.dashboard.session import SessionGate, Sessions
from encoder.signer import Signer

_HERE = Path(__file__).parent
PAGES: tuple[Page, ...] = (
    *jobs.PAGES,
    *bulk.PAGES,
    *dead.PAGES,
    *new.PAGES,
    *bring.PAGES,
    *job.PAGES,
    *watch.PAGES,
    *fleet.PAGES,
    *queues.PAGES,
    *insights.PAGES,
    *deliveries.PAGES,
    *settings.PAGES,
    *presets.PAGES,
    *endpoints.PAGES,
    *rules.PAGES,
    *keys.PAGES,
    *door.PAGES,
)


def routes(parts: Parts, *, signer: Signer) -> Iterable[web.RouteDef]:
    """The pages, to be mounted beside the API's operations. `signer`: of logins."""
    sessions, files = Sessions(signer), Files(_HERE / "static")
    ours = replace(parts, gate=SessionGate(parts.gate, sessions))
    desk = Desk(parts=ours, look=Look(_HERE / "templates", files), sessions=sessions)
    absent = Page(method="*", path="/ui/{path:.*}", handler=door.absent, scope=None, query=None)
    static = web.get("/static/{path:.+}", files.serve, allow_head=False)
    return (*(mount(page, desk) for page in PAGES), static, mount(absent, desk))
