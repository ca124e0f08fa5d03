"""A picture that was made in chunks is the one that would have been made whole (docs/why/encoding.md, "Chunks").

`make chunked` does the same with every public clip, every encoder and every container.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest

from encoder.model import base
from encoder.model.chunk import ChunkMade
from encoder.model.job import OutputSpec
from encoder.worker.context import Made, Proven
from encoder.worker.measure import Measure
from encoder.worker.pipeline import Pipeline
from encoder.worker.verify import Verify
from tests.lab import seams, sidebyside
from tests.lab.chunking import Bench
from tests.lab.facts import spec
from tests.lab.media import clip, ffmpeg_binary
from tests.lab.paces import PACES

SECONDS = 2.2  # three chunks, which begin between keyframes of the source

OUTPUTS: dict[str, tuple[str, OutputSpec]] = {
    "mp4": ("23.976", spec(height=90, encoderPreset="ultrafast")),
    "hls": (
        "29.97",
        spec(None, container="hls", encoderPreset="ultrafast", renditions=[{"height": 108}, {"height": 90}]),
    ),
    "webm": ("one GOP", spec("vp9", height=90, encoderPreset="8")),
}


# those in milliseconds: the next test, and `make chunked`
@pytest.mark.parametrize("pace", [pace for pace in PACES if "milliseconds" not in pace])
async def test_chunks_are_made_of_the_very_frames_of_the_whole(pace: str, tmp_path: Path) -> None:
    assert await sidebyside.exact(PACES[pace](), tmp_path, spec(height=90), seconds=SECONDS) == 0


async def test_a_frame_in_the_middle_between_two_of_the_output_goes_to_the_same_one(tmp_path: Path) -> None:
    """Half the rate, and times in milliseconds: moved by a rounded seek, 70 of 278 frames were others."""
    source, output = PACES["59.94 in milliseconds"](), spec(height=90, fps=29.97)
    assert await sidebyside.exact(source, tmp_path, output, seconds=2.23) == 0


@pytest.mark.parametrize("name", OUTPUTS)
async def test_a_joined_output_differs_from_the_whole_in_nothing_but_bits(name: str, tmp_path: Path) -> None:
    """Times of all frames, samples of the sound, keyframes at seams, its proof; VMAF, and no dip in PSNR at a seam."""
    pace, output = OUTPUTS[name]
    rows = await sidebyside.compared(PACES[pace](), tmp_path, output, seconds=SECONDS)
    assert rows
    assert min(row.chunks for row in rows) >= 3
    assert [row for row in rows if not row.good] == []


async def test_two_passes_of_x264_leave_the_same_headers_in_each_chunk(tmp_path: Path) -> None:
    """What the first pass saw would else decide how many references the second one promises."""
    output = spec(height=90, encoderPreset="veryfast", videoBitrate=200_000, twoPass=True)
    (row,) = await sidebyside.compared(PACES["29.97"](), tmp_path, output, seconds=SECONDS, pictures=False)
    assert row.good


async def test_a_clip_in_chunks_shows_the_frames_of_the_clip(tmp_path: Path) -> None:
    output = spec(height=90, clip={"start": 1.37, "end": 6.2})
    assert await sidebyside.exact(PACES["uneven"](), tmp_path, output, seconds=1.6) == 0


class Attempt:
    """Chunks of a small output, which a test spoils before they are joined."""

    def __init__(self, bench: Bench, made: list[ChunkMade]) -> None:
        self.bench = bench
        self.made = sorted(made, key=lambda each: each.chunk.place)

    @classmethod
    async def at(cls, folder: Path) -> Attempt:
        source = clip(seconds=3.6, size="160x90", name="3.6.mp4")
        bench = await Bench.of(source, folder, spec(encoderPreset="ultrafast"))
        split = bench.split(1.2)
        assert split is not None
        return cls(bench, await bench.chunks(split))

    async def joined(self, made: list[ChunkMade]) -> Made:
        split = self.bench.split(1.2)
        assert split is not None
        (joined,) = await self.bench.joined(split, made)
        return joined

    async def proven(self, made: Made) -> Proven | None:
        """As the pipeline does it, without the stages before and after."""
        bench, stages = self.bench, {each.name: cast("Any", None) for each in fields(Pipeline)}
        stages["encode"] = bench.encode
        stages["verify"] = Verify(bench.launcher, by_descriptor=True, clock=time.monotonic)
        stages["measure"] = Measure(bench.launcher, by_descriptor=True, threads=1, clock=time.monotonic)
        return await Pipeline(**stages)._proven(bench.run, bench.source, bench.media, made)

    def told(self, place: int, **facts: object) -> list[ChunkMade]:
        file = base.replace(self.made[place].files[0], **facts)
        return [base.replace(each, files=(file,)) if at == place else each for at, each in enumerate(self.made)]


async def test_what_does_not_fit_is_encoded_once_more_in_one_piece(tmp_path: Path) -> None:
    attempt = await Attempt.at(tmp_path)
    good = await attempt.joined(attempt.made)
    assert good.parts is not None
    assert good.parts.frames_decoded == 108
    assert good.notes == ()
    for spoilt, told in (
        (attempt.made[1:], "from the first to the last"),
        (attempt.told(1, extradata="other"), "set up differently"),
        (attempt.told(1, frames=35), "Chunk 1 has 35 frames"),
        ([base.replace(attempt.made[0], problem="It broke."), *attempt.made[1:]], "It broke."),
    ):
        made = await attempt.joined(spoilt)
        assert made.parts is None
        assert [note.code for note in made.notes] == ["encoded_whole"]
        assert told in made.notes[0].message
        assert len(seams.track(made.path).stamps) == 108
    assert await attempt.bench.proven(made) is not None


async def test_a_joined_picture_that_fails_its_proof_is_made_once_more_in_one_piece(tmp_path: Path) -> None:
    """As when bytes of a chunk were lost on its way, and nobody looked: what comes of it is never delivered."""
    attempt = await Attempt.at(tmp_path)
    file = tmp_path / "0001" / "0" / "picture"
    data = bytearray(file.read_bytes())
    for at in range(len(data) // 2, len(data) - 2000, 400):
        data[at] ^= 0xFF
    file.write_bytes(data)
    joined = await attempt.joined(attempt.made)
    assert joined.parts is not None
    proven = await attempt.proven(joined)
    assert proven is not None
    assert proven.made.parts is None
    assert [note.code for note in proven.made.notes] == ["encoded_whole"]
    assert "check `decode`" in proven.made.notes[0].message
    assert len(seams.track(proven.made.path).stamps) == 108


async def test_a_joined_picture_without_a_keyframe_at_a_seam_fails_its_proof(tmp_path: Path) -> None:
    attempt = await Attempt.at(tmp_path)
    joined = await attempt.joined(attempt.made)
    good = joined.path.rename(tmp_path / "good.mp4")
    anew = ("-c:v", "libx264", "-preset", "ultrafast", "-force_key_frames", "0,3", "-c:a", "copy")
    run = [ffmpeg_binary(), "-v", "error", "-nostdin", "-i", str(good), *anew, "-movflags", "+faststart"]
    subprocess.run([*run, str(joined.path)], check=True)
    proven = await attempt.proven(joined)
    assert proven is not None
    assert "check `seams`" in proven.made.notes[0].message


async def test_a_file_that_cannot_be_joined_at_all_costs_one_more_encode(tmp_path: Path) -> None:
    """As when a chunk's object was cut short on its way, and nobody looked."""
    attempt = await Attempt.at(tmp_path)
    (tmp_path / "0001" / "0" / "picture").write_bytes(b"no chunk")
    made = await attempt.joined(attempt.made)
    assert [note.code for note in made.notes] == ["encoded_whole"]
    assert len(seams.track(made.path).stamps) == 108
