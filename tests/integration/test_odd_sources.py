"""Sources that are odd in ways of their own (docs/encoding.md, "Source hygiene"): planned, made, proven, looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.encoding import fast, one, told
from tests.lab.facts import picture, warned
from tests.lab.media import made
from tests.lab.pulldown import flagged

# no frame is like another, and each too large for two to share a packet of a disc
_FILM = "nullsrc=d=3:s=352x240:r=24000/1001,geq=lum='25+mod(N*37,190)':cb=128:cr=128,noise=alls=12:allf=t:all_seed=1"

# the rate that a film is called, which of its frames last three fields, what comes out
PULLDOWNS = {
    "two and three": ("30000/1001", lambda n: n % 2 == 1, "24000/1001", 72),
    "three and two": ("30000/1001", lambda n: n % 2 == 0, "24000/1001", 72),
    "one field a half second": ("25", lambda n: n % 12 == 11, "24/1", 72),
}


def _lights(path: Path) -> list[float]:
    """How bright each frame is."""
    said = told("-v", "info", "-i", path, "-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG")
    return [float(light) for light in re.findall(r"YAVG=([\d.]+)", said)]


def _film() -> Path:
    return made("film.m2v", "-f", "lavfi", "-i", _FILM, "-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12")


def _muxed(stream: bytes, folder: Path, container: str, *, late_seconds: float = 0.0) -> Path:
    """With a tone that begins earlier, as on discs."""
    raw = folder / "film.m2v"
    raw.write_bytes(stream)
    sound = ("-c:a", "flac" if container == "mkv" else "mp2")
    return made(f"film.{container}", "-v", "fatal", "-f", "lavfi", "-i", "sine=d=3:r=48000", "-fflags", "+genpts",
                "-itsoffset", str(late_seconds), "-i", str(raw), "-map", "1", "-map", "0", "-c:v", "copy",
                *sound)  # fmt: skip


@pytest.mark.parametrize("container", ["vob", "ts", "mkv"])
@pytest.mark.parametrize("pulldown", PULLDOWNS)
async def test_a_film_that_flags_spread_over_video_comes_out_at_its_own_rate(
    pulldown: str, container: str, tmp_path: Path
) -> None:
    """Soft telecine: each frame once, none left out, whatever its container."""
    called, repeats, rate, frames = PULLDOWNS[pulldown]
    result = await one(_muxed(flagged(_film().read_bytes(), called, repeats), tmp_path, container), tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).rate, picture(result.plan).frames) == (rate, frames)
    assert not warned(result.plan)
    assert _lights(result.path) == pytest.approx(_lights(_film()), abs=2)


@pytest.mark.parametrize("late_ms", range(0, 40, 5))
async def test_no_frame_of_such_a_film_falls_into_another(late_ms: int, tmp_path: Path) -> None:
    """Wherever its frames lie between those of the output: at some places every fifth was lost and another repeated."""
    film = flagged(_film().read_bytes(), "30000/1001", lambda n: n % 2 == 1)
    path = _muxed(film, tmp_path, "ts", late_seconds=late_ms / 1000)
    result = await one(path, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert _lights(result.path) == pytest.approx(_lights(_film()), abs=2)


async def test_a_film_with_video_between_keeps_the_rate_of_the_video(tmp_path: Path) -> None:
    """Mixed flags: most frames last three fields here, and nothing of the video may be lost."""
    mixed = flagged(_film().read_bytes(), "30000/1001", lambda n: n % 12 > 3)
    result = await one(_muxed(mixed, tmp_path, "ts"), tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).rate, warned(result.plan)) == ("30000/1001", {"variable_frame_rate"})
