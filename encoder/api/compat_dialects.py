"""Refusals in the words of other services, and how their callers show a key."""

from __future__ import annotations

from collections.abc import Mapping

from encoder.api.answers_compat import CoconutRefusal, TranscoderRefusal
from encoder.api.dialect import Dialect, signed_key, user_name
from encoder.api.problems import ProblemAnswer
from encoder.model.base import Record

_AS_400 = (408, 413, 415, 422)
_TRANSCODER_ERRORS = {
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    409: "ResourceInUseException",
    429: "LimitExceededException",
}
_SERVER_ERROR = 500


def all_faults(problem: ProblemAnswer) -> str:
    """Every fault in one text, each at its member as its sender wrote it: `Outputs/0/Key: …`."""
    told = [f"{fault.path.lstrip('/')}: {fault.message}" if fault.path else fault.message for fault in problem.errors]
    return "; ".join(told) or problem.detail


def _transcoder(problem: ProblemAnswer) -> tuple[Record, Mapping[str, str]]:
    status = ELASTIC_TRANSCODER.status(problem.status)
    usual = "InternalServiceException" if status >= _SERVER_ERROR else "ValidationException"
    kind = _TRANSCODER_ERRORS.get(status, usual)
    return TranscoderRefusal(message=all_faults(problem)), {"x-amzn-ErrorType": kind}


ELASTIC_TRANSCODER = Dialect(
    name="elastictranscoder",
    scheme="aws4-hmac-sha256",
    security={
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS's signature 4 with a key of ours as the access key id, as its SDKs write it.",
    },
    key=signed_key,
    refusal=TranscoderRefusal,
    told=_transcoder,
    statuses={**dict.fromkeys(_AS_400, 400), 401: 403},
)


def _coconut(problem: ProblemAnswer) -> tuple[Record, Mapping[str, str]]:
    code = "authentication_failed" if problem.code == "unauthorized" else problem.code
    return CoconutRefusal(message=all_faults(problem), error_code=code), {}


COCONUT = Dialect(
    name="coconut",
    scheme="basic",
    security={
        "type": "http",
        "scheme": "basic",
        "description": "A key of ours as the user, with no password, as Coconut's clients send it.",
    },
    key=user_name,
    refusal=CoconutRefusal,
    told=_coconut,
    statuses=dict.fromkeys(_AS_400, 400),
)
