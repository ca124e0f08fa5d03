"""A short form of `make rolling`, whose figures are in docs/why/reliability.md."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.rolling import rolling


async def test_a_restart_under_load_fails_no_call_and_charges_no_work(tmp_path: Path) -> None:
    """O1, G10: behind a proxy that tries nothing twice. Seen to fail where the door was closed at the signal."""
    figures = await rolling(tmp_path, on="postgres", seconds=0, every_s=0, seed=7, apis=2, workers=1)
    assert figures.wrong == []
    assert {kind: len(times) for kind, times in figures.stops_s.items()} == {"api": 1, "worker": 1}
    assert max(figures.stops_s["api"]) < 28
    assert figures.customers.completed > 0
