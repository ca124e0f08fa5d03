"""Every refusal and failure of the API, as RFC 9457 `application/problem+json` from the catalogue of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web

from encoder import errors
from encoder.errors import CATALOGUE, Failure, Fault, Rejected
from encoder.model.base import Record

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_NO_ROUTE = "There is nothing at this path; GET /openapi.json lists what there is."
_OF_STATUS = {
    400: "invalid_header",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    431: "headers_too_large",
}
_OF_TUS = {460: "Checksum Mismatch"}  # which no RFC knows


class FaultAnswer(Record):
    """One thing that is wrong. `path` is a JSON Pointer into the body, or "" for what is not in it."""

    path: str
    code: str
    message: str


class ProblemAnswer(Record):
    """Why there is no other answer. `type` leads to the code's entry on this very server."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FaultAnswer, ...]
    request_id: str


class Problem(web.Response):
    """A refusal or failure as an answer. `told`: what it says; `beside`: the headers that belong to it."""

    def __init__(self, told: ProblemAnswer, beside: Mapping[str, str]) -> None:
        super().__init__(
            status=told.status, body=msgspec.json.encode(told), content_type=MEDIA_TYPE, headers=dict(beside)
        )
        self.told = told
        self.beside = beside


def of_faults(faults: Sequence[Fault], request_id: str, *, headers: Mapping[str, str] | None = None) -> Problem:
    """The first fault's code speaks for all; so do its words, where they say what to do about the others."""
    code = faults[0].code
    status = CATALOGUE[code].status or 422
    alone = len(faults) == 1 or faults[0].message == CATALOGUE[code].to_do
    detail = faults[0].message if alone else f"{len(faults)} things are wrong; see `errors`."
    return _answer(status, code, detail, request_id, faults=faults, headers=headers)


def of_failure(failure: Failure, request_id: str) -> Problem:
    """What a job would have failed with: for good, or only for now."""
    if isinstance(failure, errors.Permanent):
        return _answer(422, failure.code, failure.message, request_id)
    wait = str(round(failure.retry_after_s or RETRY_AFTER_S))
    return _answer(503, failure.code, failure.message, request_id, headers={"Retry-After": wait})


def of_status(status: int, request_id: str, *, allow: str | None = None) -> Problem:
    """What aiohttp itself refuses: no such route, wrong method, a body that is too large, …"""
    code = _OF_STATUS.get(status, "invalid_header" if status < 500 else "internal_error")  # noqa: PLR2004
    headers = {"Allow": allow} if allow else {}
    detail = _NO_ROUTE if code == "not_found" else CATALOGUE[code].to_do
    return _answer(CATALOGUE[code].status or status, code, detail, request_id, headers=headers)


def unavailable(code: str, request_id: str) -> Problem:
    """Not now: `database_unavailable` or `draining`."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return _answer(503, code, CATALOGUE[code].to_do, request_id, headers=headers)


def internal(request_id: str) -> Problem:
    """A bug of ours: nothing is told but the id under which it is logged."""
    return _answer(500, "internal_error", CATALOGUE["internal_error"].to_do, request_id)


def not_found(detail: str) -> Rejected:
    """`detail` names what is absent; also what belongs to somebody else is."""
    return Rejected.because("not_found", detail)


def phrase(status: int) -> str:
    """What a status is called."""
    return _OF_TUS.get(status) or HTTPStatus(status).phrase


def _answer(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Problem:
    problem = ProblemAnswer(
        type=f"/docs/errors#{code}",
        title=CATALOGUE[code].title,
        status=status,
        detail=detail,
        code=code,
        errors=tuple(FaultAnswer(path=fault.path, code=fault.code, message=fault.message) for fault in faults),
        request_id=request_id,
    )
    return Problem(problem, headers or {})
