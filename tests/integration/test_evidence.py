"""What is kept to look at of outputs: the same frame of both sides, what bytes and keyframes say over time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from encoder import errors
from encoder.ffmpeg import stills
from encoder.ffmpeg.abilities import read_abilities
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.model.evidence import Still
from encoder.worker import context
from encoder.worker.evidence import MOST_UNSEEN, Witness
from encoder.worker.package import Package
from encoder.worker.shots import Album, Shots
from tests.lab.encoding import Made, fast, one
from tests.lab.media import clip, ffmpeg_binary, made
from tests.lab.platform import Platform, running
from tests.lab.stills import SAME_DB, alike_db

SECONDS = 4
FAST = {"encoderPreset": "veryfast"}
RUNGS = {"renditions": [{"height": 180, "crf": 20}, {"height": 90, "crf": 20}], "segmentSeconds": 1, **FAST}
OUTPUTS: list[dict[str, Any]] = [
    {"preset": "h264", "crf": 18, **FAST, "clip": {"start": 1, "end": 3}, "loudness": -23, "measure": ["vmaf"]},
    {"preset": "hls", "segmentFormat": "ts", "encryption": "aes-128", **RUNGS},
    {"container": "mp3"},
    {"preset": "thumbnails"},
    {"container": "mkv", "videoCodec": "copy"},
]


async def evidence(platform: Platform, job: int, output: int) -> dict[str, Any]:
    status, told = await platform.call("GET", f"/jobs/{job}/outputs/{output}/evidence")
    assert status == 200, told
    return dict(told)


async def fetched(platform: Platform, path: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(platform.url + path) as answer:
        assert (answer.status, answer.content_type) == (200, "image/webp")
        return await answer.read()


async def same_frames(platform: Platform, folder: Path, told: list[dict[str, Any]]) -> None:
    """The middle ones are of the same frame, and of no other."""
    pairs = [(await fetched(platform, each["source"]), await fetched(platform, each["output"])) for each in told[3:5]]
    assert all(len(picture) <= stills.MOST_BYTES for pair in pairs for picture in pair)
    another = alike_db(folder, pairs[0][0], pairs[1][1])
    assert all(alike_db(folder, *pair) > another + 4 for pair in pairs)  # the smaller rung has lost its fine lines


async def test_of_each_output_is_kept_what_there_is_to_see(dsn: str, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(clip(seconds=SECONDS).read_bytes())
    async with running(dsn, tmp_path) as platform:
        job = {"source": {"kind": "file", "path": str(source)}, "outputs": OUTPUTS}
        done = await platform.ended(await platform.submit(job))
        assert done["status"] == "completed", done
        number = done["id"]
        file, package, sound, copy = [await evidence(platform, number, output) for output in (0, 1, 2, 4)]

        (stream,) = file["streams"]
        assert (stream["name"], stream["binSeconds"], len(stream["series"][0]["bytes"])) == ("", 1.0, 2)
        carried = sum(sum(series["bytes"]) for series in stream["series"])
        assert 0.9 * done["outputs"][0]["sizeBytes"] < carried < done["outputs"][0]["sizeBytes"]
        assert [series["kind"] for series in stream["series"]] == ["video", "audio"]
        assert stream["keyframes"][0] == 0
        assert stream["loudness"][0]["lufs"] == pytest.approx(-23, abs=1)
        ends = [(each["frame"], each["seconds"], each["sourceSeconds"]) for each in stream["stills"]]
        assert (ends[0], ends[-1]) == ((0, 0, 1), (59, pytest.approx(59 / 30), pytest.approx(1 + 59 / 30)))
        lowest = done["outputs"][0]["proof"]["checks"][-1]["measured"]["vmafLowestFrame"]
        frames = {round(place * 59 / 8) for place in range(9)} | {lowest}
        assert {each["frame"] for each in stream["stills"]} == frames
        await same_frames(platform, tmp_path, stream["stills"])

        assert [stream["name"] for stream in package["streams"]] == ["180p", "90p", "audio"]
        for rung in package["streams"][:2]:
            assert rung["keyframes"] == [0, 1, 2, 3]
            await same_frames(platform, tmp_path, rung["stills"])

        assert sound["streams"][0]["stills"] == []
        assert len(sound["streams"][0]["series"]) == 1
        assert [note["code"] for note in copy["notes"]] == ["stills_of_copy"]
        assert {still["source"] for still in copy["streams"][0]["stills"]} == {None}
        for path in ("3/evidence", "9/evidence", "0/evidence/stills/99", "0/evidence/stills/x", "2/evidence/stills/0"):
            assert (await platform.call("GET", f"/jobs/{number}/outputs/{path}"))[0] == 404

        assert list(platform.scratch.rglob("*.webp")) == []
        await platform.call("DELETE", f"/jobs/{number}")
        assert [path for path in platform.storage.rglob("*") if path.is_file()] == []


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One encode of the lab, and what looks at it."""

    result: Made
    run: Any
    launcher: Launcher
    abilities: Any
    album: Album

    async def shot(self, source: Path) -> tuple[Still, ...]:
        plan = self.result.plan
        shots = Shots(
            ffmpeg=self.launcher, abilities=self.abilities, threads=2, run=self.run, source=source,
            media=self.result.media, made=self.made, size=stills.size_of((plan,), (self.result.opened,)),
            album=self.album,
        )  # fmt: skip
        return await shots.of(plan, self.result.opened, self.result.proof)

    @property
    def made(self) -> context.Made:
        plan, path = self.result.plan, self.result.path
        return context.Made(plan=plan, path=path, command=(), log="", seconds=0.0, cpu_seconds=0.0)


