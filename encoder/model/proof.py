"""The verification report of an output."""

from __future__ import annotations

from encoder.model.base import Json, Record


class Check(Record):
    """One check of docs/why/proof.md: what was expected, what was measured, what would have been allowed."""

    name: str
    rendition: str | None = None  # of a package, if the check is about one of them
    passed: bool
    expected: Json = None
    measured: Json = None
    limit: Json = None
    fault: str | None = None  # which of the members is wrong, the first of them

    @property
    def told(self) -> str:
        """What failed, as a word that never changes: the check, and its member."""
        return f"{self.name}.{self.fault}" if self.fault else self.name

    @classmethod
    def refused(cls, told: str) -> Check:
        """A check that failed before anything could be measured."""
        name, _, fault = told.partition(".")
        return cls(name=name, passed=False, fault=fault or None)


class Proof(Record):
    """All checks that apply to an output, in the order of docs/why/proof.md."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)
