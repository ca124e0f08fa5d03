"""How every live stream is sent: server-sent events to whoever may hear them, for as long as somebody listens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

import msgspec
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from encoder import errors
from encoder.api.operations import Call
from encoder.errors import Rejected
from encoder.model.base import Record
from encoder.model.key import Scope
from encoder.queue.seats import Seat

PING_S = 15.0
SEND_S = 30.0  # who has not taken a message by then is gone, or might as well be
RECONNECT_MS = 3000
MOVE_MS = 1000  # when the server stops: the next one is there already


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event. `data`: JSON, or what becomes it. `first`: it also says when to come back."""

    event: str
    data: Record | str
    id: int | None = None
    first: bool = False


def asked_for(call: Call) -> bool:
    """Whether the caller can hear a stream: whoever waits for an answer to end would wait for ever."""
    return "text/event-stream" in call.request.headers.get("Accept", "")


async def stream(call: Call, messages: AsyncGenerator[Message]) -> web.StreamResponse:
    """Send them. A message is made when the one before it was taken, so that no slow reader piles anything up.

    Raises:
        errors.Rejected: `origin_not_allowed`.
    """
    call.parts.origins.require_own(call.request, public_host=call.parts.public_host)
    response = EventSourceResponse(send_timeout=SEND_S, ping_interval=PING_S)
    response.headers["Cache-Control"] = "no-store"
    await response.prepare(call.request)
    async with response, aclosing(messages):
        # nobody listens any more, or nobody may, or nobody knows just now: then he comes back and takes it up
        with suppress(ConnectionError, TimeoutError, Rejected, errors.StoreUnavailable):
            async for message in messages:
                await response.send(
                    message.data if isinstance(message.data, str) else text(message.data),
                    event=message.event,
                    id=None if message.id is None else str(message.id),
                    retry=RECONNECT_MS if message.first else None,
                )
            if call.parts.stopping.is_set():
                await response.write(b"retry: %d\r\n\r\n" % MOVE_MS)
    return response


def text(data: Record) -> str:
    return msgspec.json.encode(data).decode()


async def pause(call: Call, seat: Seat, limit_s: float | None = None) -> bool:
    """Wait for something new; False when there is nobody left to tell, or the server stops.

    Raises:
        errors.Rejected: the key that it came with is good no more.
    """
    await seat.wait(call.parts.limits.stream_check_s if limit_s is None else limit_s)
    transport = call.request.transport
    if seat.closed or transport is None or transport.is_closing():
        return False
    with suppress(errors.StoreUnavailable):  # then nobody can tell, and nothing new comes either
        await call.parts.gate.admit(call.request, Scope.READ)
    return True
