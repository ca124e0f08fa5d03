"""docs/why/encoding.md, "Sound": channels of every layout through real ffmpeg, and how loud they come out."""

from __future__ import annotations

import array
import re
import subprocess
from pathlib import Path

import pytest

from encoder.ffmpeg import channels
from tests.lab.encoding import fast, one
from tests.lab.facts import sound, spec, warned
from tests.lab.media import clip, ffmpeg_binary, made, public_clip

FULL = 1 / 8  # the amplitude of ffmpeg's `sine`


def layouts() -> dict[str, str]:
    """Every standard layout of this ffmpeg, with its channels."""
    said = subprocess.run([ffmpeg_binary(), "-hide_banner", "-layouts"], capture_output=True, text=True, check=True)
    rows = said.stdout.split("DECOMPOSITION", 1)[1].split()
    return dict(zip(rows[::2], rows[1::2], strict=True))


def peaks(layout: str, has: int, wanted: int, *, only: int | None = None) -> list[float]:
    """How strong each channel of a mix is, of a tone in whole numbers in one channel of the source, or in all."""
    given = "|".join(f"c{place}={1 if only in (None, place) else 0}*c0" for place in range(has))
    mix = channels.mixed(layout, has, wanted) or f"aformat=channel_layouts={channels.NAMES[wanted]}"
    chain = f"pan={layout}|{given},aformat=sample_fmts=s16,aformat=sample_fmts=fltp,{mix}"
    ran = subprocess.run(
        [ffmpeg_binary(), "-v", "error", "-f", "lavfi", "-i", "sine=d=0.1:r=48000", "-af", chain, "-f", "f32le", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    samples = array.array("f", ran.stdout)
    return [round(max(abs(sample) for sample in samples[place::wanted]) / FULL, 2) for place in range(wanted)]


def test_every_layout_of_ffmpeg_is_known_with_its_channels() -> None:
    for layout, decomposed in layouts().items():
        count = len(decomposed.split("+"))
        if layout not in ("binaural", "stereo"):
            listed = channels.mixed(f"{count} channels ({decomposed})", count, 2)
            assert listed == channels.mixed(layout, count, 2), layout


@pytest.mark.parametrize("wanted", [1, 2])
def test_every_layout_can_be_mixed_and_both_sides_are_heard_alike(wanted: int) -> None:
    for layout, decomposed in layouts().items():
        heard = peaks(layout, len(decomposed.split("+")), wanted)
        assert min(heard) > 0.5, layout
        assert len(set(heard)) == 1, layout


@pytest.mark.parametrize(
    ("layout", "only", "expected"),
    [
        ("5.1", 0, [1.0, 0.0]),
        ("5.1", 2, [0.71, 0.71]),  # the centre: -3 dB, where ffmpeg's own of 16 bits gives -10.6
        ("5.1", 3, [0.0, 0.0]),
        ("5.1", 4, [0.71, 0.0]),
        ("5.1(side)", 5, [0.0, 0.71]),
        ("7.1", 6, [0.71, 0.0]),
        ("6.1(back)", 6, [0.71, 0.71]),
        ("7.1.4", 9, [0.0, 0.71]),
        ("22.2", 11, [0.71, 0.71]),
        ("downmix", 0, [1.0, 0.0]),
    ],
)
def test_stereo_is_left_and_a_share_of_centre_and_left_behind(layout: str, only: int, expected: list[float]) -> None:
    assert peaks(layout, len(layouts()[layout].split("+")), 2, only=only) == expected


@pytest.mark.parametrize(
    ("layout", "wanted", "expected"),
    [
        ("5.1(side)", 6, [1, 1, 1, 1, 1, 1]),
        ("5.0", 6, [1, 1, 1, 0, 1, 1]),
        ("7.1", 6, [1, 1, 1, 1, 1.41, 1.41]),
        ("7.1(wide)", 6, [1.71, 1.71, 1, 1, 1, 1]),
        ("7.1", 8, [1, 1, 1, 1, 1, 1, 1, 1]),
        ("6.1", 8, [1, 1, 1, 1, 0.71, 0.71, 1, 1]),
        ("7.0", 8, [1, 1, 1, 0, 1, 1, 1, 1]),
    ],
)
def test_surround_is_kept_on_request(layout: str, wanted: int, expected: list[float]) -> None:
    assert peaks(layout, len(layouts()[layout].split("+")), wanted) == pytest.approx(expected, abs=0.011)


def tone(pan: str, codec: str = "pcm_s16le", rate: int = 48000) -> Path:
    return made("tone.mka", "-f", "lavfi", "-i", f"sine=d=1:r={rate}", "-af", f"pan={pan}", "-c:a", codec)


def sixteen() -> Path:
    discrete = "|".join(f"c{place}={1 if place < 2 else 0}*c0" for place in range(16))
    return made("16.wav", "-f", "lavfi", "-i", "sine=d=1:r=48000", "-af", f"pan=16c|{discrete}", "-c:a", "pcm_s16le")


async def test_channels_without_positions_are_the_programme_first(tmp_path: Path) -> None:
    result = await one(sixteen(), tmp_path, spec("audio-aac"))
    assert result.proof.passed, result.proof.failed
    assert "pan=stereo|c0=c0|c1=c1" in sound(result.plan).filters


@pytest.mark.parametrize("container", ["webm", "mp4", "mkv"])
async def test_surround_with_sides_is_kept_for_opus_and_aac(container: str, tmp_path: Path) -> None:
    source = tone("5.1(side)|FL=c0|FR=c0|FC=c0|LFE=c0|SL=c0|SR=c0", "flac")
    result = await one(source, tmp_path, spec(None, container=container, videoCodec="none", audioChannels=6))
    assert result.proof.passed, result.proof.failed
    assert (sound(result.plan).layout, result.opened.media.audio[0].channels) == ("5.1", 6)


async def test_seven_one_is_kept_on_request(tmp_path: Path) -> None:
    source = tone("|".join(["7.1", *(f"c{place}=c0" for place in range(8))]), "flac")
    result = await one(source, tmp_path, spec("audio-opus", audioChannels=8))
    assert result.proof.passed, result.proof.failed
    assert result.opened.media.audio[0].channels == 8


async def test_sound_of_8_khz_becomes_48(tmp_path: Path) -> None:
    result = await one(public_clip("nasa_multitrack.mp4"), tmp_path, spec("audio-aac", clip={"start": 0, "end": 3}))
    assert result.proof.passed, result.proof.failed
    assert result.opened.media.audio[0].sample_rate_hz == 48000


async def test_a_first_track_that_cannot_be_decoded_is_passed_over(tmp_path: Path) -> None:
    two = made("two.mp4", "-i", str(clip()), "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy")
    spoilt = tmp_path / "apac.mp4"
    spoilt.write_bytes(two.read_bytes().replace(b"mp4a", b"apac", 1).replace(b"esds", b"dapa", 1))  # of iPhones
    result = await one(spoilt, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (sound(result.plan).source_index, warned(result.plan)) == (2, {"not_upscaled"})
    assert "audio_track" in {note.code for note in result.plan.reasons}


@pytest.mark.parametrize(("has", "wanted"), [(1, 1), (1, 2), (5, 6), (9, 6), (9, 1)])
def test_channels_that_are_called_anything_are_taken_by_their_number(has: int, wanted: int) -> None:
    mix = channels.mixed("-y|[x]", has, wanted) or ""
    assert "y" not in mix.replace("layout", "")
    assert max(int(number) for number in re.findall(r"=(?:0\.5\*)?c(\d)", mix)) < has
