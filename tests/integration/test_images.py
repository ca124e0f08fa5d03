"""Images of real media: which moments they show, and that they look as the video does. Rules of encoding.md,
"Thumbnails, sprites, VTT"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from encoder.model.base import Json
from encoder.model.job import OutputSpec
from tests.lab.encoding import ssim
from tests.lab.facts import spec
from tests.lab.imaging import Imaged, image
from tests.lab.media import clip, made

ALIKE = 0.97  # what a JPEG of a tenth of the size keeps


HALF = "scale=160:90:flags=bicubic:in_color_matrix=bt601"


def several(**members: Json) -> OutputSpec:
    return spec(None, container="png", thumbnails=members)


def likeness(file: Path, source: Path, seconds: float, chain: str) -> float:
    """How alike an image and the frame on show at a moment are, the latter made comparable by `chain`."""
    return ssim(file, source, f"trim=start={seconds - 0.001},trim=end_frame=1,{chain},format=gbrp")


def cells(sheet: Path, columns: int, rows: int, size: tuple[int, int]) -> Iterator[Path]:
    """The pictures on a sheet, each as a file."""
    for place in range(columns * rows):
        row, column = divmod(place, columns)
        cut = f"crop={size[0]}:{size[1]}:{column * size[0]}:{row * size[1]}"
        yield made(f"cell-{place}.png", "-i", str(sheet), "-vf", cut, "-update", "1")


def proven(result: Imaged) -> Imaged:
    assert result.proof.passed, result.proof.failed
    assert [check.name for check in result.proof.checks] == ["run", "source", "pictures", "decode"]
    return result


async def test_every_n_seconds_shows_0_n_2n_and_no_other_moment(tmp_path: Path) -> None:
    """`fps=1/n` shows the middle of each cell; `round=up`, or counting frames as here, its beginning."""
    source = clip(seconds=2, rate="10", name="slow.mp4")
    result = proven(await image(source, tmp_path, several(every=0.5, width=160)))
    assert [path.name for path in result.files] == [f"{number:05}.png" for number in (1, 2, 3, 4)]
    for place, file in enumerate(result.files):
        at = [likeness(file, source, tenth / 10, HALF) for tenth in range(20)]
        assert at.index(max(at)) == 5 * place
        assert max(at) > ALIKE
