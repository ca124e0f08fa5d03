"""How near an output is to its source: both decoded, made comparable, and measured frame by frame. Pure.

Like is compared with like: the output is scaled up to the reference's size; the reference is the source through the
output's own chain (deinterlacing, frame rate, clip, turn, crop, tone map) but for the scaling down. Both sides count
their frames from 0: one frame off, and a score of 99 is one of 16 (docs/why/encoding.md).
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from encoder import errors
from encoder.errors import Defect
from encoder.ffmpeg import codecs, containers, graph, overlay
from encoder.ffmpeg.command import INPUT_OPTIONS
from encoder.ffmpeg.formats import DEMUXER_OF, decoder_options
from encoder.model.base import Json, Record, replace
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import OutputPlan, VideoPlan
from encoder.model.proof import Check

VMAF, SSIM, PSNR = METRICS = ("vmaf", "ssim", "psnr")
FILTERS = {VMAF: "libvmaf", SSIM: "ssim", PSNR: "psnr"}
TOLERANCE = 2.0  # so far below its target an output may be before a caller is told

_EVERY = 5  # of the frames VMAF looks at one: a third of the work, the score off by 0.02
_MODEL, _MODEL_4K = "vmaf_v0.6.1", "vmaf_4k_v0.6.1"
_MOST_LINES_OF_HD = 1440
_IDENTICAL_DB = 100.0  # of frames without any difference: infinite is no number
_PERCENTILE = 0.05


class Scores(Record):
    """What was measured; None: not asked for."""

    vmaf: float | None = None
    vmaf_harmonic_mean: float | None = None
    vmaf_5th_percentile: float | None = None
    vmaf_lowest: float | None = None
    vmaf_lowest_frame: int | None = None  # of those that were looked at
    vmaf_model: str | None = None
    ssim: float | None = None
    psnr: float | None = None


def wanted(spec: OutputSpec, video: VideoPlan | None, filters: Collection[str]) -> tuple[str, ...]:
    """What is to be measured of a picture, if it is encoded. `filters`: those that this ffmpeg has.

    Raises:
        errors.Permanent: `measure_not_available`, it cannot.
    """
    if video is None or video.encoder == codecs.COPY:
        return ()
    aimed = spec.target_quality is not None and VMAF not in spec.measure
    metrics = (VMAF, *spec.measure) if aimed else spec.measure
    missing = [metric for metric in metrics if FILTERS[metric] not in filters]
    if missing:
        lacking = ", ".join(FILTERS[metric] for metric in missing)
        told = f"This ffmpeg has no {lacking} to measure {', '.join(missing)}."
        raise errors.Permanent("measure_not_available", told)
    return metrics


def comparison(
    output: OutputPlan,
    media: Media,
    path: Path,
    *,
    metrics: Collection[str],
    threads: int | None = None,
    source_args: Sequence[str] = INPUT_OPTIONS,
) -> list[str]:
    """The arguments that compare the output at `path` with its source, which is opened as `source_args` say.

    What they measure goes into files of the folder they run in, for `read`.
    """
    compared = reference(output, media)
    asked = [name for name in METRICS if name in metrics]
    demuxer = DEMUXER_OF[containers.CONTAINERS[output.container].muxer]
    decoding = () if threads is None else ("-threads", str(threads))  # the launcher tells the first input alone
    seek = ("-ss", f"{output.seek_seconds:.6f}") if output.seek_seconds else ()
    return [
        "-v", "error",
        "-protocol_whitelist", "file", "-format_whitelist", demuxer, "-i", f"file:{path}",
        *decoding, *seek, *decoder_options(output.video), *source_args, *overlay.opened(overlay.inputs([output])),
        "-filter_complex", ";".join(_statements(output, compared, asked, threads)),
        *(word for name in asked for word in ("-map", f"[{name}]")),
        "-f", "null", "-",
    ]  # fmt: skip


def reference(output: OutputPlan, media: Media) -> OutputPlan:
    """The output as it would be at the source's own size, or at its own where that is larger.

    What shall reach a quality is compared at its own: what a small picture lacks is no fault of its encode, and no bits
    would bring it back.
    """
    video = _video(output)
    if video.target_quality is not None:
        return replace(output, video=replace(video, upload=()))
    stream = next(stream for stream in media.video if stream.index == video.source_index)
    shown = stream.display_width_px, stream.display_height_px
    if video.turn_deg % 180:
        shown = shown[1], shown[0]
    scaled = video.scale or (video.width_px, video.height_px)
    larger = [max(Fraction(1), Fraction(has, made)) for has, made in zip(shown, scaled, strict=True)]
    size = _even(video.width_px * larger[0]), _even(video.height_px * larger[1])
    picture = _even(scaled[0] * larger[0]), _even(scaled[1] * larger[1])
    return replace(
        output,
        video=replace(video, width_px=size[0], height_px=size[1], scale=picture if video.scale else None, upload=()),
    )


def read(folder: Path, output: OutputPlan, media: Media, metrics: Collection[str]) -> Scores:
    """What a comparison measured. Blocking, and long for long outputs.

    Raises:
        OSError, ValueError: it measured nothing.
    """
    found = Scores()
    if VMAF in metrics:
        found = _vmaf(folder / _file(VMAF, output), model_of(reference(output, media)))
    if SSIM in metrics:
        found = replace(found, ssim=statistics.fmean(_column(folder / _file(SSIM, output), "All")))
    if PSNR in metrics:
        error = statistics.fmean(_column(folder / _file(PSNR, output), "mse_avg"))
        found = replace(found, psnr=_decibels(error, _video(output).pixel_format))
    return found


def files(output: OutputPlan) -> tuple[str, ...]:
    """All that a comparison may leave in its folder."""
    return tuple(_file(name, output) for name in METRICS)


def check(
    scores: Scores, *, target: float | None = None, predicted: float | None = None, rendition: str | None = None
) -> Check:
    """Check 15: what was measured; not passed if a target was missed."""
    measured: dict[str, Json] = {
        "vmaf": scores.vmaf,
        "vmafHarmonicMean": scores.vmaf_harmonic_mean,
        "vmaf5thPercentile": scores.vmaf_5th_percentile,
        "vmafLowest": scores.vmaf_lowest,
        "vmafLowestFrame": scores.vmaf_lowest_frame,
        "vmafModel": scores.vmaf_model,
        "ssim": scores.ssim,
        "psnr": scores.psnr,
    }
    expected: dict[str, Json] = {"vmaf": target, "predictedVmaf": predicted}
    return Check(
        name="quality",
        rendition=rendition,
        passed=target is None or (scores.vmaf is not None and scores.vmaf >= target - TOLERANCE),
        expected={name: value for name, value in expected.items() if value is not None} or None,
        measured={
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in measured.items()
            if value is not None
        },
        limit=None if target is None else {"vmaf": target - TOLERANCE},
    )


def model_of(compared: OutputPlan) -> str:
    """The model of VMAF for pictures of a size."""
    video = _video(compared)
    return _MODEL_4K if min(video.width_px, video.height_px) > _MOST_LINES_OF_HD else _MODEL


def _statements(output: OutputPlan, compared: OutputPlan, metrics: list[str], threads: int | None) -> Iterator[str]:
    video = _video(compared)
    made, source = (tuple(f"{side}{name}" for name in metrics) for side in "dr")
    fitted = (f"scale={video.width_px}:{video.height_px}:flags=bicubic", f"format={video.pixel_format}")
    yield f"[0:v:0]{','.join((*fitted, *_counted(video)))}{_parted(made)}"
    chain = (*graph.alone(compared, first_mark=2), *_counted(video))
    yield f"[1:{video.source_index}]{','.join(chain)}{_parted(source)}"
    for name, one, other in zip(metrics, made, source, strict=True):
        yield f"[{one}][{other}]{_filter(name, output, compared, threads)}[{name}]"


def _counted(video: VideoPlan) -> tuple[str, ...]:
    """Frames by their number: containers round times, and a rounded frame would meet its neighbour."""
    rate = Fraction(video.rate)
    return (f"settb={rate.denominator}/{rate.numerator}", "setpts=N")


def _parted(labels: Sequence[str]) -> str:
    ends = "".join(f"[{label}]" for label in labels)
    return ends if len(labels) == 1 else f",split={len(labels)}{ends}"


def _filter(name: str, output: OutputPlan, compared: OutputPlan, threads: int | None) -> str:
    file = _file(name, output)
    if name != VMAF:
        return f"{name}=stats_file={file}:shortest=1"
    threaded = "" if threads is None else f":n_threads={threads}"
    return (
        f"libvmaf=model=version={model_of(compared)}:n_subsample={_EVERY}{threaded}"
        f":log_fmt=csv:log_path={file}:shortest=1"
    )


def _file(name: str, output: OutputPlan) -> str:
    return f"{name}-{output.output}.txt"


def _vmaf(path: Path, model: str) -> Scores:
    with path.open(encoding="ascii", newline="") as file:
        found = sorted((float(row["vmaf"]), int(row["Frame"])) for row in csv.DictReader(file))
    if not found:
        raise ValueError("no frame was compared")
    scores = [score for score, _ in found]
    return Scores(
        vmaf=statistics.fmean(scores),
        vmaf_harmonic_mean=len(scores) / math.fsum(1 / (score + 1) for score in scores) - 1,
        vmaf_5th_percentile=scores[int(_PERCENTILE * (len(scores) - 1))],
        vmaf_lowest=found[0][0],
        vmaf_lowest_frame=found[0][1],
        vmaf_model=model,
    )


def _column(path: Path, name: str) -> list[float]:
    """One value of each line: `n:1 Y:0.99 U:0.99 V:0.99 All:0.99 (22.0)`."""
    with path.open(encoding="ascii") as file:
        return [float(line.partition(f"{name}:")[2].split()[0]) for line in file]


def _decibels(error: float, pixel_format: str) -> float:
    peak = 1023 if "10" in pixel_format else 255
    return _IDENTICAL_DB if error == 0 else min(_IDENTICAL_DB, 10 * math.log10(peak**2 / error))


def _even(side: Fraction) -> int:
    return 2 * int(side / 2)


def _video(output: OutputPlan) -> VideoPlan:
    if output.video is None:
        raise Defect("an output without a picture is not compared")
    return output.video
