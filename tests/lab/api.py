"""The API on a real socket and a real database, without a worker: what it takes in stays as it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from encoder import errors
from encoder.api.app import create_app
from encoder.api.cursor import Cursors
from encoder.api.parts import Limits, Parts
from encoder.api.passes import Passes
from encoder.api.server import serving
from encoder.dashboard.routes import routes
from encoder.destinations.registry import Destinations
from encoder.files.roots import Roots
from encoder.model.ids import TenantId
from encoder.model.job import JobSpec, Place
from encoder.model.media import Media
from encoder.model.preview import Preview
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.queue.arrive import Arrivals
from encoder.queue.ceiling import Ceiling
from encoder.queue.enqueue import Enqueue
from encoder.queue.fitness import Fitness
from encoder.queue.watch import Watcher
from encoder.signer import Signer
from encoder.sources.registry import Sources
from encoder.storage.folder import FolderStorage
from encoder.store.protocol import Store
from encoder.vault import Vault, new_key
from encoder.webhooks.endpoints import Endpoints
from encoder.wiring.checks import Checks
from tests.lab.wire import POLICY

LIMITS = Limits(stream_check_s=0.02, stream_gather_s=0.02)


@dataclass
class NoInspector:
    """Fails as it is told to: the real one needs ffmpeg, and is tried where jobs run."""

    failure: errors.Failure = field(default_factory=lambda: errors.Permanent("source_not_found", "It is not there."))

    async def inspect(self, _source: Place) -> Media:
        raise self.failure

    async def preview(self, _spec: JobSpec, _tenant_id: TenantId) -> Preview:
        raise self.failure


@dataclass(kw_only=True)
class Api:
    """A server and a session with it. `routes`: all that it has, documented or not, as method and template."""

    url: str
    port: int
    parts: Parts
    storage: FolderStorage
    root: Path  # of the storage
    session: aiohttp.ClientSession
    routes: frozenset[tuple[str, str]]

    def ask(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401  # as aiohttp's own `request`
        return self.session.request(method, self.url + path, **more)

    async def submit(self, body: object, *, key: str | None = None) -> dict[str, Any]:
        """The answer to a job that must be accepted."""
        headers = {"Idempotency-Key": key} if key else {}
        async with self.ask("POST", "/jobs", json=body, headers=headers) as response:
            told: dict[str, Any] = await response.json()
            assert response.status == 202, told
            return told

    async def told(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of an answer, whatever it is; None where it holds none."""
        async with self.ask(method, path, json=body) as response:
            return response.status, await response.json() if "json" in response.content_type else None

    async def get(self, path: str) -> Any:  # noqa: ANN401  # JSON
        async with self.ask("GET", path) as response:
            told = await response.json()
            assert response.status == 200, told
            return told

    async def raw(self, data: bytes, *, within_s: float = 5.0) -> bytes:
        """All that the server says to some bytes before it closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            return await asyncio.wait_for(reader.read(), within_s)
        finally:
            writer.close()


@asynccontextmanager
async def running(
    store: Store,
    folder: Path,
    *,
    vault: Vault | None = None,
    **changes: Any,  # noqa: ANN401  # members of Parts
) -> AsyncIterator[Api]:
    """The API over `store`; storage and file roots lie in `folder`."""
    (folder / "storage").mkdir()
    (folder / "root").mkdir()
    policy: Policy = POLICY
    storage = FolderStorage(folder / "storage", public_url="http://lab", signer=Signer(b"lab"))
    around = Surroundings(web=Web(policy=policy), roots=Roots(paths=(folder / "root",)))
    sources, destinations = Sources(around, stored=storage.source), Destinations(around, stored=storage.destination)
    checks = Checks(sources=sources, destinations=destinations, policy=policy)
    secret, vault = checks.secret_members, vault or Vault([new_key()])
    ceiling: Ceiling = changes.pop("ceiling", None) or Ceiling(store, most=0)
    limits: Limits = changes.get("limits", LIMITS)
    stopping = asyncio.Event()
    parts = Parts(
        **{
            "store": store,
            "submit": Enqueue(store, vault, max_attempts=3, new_uuid=uuid4, secret_members=secret),
            "inspector": NoInspector(),
            "arrivals": Arrivals(store, changes.get("storage", storage), ceiling, most_bytes=limits.upload_bytes),
            "passes": Passes(public_url="http://lab", signer=Signer(b"lab")),
            "places": checks,
            "storage": storage,
            "vault": vault,
            "surroundings": around,
            "shelf": storage,
            "cursors": Cursors(Signer(b"lab")),
            "endpoints": Endpoints(store, vault, new_uuid=uuid4),
            "watcher": Watcher(store, look_s=0.02, poll_s=0.02),
            "limits": LIMITS,
            "stopping": stopping,
            "fitness": Fitness(store=store, stopping=stopping, within_s=0.5),
            **changes,
        }
    )
    app = create_app(parts, pages=routes(parts, signer=Signer(b"lab")))
    listener = socket.create_server(("127.0.0.1", 0))
    async with serving(app, listener), aiohttp.ClientSession() as session:
        port = listener.getsockname()[1]
        yield Api(
            url=f"http://127.0.0.1:{port}",
            port=port,
            parts=parts,
            storage=storage,
            root=folder / "storage",
            session=session,
            routes=frozenset((route.method, _template(route)) for route in app.router.routes()),
        )


def _template(route: web.AbstractRoute) -> str:
    assert route.resource is not None
    return route.resource.canonical
