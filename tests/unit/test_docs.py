"""The documents say what the code does: generated pages are fresh, names are all there, every link leads somewhere."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from encoder import doctor
from encoder.api.wire import read_job
from encoder.api.wire_ingest import read_rule
from encoder.dashboard.routes import PAGES as PAGES_OF_THE_DASHBOARD
from encoder.destinations.registry import Destinations
from encoder.ffmpeg.presets import BUILT_IN
from encoder.ingest.job import sample
from encoder.ingest.rules import Skip
from encoder.model import place as places
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.suites.cargo import read
from scripts import cases, objects
from scripts.pages import PAGES
from tests.unit.test_api_wire import Anywhere

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_BETWEEN_MARKS = re.compile(r"<!-- (\w+)(?: \S+)? -->.*?<!-- /\1 -->", re.DOTALL)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_as_the_code_would_write_it(name: str) -> None:
    assert _read(f"docs/{name}") == PAGES[name](), "run `make docs`"


# the README


def _tree() -> list[str]:
    """Names that stand directly below `encoder/` in the README's tree."""
    block = _read("README.md").partition("```\nencoder/\n")[2].partition("```")[0]
    return [
        name
        for line in block.splitlines()
        if (found := re.match(r"  (\S.*?)(?:   |$)", line))
        for name in found[1].split()
    ]


def test_the_tree_of_the_readme_is_the_package() -> None:
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "encoder").iterdir()
        if not path.name.startswith(("_", ".")) and path.name != "py.typed"
    }
    assert set(_tree()) == there


def test_every_object_that_may_be_sent_has_its_table_and_every_member_a_word() -> None:
    for name in objects.sent():
        assert name in objects.PAGE_OF or name in objects.ELSEWHERE, name
        members = {} if name == "ElasticTranscoderPreset" else objects.schemas()[name]["properties"]
        assert [member for member, schema in members.items() if not schema.get("description")] == [], name
    for name, page in objects.PAGE_OF.items():
        assert f"# {name}\n" in _read(f"docs/{page}"), name


def test_every_kind_is_documented() -> None:
    told = _read("docs/reference/places.md")
    assert [kind for kind in {**Sources.own, **Destinations.own} if f"`{kind}`" not in told] == []


async def test_the_shortest_plug_in_is_one() -> None:
    code = re.findall(r"```python\n(.*?)```", _read("docs/howto/plug-in.md"), re.DOTALL)
    made: dict[str, Any] = {}
    exec(code[0], made)  # noqa: S102  # it is ours
    members = places.read(made["KIND"].members, {"kind": "blank", "blocks": 7})
    incoming, data = await read(made["KIND"].make(members, Surroundings()))
    assert (incoming.size_bytes, data) == (7 * 1024, bytes(7 * 1024))
    assert [fault.path for fault in places.read(made["KIND"].members, {"blocks": "x"})] == ["/blocks"]
    exec(code[1], {})  # noqa: S102  # as above


_ASKED_OF_PIP = re.compile(r"\bpip3? install\b[^\n]*?[\s'\"`]encoder(?=[\[\s'\"`=<>~!.,;)]|$)", re.MULTILINE)


def test_nothing_sends_pip_for_our_name() -> None:
    """Encoder is on no index: whatever has its name there is a stranger's program."""
    assert _ASKED_OF_PIP.search("run pip install 'encoder[s3]'")
    assert not _ASKED_OF_PIP.search("run pip install --no-deps ./encoder-webdav")
    texts = {".md", ".py", ".sh", ".toml", ".txt", ".yml", ".yaml", ".html"}
    folders = [ROOT / name for name in ("docs", "encoder", "examples", "requirements", "scripts", ".github")]
    files = [*ROOT.glob("*"), *(path for folder in folders for path in folder.rglob("*"))]
    read = {path: path.read_text() for path in files if path.is_file() and path.suffix in texts}
    assert [path for path, text in read.items() if _ASKED_OF_PIP.search(text)] == []
    asked = {path: tomllib.loads(text).get("project", {}) for path, text in read.items() if path.suffix == ".toml"}
    for project in asked.values():
        wanted = [*project.get("dependencies", []), *chain(*project.get("optional-dependencies", {}).values())]
        assert [each for each in wanted if re.match(r"encoder(?![\w-])", each)] == []


