"""The pages that a problem's `type` leads to, and the document of the API."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import msgspec
from aiohttp import web

from encoder.api import openapi
from encoder.api.operations import Call, Handler, Operation
from encoder.errors import CATALOGUE, Entry, Where

_WHERE = {
    Where.REQUEST: "Requests",
    Where.JOB: "Jobs and outputs",
    Where.DELIVERY: "Webhooks",
    Where.WARNING: "Warnings",
}


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
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/encoder.css"></head>'
        f"<body><main><h1>Error codes</h1>{sections}</main></body></html>"
    )


def _section(where: Where, title: str) -> str:
    entries = "".join(_entry(entry) for entry in CATALOGUE.values() if entry.where is where)
    return f"<h2>{title}</h2><dl>{entries}</dl>"


def _entry(entry: Entry) -> str:
    facts = [f"HTTP {entry.status}"] if entry.status else []
    facts += [str(entry.kind)] if entry.kind else []
    told = f" <small>{' · '.join(facts)}</small>" if facts else ""
    code = escape(entry.code)
    return f'<dt id="{code}"><code>{code}</code>{told}</dt><dd>{escape(entry.title)}. {escape(entry.to_do)}</dd>'


_PAGE = _page()
