"""Q4: an ffmpeg without the `fd` protocol works all the same, its source opened by our name for it."""

from __future__ import annotations

from pathlib import Path

from encoder.ffmpeg import decoding
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Launcher, Leash, Limits, Reason
from tests.lab.media import clip, ffmpeg_binary


async def test_a_source_is_opened_by_name_inside_the_box(tmp_path: Path) -> None:
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    source = tmp_path / "source"
    source.write_bytes(clip().read_bytes())
    ended = await launcher.run(
        decoding.whole(source_args=input_options(source)),
        folder=tmp_path,
        leash=Leash(),
        limits=Limits(wall_seconds=60),
        source=source,
    )
    assert (ended.reason, ended.log) == (Reason.OK, "")
    assert ended.progress is not None
    assert ended.progress.frame == 60
