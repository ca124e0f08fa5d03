"""The pages that a problem's `type` leads to, and the document of the API, as JSON and as a page to try it out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

import msgspec
import swagger_ui_bundle
from aiohttp import web

from encoder.api import openapi, problems
from encoder.api.operations import Call, Handler, Operation
from encoder.errors import CATALOGUE, Entry, Where

_WHERE = {
    Where.REQUEST: "Requests",
    Where.JOB: "Jobs and outputs",
    Where.DELIVERY: "Webhooks",
    Where.WARNING: "Warnings",
    Where.CONTAINER: "Containers of one job",
}


_UI = swagger_ui_bundle.swagger_ui_path
# all that there is, with its type: nothing is looked up by a name that came in
_FILES: Mapping[str, tuple[Path, str]] = {
    "favicon-32x32.png": (_UI, "image/png"),
    "start.js": (Path(__file__).parent / "static", "text/javascript"),
    "swagger-ui-bundle.js": (_UI, "text/javascript"),
    "swagger-ui.css": (_UI, "text/css"),
}
_UI_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>API – Encoder</title>'
    '<meta name="viewport" content="width=device-width"><link rel="icon" href="/docs/ui/favicon-32x32.png">'
    '<link rel="stylesheet" href="/docs/ui/swagger-ui.css"></head><body><div id="ui"></div>'
    '<script src="/docs/ui/swagger-ui-bundle.js"></script><script src="/docs/ui/start.js"></script></body></html>'
)


async def ui_page(_call: Call) -> web.Response:
    """GET /docs: Swagger UI over /openapi.json."""
    return web.Response(text=_UI_PAGE, content_type="text/html", charset="utf-8")


async def ui_file(call: Call) -> web.Response:
    """GET /docs/ui/{name}: one of the files of that page."""
    name = call.request.match_info["name"]
    if name not in _FILES:
        raise problems.not_found("There is no such file.")
    folder, content_type = _FILES[name]
    body = await asyncio.to_thread((folder / name).read_bytes)
    return web.Response(body=body, content_type=content_type, headers={"Cache-Control": "max-age=3600"})


async def errors_page(_call: Call) -> web.Response:
    """GET /docs/errors: the catalogue, one anchor per code."""
    return web.Response(text=_PAGE, content_type="text/html", charset="utf-8")


def served(operations: Iterable[Operation]) -> Handler:
    """GET /openapi.json. The document is written once."""
    body = msgspec.json.encode(openapi.document(operations))

    async def handle(_call: Call) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return handle


def _page() -> str:
    sections = "".join(_section(where, title) for where, title in _WHERE.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Error codes – Encoder</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/css/tokens.css">'
        '<link rel="stylesheet" href="/static/css/base.css"></head>'
        f"<body><main><h1>Error codes</h1>{sections}</main></body></html>"
    )


def _section(where: Where, title: str) -> str:
    entries = "".join(_entry(entry) for entry in CATALOGUE.values() if entry.where is where)
    return f"<h2>{title}</h2><dl>{entries}</dl>"


def _entry(entry: Entry) -> str:
    facts = [f"HTTP {entry.status}"] if entry.status else []
    facts += [str(entry.kind)] if entry.kind else []
    facts += [f"cause: {entry.blame}"] if entry.blame else []
    told = f" <small>{' · '.join(facts)}</small>" if facts else ""
    code = escape(entry.code)
    words = f"{entry.title}. {entry.to_do}" if entry.about is None else f"{entry.title}. {entry.about} {entry.to_do}"
    return f'<dt id="{code}"><code>{code}</code>{told}</dt><dd>{escape(words)}</dd>'


_PAGE = _page()
