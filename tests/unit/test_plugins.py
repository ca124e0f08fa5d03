from __future__ import annotations

from pathlib import Path

import pytest

from encoder import errors
from encoder.model.job import Place
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources

POLICY = Policy.of("127.77.0.0/16")


def sources() -> Sources:
    return Sources(Surroundings(web=Web(policy=POLICY)))


def faults(place: Place) -> list[tuple[str, str]]:
    return sorted((fault.path, fault.code) for fault in sources().check(place))


def test_a_kind_is_told_by_the_scheme_of_its_address() -> None:
    assert faults({"url": "https://media.example/in.mov"}) == []
    assert faults({"url": "HTTP://media.example/in.mov"}) == []


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ({}, [("/kind", "missing_field")]),
        ({"kind": 5}, [("/kind", "missing_field")]),
        ({"url": "media.example"}, [("/kind", "missing_field")]),
        ({"kind": "gopher"}, [("/kind", "unsupported_kind")]),
        ({"url": "gopher://media.example/x"}, [("/kind", "unsupported_kind")]),
        ({"kind": "http"}, [("/url", "missing_field")]),
        ({"kind": "http", "url": 5}, [("/url", "invalid_type")]),
        ({"kind": "http", "url": None, "hedaers": {}}, [("/hedaers", "unknown_field"), ("/url", "invalid_type")]),
        ({"kind": "http", "url": "ftp://media.example/x"}, [("/url", "invalid_url")]),
        ({"kind": "http", "url": "http://10.0.0.1/x"}, [("/url", "address_not_allowed")]),
        ({"kind": "http", "url": "http://media.example:22/x"}, [("/url", "port_not_allowed")]),
        ({"kind": "http", "url": "http://media.example/x", "headers": []}, [("/headers", "invalid_type")]),
        ({"kind": "http", "url": "http://media.example/x", "headers": {"a": 1}}, [("/headers", "invalid_type")]),
        ({"kind": "inline", "data": ""}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "YW Jj"}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "YWJj\n"}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "YWI"}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "YWI!"}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "YW-_"}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "ключ"}, [("/data", "invalid_base64")]),
        ({"kind": "inline", "data": "AAAA" * (4 * 1024 * 1024 + 1)}, [("/data", "body_too_large")]),
    ],
)
def test_each_wrong_member_is_a_fault_of_its_own(place: Place, found: list[tuple[str, str]]) -> None:
    assert faults(place) == found


@pytest.mark.parametrize(
    "name",
    ["Host", "Content-Length", "Transfer-Encoding", "Range", "if-range", "a b", "", "a:b", "ü", "a\r\nb", "Connection"],
)
def test_a_header_that_is_ours_or_none_at_all_is_a_fault(name: str) -> None:
    place: Place = {"kind": "http", "url": "http://media.example/x", "headers": {name: "x"}}
    assert [code for _, code in faults(place)] == ["invalid_value"]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0b", "a\x7fb", "x" * 5000])
def test_a_header_value_that_breaks_its_line_is_a_fault(value: str) -> None:
    place: Place = {"kind": "http", "url": "http://media.example/x", "headers": {"a/b": "ok", "X": value}}
    assert faults(place) == [("/headers/X", "invalid_value"), ("/headers/a~1b", "invalid_value")]


def test_more_headers_than_anybody_needs_are_a_fault() -> None:
    headers = {f"X-{number}": "x" for number in range(33)}
    assert faults({"kind": "http", "url": "http://media.example/x", "headers": {**headers}}) == [
        ("/headers", "out_of_range")
    ]


def test_a_place_that_is_no_longer_in_order_fails_the_job_for_good() -> None:
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        sources().make({"kind": "http", "url": "http://10.0.0.1/x"})
    with pytest.raises(errors.Permanent, match="unsupported_kind"):
        sources().make({"kind": "gopher"})


def test_every_code_of_a_fault_is_in_the_catalogue() -> None:
    for place in ({}, {"kind": "x"}, {"kind": "http"}, {"kind": "http", "url": "http://10.0.0.1/x"}):
        for fault in sources().check(place):  # type: ignore[arg-type]  # plain JSON
            assert fault.code in errors.CATALOGUE
            assert fault.message.endswith(".")


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with two sources, one of which lacks something."""
    (tmp_path / "lab_plugin.py").write_text(
        "from encoder.model.base import Record\n"
        "from encoder.plugins import Kind\n"
        "class Members(Record):\n    tape: int\n"
        "KIND = Kind(members=Members, make=lambda members, surroundings: ('tape', members.tape))\n"
    )
    info = tmp_path / "lab_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[encoder.sources]\ntape = lab_plugin:KIND\nbroken = lab_plugin_missing:KIND\nhttp = lab_plugin:KIND\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("third_party")
def test_others_bring_kinds_by_entry_point() -> None:
    made: object = sources().make({"kind": "tape", "tape": 7})
    assert made == ("tape", 7)
    assert faults({"kind": "tape", "tape": "7"}) == [("/tape", "invalid_type")]
    assert "tape" in sources().kinds


@pytest.mark.usefixtures("third_party")
def test_a_kind_that_cannot_be_loaded_is_told_with_what_it_needs() -> None:
    [fault] = sources().check({"kind": "broken"})
    assert fault.code == "unsupported_kind"
    assert "lab_plugin_missing" in fault.message


@pytest.mark.usefixtures("third_party")
def test_nobody_takes_the_place_of_a_kind_of_ours() -> None:
    assert faults({"kind": "http", "url": "http://media.example/x"}) == []
