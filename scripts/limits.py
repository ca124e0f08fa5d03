"""docs/reference/limits.md: what is the most of everything, read from where it is enforced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from encoder.api import body, bulk, ingest, ingest_rules, pipelines, presets, query, wire, wire_preset
from encoder.api.parts import Limits
from encoder.ffmpeg import rules, rules_images, rules_package, subtitles, tracks
from encoder.ffmpeg.formats import MOST_STREAMS
from encoder.ffmpeg.images import MOST_IMAGES
from encoder.model.telling import MOST_BYTES as MOST_TOLD_BYTES
from encoder.queue.settle import MOST_LOST
from encoder.settings import Settings
from encoder.sources import inline
from encoder.webhooks import endpoints
from encoder.webhooks.schedule import MOST_TRIES
from encoder.worker import beside, encode
from encoder.worker.fetch import FetchLimits

_INTRO = """# Limits

Written by `make docs` from where each is enforced. What has a [setting](settings.md) is the operator's to change.

"""
Row = tuple[str, str, str]  # of what, at most, what is told beyond it: a code, or a setting


def page() -> str:
    return _INTRO + "\n".join("".join(_section(title, rows)) for title, rows in _sections())


def _section(title: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"## {title}\n\n| | at most | beyond it, or by |\n|---|---|---|\n"
    for what, most, beyond in rows:
        yield f"| {what} | {most} | {_told(beyond)} |\n"


def _told(beyond: str) -> str:
    if beyond.startswith("ENCODER_"):
        return f"`{beyond}`"
    return f"[`{beyond}`](errors.md#{beyond})" if beyond else ""


def _sections() -> Iterator[tuple[str, Sequence[Row]]]:
    yield (
        "A request",
        (
            ("body", _bytes(body.MAX_BYTES), "body_too_large"),
            ("body whose source is `inline`", _bytes(body.MAX_INLINE_BYTES), "body_too_large"),
            ("values in a body", _count(body.MAX_VALUES), "body_too_large"),
            ("depth of a body", str(body.MAX_DEPTH), "invalid_json"),
            ("text in the query", f"{query.MAX_TEXT} characters", "invalid_query"),
            ("reads of a key in a minute", _count(_setting("reads_per_minute")), "ENCODER_READS_PER_MINUTE"),
            ("writes of a key in a minute", _count(_setting("writes_per_minute")), "ENCODER_WRITES_PER_MINUTE"),
            ("jobs in one `POST /jobs/bulk`", _count(bulk.MOST), "out_of_range"),
        ),
    )
    yield (
        "A tenant",
        (
            ("jobs that have not ended", _count(_setting("open_jobs")), "ENCODER_OPEN_JOBS"),
            ("presets", _count(presets.MOST), "too_many_presets"),
            ("JSON of a preset", _bytes(wire_preset.MAX_BYTES), "out_of_range"),
            ("endpoints", _count(endpoints.MOST), "too_many_endpoints"),
            ("ingest rules", _count(ingest_rules.MOST_RULES), "too_many_rules"),
            ("pipelines of Elastic Transcoder", _count(pipelines.MOST), "too_many_pipelines"),
        ),
    )
    yield (
        "A source",
        (
            ("size", _bytes(FetchLimits().size_bytes), "source_too_large"),
            ("an upload", _bytes(_setting("upload_max_bytes")), "ENCODER_UPLOAD_MAX_BYTES"),
            ("an `inline` source, decoded", _bytes(inline.MOST_BYTES), "body_too_large"),
            ("time to fetch it", _hours(FetchLimits().total_s), "timeout"),
            ("a watermark, or a file of subtitles", _bytes(beside.LIMITS.size_bytes), "source_too_large"),
            ("picture", "8192×4320 pixels", "resolution_too_large"),
            ("streams", str(MOST_STREAMS), "too_many_streams"),
            (
                "time from the announcement of an upload to its first byte",
                _hours(Limits().upload.total_seconds()),
                "upload_expired",
            ),
        ),
    )
    yield (
        "A job and its outputs",
        (
            ("outputs", str(wire.MAX_OUTPUTS), "out_of_range"),
            ("pixels a second, of all outputs", _count(wire.MAX_PIXELS_PER_SECOND), "job_too_large"),
            ("side of a picture", f"{_count(rules.MAX_SIDE_PX)} pixels", "picture_too_large"),
            ("frames a second", str(rules.MAX_FPS), "out_of_range"),
            ("renditions of a package", str(rules_package.MOST_RENDITIONS), "out_of_range"),
            ("tracks that `audioTracks` lists", str(tracks.MOST), "out_of_range"),
            ("files of subtitles", str(subtitles.MOST_FILES), "out_of_range"),
            ("pictures by `count`", _count(rules_images.MOST_COUNT), "out_of_range"),
            ("moments of `at`", str(rules_images.MOST_MOMENTS), "out_of_range"),
            ("pictures of one output", _count(MOST_IMAGES), "output_too_large"),
            ("time of one run of ffmpeg", _hours(encode.MOST_WALL_S), "deadline_exceeded"),
            ("size of a file", _bytes(encode.MOST_FILE_BYTES), "output_too_large"),
            ("attempts of a task", str(_setting("max_attempts")), "ENCODER_MAX_ATTEMPTS"),
            ("losses of its worker", str(MOST_LOST), "worker_lost"),
        ),
    )
    yield (
        "What is told",
        (
            ("a webhook", _count(MOST_TOLD_BYTES) + " bytes", ""),
            ("tries of a delivery, over about three days", str(MOST_TRIES), "exhausted"),
            ("a link to an output is good for", _hours(Limits().link.total_seconds()), "link_expired"),
            ("objects and rules in one event of a store", _count(ingest.MOST_PAIRS), "body_too_large"),
        ),
    )


def _setting(name: str) -> int:
    default = Settings.model_fields[name].default
    return int(default)


def _count(number: int) -> str:
    return f"{number:,}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} h"


def _bytes(number: int) -> str:
    """In the largest unit of which it is a whole number."""
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if number % size == 0:
            return f"{number // size} {unit}"
    return f"{number:,} bytes"
