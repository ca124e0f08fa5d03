"""Why a queue is paused, and who paused it, in one column: the latter stands behind the former."""

from __future__ import annotations

_BEHIND = "\x1f"  # the unit separator, which no name and no reason may hold


def pause_text(because: str, by: str | None) -> str:
    """What is kept; "" for nothing."""
    return because if by is None else f"{because}{_BEHIND}{by}"


def read_pause(text: str | None) -> tuple[str | None, str | None]:
    """Why, and by whom, as far as it was said."""
    because, _, by = (text or "").partition(_BEHIND)
    return because or None, by or None
