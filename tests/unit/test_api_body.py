"""The JSON reader: what Python's own would take, or die of."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.api.body import MAX_DEPTH, MAX_FAULTS, read_json
from encoder.errors import CATALOGUE, Fault, Rejected
from encoder.model.place import pointer


def refusal(raw: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Rejected) as refused:
        read_json(raw)
    return [(fault.path, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}{}",
        b"{'a':1}",
        b'{"a":1,}',
        b"\xff\xff",
        b'"\xc3\x28"',
        b"[" * 20_000,
        b'{"a":' * 20_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"NaN",
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b"1" * 5000,
        b'{"a":-' + b"9" * 19 + b"}",
        b'{"a":"\n"}',
    ],
)
def test_what_is_not_json_is_malformed(raw: bytes) -> None:
    """A1, A2, A3, A4"""
    assert refusal(raw) == [("", "invalid_json")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_other_encodings_than_utf_8_are_not_taken(encoding: str) -> None:
    """A7"""
    assert refusal('{"a":1}'.encode(encoding)) == [("", "unsupported_media_type")]


def test_a_member_that_stands_twice_is_refused_where_it_stands() -> None:
    """A5"""
    assert refusal(b'{"a":[{"b":1,"c":2,"b":3}],"a~/":1,"a~/":2}') == [
        ("/a~0~1", "duplicate_key"),
        ("/a/0/b", "duplicate_key"),
    ]


@pytest.mark.parametrize("bad", [r"\u0000", r"\ud800", r"a\udfffb"])
def test_text_that_no_database_takes_is_refused_where_it_stands(bad: str) -> None:
    assert refusal(f'{{"a":["x","{bad}"]}}'.encode()) == [("/a/1", "invalid_text")]


def test_a_bad_name_is_told_at_its_object_and_what_is_below_it_is_left() -> None:
    assert refusal(rb'{"a":{"\ud800":{"\u0000":"\u0000"}}}') == [("/a", "invalid_text")]


@pytest.mark.parametrize("raw", [b"[" + b"1," * 30_000 + b"1]", b"[" + b"{}," * 30_000 + b"{}]"])
def test_a_body_of_very_many_values_is_too_large(raw: bytes) -> None:
    assert refusal(raw) == [("", "body_too_large")]


def test_an_answer_names_only_so_many_faults() -> None:
    assert len(refusal(b"[" + b",".join([rb'"\u0000"'] * 5000) + b"]")) == MAX_FAULTS


def test_good_json_comes_as_it_is() -> None:
    text = '{"a": [1, 2.5, -0.0, 1e2, true, null, "\\ud83c\\udfac", "ä"], "": {"": 9223372036854775807}}'
    assert read_json(text.encode()) == json.loads(text)
    assert read_json(b"\xef\xbb\xbf{}") == {}
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_pointers_escape_what_rfc_6901_says() -> None:
    assert pointer("a/b", 0, "m~n", "") == "/a~1b/0/m~0n/"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_name(raw: bytes) -> None:
    faults: Sequence[Fault] = ()
    try:
        read_json(raw)
    except Rejected as refused:
        faults = refused.faults
    assert all(CATALOGUE[fault.code].status in {400, 413, 415, 422} for fault in faults)


_NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_what_python_writes_is_read_back_the_same(value: object) -> None:
    raw = json.dumps(value)
    if "\\u0000" not in raw and "\x00" not in raw:
        assert read_json(raw.encode()) == value
