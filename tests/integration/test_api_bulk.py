"""Many jobs at once over HTTP, on both databases: what was meant and nothing else, and taken up where it stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from encoder import errors
from encoder.api import bulk
from encoder.model.ids import JobId, TenantId
from encoder.store.protocol import Store
from encoder.store.rows import JobFilter
from encoder.store.verbs.reading import Reading
from tests.lab import work
from tests.lab.api import Api, running

pytestmark = pytest.mark.both_databases
NEVER = "2999-01-01T00:00:00Z"


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def queued(api: Api, count: int, **wanted: object) -> list[JobId]:
    return [(await work.enqueue(api.parts.store, **wanted)).id for _ in range(count)]


async def failed(api: Api, **wanted: object) -> JobId:
    job, claim = await work.working(api.parts.store, **wanted)
    await api.parts.store.settle(claim, work.failing())
    return job.id


async def act(api: Api, **body: object) -> dict[str, Any]:
    status, told = await api.told("POST", "/jobs/bulk", body)
    assert status == 200, told
    answer: dict[str, Any] = told
    return answer


async def statuses(api: Api, *jobs: JobId) -> list[str]:
    return [(await api.get(f"/jobs/{job}"))["status"] for job in jobs]


async def test_jobs_that_were_chosen_are_cancelled_and_why_others_are_not_is_told(api: Api) -> None:
    """B4: another tenant's is told as what is not there."""
    jobs, ended = await queued(api, 4), await queued(api, 1)
    (foreign,) = await queued(api, 1, tenant=TenantId(2))
    await api.parts.store.cancel(ended[0])
    told = await act(api, action="cancel", ids=[*jobs[:3], jobs[0], *ended, foreign, 10**9])
    assert told == {"done": 3, "skipped": {"not_found": 2, "job_ended": 1}, "left": 0, "cursor": None}
    assert await statuses(api, *jobs) == ["cancelled"] * 3 + ["queued"]
    kept = await api.parts.store.job(TenantId(2), str(foreign))
    assert kept is not None
    assert kept.state == "queued"


