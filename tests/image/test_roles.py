"""Each role starts from the image behind all its walls, and a job is done in there. Walls are those of compose.yaml."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from encoder.roles.serve import UNREADY_S
from tests.lab import container, media
from tests.lab.platform import SECRET_KEY, WEBHOOK_SECRET, free_port, until
from tests.lab.postgres import Cluster

FSYNC = "fsync is off: a crash of the machine may destroy the database"  # of the lab's alone


def _environment(dsn: str, port: int, metrics_port: int) -> dict[str, str]:
    return {
        "ENCODER_DATABASE_URL": dsn,
        "ENCODER_STORAGE": "file:/storage",
        "ENCODER_FILE_ROOTS": "/storage",
        "ENCODER_SECRET_KEYS": SECRET_KEY,
        "ENCODER_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ENCODER_HOST": "127.0.0.1",  # the host's network is ours here
        "ENCODER_PORT": str(port),
        "ENCODER_METRICS_PORT": str(metrics_port),
    }


async def _answers(url: str, status: int = 200) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status == status
    except aiohttp.ClientError:
        return False


async def test_roles_start_a_job_completes_and_they_end_at_once_when_told(cluster: Cluster, tmp_path: Path) -> None:
    """O1: from an empty database to a proven file."""
    port, metrics_port = free_port(), free_port()
    (tmp_path / "demo.mp4").write_bytes(media.clip(seconds=2, size="640x360", name="image.mp4").read_bytes())
    (tmp_path / "demo.mp4").chmod(0o644)
    tmp_path.chmod(0o777)
    mounts = [f"{tmp_path}:/storage"]
    url = f"http://127.0.0.1:{port}"
    async with cluster.empty() as dsn:
        environment = _environment(dsn, port, metrics_port)
        async with container.running("retention", "migrate", environment=environment, mounts=mounts) as migrate:
            await until(lambda: asyncio.sleep(0, "migrate.done" in migrate.log()), within_s=20)
        async with (
            container.running("api", environment=environment, mounts=mounts) as api,
            container.running("worker-1", environment=environment, mounts=mounts) as worker,
        ):
            await until(lambda: _answers(f"{url}/readyz"), within_s=20)
            await until(lambda: _answers(f"http://127.0.0.1:{metrics_port}/livez"), within_s=20)
            for role in (api, worker):
                lives = role.inside("encoder", "doctor", "--live")
                assert (lives.returncode, lives.stdout) == (0, "alive\n"), lives.stderr
            _is_walled_in(worker)
            job = await _done(url)
            assert job["status"] == "completed", json.dumps(job, indent=1) + worker.log()
            (output,) = job["outputs"]
            assert all(check["passed"] for check in output["proof"]["checks"])
            (made,) = [each for each in tmp_path.rglob("*.mp4") if each.name != "demo.mp4"]
            assert made.stat().st_size == output["sizeBytes"]
            async with container.running("retention", environment=environment, mounts=mounts) as retention:
                await until(lambda: asyncio.sleep(0, "retention.swept" in retention.log()), within_s=20)
                assert await retention.stop(within_s=20) == 0, retention.log()
            for role, unready_s in ((worker, 0.0), (api, UNREADY_S)):
                began = time.monotonic()
                assert await role.stop(within_s=20) == 0, role.log()
                assert time.monotonic() - began - unready_s < 2  # podman's own part is 0.1 to 0.3 s of it
                assert '"level":"error"' not in role.log().replace(": ", ":")


async def _done(url: str) -> dict[str, Any]:
    """A job from POST to its end."""
    body = {"source": {"kind": "file", "path": "/storage/demo.mp4"}, "outputs": [{"preset": "h264", "height": 180}]}
    async with aiohttp.ClientSession(url) as session:
        async with session.post("/jobs", json=body) as response:
            answer = await response.json()
            assert response.status == 202, answer
        job: dict[str, Any] = {}

        async def has_ended() -> bool:
            async with session.get(f"/jobs/{answer['id']}") as response:
                job.update(await response.json())
            return job["status"] in ("completed", "failed")

        await until(has_ended, within_s=60)
    return job


def _is_walled_in(worker: container.Running) -> None:
    """What doctor says in there, and what the kernel does."""
    said = worker.inside("encoder", "doctor", "--json").stdout.splitlines()
    findings = {each["name"]: each for each in map(json.loads, said)}
    assert {name: each["detail"] for name, each in findings.items() if not each["ok"]} == {"database": FSYNC}
    assert findings["sandbox"]["detail"].startswith("files walled in, network walled off")
    status = dict(
        line.split(":\t", 1) for line in worker.inside("cat", "/proc/1/status").stdout.splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == ["10001"] * 4
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_without_a_database_a_role_says_what_is_missing() -> None:
    with pytest.raises(AssertionError, match="ENCODER_DATABASE_URL is not set"):
        container.run("migrate")
