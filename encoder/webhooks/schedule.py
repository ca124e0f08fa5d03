"""What an answer means, and when to tell again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from encoder.store.rows import DeliveryTry

# Seconds after the try before; the first is at once.
DELAYS_S = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
MOST_TRIES = len(DELAYS_S)
JITTER = 0.2

_BREATHER_S = 60.0  # at least, for a receiver that did not keep up
_SLOW = ("timeout", "receiver_silent")
_GONE = 410
_TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one try. `status` None: no answer; `error` is then the code of why."""

    status: int | None = None
    error: str | None = None
    retry_after_s: float | None = None
    text: str | None = None  # the first 1 KiB of what it said


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One try as it is written down. `delay_seconds`: until the next one, if `result` is pending."""

    result: DeliveryTry
    delay_seconds: float = 0.0


def judge(answer: Answer, *, tried: int, jitter: float) -> Sent:
    """What follows from `answer`, which ended try number `tried` (from 1). `jitter`: random, −1 … 1."""
    state = _state(answer, tried)
    result = DeliveryTry(state=state, status=answer.status, error=_error(answer, state), answer=answer.text)
    if state != "pending":
        return Sent(result=result)
    return Sent(result=result, delay_seconds=_delay_s(answer, DELAYS_S[tried], jitter))


def _state(answer: Answer, tried: int) -> str:
    if answer.status is not None and 200 <= answer.status < 300:  # noqa: PLR2004  # a success, says HTTP
        return "delivered"
    if answer.status == _GONE:
        return "gone"
    return "pending" if tried < MOST_TRIES else "exhausted"


def _error(answer: Answer, state: str) -> str | None:
    if state == "delivered":
        return None
    return answer.error or f"answered {answer.status}"


def _delay_s(answer: Answer, base_s: float, jitter: float) -> float:
    """The receiver may ask for more time, up to twice ours, never for less."""
    delay_s = base_s * (1 + JITTER * jitter)
    if answer.retry_after_s is not None:
        delay_s = min(max(answer.retry_after_s, base_s), 2 * base_s)
    if answer.error in _SLOW or answer.status == _TOO_MANY:
        delay_s = max(delay_s, _BREATHER_S)
    return delay_s
