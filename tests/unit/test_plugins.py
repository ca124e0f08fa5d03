from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.net.guard import Policy
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.settings import Settings
from encoder.sources.registry import Sources
from encoder.wiring.machine import Machine

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


def _distribution(folder: Path, name: str, entry_points: str) -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with three sources, one of which lacks something."""
    (tmp_path / "lab_plugin.py").write_text(
        "from pydantic import BaseModel, ConfigDict, Field\n"
        "from encoder.model.base import Record\n"
        "from encoder.plugins import Kind\n"
        "class Members(Record):\n    tape: int\n"
        "KIND = Kind(members=Members, make=lambda members, surroundings: ('tape', members.tape))\n"
        "class Slot(BaseModel):\n    row: int\n    slot_name: str = Field('', alias='slotName')\n"
        "class Shelf(BaseModel):\n    model_config = ConfigDict(strict=True)\n"
        "    slots: list[Slot]\n    code: str = ''\n"
        "SHELF = Kind(members=Shelf, make=lambda members, surroundings: members, secrets=frozenset({'code'}))\n"
    )
    _distribution(
        tmp_path,
        "lab-plugin",
        "[encoder.sources]\ntape = lab_plugin:KIND\nshelf = lab_plugin:SHELF\nbroken = lab_plugin_missing:KIND\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("third_party")
def test_others_bring_kinds_by_entry_point() -> None:
    made: object = sources().make({"kind": "tape", "tape": 7})
    assert made == ("tape", 7)
    assert faults({"kind": "tape", "tape": "7"}) == [("/tape", "invalid_type")]
    assert {"tape", "shelf"} <= {*sources().kinds}
    labels = [sources().label({"kind": kind}) for kind in ("http", "tape", "no such kind")]
    assert labels == ["http", "other", "other"]  # words of metrics, of which there are few


def test_what_is_installed_is_looked_through_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A request may name a hundred kinds that nobody knows."""
    looks: list[str] = []

    def look(*, group: str) -> tuple[EntryPoint, ...]:
        looks.append(group)
        return ()

    monkeypatch.setattr("encoder.plugins.entry_points", look)
    monkeypatch.syspath_prepend(str(tmp_path))
    for number in range(100):
        assert faults({"kind": f"none-{number}"}) == [("/kind", "unsupported_kind")]
    assert looks == ["encoder.sources"]


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"slots": [{"row": 1, "slotName": "a"}]}, []),
        ({}, [("/slots", "missing_field")]),
        ({"slots": {}}, [("/slots", "invalid_type")]),
        ({"slots": [{"row": "x"}, {}]}, [("/slots/0/row", "invalid_value"), ("/slots/1/row", "missing_field")]),
        ({"slots": [], "kode": "x"}, [("/kode", "unknown_field")]),
        ({"slots": [], "code": None}, [("/code", "invalid_type")]),
    ],
)
def test_members_may_be_a_pydantic_model(members: Place, found: list[tuple[str, str]]) -> None:
    assert faults({"kind": "shelf", **members}) == found


@pytest.mark.usefixtures("third_party")
def test_what_is_wrong_with_a_members_value_is_told_without_the_value() -> None:
    for fault in sources().check({"kind": "shelf", "slots": "S3nt1nel", "code": ["S3nt1nel"]}):
        assert "S3nt1nel" not in fault.message


@pytest.mark.usefixtures("third_party")
def test_a_kind_says_what_of_it_is_secret() -> None:
    assert sources().secret_members == {"shelf": frozenset({"code"})}


@pytest.mark.usefixtures("third_party")
def test_a_kind_that_cannot_be_loaded_is_told_with_what_it_needs() -> None:
    [fault] = sources().check({"kind": "broken"})
    assert fault.code == "unsupported_kind"
    assert "`lab_plugin_missing`" in fault.message


def test_a_kind_of_ours_that_needs_a_library_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "encoder.sources.sftp", raising=False)
    for module in [name for name in sys.modules if name.startswith("encoder.net.sftp")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "asyncssh", None)  # as where it is not installed
    [fault] = sources().check({"kind": "sftp", "host": "ssh.example.com", "path": "a"})
    assert (fault.path, fault.code) == ("/kind", "unsupported_kind")
    assert "'sftp' needs `asyncssh`" in fault.message
    assert "pip" not in fault.message  # our own name on an index is a stranger's


def test_nobody_takes_the_place_of_a_kind_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _distribution(tmp_path, "lab-clash", "[encoder.sources]\nhttp = lab_plugin:KIND\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert faults({"kind": "http", "url": "http://media.example/x"}) == []
    with pytest.raises(errors.Unfit, match=r"lab-clash brings 'http' for encoder\.sources, which encoder has"):
        Sources.require_distinct()
    Destinations.require_distinct()


def test_two_plug_ins_of_one_name_refuse_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lab-one", "lab-two"):
        _distribution(tmp_path, name, "[encoder.destinations]\ntape = lab_plugin:KIND\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(errors.Unfit, match=r"lab-... brings 'tape' for encoder\.destinations"):
        Destinations.require_distinct()


def test_a_clash_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _distribution(tmp_path, "lab-clash", "[encoder.destinations]\ns3 = lab_plugin:KIND\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(errors.Unfit, match="lab-clash brings 's3'"):
        Machine(Settings()).require(worker=False)
