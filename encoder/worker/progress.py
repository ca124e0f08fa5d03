"""How far an output is: one number over all stages, never a guess."""

from __future__ import annotations

from encoder.ffmpeg.codecs import COPY
from encoder.ffmpeg.progress import Progress
from encoder.model.plan import OutputPlan
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


def encode(plan: OutputPlan, now: Progress, elapsed_s: float) -> Live:
    """Progress of an encode whose first output is `plan`: by its frames, for sound runs ahead of a picture's lookahead.

    Sound alone, and copies, go by media time. An unknown length makes an unknown progress.
    """
    video, length_s = plan.video, plan.duration_seconds
    done: float | None = None
    if video is not None and video.encoder != COPY and video.frames:
        done = (now.frame or 0) / video.frames
    elif length_s and now.out_time_seconds is not None:
        done = now.out_time_seconds / length_s
    return Live(
        stage="encoding",
        progress=overall("encoding", done),
        fps=now.frame / elapsed_s if now.frame and elapsed_s > 0 else None,
        speed=done * length_s / elapsed_s if done and length_s and elapsed_s > 0 else None,
        eta_seconds=elapsed_s * max(1 - done, 0.0) / done if done else None,
    )
