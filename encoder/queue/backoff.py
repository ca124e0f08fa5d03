"""How long to wait before trying again: full jitter, so that those who failed together do not return together."""

from __future__ import annotations

from collections.abc import Callable

BASE_S = 10.0
LIMIT_S = 600.0

Uniform = Callable[[float, float], float]


def attempt_delay_s(attempt: int, *, retry_after_s: float | None, uniform: Uniform) -> float:
    """Seconds before the attempt after `attempt` (1, 2, …): uniform(0, min(600, 10 · 2ⁿ)), not before `Retry-After`."""
    jittered = uniform(0.0, min(LIMIT_S, BASE_S * 2**attempt))
    return max(jittered, min(retry_after_s or 0.0, LIMIT_S))


def stage_delay_s(trial: int, *, retry_after_s: float | None, uniform: Uniform) -> float:
    """Seconds between two tries inside a stage: uniform(0, min(30, 0.5 · 2ⁿ)), not before `Retry-After` (≤ 60 s)."""
    return max(uniform(0.0, min(30.0, 0.5 * 2**trial)), min(retry_after_s or 0.0, 60.0))
