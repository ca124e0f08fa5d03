"""Makes what schemathesis thinks up sensible: the hook of `python -m tests.lab.document --valid`.

A request in order by the schema may be refused for its meaning. Here it gets addresses of the lab, and loses the
members that do not go together: after that no refusal is left that the schema could not have told. What our own readers
call a fault of *shape* is sent as it stands, for then the schema and they disagree, and it must be noticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

from encoder.api.wire import Job, Probe, read_job, read_probe
from encoder.api.wire_endpoint import Endpoint, read_endpoint
from encoder.api.wire_faults import Reader
from encoder.api.wire_preset import Preset, read_preset
from encoder.destinations.registry import Destinations
from encoder.errors import Rejected
from encoder.ffmpeg.presets import BUILT_IN
from encoder.files.roots import Roots
from encoder.model.base import Json
from encoder.model.secrets import HIDDEN
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.signer import Signer
from encoder.sources.registry import Sources
from encoder.storage.folder import FolderStorage
from encoder.wiring.checks import Checks
from tests.lab import spoken, tus
from tests.lab.wire import POLICY

ROOT = "LAB_ROOT"  # the variable that names the folder of files
_WEB = "http://127.77.0.1:8000"
_SCHEMES = {
    "http": f"{_WEB}/{{}}.mp4", "https": "https://127.77.0.1:8443/{}.mp4", "s3": "s3://my-bucket/{}.mp4",
    "ftp": "ftp://127.77.0.1:2121/{}.mp4", "ftps": "ftps://127.77.0.1:2990/{}.mp4",
    "sftp": "sftp://127.77.0.1:2222/{}.mp4",
}  # fmt: skip
_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nQUJD\n-----END OPENSSH PRIVATE KEY-----\n"
_FEWEST: Json = {"source": {"url": f"{_WEB}/in.mp4"}, "outputs": [{"container": "mp4"}]}
_AROUND = Surroundings(web=Web(policy=POLICY), roots=Roots(paths=(Path(os.environ.get(ROOT, "/nonexistent")),)))
_STORAGE = FolderStorage(Path("/nonexistent"), public_url="http://lab", signer=Signer(b"lab"))  # nobody goes there
_PLACES = Checks(
    sources=Sources(_AROUND, stored=_STORAGE.source),
    destinations=Destinations(_AROUND, stored=_STORAGE.destination),
    policy=POLICY,
)
_TIMES = {"createdAfter": "2026-01-01T00:00:00Z", "createdBefore": "2026-02-01T00:00:00Z"}  # one before the other
_OF_A_FILE = {"file_name", "size_bytes", "content_type", "protocol"}
_RATES = {"videoBitrate", "maxBitrate", "audioBitrate"}  # as texts they may be of any size
_MOST = 60  # members that may be too much

# of a body its shape, and the whole of it
_READERS: dict[str, tuple[Reader[Any], Callable[[Json], object]]] = {
    "submitJob": (Reader(Job), lambda body: read_job(body, _PLACES)),
    "probe": (Reader(Probe), lambda body: read_probe(body, _PLACES)),
    "putPreset": (Reader(Preset), read_preset),
    "putEndpoint": (Reader(Endpoint), lambda body: read_endpoint("a", body, _PLACES)),
}


spoken.learn()


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    name = case.operation.definition.raw.get("operationId")
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if name == "createTusUpload":  # of a file that there may be, and of which the body may be a piece
        case.headers.update({"Upload-Length": "1000000", "Upload-Metadata": tus.metadata(filename="in.mp4")})
    if case.headers:
        case.headers.pop("Idempotency-Key", None)  # another body may have come under it
        case.headers.pop("Upload-Checksum", None)  # of another piece
    if case.query:
        case.query.pop("dryRun", None)  # what becomes of it is the source's to say
        case.query |= {name: moment for name, moment in _TIMES.items() if name in case.query}
    if not isinstance(case.body, dict):
        return
    body = _filled(case.body, [0])
    if name == "announceUpload":  # of its job the same holds as of others
        body = {member: value for member, value in body.items() if member in _OF_A_FILE}
    if name == "putIngestRule":  # as of an announcement's
        body["outputs"] = [{"preset": "h264"}]
    if name == "putPreset" and "members" not in body:  # of another service's words the schema says little
        body = {"members": {"preset": "h264"}}
    if name == "putPreset" and isinstance(subtitles := body.get("members", {}).get("subtitles"), dict):
        subtitles.pop("files", None)  # of places a preset holds none
    case.body = _sensible(body, *_READERS[name]) if name in _READERS else body


def _filled(part: Any, number: list[int]) -> Any:  # noqa: ANN401  # JSON
    """With addresses of the lab, each another, and texts that can be printed."""
    if isinstance(part, list):
        return [_filled(item, number) for item in part]
    if part == HIDDEN:  # from an answer, by a link: secrets must be said again
        return "said again"
    if isinstance(part, str):
        return part if part.isprintable() else "".join(char if char.isprintable() else "x" for char in part)
    if not isinstance(part, dict):
        return part if not isinstance(part, float | int) or isinstance(part, bool) else _number(part)
    number[0] += 1
    filled = {_filled(name, number): _filled(value, number) for name, value in part.items()}
    filled |= {name: "128k" for name in _RATES & filled.keys() if isinstance(filled[name], str)}
    if "access_key_id" not in filled:
        filled.pop("endpointUrl", None)  # the operator's keys are not sent there
    if "start" in filled:
        filled.pop("end", None)  # it may lie before
    given = _given(filled, number[0]).items()
    return filled | {name: value for name, value in given if isinstance(filled.get(name), str | int)}


def _number(value: float) -> float:
    """As the server reads it: whole ones are whole, and of 64 bits."""
    if value == int(value):
        return max(min(int(value), (1 << 63) - 1), 1 - (1 << 63))
    return value


def _given(place: dict[str, Any], number: int) -> dict[str, Json]:
    scheme = str(place.get("kind") or str(place.get("url", "")).partition(":")[0]).lower()
    root = os.environ.get(ROOT, "")
    return {
        "url": _SCHEMES.get(scheme, f"file://{root}/{{}}.mp4" if scheme == "file" else _SCHEMES["http"]).format(number),
        "host": "127.77.0.1",
        "port": 2121,
        "endpointUrl": "http://127.77.0.1:9000",
        "notificationUrl": f"{_WEB}/hook",
        "path": f"{root}/{number}.mp4" if place.get("kind") == "file" else f"in/{number}.mp4",
        "bucket": "my-bucket",
        "region": "eu-central-1",
        "data": "QUJD",
        "file_name": f"{number}.mp4",
        "size_bytes": 1000,
        "queue": "encode",
        "preset": str(place.get("preset")) if place.get("preset") in BUILT_IN else "h264",
        "privateKey": _KEY,
    }


def _sensible(body: Any, shape: Reader[Any], read: Callable[[Json], object]) -> Json:  # noqa: ANN401  # JSON
    for _ in range(_MOST):
        value, _ = shape.read(body)
        if value is None:
            return body  # type: ignore[no-any-return]  # JSON
        try:
            read(body)
        except Rejected as wrong:
            for fault in wrong.faults:
                _mend(body, fault.path)
        else:
            return body  # type: ignore[no-any-return]  # JSON
    return _FEWEST


def _mend(body: Any, path: str) -> None:  # noqa: ANN401  # JSON
    """Take away what is wrong; of a place, what may end in a slash or must not, is turned."""
    part: Any = body
    *way, last = path.split("/")[1:] or [""]
    for token in way:
        part = part[int(token)] if isinstance(part, list) else part.get(token, {})
    if last in {"path", "url"} and isinstance(part, dict) and last in part:
        told = str(part[last])
        part[last] = told.removesuffix("/") if told.endswith("/") else f"{told}/"
    elif isinstance(part, dict):
        part.pop(last, None)
    elif last.isdigit() and int(last) < len(part):
        part.pop(int(last))
