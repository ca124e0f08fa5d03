"""Pages for people: the list, one job, the codes. All that comes from outside is text in them, never markup."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from encoder.errors import CATALOGUE, Permanent
from encoder.metrics.family import CONTENT_TYPE
from encoder.model.ids import WorkerId
from encoder.model.result import Problem
from encoder.queue import settle
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Claim, DeliveryTry
from tests.lab import work
from tests.lab.api import Api, running

HOSTILE = "\"'><img src=x onerror=alert(1)>{{7*7}}"
JOB: dict[str, Any] = {
    "source": {"kind": "inline", "data": "QUJD", "fileName": f"{HOSTILE}.mp4"},
    "outputs": [{"preset": "h264"}, {"container": "webm"}],
    "metadata": {"a": HOSTILE},
    "tags": [HOSTILE],
}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def claimed(store: PostgresStore, queue: str = "encode") -> Claim:
    (claim,) = await store.claim(
        queue, WorkerId(uuid4()), limit=1, lease=timedelta(minutes=1), deadline=timedelta(hours=1)
    )
    return claim


async def page(api: Api, path: str) -> str:
    async with api.ask("GET", path) as response:
        assert (response.status, response.content_type, response.charset) == (200, "text/html", "utf-8")
        text: str = await response.text()
    inline = r"<script(?! [^>]*src=)|<style|\sstyle=|\son\w+=|(src|href|action)=.https?://"
    assert not re.search(inline, text.replace("onerror=alert", ""))
    return text


async def test_the_first_page_lists_the_jobs_newest_first(api: Api) -> None:
    async with api.ask("GET", "/") as response:  # the one page that names an address of ours: in its command
        empty = await response.text()
    assert [each for each in ("No jobs yet.", f"curl {api.url}/jobs ", "/ui/jobs/new") if each not in empty] == []
    ids = [(await api.submit(JOB))["id"] for _ in range(3)]
    for path in ("/", "/ui/jobs"):
        listed = re.findall(r'href="/ui/jobs/(\d+)"', await page(api, path))
        assert [int(number) for number in listed] == ids[::-1]


async def test_what_callers_write_is_only_text(api: Api, store: PostgresStore) -> None:
    """H1: what a caller, a server and a receiver said; on pages text, and elsewhere of a type that draws nothing."""
    job = (await api.submit(JOB | {"notificationUrl": "https://media.example.com/hook"}))["id"]
    failure = Permanent("source_truncated", HOSTILE)
    await store.settle(await claimed(store), settle.failed(Problem.of(failure)))
    refused = DeliveryTry(state="pending", status=500, error="refused", answer=HOSTILE)
    await store.settle_delivery(await claimed(store, queue="io"), refused, work.retrying())
    for path in ("/", f"/ui/jobs/{job}"):
        text = await page(api, path)
        assert "<img" not in text
        assert "{{7*7}}" in text
    assert text.count("{{7*7}}") >= 3, "its name, its tag, and why it failed"
    assert "&gt;&lt;img" in await page(api, "/?q=%22%3E%3Cimg")
    assert HOSTILE in [told["answer"] for told in (await api.get("/webhooks/deliveries"))["deliveries"]]
    wild = "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"
    for template in (path for method, path in api.routes if method == "GET"):
        for path in (f"{re.sub(r'{.+}', str(job), template)}?q={wild}", re.sub(r"{.+}", wild, template)):
            async with api.ask("GET", path) as response:
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                if response.content_type == "text/html":
                    assert "<img" not in await response.text()


async def test_the_list_is_filtered_and_goes_on_page_by_page(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.dashboard.filters.Filters.rows", 2)
    ids = [(await api.submit(JOB))["id"] for _ in range(3)]
    first = await page(api, "/?status=queued")
    assert f'href="/?status=queued&amp;before={ids[1]}"' in first
    assert re.findall(r'href="/ui/jobs/(\d+)"', await page(api, f"/?status=queued&q=&before={ids[1]}")) == [str(ids[0])]
    assert "No failed job." in await page(api, "/?status=failed")
    assert "No job with the text\u202fnothing-like-it." in await page(api, "/?q=nothing-like-it")


@pytest.mark.parametrize(
    "query", ["status=done", "before=x", "before=" + "9" * 30, "q=" + "x" * 201, "q=%00", "rows=3", "since=1y"]
)
async def test_a_wrong_filter_is_malformed(api: Api, query: str) -> None:
    async with api.ask("GET", f"/?{query}") as response:
        assert response.status == 400


async def test_every_code_has_its_place_on_the_page_that_problems_lead_to(api: Api) -> None:
    text = await page(api, "/docs/errors")
    assert set(re.findall(r'<dt id="(\w+)">', text)) == CATALOGUE.keys()


async def test_the_document_and_the_numbers_are_served(api: Api) -> None:
    assert (await api.get("/openapi.json"))["openapi"] == "3.1.0"
    async with api.ask("GET", "/metrics") as response:
        assert response.headers["Content-Type"] == CONTENT_TYPE
    async with api.ask("GET", "/static/css/tokens.css") as response:
        assert (response.status, response.content_type) == (200, "text/css")
    presets = (await api.get("/presets"))["presets"]
    assert {"h264", "hevc", "vp9", "av1"} <= {preset["name"] for preset in presets}
