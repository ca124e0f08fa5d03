"""What may be named in a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encoder.destinations.registry import Destinations
from encoder.errors import Fault
from encoder.model.job import Place
from encoder.model.plan import Note
from encoder.net.guard import Policy, check_url
from encoder.sources.registry import Sources


@dataclass(frozen=True, slots=True)
class Checks:
    """What may be named in a job, by the operator's rules."""

    sources: Sources
    destinations: Destinations
    policy: Policy

    def source(self, place: Place) -> Sequence[Fault]:
        return self.sources.check(place)

    def destination(self, place: Place, *, folder: bool) -> Sequence[Fault]:
        return self.destinations.check(place, folder=folder)

    def source_warnings(self, place: Place) -> tuple[Note, ...]:
        return self.sources.warnings(place)

    def destination_warnings(self, place: Place) -> tuple[Note, ...]:
        return self.destinations.warnings(place)

    def receiver(self, url: str) -> Sequence[Fault]:
        found = check_url(url, self.policy, instead="put a token into its query, which is kept secret")
        return [found] if isinstance(found, Fault) else []

    @property
    def secret_members(self) -> dict[str, frozenset[str]]:
        """By kind, what is sealed beside what is sealed in every kind, in sources and destinations alike."""
        read, written = self.sources.secret_members, self.destinations.secret_members
        return {kind: read.get(kind, frozenset()) | written.get(kind, frozenset()) for kind in read.keys() | written}
