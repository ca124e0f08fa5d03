"""What servers that speak S3 refuse, in our words. Of theirs only the code is repeated, never their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from encoder import errors
from encoder.net.http import retry_after_s
from encoder.net.side import Side

_MISSING = frozenset({"NoSuchBucket", "NotFound"})
_NOT_FOUND = 404
_SERVER_ERROR = 500
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests"})
_BUSY_STATUS = frozenset({429, 503})
# refusals by their status that are none: it was busy, or the bytes came broken
_PASSES = frozenset(
    {"IncompleteBody", "InternalError", "OperationAborted", "RequestTimeout", "ConditionalRequestConflict"}
    | {"NoSuchUpload", *_BUSY}
)
_PASSING_STATUS = frozenset({408, 409, 412, 425, 429})
_BROKEN = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "InvalidPart"})
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}")


def code_of(error: ClientError) -> str:
    """The server's own word for what it refuses, or the status where it says none."""
    told = str(error.response.get("Error", {}).get("Code") or "")
    return told if _CODE.fullmatch(told) else str(status_of(error))


def status_of(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _headers_of(error: ClientError) -> Mapping[str, str]:
    return error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})


@contextmanager
def translated(side: Side) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _failure(error, side) from None  # its text is the server's, and may repeat what we sent
    except (NoCredentialsError, PartialCredentialsError):
        if side.refused == side.away:
            raise errors.Transient(side.away, "The platform has no credentials for S3.") from None
        message = "The place has no credentials of its own, and the platform has none either."
        raise errors.Permanent("credentials_required", message) from None
    except (BotoCoreError, ResponseParserError, KeyError, ValueError) as error:  # botocore, and we, trust an answer
        raise errors.Transient(side.away, f"S3 was not understood: {type(error).__name__}.") from None


def _failure(error: ClientError, side: Side) -> errors.Failure:
    code, status = code_of(error), status_of(error)
    message = f"S3 answered {code}."
    if code in _BROKEN:
        return errors.Transient("integrity_error", message)
    if code in _PASSES or status >= _SERVER_ERROR or status in _PASSING_STATUS:
        passing = errors.Throttled if code in _BUSY or status in _BUSY_STATUS else errors.Transient
        return passing(side.away, message, retry_after_s=retry_after_s(_headers_of(error)))
    if code == "EntityTooLarge":
        return errors.Permanent("output_too_large", message)
    if code == "NoSuchKey":
        return errors.Permanent("source_not_found", message)
    missing = code in _MISSING or status == _NOT_FOUND
    told = side.missing if missing else side.refused
    if told == side.away:  # the platform's own: what is wrong with it, its operator may set right
        return errors.Transient(told, message)
    return errors.Permanent(told, message)
