"""What every group of verbs stands on."""

from __future__ import annotations

from encoder.store.postgres.hints import Hints
from encoder.store.postgres.pool import Pool


class Verbs:
    def __init__(self, pool: Pool, hints: Hints) -> None:
        self._pool = pool
        self._hints = hints
