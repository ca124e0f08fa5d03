"""What `POST /keys` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from encoder.api.wire_faults import Reader
from encoder.api.wire_types import ABSENT, WHOLE, OneOf, Wire, distinct, plain
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.ids import DEFAULT_TENANT
from encoder.model.key import Scope

MOST_DAYS = 3650
MOST_TENANT = 10**18 - 1
_LONGEST_NAME = 100


class Key(Wire):
    """A key of the API that is to be made."""

    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME, description="for people"), AfterValidator(plain)]
    scopes: Annotated[
        list[Annotated[str, OneOf(*(scope.value for scope in Scope))]],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(distinct),
    ] = Field(ABSENT, description="what it may; absent: read and write")
    tenant: Annotated[int, Field(ge=1, le=MOST_TENANT, description="whose it is"), WHOLE] = DEFAULT_TENANT
    days: Annotated[
        int, Field(ge=1, le=MOST_DAYS, description="how long it is good; absent: until it is revoked"), WHOLE
    ] = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedKey:
    name: str
    scopes: frozenset[Scope]
    tenant: int
    days: int | None


_KEY: Reader[Key] = Reader(Key)


def read_key(body: Json) -> WantedKey:
    """The key that `body` wants.

    Raises:
        errors.Rejected: every fault of it.
    """
    key, faults = _KEY.read(body)
    if key is None:
        raise Rejected(*faults)
    scopes = frozenset({Scope.READ, Scope.WRITE} if key.scopes is ABSENT else map(Scope, key.scopes))
    return WantedKey(name=key.name, scopes=scopes, tenant=key.tenant, days=key.days)
