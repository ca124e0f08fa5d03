"""What a translation comes to: a job in our words, and the way back from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from encoder.compat.foreign import Found
from encoder.errors import Fault
from encoder.model.base import Json
from encoder.model.job import Notification, Origin
from encoder.model.plan import Note

_OURS = re.compile(r"/outputs/[0-9]+(?:/[A-Za-z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """`job`: the body that `POST /jobs` takes. `trail`: where its parts came from, pointer by pointer.

    `notification`: how its receiver is told.
    """

    job: dict[str, Json]
    origin: Origin
    trail: Mapping[str, str]
    notification: Notification | None = None

    def led_back(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Faults of `job`, at the caller's own members as far as those are known; what is left of a path is told."""
        for fault in faults:
            ours = self._nearest(fault.path)
            left = fault.path[len(ours) :].strip("/")
            told = _OURS.sub(lambda path: self._back(path[0]), fault.message)
            message = f"{left}: {told}" if left else told
            yield Fault(path=self.trail.get(ours, ""), code=fault.code, message=message)

    def _nearest(self, path: str) -> str:
        return max((known for known in self.trail if _holds(known, path)), key=len, default="")

    def _back(self, path: str) -> str:
        """A path of ours inside a sentence."""
        return self.trail.get(self._nearest(path), path).lstrip("/")


@dataclass(slots=True)
class Draft:
    """Outputs as they are put together, each with the places that its members came from."""

    outputs: list[Json] = field(default_factory=list)
    trail: dict[str, str] = field(default_factory=dict)

    def add(self, output: dict[str, Json], at: str, **members: str) -> int:
        """The number of one more output, which stands for what is `at`; `members`: where some of its own stand."""
        number = len(self.outputs)
        self.outputs.append(output)
        self.trail[f"/outputs/{number}"] = at
        self.trail |= {f"/outputs/{number}/{member}": path for member, path in members.items()}
        return number


def notes(found: Found) -> tuple[Note, ...]:
    return tuple(Note(code=code, message=message) for message, code in found.warnings.items())


def _holds(known: str, path: str) -> bool:
    return path == known or path.startswith(f"{known}/")
