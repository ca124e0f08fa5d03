"""What every group of verbs stands on."""

from __future__ import annotations

from encoder.store.engine import Pool
from encoder.store.hints import Hints
from encoder.store.news import News


class Verbs:
    def __init__(self, pool: Pool, hints: Hints, news: News) -> None:
        self._pool = pool
        self._hints = hints
        self._news = news
