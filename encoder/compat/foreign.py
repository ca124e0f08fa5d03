"""Reads a body in another service's words: every fault at once, each at the caller's own member."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from encoder.errors import Fault
from encoder.model.base import Json
from encoder.model.place import pointer

MOST_FAULTS = 100  # more would help nobody, and each repeats a place that the sender may have made long
_LONGEST_NAME = 256  # of an unknown member that is told back
_NOTHING: tuple[Json, ...] = (None, "", [], {})


@dataclass(slots=True)
class Found:
    """What is wrong with a body, and what its sender should know though it is taken."""

    faults: list[Fault] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)  # by their sentence, its code

    @property
    def full(self) -> bool:
        return len(self.faults) >= MOST_FAULTS

    def fault(self, path: str, code: str, message: str) -> None:
        if not self.full:
            self.faults.append(Fault(path=path, code=code, message=message))

    def unsupported(self, path: str, why: str) -> None:
        """Nothing that we cannot make is left out in silence."""
        self.fault(path, "unsupported_member", f"not supported by Encoder: {why}")

    def warn(self, code: str, message: str) -> None:
        self.warnings.setdefault(message, code)


class Foreign:
    """One object of such a body. What is asked for is known; `close` names the members that nobody asked for.

    Absent, null and empty are alike to whoever writes a body by an SDK: given is a member that says something. What is
    empty must be of the right type all the same.
    """

    def __init__(self, members: Mapping[str, Json], path: str, found: Found) -> None:
        self._members = members
        self._known: set[str] = set()
        self.path = path
        self.found = found

    def raw(self, name: str) -> Json:
        """A member as it was sent."""
        self._known.add(name)
        return self._members.get(name)

    def at(self, *names: str | int) -> str:
        """Where a member stands."""
        return self.path + pointer(*names)

    def fault(self, name: str, code: str, message: str) -> None:
        self.found.fault(self.at(name), code, message)

    def text(self, name: str, pattern: str = "", told: str = "", *, required: bool = False) -> str | None:
        """A text, of which `pattern` is the whole; `told`: what it must be. None: it is absent, or wrong."""
        value = self.raw(name)
        if value is None or value == "":
            if required:
                self.fault(name, "missing_field", "must be there")
            return None
        if not isinstance(value, str):
            self.fault(name, "invalid_type", "must be text")
            return None
        if pattern and not re.fullmatch(pattern, value):
            self.fault(name, "invalid_value", told)
            return None
        return value

    def choice(self, name: str, values: Iterable[str], *, required: bool = False) -> str | None:
        known = tuple(values)
        pattern = "|".join(map(re.escape, known))
        return self.text(name, pattern, f"must be one of {', '.join(known)}", required=required)

    def flag(self, name: str) -> bool:
        """True where it is said; also as the text that some libraries make of it."""
        value = self.raw(name)
        if value is not None and not isinstance(value, bool) and value not in ("true", "false"):
            self.fault(name, "invalid_type", "must be true or false")
        return value in (True, "true")

    def number(self, name: str, *, low: float, high: float) -> float | None:
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(name, "invalid_type", "must be a number")
        elif not low <= value <= high:
            self.fault(name, "out_of_range", f"must be {low:g} to {high:g}")
        else:
            return value
        return None

    def one(self, name: str, *, required: bool = False) -> Foreign | None:
        """An object below this one; close it too."""
        value = self.raw(name)
        if value is None:
            if required:
                self.fault(name, "missing_field", "must be there")
            return None
        if not isinstance(value, dict):
            self.fault(name, "invalid_type", "must be an object")
            return None
        return Foreign(value, self.at(name), self.found)

    def many(self, name: str, *, most: int) -> list[Foreign]:
        """Objects below this one, as far as they are some."""
        return [
            Foreign(value, self.at(name, number), self.found)
            for number, value in self._items(name, most=most)
            if self._is(value, dict, "must be an object", name, number) and isinstance(value, dict)
        ]

    def texts(self, name: str, *, most: int) -> list[str]:
        return [
            str(value)
            for number, value in self._items(name, most=most)
            if self._is(value, str, "must be text", name, number)
        ]

    def refuse(self, name: str, why: str) -> None:
        """A member that we know and cannot serve."""
        if self.raw(name) not in _NOTHING:
            self.found.unsupported(self.at(name), why)

    def close(self) -> None:
        for name in self._members:
            if self.found.full:
                return
            if name in self._known:
                continue
            if len(name) > _LONGEST_NAME:
                self.found.fault(self.path, "unknown_field", "has a member that is not known here")
                continue
            near = difflib.get_close_matches(name, self._known, n=1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            self.fault(name, "unknown_field", f"is not known here{meant}")

    def _items(self, name: str, *, most: int) -> Iterator[tuple[int, Json]]:
        value = self.raw(name)
        if value is None:
            return
        if not isinstance(value, list):
            self.fault(name, "invalid_type", "must be a list")
        elif len(value) > most:
            self.fault(name, "out_of_range", f"must hold at most {most}")
        else:
            yield from enumerate(value)

    def _is(self, value: Json, kind: type, told: str, *at: str | int) -> bool:
        if isinstance(value, kind):
            return True
        self.found.fault(self.at(*at), "invalid_type", told)
        return False
