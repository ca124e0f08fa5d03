"""How sources and destinations plug in: what a kind is, what it is given of the world, and where kinds are found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Generic, TypeVar

from encoder import errors
from encoder.errors import Fault
from encoder.files.roots import Roots
from encoder.log import get_logger
from encoder.model import place as places
from encoder.model.job import Place
from encoder.model.plan import Note
from encoder.net.http import Web
from encoder.net.s3 import S3Access

log = get_logger(__name__)

M = TypeVar("M")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a plug-in may touch. `key`: a name for what it makes, the same on every attempt; "" for sources.

    `folder`: what is made is a folder of files, so its path ends in `/` (`path_fault(path, folder=…)`); else not.
    """

    web: Web = field(default_factory=Web)
    roots: Roots = field(default_factory=Roots)
    s3: S3Access = field(default_factory=S3Access)
    key: str = ""
    folder: bool = False


@cache
def _installed(group: str, _path: tuple[str, ...]) -> Sequence[EntryPoint]:
    """What is installed in `group`. Found once: a look takes a millisecond, and a request may name many kinds."""
    return tuple(entry_points(group=group))


def _nothing_wrong(_members: object, _surroundings: Surroundings) -> Iterable[Fault]:
    return ()


def _nothing_to_know(_members: object) -> Iterable[Note]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[M, T]):
    """A kind of source or destination; what an entry point of `encoder.sources` or `encoder.destinations` names.

    `members`: what its members are read into, `kind` left out: a record, or a pydantic model. `check` is pure but for
    looks at file roots: it tells before anything is stored what is wrong with the members, `path` being a pointer from
    the place on. `warn`, pure too, tells what is to be known of members in which nothing is wrong; it is asked whenever
    the job is shown, and secrets among them may be hidden. `secrets`: members, as JSON names them, that are stored
    sealed and never shown, beside those that are so in every kind.
    """

    members: type[M]
    make: Callable[[M, Surroundings], T]
    check: Callable[[M, Surroundings], Iterable[Fault]] = _nothing_wrong
    warn: Callable[[M], Iterable[Note]] = _nothing_to_know
    secrets: frozenset[str] = frozenset()


class Registry(Generic[T]):
    """Finds kinds by name: ours (`own`) by dotted path, others' by entry point in `group`; loaded on first use."""

    own: ClassVar[Mapping[str, str]]
    group: ClassVar[str]

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._loaded: dict[str, Kind[Any, T]] = {}

    @classmethod
    def others(cls) -> dict[str, EntryPoint]:
        """What other distributions bring, by kind. Ours come first: of their names there are no others."""
        found = {entry.name: entry for entry in _installed(cls.group, tuple(sys.path))}
        return {name: found[name] for name in sorted(found.keys() - cls.own.keys())}

    @classmethod
    def require_distinct(cls) -> None:
        """Raises errors.Unfit: two kinds have one name, and nobody could say which one a job means."""
        owners = dict.fromkeys(cls.own, "encoder")
        for entry in _installed(cls.group, tuple(sys.path)):
            brings = entry.dist.name if entry.dist else entry.value
            if entry.name in owners:
                told = f"{brings} brings {entry.name!r} for {cls.group}, which {owners[entry.name]} has; remove one."
                raise errors.Unfit(told)
            owners[entry.name] = brings

    @property
    def kinds(self) -> list[str]:
        """The names of all that are installed, sorted."""
        return sorted({*self.own, *self.others()})

    @property
    def secret_members(self) -> dict[str, frozenset[str]]:
        """What each kind wants sealed beside what is sealed in every kind; of those that can be loaded here."""
        found = {name: self._find(name) for name in self.kinds}
        return {name: kind.secrets for name, kind in found.items() if isinstance(kind, Kind) and kind.secrets}

    @classmethod
    def unusable(cls) -> dict[str, str]:
        """The kinds that are installed and cannot be loaded here, and why, a sentence each."""
        own = (EntryPoint(name=name, value=value, group=cls.group) for name, value in cls.own.items())
        found = {entry.name: load(entry) for entry in (*own, *cls.others().values())}
        return {name: kind.message for name, kind in found.items() if isinstance(kind, Fault)}

    def check(self, place: Place, *, folder: bool = False) -> list[Fault]:
        """Everything that is wrong with `place`; `path` is a pointer from the place on."""
        found = self._read(place, replace(self._surroundings, folder=folder))
        return found if isinstance(found, list) else []

    def warnings(self, place: Place) -> tuple[Note, ...]:
        """What the caller should know of `place`, which was in order once and whose secrets may be hidden."""
        kind = self._find(places.kind_of(place) or "")
        if isinstance(kind, Fault) or kind.warn is _nothing_to_know:
            return ()
        members = places.read(kind.members, place)
        if isinstance(members, list):
            return ()
        try:
            return tuple(kind.warn(members))
        except Exception:  # a stranger's defect must not keep a job from being told
            log.exception("plugin.warn_failed", kind=places.kind_of(place))
            return ()

    def label(self, place: Place) -> str:
        """The kind of `place` where few words are wanted: `other` for all that are not ours."""
        name = places.kind_of(place)
        return name if name is not None and name in self.own else "other"

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

    def _read(self, place: Place, surroundings: Surroundings) -> tuple[Kind[Any, T], object] | list[Fault]:
        name = places.kind_of(place)
        if name is None:
            known = ", ".join(self.kinds)
            return [Fault(path="/kind", code="missing_field", message=f"The kind is missing: one of {known}.")]
        kind = self._find(name)
        if isinstance(kind, Fault):
            return [kind]
        members = places.read(kind.members, place)
        if isinstance(members, list):
            return members
        return list(kind.check(members, surroundings)) or (kind, members)

    def _find(self, name: str) -> Kind[Any, T] | Fault:
        if name not in self._loaded:
            found = self._load(name)
            if isinstance(found, Fault):
                return found
            self._loaded[name] = found
        return self._loaded[name]

    def _load(self, name: str) -> Kind[Any, T] | Fault:
        if name in self.own:
            return load(EntryPoint(name=name, value=self.own[name], group=self.group))
        entry = self.others().get(name)
        if entry is not None:
            return load(entry)
        message = f"{name!r} is not installed; installed are {', '.join(self.kinds)}."
        return Fault(path="/kind", code="unsupported_kind", message=message)


def load(entry: EntryPoint) -> Any | Fault:  # noqa: ANN401  # what others registered; a Kind, we trust
    """The kind that `entry` names, or what must be installed before it can be used."""
    try:
        return entry.load()
    except ImportError as error:
        needed = error.name or entry.value
        # no command to copy: of all names, ours on an index of packages is a stranger's
        message = f"{entry.name!r} needs `{needed}`, which is not in Encoder's environment; install it there."
        return Fault(path="/kind", code="unsupported_kind", message=message)
