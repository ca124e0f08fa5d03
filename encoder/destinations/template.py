"""Fills `{jobId} {uuid} {sourceName} {width} {height} {preset}` into the path or address of a destination."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from encoder.errors import Fault
from encoder.model.job import Place
from encoder.model.paths import segment, stem

_MARK = re.compile(r"\{([A-Za-z]*)\}")
_EXAMPLE = {"jobId": "1", "uuid": "u", "sourceName": "s", "width": "2", "height": "2", "preset": "p"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What is known of an output when it is delivered. None reads `none` in a name."""

    job_id: int
    uuid: str
    source_name: str  # a file's name or the last part of an address; hostile text
    width: int | None
    height: int | None
    preset: str | None

    def clean(self) -> dict[str, str]:
        """Each value as one clean part of a path."""
        return {
            "jobId": str(self.job_id),
            "uuid": self.uuid,
            "sourceName": segment(stem(self.source_name)),
            "width": str(self.width or "none"),
            "height": str(self.height or "none"),
            "preset": segment(self.preset or "none"),
        }


def expand(place: Place, values: Values) -> Place:
    """`place` with its templates filled in; in an address, the values are percent-encoded."""
    clean = values.clean()
    filled = dict(place)
    for member, made in (("path", clean), ("url", {name: quote(value, safe="") for name, value in clean.items()})):
        text = place.get(member)
        if isinstance(text, str):
            filled[member] = _fill(text, made)
    return filled


def fault(text: str) -> Fault | None:
    """What is wrong with the templates in `text`, a path or an address."""
    if _MARK.search(text.partition("://")[2].partition("/")[0]):
        return Fault(path="", code="invalid_url", message="Templates belong behind the host.")
    unknown = next((name for name in _MARK.findall(text) if name not in _EXAMPLE), None)
    if unknown is None:
        return None
    known = ", ".join(f"{{{name}}}" for name in _EXAMPLE)
    return Fault(path="", code="invalid_path", message=f"{{{unknown}}} is no template; there are {known}.")


def example(text: str) -> str:
    """`text` as it may read one day, for checks before the values are known."""
    return _fill(text, _EXAMPLE)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda mark: values.get(mark[1], mark[0]), text)
