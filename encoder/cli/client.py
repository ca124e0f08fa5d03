"""The API as Python calls: thin, typed at the JSON's edge, patient with a server that is away or busy.

What may safely be sent twice is: reads, and creations under one `Idempotency-Key`. `Retry-After` is honoured. Live
events are resumed after the last one that was seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias
from urllib.parse import quote
from uuid import uuid4

from encoder.cli import sse
from encoder.cli.refused import Foreign, Object, Refused
from encoder.model.base import Json

if TYPE_CHECKING:
    from encoder.cli.exchange import Exchange

Sleep: TypeAlias = Callable[[float], Awaitable[None]]

MAX_TRIES = 4

_PAUSE_S = 1.0  # before a stream is asked for again that the server has ended


class Client:
    """One server, one key. An async context manager; `sleep` is what waits between the `tries`."""

    def __init__(
        self, url: str, key: str | None = None, *, sleep: Sleep = asyncio.sleep, tries: int = MAX_TRIES
    ) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._sleep = sleep
        self._tries = tries

    async def __aenter__(self) -> Self:
        from encoder.cli.exchange import Exchange  # noqa: PLC0415  # aiohttp takes as long to load as all else together

        self._exchange: Exchange = Exchange(self.url, self._key, sleep=self._sleep, tries=self._tries)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exchange.close()

    async def submit(self, job: Object, *, key: str | None = None) -> Object:
        """Posts a job under `key` (a new one if absent), so that a lost answer makes no second job."""
        return await self._send("POST", "/jobs", body=job, headers={"Idempotency-Key": key or str(uuid4())})

    async def plan(self, job: Object) -> Object:
        return await self._send("POST", "/jobs", {"dryRun": "true"}, body=job)

    async def probe(self, source: Object) -> Object:
        return await self._send("POST", "/probe", body={"source": source})

    async def job(self, job: str) -> Object:
        return await self._send("GET", f"/jobs/{_name(job)}")

    async def jobs(self, *, limit: int, **filters: str) -> AsyncGenerator[Object, None]:
        """The newest `limit` jobs that pass the filters, page by page."""
        async for job in self._pages("/jobs", "jobs", limit, filters):
            yield job

    async def cancel(self, job: str) -> Object:
        return await self._send("POST", f"/jobs/{_name(job)}/cancel")

    async def delete(self, job: str) -> None:
        await self._send("DELETE", f"/jobs/{_name(job)}", repeatable=False)

    async def log(self, job: str, output: int) -> str:
        """What ffmpeg said on an output's last attempt."""
        path = f"/jobs/{_name(job)}/outputs/{output}/log"
        return (await self._exchange.text("GET", path, {}, headers={}, repeatable=True)).decode(errors="replace")

    async def tail(self, job: str, output: int) -> Object:
        """The end of what ffmpeg said for an output, or says: `at`, `text`."""
        return await self._send("GET", f"/jobs/{_name(job)}/outputs/{output}/tail")

    async def retry(self, job: str) -> Object:
        return await self._send("POST", f"/jobs/{_name(job)}/retry", repeatable=False)

    async def announce(self, file_name: str, size_bytes: int) -> Object:
        """Asks for an invitation to bring a file: in pieces, if the server knows of these."""
        file: Object = {"file_name": file_name, "size_bytes": size_bytes}
        try:
            # its job is sent by itself
            return await self._send("POST", "/upload", body={**file, "outputs": [], "protocol": "tus"})
        except Refused as refused:
            if refused.code != "unknown_field":
                raise
        return await self._send("POST", "/upload", body=file)  # a server from before there were pieces

    async def ingest_rules(self) -> list[Object]:
        return self._listed(await self._send("GET", "/ingest/rules"), "rules")

    async def put_ingest_rule(self, name: str, rule: Object) -> Object:
        return await self._send("PUT", f"/ingest/rules/{_name(name)}", body=rule)

    async def remove_ingest_rule(self, name: str) -> None:
        await self._send("DELETE", f"/ingest/rules/{_name(name)}", repeatable=False)

    async def presets(self) -> list[Object]:
        return self._listed(await self._send("GET", "/presets"), "presets")

    async def preset(self, name: str) -> Object:
        return await self._send("GET", f"/presets/{_name(name)}")

    async def put_preset(self, name: str, preset: Object) -> Object:
        return await self._send("PUT", f"/presets/{_name(name)}", body=preset)

    async def remove_preset(self, name: str) -> None:
        await self._send("DELETE", f"/presets/{_name(name)}", repeatable=False)

    async def workers(self) -> list[Object]:
        return self._listed(await self._send("GET", "/workers", {"lost": "true"}), "workers")

    async def troubles(self) -> list[Object]:
        """What is wrong now: of the fleet too, for whoever may see it."""
        try:
            found = await self._send("GET", "/troubles/all")
        except Refused as refused:
            if refused.code == "not_found":  # a server from before there were troubles
                return []
            if refused.code != "insufficient_scope":
                raise
            found = await self._send("GET", "/troubles")
        return self._listed(found, "troubles")

    async def stats(self, **asked: str) -> Object:
        return await self._send("GET", "/stats", asked)

    async def pause(self, queue: str, because: str | None) -> Object:
        return await self._send("POST", f"/queues/{_name(queue)}/pause", {"because": because} if because else {})

    async def resume(self, queue: str) -> Object:
        return await self._send("POST", f"/queues/{_name(queue)}/resume")

    async def dead(self) -> list[Object]:
        return self._listed(await self._send("GET", "/dead"), "groups")

    async def redrive(self, limit: int, **chosen: str) -> Object:
        return await self._send("POST", "/dead/redrive", {**chosen, "limit": str(limit)}, repeatable=False)

    async def endpoints(self) -> list[Object]:
        return self._listed(await self._send("GET", "/webhooks/endpoints"), "endpoints")

    async def endpoint(self, name: str) -> Object:
        return await self._send("GET", f"/webhooks/endpoints/{_name(name)}")

    async def put_endpoint(self, name: str, endpoint: Object) -> Object:
        return await self._send("PUT", f"/webhooks/endpoints/{_name(name)}", body=endpoint, repeatable=False)

    async def rotate_endpoint(self, name: str, keep_hours: int) -> Object:
        path = f"/webhooks/endpoints/{_name(name)}/rotate"
        return await self._send("POST", path, {"keepHours": str(keep_hours)}, repeatable=False)

    async def remove_endpoint(self, name: str) -> None:
        await self._send("DELETE", f"/webhooks/endpoints/{_name(name)}", repeatable=False)

    async def test_endpoint(self, name: str) -> Object:
        return await self._send("POST", f"/webhooks/endpoints/{_name(name)}/test", repeatable=False)

    async def deliveries(self, *, limit: int, **filters: str) -> AsyncGenerator[Object, None]:
        """The newest `limit` deliveries that pass the filters, page by page."""
        async for delivery in self._pages("/webhooks/deliveries", "deliveries", limit, filters):
            yield delivery

    async def delivery(self, delivery: str) -> Object:
        return await self._send("GET", f"/webhooks/deliveries/{_name(delivery)}")

    async def replay(self, delivery: str) -> None:
        await self._send("POST", f"/webhooks/deliveries/{_name(delivery)}/replay")

    async def replay_all(self, limit: int, **chosen: str) -> Object:
        query = {**chosen, "limit": str(limit)}
        return await self._send("POST", "/webhooks/deliveries/replay", query, repeatable=False)

    async def events(self, job: str) -> AsyncGenerator[sse.Message, None]:
        """What happens to a job, from now until it ends. A stream that breaks is taken up where it broke."""
        async for message in self._exchange.followed(f"/jobs/{_name(job)}/events"):
            yield message  # the server ends the stream after the job's last event

    async def news(self) -> AsyncGenerator[sse.Message, None]:
        """What changes among all jobs, from now on."""
        while True:
            async for message in self._exchange.followed("/events"):
                yield message
            await self._sleep(_PAUSE_S)  # the server went away in order

    async def timeline(self, job: str, after: int) -> list[Object]:
        """What happened to a job after its event of this number."""
        return self._listed(await self._send("GET", f"/jobs/{_name(job)}/events", {"after": str(after)}), "events")

    async def _pages(
        self, path: str, member: str, limit: int, filters: Mapping[str, str]
    ) -> AsyncGenerator[Object, None]:
        query = {**filters, "limit": str(min(limit, 200))}
        while limit > 0:
            page = await self._send("GET", path, query)
            for each in self._listed(page, member)[:limit]:
                yield each
                limit -= 1
            if not page.get("nextCursor"):
                return
            query["cursor"] = str(page["nextCursor"])

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Object:
        return await self._exchange.send(
            method, path, query or {}, body=body, headers=headers or {}, repeatable=repeatable
        )

    def _listed(self, answer: Object, member: str) -> list[Object]:
        found = answer.get(member)
        if not isinstance(found, list):
            raise Foreign(self.url)
        return [each for each in found if isinstance(each, dict)]


def _name(text: str) -> str:
    """`text` as one part of a path, whatever stands in it."""
    return quote(text, safe="")
