"""A resolver with a script per name."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A server that never answers."""


Answer = Sequence[str] | OSError | Silent


@dataclass(kw_only=True)
class FakeDns:
    """`script`: for each name its answers in turn; the last one stays. `asked` counts the look-ups of each name."""

    script: dict[str, Sequence[Answer]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, name: str) -> Sequence[str]:
        answers = self.script.get(name)
        if not answers:
            raise OSError(f"no such name: {name}")
        answer = answers[min(self.asked[name], len(answers) - 1)]
        self.asked[name] += 1
        if isinstance(answer, Silent):
            await asyncio.Event().wait()
        if isinstance(answer, OSError):
            raise answer
        assert not isinstance(answer, Silent)
        return answer
