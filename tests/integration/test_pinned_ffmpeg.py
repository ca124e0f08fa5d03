"""What the pinned ffmpeg says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg.abilities import read_abilities
from encoder.ffmpeg.launcher import Launcher
from tests.lab.ffx import ffx, launcher_of
from tests.lab.media import ffmpeg_binary


async def test_the_pinned_build_has_what_we_build_on(tmp_path: Path) -> None:
    able = await read_abilities(Launcher(binary=Path(ffmpeg_binary())), folder=tmp_path)
    assert able.version
    assert {"libx264", "libx265", "libsvtav1", "libvpx-vp9", "aac", "libopus"} <= able.encoders
    assert {"scale", "bwdif", "zscale", "tonemap", "fps", "loudnorm", "idet", "libvmaf"} <= able.filters
    assert able.reads_descriptors
    assert "libvmaf" in able.filters
    assert not {"V", "A", "=", "..."} & (able.encoders | able.filters)


async def test_a_program_that_is_no_ffmpeg_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(errors.Unfit, match="ENCODER_FFMPEG"):
        await read_abilities(Launcher(binary=tmp_path / "none"), folder=tmp_path)


async def test_the_false_ffmpeg_of_the_lab_answers_as_the_real_one(tmp_path: Path) -> None:
    assert "libx264" in (await read_abilities(launcher_of(ffx(tmp_path)), folder=tmp_path)).encoders
