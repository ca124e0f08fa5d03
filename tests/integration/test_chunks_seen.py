"""What people see of a job in chunks while it is made, on a real platform: it goes on, and on, and never back."""

from __future__ import annotations

import asyncio
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

from encoder.model.base import Json
from tests.lab import media
from tests.lab.platform import running

OUTPUT: dict[str, Json] = {"preset": "h264", "width": 480, "height": 270, "upscale": True, "chunked": True}
CHUNKS = 4


async def test_a_job_in_chunks_is_told_as_one_that_goes_on(dsn: str, tmp_path: Path) -> None:
    """Seen to fail where its chunks are not summed."""
    shutil.copy(media.clip(seconds=8, name="8.mp4"), tmp_path / "in.mp4")
    asked = {"source": {"kind": "file", "path": str(tmp_path / "in.mp4")}, "outputs": [OUTPUT]}
    async with running(dsn, tmp_path, workers=2, hasty=True, ENCODER_CHUNK_SECONDS="2") as platform:
        status, plan = await platform.call("POST", "/jobs?dryRun=true", json=asked)
        (planned,) = plan["outputs"]
        assert status == 200, plan
        assert planned["reasons"][-1]["message"] == f"Its picture is made in {CHUNKS} chunks: it is asked for."
        assert "file:0000/0/picture" in planned["commands"][-1]
        job_id = await platform.submit(asked)
        seen = [job := await platform.job(job_id)]
        while job["status"] in {"queued", "processing"}:
            await asyncio.sleep(0.05)
            seen.append(job := await platform.job(job_id))
        assert job["status"] == "completed", job
        assert job["outputs"][0]["plan"]["reasons"][-1] == planned["reasons"][-1]
        _, timeline = await platform.call("GET", f"/jobs/{job_id}/timeline")
    shares = [share for job in seen if (share := job["outputs"][0]["progress"]) is not None and _planned(job)]
    assert all(before <= after for before, after in pairwise(shares)), shares
    in_chunks = [job for job in seen if (job["waitingFor"] or {}).get("reason") == "chunks"]
    details = " ".join(job["waitingFor"]["detail"] for job in in_chunks)
    assert f"of {CHUNKS} chunks are made, 2 are being made" in details
    assert any(output["fps"] and output["etaSeconds"] and output["worker"] for output in map(_first, in_chunks))
    (run,) = timeline["runs"]
    assert [attempt["task"] for attempt in run["attempts"]] == ["t1", "t1/join"]
    told = run["chunks"]
    assert (told["first"], told["last"], told["made"], told["running"], told["retried"]) == (1, CHUNKS, CHUNKS, 0, 0)
    assert run["attempts"][0]["endedAt"] == told["queuedAt"] <= told["startedAt"] < told["endedAt"]
    assert told["endedAt"] == run["attempts"][1]["queuedAt"]
    spans = run["attempts"][1]["spans"]
    assert spans[0]["stage"] == "fetching"
    assert spans[0]["endedAt"] <= min(span["startedAt"] for span in spans if span["output"] is not None)


def _first(job: Any) -> Any:  # noqa: ANN401  # JSON
    return job["outputs"][0]


def _planned(job: Any) -> bool:  # noqa: ANN401  # JSON
    """From when its picture is being made: before, an output is as far as its source was fetched."""
    return str(_first(job)["status"]) != "queued"
