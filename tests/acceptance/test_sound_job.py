"""Sound as it was asked for, from HTTP to the file: docs/why/encoding.md, "Loudness"."""

from __future__ import annotations

import json
import shutil
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


async def test_each_language_of_a_package_comes_out_as_loud_as_was_asked(dsn: str, tmp_path: Path) -> None:
    """The second is quieter by far: each is measured and raised by itself."""
    film = media.made(
        "quiet.mkv", "-i", str(media.clip(size="160x90", name="quiet.mp4")),
        "-f", "lavfi", "-i", "sine=f=1000:d=2:r=48000,volume=-12dB", "-map", "0:v", "-map", "0:a", "-map", "1:a",
        "-c:v", "copy", "-c:a", "aac", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra",
    )  # fmt: skip
    source = shutil.copy(film, tmp_path / "in.mkv")
    output = {"container": "cmaf", "encoderPreset": "ultrafast", "audioTracks": ["fra", "eng"], "loudness": -20}
    async with running(dsn, tmp_path) as platform:
        sent = {"source": {"kind": "file", "path": str(source)}, "outputs": [output]}
        done = await platform.ended(await platform.submit(sent))
    assert done["status"] == "completed", json.dumps(done, indent=1)
    (made,) = done["outputs"]
    found = {check["rendition"]: check for check in made["proof"]["checks"] if check["name"] == "loudness"}
    assert {name: (check["passed"], check["expected"]["lufs"]) for name, check in found.items()} == {
        "audio-fra": (True, -20),
        "audio-eng": (True, -20),
    }
    gains = [rendition["audio"]["loudness"]["gainDb"] for rendition in made["plan"]["renditions"] if rendition["audio"]]
    assert gains[0] > gains[1] + 10
    assert {"audio-fra/index.m3u8", "audio-eng/index.m3u8"} <= set(made["files"])
