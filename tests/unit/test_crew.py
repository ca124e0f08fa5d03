from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from encoder.metrics import family
from encoder.worker import crew


def _of(asked: list[str], *, hears: bool = True) -> crew.Numbers:
    """A worker of two slots that claims nothing for what was asked of it."""
    pauses = {reason: partial(asked.__contains__, reason) for reason in ("drain", "disk")}
    return crew.Numbers(slots={"encode": 2}, pauses=pauses, hears=lambda: hears)


def _told() -> set[str]:
    return set(family.text().decode().splitlines())


def test_workers_of_one_process_are_told_as_one() -> None:
    """Whoever came last told of itself alone."""
    first: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(crew.told(_of(first, hears=False)))
        stack.enter_context(crew.told(_of([])))
        assert {
            'encoder_slots{queue="encode"} 4.0',
            'encoder_claims_paused{reason="disk"} 0.0',
            "encoder_draining 0.0",
            "encoder_listener_up 0.0",
        } <= _told()
        first += ["drain", "disk"]
        assert {'encoder_claims_paused{reason="disk"} 1.0', "encoder_draining 1.0"} <= _told()
    assert "encoder_draining 1.0" in _told(), "what drains does so to the end"
    with crew.told(_of([])):
        assert {'encoder_slots{queue="encode"} 2.0', "encoder_draining 0.0", "encoder_listener_up 1.0"} <= _told()