async def test_all_that_a_filter_finds_are_done_call_by_call_and_what_came_later_stays(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    lost = [await failed(api, tags=("trailer",)) for _ in range(5)]
    other = await failed(api)
    wanted = {
        "code": "source_truncated",
        "tag": "trailer",
        "createdBefore": (await api.get(f"/jobs/{lost[4]}"))["createdAt"],
    }

    first = await act(api, action="retry", filter=wanted)
    assert (first["done"], first["skipped"], first["left"]) == (2, {}, 2)
    assert await statuses(api, *lost) == ["failed", "failed", "queued", "queued", "failed"]
    last = await act(api, action="retry", filter=wanted, cursor=first["cursor"])
    assert last == {"done": 2, "skipped": {}, "left": 0, "cursor": None}
    assert await statuses(api, *lost, other) == ["queued"] * 4 + ["failed"] * 2
    again = await act(api, action="retry", filter=wanted, cursor=first["cursor"])
    assert again == {"done": 0, "skipped": {}, "left": 0, "cursor": None}


async def test_what_is_left_may_take_too_long_to_count_but_what_was_done_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    jobs = await queued(api, 3, tags=("trailer",))
    found = Reading.find_jobs

    async def hasty(reading: Reading, wanted: JobFilter) -> Sequence[JobId]:
        if wanted.limit > bulk.MOST:
            raise errors.Rejected.because("too_much_to_search", "The search was stopped.")
        return await found(reading, wanted)

    monkeypatch.setattr(Reading, "find_jobs", hasty)
    wanted = {"q": "trailer", "createdBefore": NEVER}
    first = await act(api, action="cancel", filter=wanted)
    assert (first["done"], first["left"]) == (2, 1)
    last = await act(api, action="cancel", filter=wanted, cursor=first["cursor"])
    assert last == {"done": 1, "skipped": {}, "left": 0, "cursor": None}
    assert await statuses(api, *jobs) == ["cancelled"] * 3


async def test_a_cursor_belongs_to_its_question(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_S", 0.0)
    jobs = await queued(api, 3)
    told = await act(api, action="cancel", ids=jobs)
    assert (told["done"], told["left"]) == (1, 2)  # however short the time: it goes on
    for body in (
        {"action": "delete", "ids": jobs},
        {"action": "cancel", "ids": jobs[:2]},
        {"action": "cancel", "filter": {"createdBefore": NEVER}},
    ):
        status, refused = await api.told("POST", "/jobs/bulk", body | {"cursor": told["cursor"]})
        assert (status, refused["code"]) == (400, "invalid_cursor")
    assert (await act(api, action="cancel", ids=jobs, cursor=told["cursor"]))["left"] == 1


async def test_what_cannot_be_retried_or_has_no_state_for_it_is_left_alone(api: Api) -> None:
    erased = await failed(api, sealed=b"secret")
    await api.parts.store.erase_secrets(ended_for=timedelta(0), look=10)
    waiting, again = await queued(api, 1), await failed(api)
    told = await act(api, action="retry", filter={"createdBefore": NEVER})
    assert told == {"done": 1, "skipped": {"secrets_erased": 1}, "left": 0, "cursor": None}
    assert await statuses(api, erased, *waiting, again) == ["failed", "queued", "queued"]
    told = await act(api, action="retry", filter={"status": ["queued", "completed"], "createdBefore": NEVER})
    assert told == {"done": 0, "skipped": {}, "left": 0, "cursor": None}


async def test_deleting_takes_the_files_too_and_what_the_storage_keeps_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await queued(api, 2)
    uuids = [(await api.get(f"/jobs/{job}"))["uuid"] for job in jobs]
    for uuid in uuids:
        (api.root / "jobs" / uuid).mkdir(parents=True)
    remove = api.storage.remove

    async def stubborn(path: str) -> None:
        if path.endswith(uuids[0]):
            raise errors.Transient("storage_unavailable", "Not now.")
        await remove(path)

    monkeypatch.setattr(api.storage, "remove", stubborn)
    told = await act(api, action="delete", filter={"createdBefore": NEVER})
    assert told == {"done": 1, "skipped": {"storage_unavailable": 1}, "left": 0, "cursor": None}
    assert [(api.root / "jobs" / uuid).exists() for uuid in uuids] == [True, False]
    assert [job["id"] for job in (await api.get("/jobs"))["jobs"]] == [jobs[0]]


async def test_what_is_not_clear_is_refused_with_its_place(api: Api) -> None:
    jobs = await queued(api, 1)
    for body, path, code in (
        ({"action": "cancel"}, "", "invalid_value"),
        ({"action": "cancel", "ids": jobs, "filter": {"createdBefore": NEVER}}, "", "invalid_value"),
        ({"action": "stop", "ids": jobs}, "/action", "invalid_value"),
        ({"action": "cancel", "ids": []}, "/ids", "out_of_range"),
        ({"action": "cancel", "ids": [1] * 501}, "/ids", "out_of_range"),
        ({"action": "cancel", "ids": ["1"]}, "/ids/0", "invalid_type"),
        ({"action": "cancel", "filter": {"tag": "a"}}, "/filter/createdBefore", "missing_field"),
        ({"action": "cancel", "filter": {"createdBefore": "now"}}, "/filter/createdBefore", "invalid_value"),
        (
            {"action": "cancel", "filter": {"createdBefore": NEVER, "status": ["lost"]}},
            "/filter/status/0",
            "invalid_value",
        ),
    ):
        status, told = await api.told("POST", "/jobs/bulk", body)
        assert (status, told["errors"][0]["path"], told["code"]) == (422, path, code), body
    assert await statuses(api, *jobs) == ["queued"]
