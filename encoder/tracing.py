"""Traces: what a process does for a job, as spans. While they are off, which they are by default, nothing here does
anything; `otel` tells them to a collector.

A span belongs to the one around it, in this asyncio task and those that it starts. Hours lie between a call and the
attempt at its job, so that each attempt begins a trace of its own, linked to the call by what `traceparent` gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol

from encoder import errors


class Kind(StrEnum):
    """A span's part in the talk of processes, as OpenTelemetry has it."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


Facts = Mapping[str, str | int | float | bool]
_NONE: Facts = {}


class Tracer(Protocol):
    """What spans are told to."""

    def span(
        self, name: str, kind: Kind, facts: Facts, *, caller: str | None, links: Sequence[str] | None
    ) -> AbstractContextManager[None]: ...

    def note(self, facts: Facts) -> None: ...

    def failed(self, code: str) -> None: ...

    def traceparent(self) -> str | None: ...

    def trace_id(self) -> str | None: ...


_tracer: Tracer | None = None
_NOTHING = nullcontext()


def tell(tracer: Tracer | None) -> None:
    """From now on spans of this process are told to `tracer`; None: to nobody."""
    global _tracer  # noqa: PLW0603  # of the process, as its log is
    _tracer = tracer


def span(
    name: str, kind: Kind = Kind.INTERNAL, facts: Facts = _NONE, *, caller: str | None = None
) -> AbstractContextManager[None]:
    """Around an act. `caller`: the `traceparent` that came with the call. What it raises is noted by its code."""
    return _NOTHING if _tracer is None else _tracer.span(name, kind, facts, caller=caller, links=None)


def attempt(name: str, kind: Kind, facts: Facts, *, after: object) -> AbstractContextManager[None]:
    """Around an act that begins a trace of its own. `after`: the `traceparent` of what it follows, if there is one."""
    links = [after] if isinstance(after, str) else []
    return _NOTHING if _tracer is None else _tracer.span(name, kind, facts, caller=None, links=links)


def note(facts: Facts) -> None:
    """Facts of the span around us that were not known when it began."""
    if _tracer is not None:
        _tracer.note(facts)


def failed(code: str) -> None:
    """The act around us fails, though it raises nothing."""
    if _tracer is not None:
        _tracer.failed(code)


def traceparent() -> str | None:
    """The name of the span around us for others (W3C Trace Context)."""
    return None if _tracer is None else _tracer.traceparent()


def trace_id() -> str | None:
    """The trace around us, as 32 hex digits; None where there is none, or it is not kept."""
    return None if _tracer is None else _tracer.trace_id()


def code_of(error: BaseException) -> str:
    """What went wrong, in a word: never a message, which might say more than a trace should."""
    return error.code if isinstance(error, errors.Failure) else type(error).__name__
