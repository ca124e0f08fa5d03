"""Files to move: the authors of plug-ins have them too."""

from __future__ import annotations

from encoder.suites.cargo import Gate, noise, parcel, read

__all__ = ["Gate", "noise", "parcel", "read"]
