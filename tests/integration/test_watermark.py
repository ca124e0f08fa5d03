"""Watermarks on real pictures, and on their way there (docs/why/encoding.md, "Source hygiene")."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from encoder.model.base import Json
from encoder.model.plan import Mark
from tests.lab.encoding import fast, run
from tests.lab.media import clip, ffmpeg_binary, made
from tests.lab.origin import Served
from tests.lab.platform import running
from tests.lab.wire import Server

PNG = Mark(file="watermark-0", demuxer="png_pipe")
RED, GRAY = (255, 0, 0), (128, 128, 128)


def gray(name: str = "gray.mp4", *options: str) -> Path:
    """One second of 50 % gray, 320×180."""
    quick = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    return made(name, "-f", "lavfi", "-i", "color=c=0x808080:d=1:s=320x180:r=25", *(options or quick))


def hdr() -> Path:
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    return gray(
        "gray-hdr.mkv", "-vf", f"format=yuv420p10le,{tags}", "-c:v", "libx265", "-preset", "ultrafast",
        "-x265-params", "log-level=error",
    )  # fmt: skip


def logo(kind: str = "png", color: str = "red") -> Path:
    """Twice as wide as high."""
    return made(f"logo.{kind}", "-f", "lavfi", "-i", f"color=c={color}:s=64x32", "-frames:v", "1", "-update", "1")


def pixel(path: Path, x: int, y: int) -> tuple[int, ...]:
    """Of the last frame, in RGB."""
    shown = subprocess.run(
        [
            ffmpeg_binary(), "-v", "error", "-nostdin", "-i", path, "-vf", f"format=rgb24,crop=2:2:{x}:{y}",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
        ],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    return tuple(shown[-12:-9])


def close(one: tuple[int, ...], other: tuple[int, ...], slack: int = 14) -> bool:
    return all(abs(a - b) <= slack for a, b in zip(one, other, strict=True))


def marked(**members: Json) -> Json:
    return {"source": {"kind": "file", "path": "/logo.png"}, "scale": 0.25, **members}


async def test_it_lies_where_and_as_large_as_it_is_asked_for_on_each_output_of_a_pass(tmp_path: Path) -> None:
    """A quarter of the width: 80×40 of 320×180, a margin of 4; half of that on the smaller one."""
    shutil.copy(logo(), tmp_path / PNG.file)
    outputs = [fast(height=height, audioCodec="none", watermark=marked(position="top-right")) for height in (180, 90)]
    outputs.append(fast(height=180, audioCodec="none", watermark=marked(position="bottom-left", opacity=0.5)))
    large, small, other = await run(gray(), tmp_path, *outputs, mark=PNG)
    for result in (large, small, other):
        assert result.proof.passed, result.proof.failed
    inside, outside = ((240, 8), (310, 38)), ((226, 8), (240, 50))
    assert all(close(pixel(large.path, *at), RED) for at in inside)
    assert all(close(pixel(large.path, *at), GRAY) for at in outside)
    assert all(close(pixel(small.path, x // 2, y // 2), RED) for x, y in inside)
    assert all(close(pixel(small.path, x // 2, y // 2), GRAY) for x, y in outside)
    assert close(pixel(other.path, 30, 150), (192, 64, 64))
    assert close(pixel(other.path, 240, 8), GRAY)


async def test_on_a_tone_mapped_picture_it_keeps_its_own_colours(tmp_path: Path) -> None:
    """After the tone map, or it is mapped too."""
    shutil.copy(logo(), tmp_path / PNG.file)
    output = fast(height=180, watermark=marked(position="center"))
    (result,) = await run(hdr(), tmp_path, output, mark=PNG)
    assert result.proof.passed, result.proof.failed
    assert close(pixel(result.path, 160, 90), RED)


@pytest.mark.parametrize("fit", ["cover", "pad"])
async def test_on_a_picture_that_is_cut_it_is_whole(fit: str, tmp_path: Path) -> None:
    shutil.copy(logo(), tmp_path / PNG.file)
    output = fast(width=160, height=160, fit=fit, audioCodec="none", watermark=marked(position="bottom-right"))
    (result,) = await run(gray(), tmp_path, output, mark=PNG)
    assert result.proof.passed, result.proof.failed
    assert close(pixel(result.path, 120, 140), RED)  # 40×20, a margin of 3
    assert close(pixel(result.path, 154, 154), RED)
    assert not close(pixel(result.path, 112, 140), RED)


async def test_ten_bits_and_both_passes_have_it(tmp_path: Path) -> None:
    shutil.copy(logo(), tmp_path / PNG.file)
    deep = fast("hevc", height=180, profile="main10", audioCodec="none", watermark=marked(position="center"))
    twice = fast(
        height=180, audioCodec="none", videoBitrate=200_000, twoPass=True, watermark=marked(position="center")
    )  # fmt: skip
    for result in await run(gray(), tmp_path, deep, twice, mark=PNG):
        assert result.proof.passed, result.proof.failed
        assert close(pixel(result.path, 160, 90), RED)


async def test_a_job_fetches_its_watermark_once_by_the_guarded_fetcher_and_tells_no_secret(
    dsn: str, tmp_path: Path
) -> None:
    """A bad one fails its output alone; a dry run says both."""
    (tmp_path / "in.mp4").write_bytes(clip(seconds=1, name="short.mp4").read_bytes())
    scripts = {"/logo.png": Served(data=logo().read_bytes()), "/in.mp4": Served(data=clip().read_bytes())}
    async with (
        running(dsn, tmp_path) as platform,
        Server(scripts={**scripts}) as origin,
    ):

        def output(path: str, **more: Json) -> dict[str, Any]:
            place = {"kind": "http", "url": f"{origin.url(path)}?sig=SENTINEL", "headers": {"X-Token": "SENTINEL"}}
            mark = {"source": place, "position": "center", "scale": 0.5}
            return {"preset": "h264", "encoderPreset": "ultrafast", "watermark": mark, **more}

        data = base64.b64encode(logo("webp").read_bytes()).decode()
        inline = output("")
        inline["watermark"]["source"] = {"kind": "inline", "data": data}
        job = {
            "source": {"kind": "file", "path": str(tmp_path / "in.mp4")},
            "outputs": [
                output("/logo.png"),
                output("/logo.png", height=90),
                output("/in.mp4"),
                output("/none.png"),
                inline,
            ],
        }
        status, preview = await platform.call("POST", "/jobs?dryRun=true", json=job)
        assert status == 200, preview
        fetched_by_the_dry_run = _asked(origin)
        done = await platform.ended(await platform.submit(job))
    first, second, video, absent, given = done["outputs"]
    assert (fetched_by_the_dry_run, _asked(origin)) == (1, 2)
    assert {(seen.headers["x-token"], seen.target.partition("?")[2]) for seen in origin.seen} == {
        ("SENTINEL", "sig=SENTINEL")
    }
    assert "SENTINEL" not in f"{done}{preview}"
    assert data not in f"{done}{preview}"
    assert given["status"] == "uploaded"
    assert [each["status"] for each in (first, second, video, absent)] == ["uploaded", "uploaded", "failed", "failed"]
    assert [each["error"]["code"] for each in (video, absent)] == ["unsupported_format", "source_not_found"]
    assert "watermark" in video["error"]["message"]
    assert [(each["error"] or {}).get("code") for each in preview["outputs"]] == [
        None, None, "unsupported_format", "source_not_found", None,
    ]  # fmt: skip
    made_of_it = next(platform.storage.rglob("0.mp4"))
    x, y = first["width"] // 2, first["height"] // 2
    assert close(pixel(made_of_it, x, y), RED)


def _asked(origin: Server) -> int:
    return sum(seen.target.startswith("/logo.png") for seen in origin.seen)
