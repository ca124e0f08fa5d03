"""A file that its owner brought into the platform's storage before the job was posted (`POST /upload`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

from encoder import errors
from encoder.errors import Fault
from encoder.model.base import Record
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Source

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Members(Record):
    """Whose the file is and whether it has arrived, the API has asked when it took the job in."""

    file_id: str
    file_name: str | None = None  # as its owner calls it


def key_of(upload_id: UUID) -> str:
    """Where an upload lies in the storage."""
    return f"uploads/{upload_id}/source"


def id_of(key: str) -> UUID | None:
    """The upload that lies at `key`; None for any other key."""
    upload_id = read_id(key.removeprefix("uploads/").removesuffix("/source"))
    return upload_id if upload_id is not None and key == key_of(upload_id) else None


def read_id(text: str) -> UUID | None:
    """The id that `text` is, in the one way in which we write it."""
    return UUID(text) if _UUID.fullmatch(text) else None


def check(members: Members, _surroundings: Surroundings) -> Iterator[Fault]:
    if read_id(members.file_id) is None:
        yield Fault(path="/fileId", code="invalid_value", message="This is no `file_id` that `POST /upload` answered.")


def _nowhere(_members: Members, _surroundings: Surroundings) -> Source:
    raise errors.Permanent("unsupported_kind", "There is no storage here that uploads could lie in.")


KIND: Kind[Members, Source] = Kind(members=Members, make=_nowhere, check=check)


def kind(stored: Callable[[str], Source]) -> Kind[Members, Source]:
    """The kind where there is a storage. `stored`: reads what stands at a key of it."""
    return replace(KIND, make=lambda members, _surroundings: stored(key_of(UUID(members.file_id))))
