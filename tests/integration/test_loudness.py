"""docs/why/encoding.md, "Sound", `loudness`: what real sound comes out as, measured by a run of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg.launcher import Launcher, Leash, Progress
from encoder.ffmpeg.listen import Ear
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.plan import LoudnessPlan
from encoder.model.proof import Check
from encoder.store.rows import Live
from encoder.worker import progress
from tests.lab.encoding import Made, one
from tests.lab.facts import ABLE, sound, spec, warned
from tests.lab.media import clip, ffmpeg_binary, made

CLICK = "volume='if(lt(mod(t,1),0.01),7,0.15)':eval=frame"  # quiet, with loud clicks: no plain gain makes it loud
SPARSE = "volume='if(lt(mod(t,1),0.002),7,0.0005)':eval=frame"  # between its clicks there is next to nothing


def wanted(lufs: float = -23, /, container: str = "m4a", **members: Json) -> OutputSpec:
    return spec(None, container=container, videoCodec="none", loudness=lufs, **members)


def tone(filters: str, *, seconds: float = 4, channels: int = 2) -> Path:
    heard = f"sine=f=440:d={seconds}:r=48000"
    return made("tone.wav", "-f", "lavfi", "-i", heard, "-af", filters, "-ac", str(channels))


def loudness(result: Made) -> LoudnessPlan:
    plan = sound(result.plan).loudness
    assert plan is not None
    return plan


def check(result: Made) -> Check:
    return next(check for check in result.proof.checks if check.name == "loudness")


@pytest.mark.parametrize(
    ("lufs", "container"), [(-23, "m4a"), (-16, "opus"), (-14, "mp3"), (-23, "flac"), (-30, "wav")]
)
async def test_a_plain_gain_is_used_when_gain_and_true_peak_allow_it(
    lufs: float, container: str, tmp_path: Path
) -> None:
    result = await one(tone("volume=-20dB"), tmp_path, wanted(lufs, container))
    assert result.proof.passed, result.proof.failed
    assert (loudness(result).mode, warned(result.plan)) == ("linear", set())
    assert check(result).expected == {"mode": "linear", "lufs": lufs, "peakDbtp": -1.0}
    assert "loudness" in {note.code for note in result.plan.reasons}


async def test_where_peaks_forbid_a_plain_gain_dynamics_are_compressed_with_a_warning(tmp_path: Path) -> None:
    swelling = tone("volume='0.3+6.5*lt(mod(t,1),0.02)':eval=frame", seconds=10)
    result = await one(swelling, tmp_path, wanted(-10))
    assert result.proof.passed, result.proof.failed
    assert loudness(result).mode == "dynamic"
    assert "loudness_dynamic" in warned(result.plan)
    assert result.opened.media.audio[0].sample_rate_hz == 48000  # `loudnorm` itself puts out 192 kHz


@pytest.mark.parametrize(("container", "bitrate"), [("m4a", 96_000), ("mp3", 128_000), ("wav", None)])
async def test_louder_asked_is_louder_up_to_the_ceiling(container: str, bitrate: int | None, tmp_path: Path) -> None:
    bursts = made("bursts.wav", "-f", "lavfi", "-i", "anoisesrc=d=4:r=48000:c=pink:seed=7:a=0.5",
                  "-af", "volume='0.2+0.8*lt(mod(t,1),0.3)':eval=frame", "-ac", "2")  # fmt: skip
    members: dict[str, Json] = {} if bitrate is None else {"audioBitrate": bitrate}
    for lufs in (-14, -11):
        result = await one(bursts, tmp_path, wanted(lufs, container, **members))
        assert result.proof.passed, result.proof.failed
        assert (loudness(result).mode, warned(result.plan)) == ("dynamic", {"loudness_dynamic"})
        assert loudness(result).aim_lufs == lufs  # which the proof holds it to


async def test_what_cannot_be_so_loud_is_told_and_stays_below_the_ceiling(tmp_path: Path) -> None:
    result = await one(tone(SPARSE, seconds=5), tmp_path, wanted(-12))
    assert result.proof.passed, result.proof.failed
    assert {"loudness_dynamic", "loudness_missed"} <= warned(result.plan)
    assert (loudness(result).aim_lufs or 0) < -13


async def test_a_codec_that_takes_loudness_away_gets_more_of_it(tmp_path: Path) -> None:
    """At 6 kbit/s Opus makes noise 2 LU quieter, far below the ceiling."""
    hiss = made("hiss.wav", "-f", "lavfi", "-i", "anoisesrc=d=4:r=48000:c=pink:seed=7:a=0.1")
    result = await one(hiss, tmp_path, wanted(-30, "opus", audioBitrate=6000))
    assert result.proof.passed, result.proof.failed
    assert (loudness(result).mode, loudness(result).aim_lufs) == ("linear", -30)


async def test_a_measuring_is_shown_while_it_goes_and_ends_when_the_work_is_cut_off(tmp_path: Path) -> None:
    ffmpeg, leash, seen = Launcher(binary=Path(ffmpeg_binary())), Leash(), list[Live]()
    source = tone(CLICK, seconds=5)
    media = await inspect(ffmpeg, source, folder=tmp_path, leash=leash)
    plan = decide(media, {0: wanted(-12)}, ABLE).outputs[0]

    def told(now: Progress) -> None:
        seen.append(progress.measure(now))
        leash.kill()

    with pytest.raises(errors.LeaseLost):
        await Ear(ffmpeg=ffmpeg, path=source, folder=tmp_path, leash=leash).settle(plan, told)
    assert {live.stage for live in seen} == {"measuring"}
    assert [*tmp_path.iterdir()] == []


async def test_silence_gets_no_gain_and_a_warning(tmp_path: Path) -> None:
    result = await one(tone("volume=0"), tmp_path, wanted())
    assert result.proof.passed, result.proof.failed
    assert (loudness(result).mode, warned(result.plan)) == ("silent", {"loudness_silent"})
    assert check(result).measured == {"lufs": None, "rangeLu": None, "peakDbtp": None}


async def test_it_is_measured_as_it_will_be_mixed(tmp_path: Path) -> None:
    # the same tone in six channels is some 6 dB louder in the mix than in the front alone
    result = await one(tone("volume=-30dB,pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0", channels=6), tmp_path, wanted())
    assert result.proof.passed, result.proof.failed
    assert loudness(result).mode == "linear"


@pytest.mark.parametrize("members", [{}, {"audioBitrate": 128_000}], ids=["usual", "few bits"])
async def test_six_channels_come_out_as_loud_as_was_asked_with_few_bits_too(
    members: dict[str, Json], tmp_path: Path
) -> None:
    sines = [word for f in (200, 400, 800, 60, 1600, 3200) for word in ("-f", "lavfi", "-i", f"sine=f={f}:d=2:r=48000")]
    six = made("six.wav", *sines, "-filter_complex", "join=inputs=6:channel_layout=5.1")
    result = await one(six, tmp_path, spec("audio-aac", audioChannels=6, loudness=-16, **members))
    assert result.proof.passed, result.proof.failed
    assert loudness(result).aim_lufs == -16


async def test_only_the_clip_is_measured(tmp_path: Path) -> None:
    louder = tone("volume='if(lt(t,2),0.01,0.2)':eval=frame", seconds=4)
    result = await one(louder, tmp_path, wanted(clip={"start": 0, "end": 1.5}))
    assert result.proof.passed, result.proof.failed
    assert loudness(result).gain_db > 20  # dB: the quiet part alone


async def test_sound_beside_a_picture_stays_in_step_when_it_is_compressed(tmp_path: Path) -> None:
    late = made("late.mp4", "-i", str(clip()), "-itsoffset", "0.4", "-i", str(clip()), "-map", "0:v", "-map", "1:a",
                "-c", "copy")  # fmt: skip
    output = spec(height=90, encoderPreset="ultrafast", loudness=-9)
    result = await one(late, tmp_path, output)
    assert result.proof.passed, result.proof.failed
    assert result.plan.start_offset_seconds == pytest.approx(0.4, abs=0.05)
