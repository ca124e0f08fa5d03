"""The way of an output, in shares of its whole: where on it each stage of the work lies."""

from __future__ import annotations

# share of an output's way at which each stage begins
BEGINS = {
    "fetching": 0.0, "probing": 0.1, "lifting": 0.1, "sampling": 0.1, "measuring": 0.1, "encoding": 0.1,
    "joining": 0.9, "verifying": 0.9, "comparing": 0.92, "uploading": 0.95,
}  # fmt: skip
ENDS = {
    "fetching": 0.1, "probing": 0.1, "lifting": 0.1, "sampling": 0.1, "measuring": 0.1, "encoding": 0.9,
    "joining": 0.9, "verifying": 0.92, "comparing": 0.95, "uploading": 1.0,
}  # fmt: skip


def overall(stage: str, share: float | None) -> float | None:
    """The output's progress (0 … 1) when `share` of `stage` is done; None stays unknown."""
    if share is None:
        return None
    begin, end = BEGINS[stage], ENDS[stage]
    return begin + (end - begin) * min(max(share, 0.0), 1.0)
