"""Which bodies are checked where they are: none that is large, and none whose check may wait for a disk."""

from __future__ import annotations

import threading

import pytest

from encoder.api.quick import FEW_CHARS, FEW_VALUES, is_quick, off_loop
from encoder.model.base import Json

PUT: Json = {"kind": "http", "url": "https://media.example.com/out.mp4"}
JOB: Json = {"source": {"url": "s3://bucket/in.mov"}, "outputs": [{"preset": "h264", "destination": PUT}]}


def _job(**changes: Json) -> Json:
    assert isinstance(JOB, dict)
    return {**JOB, **changes}


@pytest.mark.parametrize("body", [JOB, None, 7, [], {}, _job(tags=["a", "b"]), _job(source={"kind": "upload"})])
def test_what_is_small_and_needs_no_disk_is_quick(body: Json) -> None:
    assert is_quick(body)


@pytest.mark.parametrize(
    "place",
    [
        {"kind": "file", "path": "/in.mov"},
        {"url": "file:///in.mov"},
        {"url": "FILE:///in.mov"},
        {"kind": "dropbox", "url": "https://h.example/in.mov"},
        {"kind": ["http"]},
        {"kind": None, "url": "https://h.example/in.mov"},
        {"url": 7},
    ],
)
def test_no_place_on_a_disk_and_none_of_others_is_quick_wherever_it_stands(place: Json) -> None:
    assert not is_quick(_job(source=place))
    assert not is_quick(_job(outputs=[{"watermark": {"source": place}}]))


def test_what_is_large_is_not_quick() -> None:
    assert not is_quick("x" * (FEW_CHARS + 1))
    assert not is_quick({"x" * (FEW_CHARS + 1): 1})
    assert not is_quick([0] * FEW_VALUES)
    assert is_quick([0] * (FEW_VALUES - 1))


async def test_a_thread_is_asked_for_what_is_not_quick_alone() -> None:
    def where(_body: Json) -> threading.Thread:
        return threading.current_thread()

    assert await off_loop(where, JOB) is threading.main_thread()
    assert await off_loop(where, _job(source={"kind": "file", "path": "/in.mov"})) is not threading.main_thread()