async def bench(source: Path, folder: Path, **members: Any) -> Bench:  # noqa: ANN401  # of an output
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    result = await one(source, folder, fast(**members))
    job = SimpleNamespace(id=1, uuid="0c5a3a7e-0000-4000-8000-000000000000")
    run: Any = SimpleNamespace(folder=folder, job=job, token="1-1", held=SimpleNamespace(leash=Leash()))
    abilities = await read_abilities(launcher, folder=folder)
    return Bench(result=result, run=run, launcher=launcher, abilities=abilities, album=Album())


def turned_hdr() -> Path:
    """Lying on its side, in ten bits of PQ."""
    lying = made(
        "hdr.mp4", "-f", "lavfi", "-i", "testsrc2=d=3:s=320x180:r=25", "-vf",
        "format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv",
        "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1",
    )  # fmt: skip
    return made("turned.mp4", "-display_rotation", "90", "-i", str(lying), "-c", "copy")


@pytest.mark.parametrize("members", [{"height": 200}, {"height": None, "toneMap": False, "videoCodec": "hevc"}])
async def test_a_long_source_is_entered_near_each_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: dict[str, Any]
) -> None:
    """The frames are those that a decode of the whole gives, turned, and in SDR where the output is not."""
    source = turned_hdr()
    tried = await bench(source, tmp_path, crf=10, audioCodec="none", **members)
    whole = await tried.shot(source)
    monkeypatch.setattr(stills, "_CHEAP_PIXELS", 0)
    entered = await tried.shot(source)
    pictures = list(tried.album.pictures)
    assert stills.tone_map(tried.result.plan) == ("display" if "toneMap" in members else "planned")
    assert len(entered) == stills.PAIRS
    for one_way, other_way in zip(whole, entered, strict=True):
        assert one_way.output == other_way.output
        pair = [one_way.source, one_way.output, other_way.source]
        source_still, output_still, entered_still = (pictures[each] for each in pair if each is not None)
        assert alike_db(tmp_path, source_still, output_still) > SAME_DB
        assert alike_db(tmp_path, source_still, entered_still) > 45
    assert alike_db(tmp_path, pictures[0], pictures[4]) < SAME_DB - 5


@pytest.mark.parametrize("failure", [errors.Transient("storage_unavailable", "It is away."), errors.Defect("ours")])
async def test_what_cannot_be_kept_keeps_no_output_from_its_place(tmp_path: Path, failure: Exception) -> None:
    tried = await bench(clip(seconds=1), tmp_path, audioCodec="none")
    tried.run.looking, tried.run.unseen = asyncio.Lock(), []
    asked: list[str] = []

    def nowhere(key: str) -> Any:  # noqa: ANN401  # never comes to it
        asked.append(key)
        raise failure

    result = tried.result
    package = Package.of_file(result.path, size_bytes=1, sha256="", content_type="video/mp4")
    opened = result.opened
    proven = context.Proven(
        made=tried.made, proof=result.proof, package=package, seconds=0.0, opened=opened, streams=(opened,)
    )
    witness = Witness(tried.launcher, abilities=tried.abilities, kept_at=nowhere, threads=1)
    fetched_source = context.Fetched(path=clip(seconds=1), size_bytes=1, seconds=0.0)
    for _ in range(MOST_UNSEEN + 1):  # as of so many outputs, and the last is held up by nothing
        await witness(tried.run, fetched_source, result.media, proven)
    assert asked == [f"jobs/{tried.run.job.uuid}/evidence/0/"] * MOST_UNSEEN
    assert list(tmp_path.glob("evidence-*")) == []
