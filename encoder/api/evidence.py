"""What can be seen and heard of outputs: kept in the platform's own storage when they were proven."""

from __future__ import annotations

import re

import msgspec
from aiohttp import web

from encoder.api import jobs, problems
from encoder.api.answers_evidence import EvidenceAnswer, StillAnswer, StreamEvidenceAnswer
from encoder.api.links import require_kept
from encoder.api.operations import Call, answer
from encoder.api.parts import Parts
from encoder.model import evidence
from encoder.model.base import from_json
from encoder.model.evidence import Evidence, StreamEvidence
from encoder.model.ids import JobId
from encoder.store.rows import JobRow, OutputRow

_MOST_TOLD_BYTES = 1024 * 1024
_NUMBER = re.compile(r"[0-9]{1,3}")


async def shown(call: Call) -> web.Response:
    """GET /jobs/{id}/outputs/{outputId}/evidence."""
    row = await jobs.find(call)
    require_kept(row)
    output = jobs.output_of(call, row)
    found = await kept(call.parts, row, output)
    if found is None:
        raise _nothing()
    return answer(told(found, row.id, output))


async def still(call: Call) -> web.Response:
    """GET /jobs/{id}/outputs/{outputId}/evidence/stills/{still}."""
    row = await jobs.find(call)
    require_kept(row)
    output = jobs.output_of(call, row)
    number = call.request.match_info["still"]
    picture = await picture_of(call.parts, row, output, int(number)) if _NUMBER.fullmatch(number) else None
    if picture is None:
        raise problems.not_found("There is no such still.")
    return web.Response(body=picture, content_type="image/webp")


async def kept(parts: Parts, row: JobRow, output: OutputRow) -> Evidence | None:
    """What was kept of an output; None: nothing, or not yet.

    Raises:
        errors.Transient: the storage cannot be read.
    """
    data = await _read(parts, row, output, evidence.TOLD, 0, _MOST_TOLD_BYTES - 1)
    return None if data is None else from_json(Evidence, msgspec.json.decode(data))


async def picture_of(parts: Parts, row: JobRow, output: OutputRow, number: int) -> bytes | None:
    """One of its stills, WebP. Raises as `kept`."""
    found = await kept(parts, row, output)
    if found is None or number >= len(found.pictures):
        return None
    extent = found.pictures[number]
    last = extent.offset + extent.size_bytes - 1
    return await _read(parts, row, output, evidence.PICTURES, extent.offset, last)


def told(found: Evidence, job: JobId, output: OutputRow) -> EvidenceAnswer:
    """As the API tells it."""
    return EvidenceAnswer(
        streams=tuple(_stream(stream, f"/jobs/{job}/outputs/{output.id}/evidence/stills/") for stream in found.streams),
        tone_map=found.tone_map,
        notes=found.notes,
    )


def _stream(stream: StreamEvidence, at: str) -> StreamEvidenceAnswer:
    return StreamEvidenceAnswer(
        name=stream.name,
        bin_seconds=stream.bin_seconds,
        series=stream.series,
        keyframes=stream.keyframes,
        stills=tuple(
            StillAnswer(
                frame=each.frame,
                seconds=each.seconds,
                source_seconds=each.source_seconds,
                source=None if each.source is None else f"{at}{each.source}",
                output=None if each.output is None else f"{at}{each.output}",
            )
            for each in stream.stills
        ),
        loudness=stream.loudness,
    )


async def _read(parts: Parts, row: JobRow, output: OutputRow, name: str, first: int, last: int) -> bytes | None:
    key = f"{evidence.prefix(row.uuid, output.id)}/{name}"
    async with parts.storage.read(key, first=first, last=last) as part:
        return None if part is None else b"".join([chunk async for chunk in part.chunks])


def _nothing() -> Exception:
    return problems.not_found("Nothing was kept of this output: it is not made yet, is images, or was made before.")
