"""Names for the numbers that identify things, so that one cannot be passed for another."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", int)
JobId = NewType("JobId", int)
OutputId = NewType("OutputId", int)  # position of the output in its job, 0-based; `outputId` in the API
TaskId = NewType("TaskId", int)
EndpointId = NewType("EndpointId", int)
DeliveryId = NewType("DeliveryId", int)
KeyId = NewType("KeyId", int)
SweepId = NewType("SweepId", int)
WorkerId = NewType("WorkerId", UUID)  # random per process start: never a name that is used again

DEFAULT_TENANT = TenantId(1)
