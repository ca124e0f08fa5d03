"""The table of what is broken on purpose fits the code and the guarantees; `make mutants` carries it out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "why" / "guarantees.md").read_text()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.guarantee} {mutant.what}")
def test_what_is_broken_is_there_once_and_who_must_notice_is_named(mutant: Mutant) -> None:
    assert (ROOT / "encoder" / mutant.file).read_text().count(mutant.old) == 1
    (row,) = re.findall(rf"^\| {mutant.guarantee} \|.*$", PAGE, re.MULTILINE)
    assert f"`{mutant.test}`" in row


def test_every_guarantee_of_the_queue_is_broken_on_purpose() -> None:
    assert set(re.findall(r"^\| (G\d+) \|", PAGE, re.MULTILINE)) <= {mutant.guarantee for mutant in MUTANTS}
