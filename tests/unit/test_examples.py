"""Every example of the pages is run, or says why not; what is sent is taken as it stands."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from encoder.api.wire import read_job
from encoder.api.wire_bulk import read_bulk
from encoder.api.wire_ingest import read_rule
from encoder.api.wire_pipeline import read_pipeline
from encoder.api.wire_preset import read_preset
from encoder.compat.coconut.job import translate as translate_coconut
from encoder.compat.elastictranscoder.job import translate as translate_elastic
from encoder.compat.translated import Translated
from encoder.model.base import Json
from tests.lab import pages
from tests.lab.pages import ROOT, Block
from tests.unit.test_api_wire import Anywhere
from tests.unit.test_compat_elastictranscoder import PIPELINE

SENT_AS = {"job", "output", "rule", "preset", "bulk", "pipeline", "elastictranscoder", "coconut"}
HOW = {"shell", "python", "file", "printed", "by", "no", *SENT_AS}
SENT = [block for path in pages.written() for block in pages.blocks(path) if block.how in SENT_AS]


@pytest.mark.parametrize("path", pages.written(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_says_how_it_is_run(path: Path) -> None:
    for block in pages.blocks(path):
        assert block.how in HOW, block.text
        assert block.argument or block.how not in {"file", "printed", "by", "no"}, block.text
        if block.how == "by":
            assert path.name in (ROOT / block.argument).read_text(), "that test does not read this page"


def test_pages_send_something_of_each_kind() -> None:
    assert {block.how for block in SENT} == SENT_AS


@pytest.mark.parametrize("block", SENT, ids=lambda block: f"{block.page}-{block.how}")
def test_what_a_page_sends_is_taken(block: Block) -> None:
    match block.how:
        case "rule":
            read_rule(_json(block))
        case "preset":
            read_preset(_json(block))
        case "bulk":
            read_bulk(_json(block))
        case "pipeline":
            read_pipeline(_json(block), Anywhere())
        case "elastictranscoder":
            told = translate_elastic(_called(block, "create_job"), pipeline=PIPELINE, own={})
            assert isinstance(told, Translated), told
        case "coconut":
            told = translate_coconut(_called(block, "create"))
            assert isinstance(told, Translated), told
        case "output":
            read_job({"source": {"url": "https://example.com/in.mov"}, "outputs": list(_several(block))}, Anywhere())
        case _:
            read_job(_json(block), Anywhere())


def _json(block: Block) -> Json:
    sent: Json = json.loads(block.body.replace("…", "x"))
    return sent


def _several(block: Block) -> Iterator[Json]:
    """Objects, one behind the other."""
    text, decoder = block.text.strip(), json.JSONDecoder()
    while text:
        each, end = decoder.raw_decode(text)
        yield each
        text = text[end:].strip()


def _called(block: Block, method: str) -> Json:
    """What a program of the page gives to `method`: by name, or as its one argument."""
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            named = {str(each.arg): ast.literal_eval(each.value) for each in node.keywords}
            return named or ast.literal_eval(node.args[0])
    raise AssertionError(block.text)
