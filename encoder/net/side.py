"""Which end of a job a server is: the codes that its failures get."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`away`: it may pass; `refused` and `missing`: it will not."""

    away: str
    refused: str
    missing: str


SOURCE = Side(away="source_unavailable", refused="source_auth_failed", missing="source_not_found")
DESTINATION = Side(away="destination_unavailable", refused="destination_auth_failed", missing="destination_not_found")
# the platform's own: nothing that is wrong with it is a caller's fault
STORAGE = Side(away="storage_unavailable", refused="storage_unavailable", missing="storage_unavailable")
