"""The least that an API on aiohttp and PostgreSQL can do: one INSERT, one SELECT. The floor of `bench api`.

`python -m tests.bench.bare_api DSN PORT`
"""

from __future__ import annotations

import json
import sys

import asyncpg
from aiohttp import web

from encoder.store.postgres.store import POOL_SIZE

TABLE = "CREATE TABLE bare_jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, spec json NOT NULL)"
_POOL = web.AppKey("pool", asyncpg.Pool)


async def submit(request: web.Request) -> web.Response:
    body = await request.json()
    number = await request.app[_POOL].fetchval(
        "INSERT INTO bare_jobs (spec) VALUES ($1) RETURNING id", json.dumps(body)
    )
    return web.json_response({"id": number}, status=202)


async def shown(request: web.Request) -> web.Response:
    row = await request.app[_POOL].fetchrow(
        "SELECT id, spec FROM bare_jobs WHERE id = $1", int(request.match_info["id"])
    )
    assert row is not None
    return web.json_response({"id": row["id"], "spec": json.loads(row["spec"])})


async def opened(dsn: str) -> web.Application:
    app = web.Application()
    app[_POOL] = await asyncpg.create_pool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE)
    app.add_routes([web.post("/jobs", submit), web.get("/jobs/{id}", shown)])
    return app


if __name__ == "__main__":
    web.run_app(opened(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