# the API


def test_every_operation_is_documented() -> None:
    told = _read("docs/reference/api.md")
    calls = [f"{operation.method} {operation.path}" for operation in objects.listed()]
    assert [call for call in calls if f"`{call}" not in told] == []


def test_the_rule_of_the_page_is_accepted_and_what_is_skipped_is_told() -> None:
    page = _read("docs/reference/ingest.md")
    found = re.search(r"```json\n(\{.*?^\})", _read("docs/howto/ingest.md"), re.MULTILINE | re.DOTALL)
    assert found
    rule, _ = read_rule(json.loads(found[1].replace("…", "x")))
    spec = read_job(sample(rule), Anywhere())
    assert [str((output.destination or {})["path"]) for output in spec.outputs] == [
        "uploads/folder/sample_processed/hls/",
        "posters/uploads/folder/sample.jpg",
    ]
    assert [word for word in sorted(Skip) if f"`{word}`" not in page] == []


def test_every_preset_is_documented() -> None:
    told = _read("docs/reference/presets.md")
    assert [name for name in BUILT_IN if f"\n### {name}\n" not in told] == []


def test_what_people_wrote_of_a_page_is_short_enough_to_read() -> None:
    """Generated pages, and generated parts of others, may be longer."""
    written = {
        path: _BETWEEN_MARKS.sub("", path.read_text()) for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")
    }
    whole = {"reference/cli.md", "reference/errors.md", "reference/api.md", "why/security.md", "progress.md"}
    whole.add("operate/runbook.md")  # looked up, alert by alert
    long = {str(path.relative_to(ROOT / "docs")) for path, text in written.items() if len(text.splitlines()) >= 200}
    assert long - whole == set()


# what doctor finds


def test_every_finding_of_doctor_is_told() -> None:
    page = _read("docs/operate/doctor.md")
    assert [name for name in doctor.LOOKS if f"\n| {name} | " not in page] == []


def test_every_page_of_the_dashboard_is_told() -> None:
    page = _read("docs/dashboard.md")
    opened = (each for each in PAGES_OF_THE_DASHBOARD if each.method == "GET" and not each.fragment)
    assert [each.path for each in opened if "{" not in each.path and f"`{each.path}`" not in page] == []


# guarantees


def _tests() -> set[str]:
    """Every test as `folder/file.py::name`."""
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.relative_to(ROOT / 'tests')}::{node.name}")
    return found


def _guarantees() -> dict[str, list[str]]:
    rows = re.findall(r"^\| ([A-Z]\d+) \|.*?\|(.*)\|$", _read("docs/why/guarantees.md"), re.MULTILINE)
    return {name: re.findall(r"`([^`]+)`", tests) for name, tests in rows}


def test_every_guarantee_names_tests_that_exist() -> None:
    promised = [f"G{number}" for number in range(1, 19)]
    guarantees = _guarantees()
    assert [name for name in guarantees if name.startswith("G")] == promised
    assert {name for name, tests in guarantees.items() if not tests} == set()
    assert {test for tests in guarantees.values() for test in tests} - _tests() == set()


# cases


def test_every_case_of_security_is_held_by_a_test_or_says_why_not() -> None:
    """`make docs` writes the tests beside the cases; a case that a docstring names must be one."""
    there = cases.cases()
    assert [case for case, held in there.items() if not held.startswith(("`", "not yet: "))] == []
    assert cases.tests_by_case().keys() - there.keys() == set()


# links


def _links(document: Path) -> Iterator[str]:
    return (target for target in _LINK.findall(_FENCE.sub("", document.read_text())) if "://" not in target)


def _anchors(document: Path) -> set[str]:
    text = _FENCE.sub("", document.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_anchor_leads_somewhere(document: Path) -> None:
    for link in _links(document):
        file, _, anchor = link.partition("#")
        target = (document.parent / file).resolve() if file else document
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_can_be_found_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        seen.add(document)
        targets = ((document.parent / link.partition("#")[0]).resolve() for link in _links(document))
        waiting.extend(target for target in targets if target.suffix == ".md" and target not in seen)
    assert set(DOCUMENTS) <= seen


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
