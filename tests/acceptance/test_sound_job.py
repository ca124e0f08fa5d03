"""Sound as it was asked for, from HTTP to the file: docs/encoding.md, "Loudness"."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab import media
from tests.lab.platform import running


async def test_a_file_and_a_package_come_out_as_loud_as_was_asked(dsn: str, tmp_path: Path) -> None:
    loud = {"encoderPreset": "ultrafast", "loudness": -16}
    job = {
        "source": {"kind": "inline", "data": media.inline_picture()},
        "outputs": [
            {"preset": "h264", **loud},
            {"container": "hls", **loud},
            {"container": "m4a", "videoCodec": "none", "loudness": -23},
        ],
    }
    async with running(dsn, tmp_path) as platform:
        status, preview = await platform.call("POST", "/jobs?dryRun=true", json=job)
        assert status == 200, preview
        done = await platform.ended(await platform.submit(job))
    assert done["status"] == "completed", json.dumps(done, indent=1)
    for planned in preview["outputs"]:
        first, *_ = planned["commands"]
        assert "ebur128=peak=true:framelog=quiet" in " ".join(first)
        assert "loudness_measured" in {reason["code"] for reason in planned["reasons"]}
    for output, lufs in zip(done["outputs"], (-16, -16, -23), strict=True):
        check = next(check for check in output["proof"]["checks"] if check["name"] == "loudness")
        assert (check["passed"], check["expected"]["mode"], check["expected"]["lufs"]) == (True, "linear", lufs)
        assert "ebur128=peak=true:framelog=quiet" in " ".join(output["command"])
