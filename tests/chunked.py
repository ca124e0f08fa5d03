"""Every public clip of at least four seconds, and made ones of each kind of rate, whole and in chunks of two seconds.

`make chunked [ARGS="--only city h264"]`: a table of what differs; it fails if anything does that may not. The suite has
the same in a short form (tests/integration/test_chunked.py).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.probe import inspect
from encoder.log import configure
from encoder.model.job import OutputSpec
from tests.lab import sidebyside
from tests.lab.facts import spec
from tests.lab.media import PUBLIC, ffmpeg_binary
from tests.lab.paces import PACES
from tests.lab.sidebyside import Row

SECONDS = 2.0
LEAST_SECONDS = 4.0
RATE = 500_000

# small and quick: what is tried is where frames go, and that is the same at any size
OUTPUTS: dict[str, OutputSpec] = {
    "h264": spec(height=240, encoderPreset="veryfast"),
    "hls": spec("hls", encoderPreset="veryfast", renditions=[{"height": 240}, {"height": 144}]),
    "vp9": spec("vp9", height=240, encoderPreset="8"),
    "av1": spec("av1-fast", height=240, encoderPreset="12"),
}
# of one clip
MORE: dict[str, OutputSpec] = {
    "hevc": spec("hevc", height=240, encoderPreset="veryfast"),
    "libaom": spec(
        "av1", height=240, encoderPreset="8", container="mkv", videoCodec="libaom-av1", audioCodec="libopus"
    ),
    "mkv": spec(container="mkv", height=240, encoderPreset="veryfast"),
    "hls-ts": spec(None, container="hls", segmentFormat="ts", encoderPreset="veryfast", renditions=[{"height": 240}]),
    "hls-hevc": spec(None, container="hls", videoCodec="hevc", encoderPreset="veryfast", renditions=[{"height": 240}]),
    "cmaf-av1": spec(None, container="cmaf", videoCodec="libsvtav1", encoderPreset="12", renditions=[{"height": 240}]),
    "dash-vp9": spec(None, container="dash", videoCodec="vp9", encoderPreset="8", renditions=[{"height": 240}]),
    "clipped": spec(height=240, encoderPreset="veryfast", clip={"start": 1.3, "end": 9.1}),
    "bitrate": spec(height=240, encoderPreset="veryfast", videoBitrate=RATE),
    "two-pass": spec(height=240, encoderPreset="veryfast", videoBitrate=RATE, twoPass=True),
    "capped": spec(height=240, encoderPreset="veryfast", crf=23, maxBitrate=RATE),
    "half-rate": spec(height=240, encoderPreset="veryfast", fps=12),
    "portrait": spec(height=240, width=144, fit="cover", encoderPreset="veryfast"),
}
MORE_OF = "bbb_1080p30_faststart.mp4"


async def long_enough() -> list[Path]:
    """The public clips that last four seconds, and can be read at all."""
    found = []
    for path in sorted(PUBLIC.iterdir()):
        if path.suffix in (".md", ".m3u8"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            launcher = Launcher(binary=Path(ffmpeg_binary()))
            media = await inspect(launcher, path, folder=Path(folder), leash=Leash())
        if media.video and (media.video[0].duration_seconds or 0.0) >= LEAST_SECONDS - 0.05:
            found.append(path)
    return found


async def tried(path: Path, name: str, output: OutputSpec) -> bool:
    """Print what differs of one output of one source; whether all is as it should be."""
    with tempfile.TemporaryDirectory(prefix="chunked-") as folder:
        label = f"{path.stem[:24]:24} {name:9}"
        try:
            wrong = await sidebyside.exact(path, Path(folder) / "exact", output, seconds=SECONDS)
            rows = await sidebyside.compared(path, Path(folder) / "made", output, seconds=SECONDS)
        except Exception as error:  # noqa: BLE001  # the table goes on
            print(f"{label} {type(error).__name__}: {str(error)[:150]}", flush=True)
            return False
        if wrong is None:
            print(f"{label} is made in one piece", flush=True)
            return True
        for row in rows:
            print(f"{label} {told(row, wrong)}", flush=True)
        return wrong == 0 and all(row.good for row in rows)


def told(row: Row, wrong: int) -> str:
    sound = "same" if row.sound else "DIFFERS"
    verdict = "ok" if row.good and not wrong else "WRONG"
    return (
        f"{row.name:5} {row.chunks:3} {row.frames:5} {row.missing:4} {row.times:5} {wrong:5} {row.keys:4} {sound:7} "
        f"{row.whole:6.2f} {row.joined:6.2f} {row.dip:6.2f}  {verdict}{'  ' + row.fault if row.fault else ''}"
    )


async def main(only: list[str]) -> int:
    configure(level="critical")
    paths = [*(make() for make in PACES.values()), *await long_enough()]
    print(f"{'source':24} {'output':9} rung  chunks frames missing times content keys sound  VMAF whole joined dip/dB")
    cases = [(path, name, output) for path in paths for name, output in OUTPUTS.items()]
    cases += [(path, name, output) for path in paths for name, output in MORE.items() if path.name == MORE_OF]
    wanted = [case for case in cases if all(word in f"{case[0].name} {case[1]}" for word in only)]
    results = [await tried(*case) for case in wanted]
    print(f"{sum(results)} of {len(results)} are as they should be")
    return 0 if all(results) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="words that the name of the source and the output have")
    sys.exit(asyncio.run(main(parser.parse_args().only)))
