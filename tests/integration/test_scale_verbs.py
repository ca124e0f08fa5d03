"""What the simulator of a fleet takes a verb to cost is what the store asks (docs/operate/scale.md)."""

from __future__ import annotations

from tests.scale import trace, verbs


async def test_each_verb_is_as_many_statements_as_the_simulator_counts(dsn: str) -> None:
    """Else: `python -m tests.scale measure`, or by hand where one verb changed; then `make scale ARGS=--write`."""
    assert await verbs.counted(dsn) == trace.kept()["statements"]["verbs"]
