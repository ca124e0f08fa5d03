"""Images of real media: which moments they show, and that they look as the video does. Rules of encoding.md,
"Thumbnails, sprites, VTT"."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.ffmpeg import image_file
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from tests.lab.encoding import ssim
from tests.lab.facts import spec, warned
from tests.lab.imaging import Imaged, image, imaged
from tests.lab.media import clip, made, public_clip

ALIKE = 0.97
HALF = "scale=160:90:flags=bicubic:in_color_matrix=bt601"


def several(container: str = "png", /, **members: Json) -> OutputSpec:
    return spec(None, container=container, thumbnails=members)


def slow() -> Path:
    """Twenty frames, ten a second, each unlike the others."""
    return clip(seconds=2, rate="10", name="slow.mp4")


def likeness(file: Path, source: Path, seconds: float, chain: str = HALF) -> float:
    """How alike an image and the frame on show at a moment are, the latter made comparable by `chain`."""
    return ssim(file, source, f"trim=start={seconds - 0.001},trim=end_frame=1,{chain},format=gbrp")


def moment(file: Path, source: Path) -> float:
    """Which moment of `slow` an image shows."""
    alike = [likeness(file, source, tenth / 10) for tenth in range(20)]
    assert max(alike) > ALIKE
    return alike.index(max(alike)) / 10


def size(file: Path) -> tuple[int, int]:
    found = image_file.read(file.read_bytes())
    return found.width_px, found.height_px


def proven(result: Imaged) -> Imaged:
    assert result.proof.passed, result.proof.failed
    named = [check.name for check in result.proof.checks]
    assert [name for name in named if name != "source"] == ["run", "pictures", "decode"]
    return result


async def test_every_n_seconds_shows_0_n_2n_and_no_other_moment(tmp_path: Path) -> None:
    """`fps=1/n` shows the middle of each cell; `round=up`, or counting frames as here, its beginning."""
    result = proven(await image(slow(), tmp_path, several(every=0.5, width=160)))
    assert [path.name for path in result.files] == [f"{number:05}.png" for number in (1, 2, 3, 4)]
    assert [moment(file, slow()) for file in result.files] == [0, 0.5, 1.0, 1.5]


async def test_a_step_between_two_frames_shows_the_one_that_is_on_show(tmp_path: Path) -> None:
    result = proven(await image(slow(), tmp_path, several(every=0.75, width=160)))
    assert [moment(file, slow()) for file in result.files] == [0, 0.7, 1.5]


async def test_moments_are_exact_and_those_after_the_end_show_the_last_frame(tmp_path: Path) -> None:
    """`at` is an exact seek, clamped to the last frame; a step less, and it is another frame."""
    result = proven(await image(slow(), tmp_path, several(at=[0.1, 0.39, 1.2, 60, 61], width=160)))
    assert [moment(file, slow()) for file in result.files] == [0.1, 0.3, 1.2, 1.9]
    assert "moments_after_end" in warned(result.plan)


async def test_so_many_pictures_stand_at_equal_distances_from_the_start_of_the_clip(tmp_path: Path) -> None:
    output = spec(None, container="png", clip={"start": 1.0, "end": 1.6}, thumbnails={"count": 3, "width": 160})
    result = proven(await imaged_one(slow(), tmp_path, output))
    assert [moment(file, slow()) for file in result.files] == [1.0, 1.2, 1.4]


async def imaged_one(path: Path, folder: Path, output: OutputSpec) -> Imaged:
    result = await image(path, folder, output)
    assert result.plan.clipped
    assert result.proof.passed, result.proof.failed
    return result


async def test_each_cell_of_a_sheet_is_the_picture_of_its_cue(tmp_path: Path) -> None:
    """Cues start at 0, leave no gap, go on to the end; the cell begins at 0,0 on each new sheet."""
    output = several("png", every=0.3, width=160, sprite={"columns": 2, "rows": 2})
    result = proven(await image(slow(), tmp_path, output))
    assert [size(file) for file in result.files] == [(320, 180)] * 2
    assert result.cues == (Path(__file__).parent / "cues.vtt").read_text()
    for place, at in enumerate((0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8)):
        sheet, cell = divmod(place, 4)
        cut = f"crop=160:90:{cell % 2 * 160}:{cell // 2 * 90}"
        one = made(f"cell-{place}.png", "-i", str(result.files[sheet]), "-vf", cut, "-update", "1")
        assert moment(one, slow()) == at
    black = made("black.png", "-i", str(result.files[1]), "-vf", "crop=160:90:160:90", "-update", "1")
    flat = made("flat.png", "-f", "lavfi", "-i", "color=black:s=160x90", "-frames:v", "1", "-update", "1")
    assert ssim(black, flat) > ALIKE


async def test_a_poster_is_no_black_frame_though_most_of_the_source_is_black(tmp_path: Path) -> None:
    """A poster is the most typical of several frames, not a black first one."""
    dark = made(
        "dark.mp4", "-f", "lavfi", "-i", "color=black:s=320x180:r=10:d=3", "-f", "lavfi", "-i",
        "testsrc2=s=320x180:r=10:d=1", "-filter_complex", "concat=n=2", "-c:v", "libx264", "-preset", "ultrafast",
    )  # fmt: skip
    result = proven(await image(dark, tmp_path, spec(None, container="png", width=160)))
    flat = made("flat.png", "-f", "lavfi", "-i", "color=black:s=160x90", "-frames:v", "1", "-update", "1")
    assert ssim(result.path, flat) < 0.5


async def test_a_source_that_is_all_black_has_a_black_poster(tmp_path: Path) -> None:
    night = made(
        "night.mp4", "-f", "lavfi", "-i", "color=black:s=320x180:r=10:d=1", "-c:v", "libx264", "-preset", "ultrafast"
    )
    proven(await image(night, tmp_path, spec(None, container="jpg")))


@pytest.mark.parametrize("container", ["jpg", "png", "webp"])
async def test_a_poster_of_a_moment_is_that_frame_exactly(container: str, tmp_path: Path) -> None:
    result = await image(slow(), tmp_path, spec(None, container=container, width=160, clip={"start": 1.3}))
    assert result.proof.passed, result.proof.failed
    shown = made(f"{container}.png", "-i", str(result.path), "-update", "1")
    alike = [likeness(shown, slow(), tenth / 10) for tenth in range(20)]
    assert alike.index(max(alike)) == 13


@pytest.mark.parametrize("container", ["jpg", "png", "webp", "gif"])
async def test_colours_come_out_as_they_were(container: str, tmp_path: Path) -> None:
    """JPEG and WebP are BT.601 to all who read them, whatever their source was."""
    red = made(
        "red.mp4", "-f", "lavfi", "-i", "color=0xc03060:s=320x180:r=10:d=1,format=gbrp,scale=out_color_matrix=bt709",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-colorspace", "bt709",
    )  # fmt: skip
    result = await image(red, tmp_path, spec(None, container=container, width=160))
    assert result.proof.passed, result.proof.failed
    raw = made(f"{container}.raw", "-i", str(result.path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24")
    assert list(raw.read_bytes()[:3]) == pytest.approx([0xC0, 0x30, 0x60], abs=5)


PREVIEWS: dict[str, OutputSpec] = {
    "gif": spec("gif", width=160),
    "gif, asked": spec("gif", width=160, fps=5, clip={"start": 0.4, "end": 1.4}),
    "webp": spec(None, container="webp", fps=10, width=160),
}


@pytest.mark.parametrize(("case", "frames", "seconds"), [("gif", 20, 2), ("gif, asked", 5, 1), ("webp", 20, 2)])
async def test_a_preview_plays_as_long_as_its_part_of_the_source(
    case: str, frames: int, seconds: float, tmp_path: Path
) -> None:
    result = await image(slow(), tmp_path, PREVIEWS[case])
    assert result.proof.passed, result.proof.failed
    found = image_file.read(result.path.read_bytes())
    assert (found.frames, round(found.seconds, 2), found.width_px) == (frames, seconds, 160)


async def test_a_preview_is_small_slow_and_short_unless_asked(tmp_path: Path) -> None:
    """≤ 15 fps, short side ≤ 480 unless asked."""
    tall = made(
        "tall.mp4", "-f", "lavfi", "-i", "testsrc2=s=540x960:r=30:d=11", "-c:v", "libx264", "-preset", "ultrafast"
    )
    result = await image(tall, tmp_path, spec("gif", clip={"start": 0.0, "end": 0.2}))
    assert size(result.path) == (480, 854)
    assert result.plan.video is not None
    assert result.plan.video.rate == "15/1"


async def test_images_of_a_source_are_made_in_the_decode_of_its_video(tmp_path: Path) -> None:
    outputs = (
        spec("thumbnails", thumbnails={"every": 1}),
        spec(encoderPreset="ultrafast"),
        spec(None, container="jpg"),
    )
    results = await imaged(slow(), tmp_path, *outputs)
    assert [result.plan.output for result in results] == [0, 2]
    assert all(result.proof.passed for result in results), [result.proof.failed for result in results]


# the same chain as video: rotation, square pixels, deinterlacing, tone mapping


@pytest.mark.parametrize(
    ("name", "chain", "shape"),
    [
        ("iphone_hevc_rot90.mov", "scale=180:320", (180, 320)),
        ("bbb_800x640_sar64x45.mp4", "scale=320:180,setsar=1", (320, 180)),
        ("bbb_480i2997_mpeg2.ts", "bwdif=mode=send_frame,scale=320:180,setsar=1", (320, 180)),
    ],
)
async def test_pictures_are_upright_square_and_whole(
    name: str, chain: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    source = public_clip(name)
    result = await image(source, tmp_path, several(at=[0.5], width=shape[0]))
    assert result.proof.passed, result.proof.failed
    assert size(result.files[0]) == shape
    start = result.media.start_seconds
    assert likeness(result.files[0], source, 0.5 + start - 0.02, chain) > 0.8


@pytest.mark.parametrize("name", ["hdr10_av1_portrait.mp4", "hlg_hevc10_1080p_fragmented.mp4"])
async def test_pictures_of_hdr_are_as_the_tone_mapped_video(name: str, tmp_path: Path) -> None:
    """immich#3512: without it they are washed out."""
    source = public_clip(name)
    video = spec("h264", encoderPreset="ultrafast", crf=10, width=180, clip={"start": 0.0, "end": 1.0})
    picture = several(at=[0.5], width=180)
    clipped = spec(None, container="png", width=180, clip={"start": 0.5})
    assert (await image(source, tmp_path, picture)).proof.passed
    (still,) = await imaged(source, tmp_path, video, clipped)
    mapped = tmp_path / "out-0.mp4"
    shown = "trim=start=0.499,trim=end_frame=1,scale=out_range=pc:flags=full_chroma_int+accurate_rnd,format=gbrp"
    alike = ssim(still.path, mapped, shown)
    assert alike > 0.95
    raw = "trim=start=0.499,trim=end_frame=1,setparams=colorspace=bt709:color_trc=bt709:color_primaries=bt709"
    if "hdr10" in name:  # HLG looks nearly right untouched: it was made so
        assert ssim(still.path, source, f"{raw},scale=180:-2,format=gbrp") < alike - 0.02
