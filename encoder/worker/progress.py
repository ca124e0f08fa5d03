"""How far an output is: one number over all stages, never a guess."""

from __future__ import annotations

from encoder.store.rows import Live

# share of an output's way at which each stage begins
BEGINS = {"fetching": 0.0, "probing": 0.1, "encoding": 0.1, "verifying": 0.9, "uploading": 0.95}
ENDS = {"fetching": 0.1, "probing": 0.1, "encoding": 0.9, "verifying": 0.95, "uploading": 1.0}


def overall(stage: str, share: float | None) -> float | None:
    """The output's progress (0 … 1) when `share` of `stage` is done; None stays unknown."""
    if share is None:
        return None
    begin, end = BEGINS[stage], ENDS[stage]
    return begin + (end - begin) * min(max(share, 0.0), 1.0)


def transfer(stage: str, done_bytes: int, size_bytes: int | None, elapsed_s: float) -> Live:
    """Progress of a transfer, by bytes."""
    if not size_bytes:
        return Live(stage=stage)
    share = done_bytes / size_bytes
    eta_s = elapsed_s * (1 - share) / share if share > 0 else None
    return Live(stage=stage, progress=overall(stage, share), eta_seconds=eta_s)


def encode(out_time_s: float | None, duration_s: float | None, *, fps: float | None, speed: float | None) -> Live:
    """Progress of an encode, by media time. An unknown duration makes an unknown progress."""
    if not duration_s or out_time_s is None:
        return Live(stage="encoding", fps=fps, speed=speed)
    eta_s = max(duration_s - out_time_s, 0.0) / speed if speed else None
    return Live(
        stage="encoding",
        progress=overall("encoding", out_time_s / duration_s),
        fps=fps,
        speed=speed,
        eta_seconds=eta_s,
    )
