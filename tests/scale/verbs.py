"""How many statements each verb of the queue is, by the database's own log, and what workers ask besides.

`python -m tests.scale measure` keeps it in traces.json; `tests/integration/test_scale_verbs.py` holds it to the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import uuid4

from encoder.model.ids import WorkerId
from encoder.model.state import OutputState
from encoder.store.engines import open_store
from encoder.store.postgres import sql
from encoder.store.postgres.sql import TEXTS
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Claim, FanOut, NewTask, Settlement
from tests.lab import work
from tests.lab.statements import asked, log

Count: TypeAlias = Callable[[str, Awaitable[Any]], Awaitable[Any]]

PARTS = 4
# what each kind of task asks between its claim and its end; `tests/integration/test_scale_verbs.py` counts real ones
BEGIN: Mapping[str, Mapping[str, float]] = {
    "transcode": {"claim": 1, "load": 1, "mark": 1},
    "chunk": {"claim, waiting": 1, "load": 1, "mark": 1, "deadline": 1},
    "assemble": {"claim, waiting": 1, "load": 1, "mark": 1, "parts": 1, "deadline": 1},
}
END: Mapping[str, Mapping[str, float]] = {
    "transcode, whole": {"mark": 7, "fence": 1, "settle, whole": 1},
    "transcode, split": {"free slots": 1, "parts": 1, "note": 1, "mark": 2, "settle, split": 1},
    "chunk": {"settle, part": 1},
    "assemble": {"mark": 5, "fence": 1, "load": 1, "settle, whole": 1},
}


async def counted(dsn: str) -> dict[str, int]:
    """Statements of each verb, BEGIN and COMMIT with them, on a database of ours without jobs. Hints come later."""
    await log(dsn)
    store = await open_store(dsn)
    try:
        return await _counted(dsn, store)
    finally:
        await store.close()
        await log(dsn, on=False)


async def _counted(dsn: str, store: Store) -> dict[str, int]:
    found: dict[str, int] = {}

    async def count(verb: str, act: Awaitable[Any]) -> Any:  # noqa: ANN401  # what the verb answers
        before = len(await asked(dsn))
        answer = await act
        names = told((await asked(dsn))[before:])
        found[verb] = names.total() - names["hint"]
        return answer

    await work.claim(store)  # its first one finds out where the line begins
    await count("enqueue", work.enqueue(store))
    whole = await count("claim", work.claim_one(store))
    await count("claim, in vain", work.claim(store))
    await count("load", store.load(whole))
    await count("mark", store.mark(whole, [work.change(0, OutputState.ENCODING)]))
    await count("fence", store.mark(whole))
    heart = store.heart()
    await heart.beat(WorkerId(uuid4()), [], lease=work.LEASE)  # connects
    held = [Beat(task_id=whole.task_id, epoch=whole.epoch)]
    await count("beat", heart.beat(WorkerId(uuid4()), held, lease=work.LEASE))
    await heart.close()
    for state in (OutputState.VERIFYING, OutputState.UPLOADING, OutputState.UPLOADED):
        await store.mark(whole, [work.change(0, state)])
    await count("settle, whole", store.settle(whole, work.DONE))
    await _count_graph(store, count)
    return found


async def _count_graph(store: Store, count: Count) -> None:
    _, root = await work.working(store)
    await count("settle, split", store.settle(root, split(PARTS)))
    first: Claim = (await count("claim, waiting", work.claim(store)))[0]
    await count("settle, part", store.settle(first, work.DONE))
    given_back = await work.claim_one(store)
    await count("release", store.settle(given_back, work.RELEASED))
    (silent,) = await work.claim(store, lease=work.PAST)
    (expired,) = await count("expired", store.expired())
    await count("rescue", store.rescue(expired.claim, work.LOST))
    assert expired.claim.task_id == silent.task_id
    *others, last = await work.claim(store, limit=PARTS - 1)
    for each in others:
        await store.settle(each, work.DONE)
    await count("settle, last part", store.settle(last, work.DONE))
    behind = await work.claim_one(store)
    await count("parts", store.parts(behind))


def split(parts: int) -> Settlement:
    """The end of a root that makes so many chunks and the task behind them."""
    made = tuple(NewTask(name=f"t1/c{number:04}", kind="chunk", queue="encode") for number in range(parts))
    behind = NewTask(name="t1/join", kind="assemble", queue="encode")
    return replace(work.DONE, fan_out=FanOut(parts=made, then=behind))


def named(line: str) -> str:
    """Whose statement a line of the log begins."""
    return _NAMES.get(line.strip(), line.strip().rstrip(";").lower())


def told(lines: list[str]) -> Counter[str]:
    """How often each was asked, without what the driver asks once of each connection."""
    return Counter(name for line in lines if (name := named(line)) not in _DRIVERS)


_DRIVERS = ("", "with recursive typeinfo_tree(")
_NAMES = {
    text.partition("\n")[0].strip(): name
    for name, text in {
        **{statement.value: text for statement, text in TEXTS.items()},
        "enqueue": sql.ENQUEUE,
        "beat": sql.BEAT,
        "hint": sql.HINT,
    }.items()
}
