"""What `POST /jobs/bulk` takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from encoder.api import query
from encoder.api.wire_faults import Reader
from encoder.api.wire_types import ABSENT, WHOLE, OneOf, Text, Wire, distinct, fault, plain, without_noise
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.state import JobState

MOST_IDS = 500
CANCEL, RETRY, DELETE = "cancel", "retry", "delete"
ACTIONS = (CANCEL, RETRY, DELETE)
_MOMENT = query.moment("", "")


def _moment(value: object) -> datetime:
    try:
        at = _MOMENT.read(value if isinstance(value, str) else "")
    except ValueError as error:
        raise fault("invalid_value", str(error)) from None
    assert isinstance(at, datetime)  # noqa: S101  # what `query.moment` reads
    return at


_Moment = Annotated[datetime, BeforeValidator(_moment)]
_Words = Annotated[str, Field(min_length=1, max_length=query.MAX_TEXT), AfterValidator(plain)]
_State = Annotated[str, OneOf(*(state.value for state in JobState))]


class JobsMeant(Wire):
    """Jobs as `GET /jobs` finds them, those that were submitted before a time."""

    status: Annotated[
        list[_State],
        Field(min_length=1, max_length=len(JobState), json_schema_extra={"uniqueItems": True}),
        AfterValidator(distinct),
    ] = Field(ABSENT, description="in one of these states")
    q: _Words = Field(ABSENT, description="with this in file name, uuid, tags, metadata or code of the problem")
    tag: _Words = ABSENT
    preset: _Words = Field(ABSENT, description="of one of the outputs")
    code: _Words = Field(ABSENT, description="of the job's or an output's problem")
    created_after: _Moment = Field(ABSENT, description="submitted at this time or later")
    created_before: Annotated[_Moment, Field(description="what is submitted later was seen by nobody, and stays")]


def _either(schema: dict[str, Any]) -> None:
    without_noise(schema)
    schema["oneOf"] = [{"required": ["ids"]}, {"required": ["filter"]}]


class Bulk(Wire):
    """What is to be done to many jobs: to those of `ids`, or to all that `filter` finds."""

    model_config = ConfigDict(json_schema_extra=_either)

    action: Annotated[str, OneOf(*ACTIONS)]
    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1), WHOLE]], Field(min_length=1, max_length=MOST_IDS)] = (
        ABSENT
    )
    filter: JobsMeant = ABSENT
    cursor: Text = Field(ABSENT, description="of the answer before, with all else as it was")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise fault("invalid_value", "must have either `ids` or `filter`")
        return self


_BULK: Reader[Bulk] = Reader(Bulk)


def read_bulk(body: Json) -> Bulk:
    """What `body` says.

    Raises:
        errors.Rejected: every fault of it.
    """
    bulk, faults = _BULK.read(body)
    if bulk is None:
        raise Rejected(*faults)
    return bulk
