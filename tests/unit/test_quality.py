"""Measuring, as far as it is decided without an ffmpeg (docs/why/encoding.md, "Quality")."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from encoder.ffmpeg import proof, quality, rules
from encoder.ffmpeg.quality import Scores
from encoder.model.base import Json
from encoder.model.media import VideoStream
from encoder.model.proof import Proof
from tests.lab.facts import ABLE, hdr, picture, planned, refused, source, spec, video

UHD = video(coded_width=3840, coded_height=2160)


def test_what_this_ffmpeg_cannot_measure_is_refused_with_that_reason() -> None:
    """No libvmaf: refused; SSIM and PSNR are always there."""
    poor = replace(ABLE, filters=ABLE.filters - {"libvmaf"})
    refusal = refused(source(), spec(measure=["ssim", "vmaf"]), poor)
    assert refusal.code == "measure_not_available"
    assert "libvmaf" in refusal.message
    assert planned(source(), spec(measure=["ssim", "psnr"]), poor).measure == ("ssim", "psnr")


@pytest.mark.parametrize("members", [{"videoCodec": "copy"}, {"videoCodec": "none"}])
def test_only_an_encoded_picture_is_measured(members: dict[str, Json]) -> None:
    assert [fault.path for fault in rules.check(spec(**members, measure=["ssim"]))] == ["/measure"]


def test_each_picture_of_a_package_is_measured_at_the_source_s_size() -> None:
    media = source()
    plan = planned(media, spec("hls", measure=["vmaf"]))
    assert {each.name for each in plan.renditions if each.measure == ("vmaf",)} == {"1080p", "720p", "480p", "360p"}
    sizes = [picture(quality.reference(each, media)) for each in plan.renditions if each.measure]
    assert {(each.width_px, each.height_px) for each in sizes} == {(1920, 1080)}
    args = quality.comparison(plan.renditions[3], media, Path("out-0.m3u8"), metrics=["vmaf"])
    assert args[args.index("-format_whitelist") + 1] == "mov"


@pytest.mark.parametrize(
    ("stream", "members", "size"),
    [
        (video(), {"height": 360}, (1920, 1080)),
        (video(rotation_deg=90), {"height": 360}, (1080, 1920)),
        (video(), {"rotate": 90, "height": 360}, (1080, 1920)),
        (video(coded_width=720, coded_height=576, sample_aspect_ratio="64/45"), {"height": 288}, (1024, 576)),
        (video(), {"width": 360, "height": 360, "fit": "cover"}, (1080, 1080)),
        (video(), {"width": 360, "height": 360, "fit": "pad"}, (1926, 1926)),
        (video(coded_width=320, coded_height=180), {"height": 360, "upscale": True}, (640, 360)),
    ],
    ids=["landscape", "portrait", "turned", "wide pixels", "cover", "pad", "enlarged"],
)
def test_it_is_compared_at_the_size_of_the_reference(
    stream: VideoStream, members: dict[str, Json], size: tuple[int, int]
) -> None:
    """The distorted scaled to the reference size; of what is shown of the source."""
    media = source(picture=stream)
    compared = picture(quality.reference(planned(media, spec(**members)), media))
    assert (compared.width_px, compared.height_px) == pytest.approx(size, abs=8)


@pytest.mark.parametrize(
    ("stream", "model"),
    [(video(), "vmaf_v0.6.1"), (video(coded_width=1080, coded_height=1920), "vmaf_v0.6.1"), (UHD, "vmaf_4k_v0.6.1")],
)
def test_the_model_goes_by_the_size(stream: VideoStream, model: str) -> None:
    media = source(picture=stream)
    plan = planned(media, spec(height=360, measure=["vmaf"]))
    assert quality.model_of(quality.reference(plan, media)) == model
    args = quality.comparison(plan, media, Path("out-0.mp4"), metrics=["vmaf"])
    assert f"libvmaf=model=version={model}:n_subsample=5" in args[args.index("-filter_complex") + 1]


def test_the_reference_goes_through_the_chain_of_the_output() -> None:
    media = source(picture=hdr(interlaced=True))
    plan = planned(media, spec(width=400, height=400, fit="cover", clip={"start": 3, "end": 5}))
    args = quality.comparison(plan, media, Path("out-0.mp4"), metrics=["ssim"])
    made, reference, _ = args[args.index("-filter_complex") + 1].split(";")
    assert made == "[0:v:0]scale=1078:1080:flags=bicubic,format=yuv420p,settb=1/25,setpts=N[dssim]"
    steps = [
        "bwdif=mode=send_frame",
        "fps=fps=25/1",
        "trim=start_pts=50",
        "tonemap=",
        "crop=1078:1080",
        "setpts=N[",
    ]
    places = [reference.index(step) for step in steps]
    assert places == sorted(places)
    assert args[args.index("-ss") + 1] == "1.000000"
    assert args.index("-ss") > args.index("-i")  # of the source, not of the output


def test_a_target_missed_by_more_than_two_points_only_warns() -> None:
    met = quality.check(Scores(vmaf=91.2), target=93, predicted=93.4)
    missed = quality.check(Scores(vmaf=90.9), target=93)
    assert (met.passed, met.expected, met.limit) == (True, {"vmaf": 93, "predictedVmaf": 93.4}, {"vmaf": 91})
    assert not missed.passed
    assert proof.verdict(Proof(checks=(missed,))) is None


def test_the_low_scores_of_a_picture_are_told_beside_their_mean(tmp_path: Path) -> None:
    """VMAF mean, harmonic mean, 5th percentile."""
    rows = "".join(f"{5 * frame},0.1,{100 if frame else 0}\n" for frame in range(21))
    (tmp_path / "vmaf-0.txt").write_text(f"Frame,integer_adm2,vmaf\n{rows}")
    found = quality.read(tmp_path, planned(source(), spec()), source(), ["vmaf"])
    assert (found.vmaf, found.vmaf_5th_percentile) == pytest.approx((2000 / 21, 100))
    assert (found.vmaf_lowest, found.vmaf_lowest_frame) == (0, 0)
    assert found.vmaf_harmonic_mean == pytest.approx(21 / (1 + 20 / 101) - 1)
