"""How sources and destinations plug in: what a kind is, what it is given of the world, and where kinds are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from encoder import errors
from encoder.errors import Fault
from encoder.files.roots import Roots
from encoder.model import place as places
from encoder.model.base import Record
from encoder.model.job import Place
from encoder.net.http import Web

M = TypeVar("M", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a plug-in may touch. `key`: a name for what it makes, the same on every attempt; "" for sources.

    `folder`: what is made is a folder of files, so its path ends in `/` (`path_fault(path, folder=…)`); else not.
    """

    web: Web = field(default_factory=Web)
    roots: Roots = field(default_factory=Roots)
    key: str = ""
    folder: bool = False


def _nothing_wrong(_members: object, _surroundings: Surroundings) -> Iterable[Fault]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[M, T]):
    """A kind of source or destination; what an entry point of `encoder.sources` or `encoder.destinations` names.

    `members`: the record of its members, `kind` left out. `check` is pure but for looks at file roots: it tells
    before anything is stored what is wrong with the members, `path` being a pointer from the place on. `secrets`:
    members, as JSON names them, that are stored sealed and never shown, beside those that are so in every kind.
    """

    members: type[M]
    make: Callable[[M, Surroundings], T]
    check: Callable[[M, Surroundings], Iterable[Fault]] = _nothing_wrong
    secrets: frozenset[str] = frozenset()


class Registry(Generic[T]):
    """Finds kinds by name: ours by dotted path, loaded on first use, others' by entry point."""

    def __init__(self, surroundings: Surroundings, *, own: Mapping[str, str], group: str) -> None:
        self._surroundings = surroundings
        self._own = own
        self._group = group
        self._loaded: dict[str, Kind[Any, T]] = {}

    @property
    def kinds(self) -> list[str]:
        """The names of all that are installed, sorted."""
        return sorted({*self._own, *(entry.name for entry in entry_points(group=self._group))})

    def check(self, place: Place, *, folder: bool = False) -> list[Fault]:
        """Everything that is wrong with `place`; `path` is a pointer from the place on."""
        found = self._read(place, replace(self._surroundings, folder=folder))
        return found if isinstance(found, list) else []

    def _make(self, place: Place, *, key: str = "") -> T:
        """The plug-in of `place`, checked again: settings may have changed since it was stored.

        Raises:
            errors.Permanent: the code of the first fault.
        """
        surroundings = replace(self._surroundings, key=key, folder=key.endswith("/"))
        found = self._read(place, surroundings)
        if isinstance(found, list):
            raise errors.Permanent(found[0].code, found[0].message)
        kind, members = found
        return kind.make(members, surroundings)

    def _read(self, place: Place, surroundings: Surroundings) -> tuple[Kind[Any, T], Record] | list[Fault]:
        kind = self._kind(place)
        if isinstance(kind, Fault):
            return [kind]
        members = places.read(kind.members, place)
        if isinstance(members, list):
            return members
        return list(kind.check(members, surroundings)) or (kind, members)

    def _kind(self, place: Place) -> Kind[Any, T] | Fault:
        name = places.kind_of(place)
        if name is None:
            known = ", ".join(self.kinds)
            return Fault(path="/kind", code="missing_field", message=f"The kind is missing: one of {known}.")
        if name not in self._loaded:
            found = self._load(name)
            if isinstance(found, Fault):
                return found
            self._loaded[name] = found
        return self._loaded[name]

    def _load(self, name: str) -> Kind[Any, T] | Fault:
        if name in self._own:
            module, _, attribute = self._own[name].partition(":")
            kind: Kind[Any, T] = getattr(import_module(module), attribute)
            return kind
        entry = next(iter(entry_points(group=self._group, name=name)), None)
        if entry is not None:
            return _load_entry(entry)
        message = f"{name!r} is not installed; installed are {', '.join(self.kinds)}."
        return Fault(path="/kind", code="unsupported_kind", message=message)


def _load_entry(entry: EntryPoint) -> Any | Fault:  # noqa: ANN401  # what others registered; a Kind, we trust
    try:
        return entry.load()
    except ImportError as error:
        message = f"{entry.name!r} cannot be loaded: {error}; install what {entry.value} needs."
        return Fault(path="/kind", code="unsupported_kind", message=message)
