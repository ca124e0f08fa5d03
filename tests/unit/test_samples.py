"""Samples of progress: as long as the work goes on and somebody asked, and never to the harm of the work."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from encoder import errors
from encoder.worker.ledger import Ledger
from encoder.worker.samples import sampled


class Asked:
    """A ledger that answers so, and then as the last time."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)
        self.times = 0
        self.enough = asyncio.Event()

    async def tell_progress(self) -> bool:
        self.times += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.times == 3 or answer is not True:
            self.enough.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answers", "times"),
    [((True,), 3), ((False,), 1), ((True, False), 2), ((errors.LeaseLost("gone"),), 1), ((ValueError(),), 1)],
)
async def test_samples_go_on_while_somebody_asked(answers: tuple[bool | Exception, ...], times: int) -> None:
    ledger = Asked(*answers)
    async with sampled(cast("Ledger", ledger), every_s=0.0):
        await asyncio.wait_for(ledger.enough.wait(), 5)
        if times < 3:
            await asyncio.sleep(0.01)
            assert ledger.times == times
    before = ledger.times
    await asyncio.sleep(0.01)
    assert ledger.times == before >= times
