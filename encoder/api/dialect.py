"""How callers of other services' APIs are met: the key as their libraries show it, refusals as those read them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from encoder.api.problems import ProblemAnswer
from encoder.model.base import Record

_CREDENTIAL = re.compile(r"(?:^|[ ,])Credential=([^/, ]+)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`scheme`: of `Authorization`, beside ours; `key`: what of its text is the key; `security`: that for the document.

    `refusal`: the record of a refusal; `told`: what becomes of a problem: status, record and further headers.
    `statuses`: where it is told under another one than ours.
    """

    name: str
    scheme: str
    security: Mapping[str, str]
    key: Callable[[str], str]
    refusal: type[Record]
    told: Callable[[ProblemAnswer], tuple[Record, Mapping[str, str]]]
    statuses: Mapping[int, int] = field(default_factory=dict)

    def status(self, ours: int) -> int:
        return self.statuses.get(ours, ours)

    def retold(self, problem: ProblemAnswer, headers: Mapping[str, str]) -> web.Response:
        """A problem in this dialect. `headers`: what came with it."""
        record, own = self.told(problem)
        return web.Response(
            status=self.status(problem.status),
            body=msgspec.json.encode(record),
            content_type="application/json",
            headers={**headers, **own},
        )


DIALECT = web.RequestKey("dialect", Dialect)  # of the operation that a request is for


def signed_key(text: str) -> str:
    """Of AWS's signature 4: who signs. The signature itself cannot be checked: of keys we keep hashes alone."""
    found = _CREDENTIAL.search(text)
    return found[1] if found else ""


def user_name(text: str) -> str:
    """Of HTTP's Basic: the user."""
    return _of_basic(text)[0]


def password(text: str) -> str:
    """Of HTTP's Basic: the password. A key has no colon in it."""
    return _of_basic(text)[2]


def _of_basic(text: str) -> tuple[str, str, str]:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", "", ""
