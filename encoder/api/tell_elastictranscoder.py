"""A job as Elastic Transcoder tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from encoder.api import answers_compat as answers
from encoder.errors import Defect
from encoder.model.base import Json
from encoder.model.formats.elastictranscoder import STATUS, status_of, written
from encoder.model.job import Origin
from encoder.model.media import Media
from encoder.store.rows import JobRow, OutputRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_DETAIL = 255  # of theirs


def job_answer(row: JobRow) -> answers.TranscoderJobAnswer:
    """`row`: of a job that came in their words."""
    origin = row.spec.origin
    if origin is None:
        raise Defect("this job came in our own words")
    notes = [answers.TranscoderNote(code=note.code, message=note.message) for note in origin.warnings]
    return answers.TranscoderJobAnswer(job=_job(row, origin), warnings=notes)


def _job(row: JobRow, origin: Origin) -> answers.TranscoderJob:
    asked: dict[str, Any] = origin.request
    job_id = written(row.id, origin.stamp)
    inputs = [{**sent, "DetectedProperties": _detected(row.media)} for sent in asked.get("Inputs") or [asked["Input"]]]
    sent = asked.get("Outputs") or [asked["Output"]]
    outputs = [_output(row, number, each, origin.outputs[number]) for number, each in enumerate(sent)]
    lists = zip(asked.get("Playlists") or [], origin.playlists, strict=True)
    return answers.TranscoderJob(
        id=job_id,
        arn=f"arn:aws:elastictranscoder:encoder:{row.tenant_id}:job/{job_id}",
        pipeline_id=asked["PipelineId"],
        input=inputs[0],
        inputs=inputs,
        output=outputs[0],
        outputs=outputs,
        output_key_prefix=asked.get("OutputKeyPrefix"),
        playlists=[_playlist(row, each, positions) for each, positions in lists],
        user_metadata=row.spec.metadata,
        status=STATUS[row.state],
        timing=answers.TranscoderTiming(
            submit_time_millis=_millis(row.created_at),
            start_time_millis=None if row.started_at is None else _millis(row.started_at),
            finish_time_millis=None if row.finished_at is None else _millis(row.finished_at),
        ),
    )


def _output(row: JobRow, number: int, sent: dict[str, Any], positions: Sequence[int]) -> answers.TranscoderOutput:
    ours = [row.outputs[position] for position in positions]
    made = ours[0].delivered if ours else None
    length = made.duration_seconds if made else None
    single = made is not None and ours[0].spec.renditions == ()
    return answers.TranscoderOutput(
        id=str(number + 1),
        key=sent["Key"],
        preset_id=sent["PresetId"],
        thumbnail_pattern=sent.get("ThumbnailPattern"),
        rotate=sent.get("Rotate"),
        segment_duration=sent.get("SegmentDuration"),
        watermarks=sent.get("Watermarks") or [],
        composition=sent.get("Composition") or [],
        status=status_of([output.state for output in ours]),
        status_detail=_detail(ours),
        duration=None if length is None else math.ceil(length),
        duration_millis=None if length is None else round(length * 1000),
        width=made.width if made and single else None,
        height=made.height if made and single else None,
        frame_rate=_frame_rate(made.frames, length) if made and single else None,
        file_size=made.size_bytes if made and single else None,
    )


def _playlist(row: JobRow, sent: dict[str, Any], positions: Sequence[int]) -> answers.TranscoderPlaylist:
    ours = [row.outputs[position] for position in positions]
    return answers.TranscoderPlaylist(
        name=sent["Name"],
        format=sent["Format"],
        output_keys=sent["OutputKeys"],
        hls_content_protection=sent.get("HlsContentProtection"),
        status=status_of([output.state for output in ours]),
        status_detail=_detail(ours),
    )


def _detail(outputs: Sequence[OutputRow]) -> str | None:
    problems = (output.problem for output in outputs if output.problem is not None)
    return next((f"{problem.code}: {problem.message}"[:_LONGEST_DETAIL] for problem in problems), None)


def _detected(media: Media | None) -> dict[str, Json]:
    if media is None:
        return {}
    video = media.video[0] if media.video else None
    length = media.duration_seconds
    told: dict[str, Json] = {
        "Width": video.display_width_px if video else None,
        "Height": video.display_height_px if video else None,
        "FrameRate": _decimal(video.average_rate) if video else None,
        "FileSize": media.size_bytes,
        "DurationMillis": None if length is None else round(length * 1000),
    }
    return {name: value for name, value in told.items() if value is not None}


def _frame_rate(frames: int | None, seconds: float | None) -> str | None:
    return f"{frames / seconds:.2f}" if frames and seconds else None


def _decimal(rate: str | None) -> str | None:
    """`30000/1001` as they write it."""
    return None if rate is None else f"{float(Fraction(rate)):.2f}"


def _millis(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
