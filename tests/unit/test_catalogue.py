"""What is said of each code."""

from __future__ import annotations

import pytest

from encoder.blame import MEANINGS
from encoder.errors import CATALOGUE, Entry, Where

FAILURES = [entry for entry in CATALOGUE.values() if entry.kind is not None or entry.where is Where.DELIVERY]


@pytest.mark.parametrize("entry", FAILURES, ids=lambda entry: entry.code)
def test_a_failure_says_what_happened_where_the_cause_lies_and_what_to_do(entry: Entry) -> None:
    assert entry.blame is not None
    assert entry.about is not None
    for sentence in (entry.about, entry.to_do):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert not entry.title.endswith(".")
    assert not {"please", "sorry", "oops"} & {word.strip(".,;:").lower() for word in entry.about.split()}


def test_nothing_is_said_of_codes_that_there_are_not() -> None:
    assert {entry.code for entry in FAILURES} == MEANINGS.keys()
