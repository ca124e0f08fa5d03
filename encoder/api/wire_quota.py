"""What `PUT /tenants/{tenant}/quotas/{queue}` takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from encoder.api.wire_faults import Reader
from encoder.api.wire_types import ABSENT, WHOLE, Wire
from encoder.errors import Rejected
from encoder.model.base import Json

MOST_CAP = 1_000_000
MOST_SHARE = 1000


class Quota(Wire):
    """How much of a queue a tenant may have, all of it: what is left out is as for everybody."""

    cap: Annotated[
        int, Field(ge=0, le=MOST_CAP, description="at most so many run at a time; absent: no limit"), WHOLE
    ] = ABSENT
    share: Annotated[int, Field(ge=1, le=MOST_SHARE, description="beside those of the others"), WHOLE] = 1


_QUOTA: Reader[Quota] = Reader(Quota)


def read_quota(body: Json) -> Quota:
    """The quota that `body` says.

    Raises:
        errors.Rejected: every fault of it.
    """
    quota, faults = _QUOTA.read(body)
    if quota is None:
        raise Rejected(*faults)
    return quota
