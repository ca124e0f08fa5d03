"""docs/reference/errors.md: of each code what it means, an example, what it mostly comes from, what to do.

Titles, meanings and ways out are the catalogue's; examples and causes stand in `troubles.toml`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from encoder.api.problems import of_faults
from encoder.batch import report
from encoder.batch.ending import Ending, Exit
from encoder.errors import (
    CATALOGUE,
    Crash,
    Entry,
    Failure,
    FailureClass,
    Fault,
    Permanent,
    Resource,
    Transient,
    Where,
)
from encoder.model.base import to_json
from encoder.model.plan import Note
from encoder.model.result import Problem
from scripts import marks

TROUBLES: Mapping[str, Mapping[str, Any]] = tomllib.loads((Path(__file__).parent / "troubles.toml").read_text())

_WHERE = {
    Where.REQUEST: (
        "Requests",
        "Answers of the API, as `code` of a problem (`application/problem+json`). Some of these codes end a job too.",
    ),
    Where.JOB: (
        "Jobs and outputs",
        "`error.code` of a job or an output; the class says [what follows](../why/flow.md#when-something-fails).",
    ),
    Where.DELIVERY: (
        "Deliveries",
        "`status` or `error` of a [delivery](webhooks.md#when-it-does-not-arrive).",
    ),
    Where.WARNING: ("Warnings", "`warnings[].code` of a job or an output that may be good all the same."),
    Where.CONTAINER: (
        "Containers of one job",
        "`code` of [`encoder convert`](../operate/batch.md#how-it-ends), beside those of jobs and outputs.",
    ),
}
_REQUEST_ID = "55455e66e5f97bf486d8a6630cf0a92a"
_KINDS: Mapping[FailureClass, type[Failure]] = {kind.kind: kind for kind in (Permanent, Transient, Resource, Crash)}
_INTRO = """# Error codes

Written by `make docs` from `encoder/errors.py`. A code never changes its meaning; new ones may come. On the command
line: `encoder help CODE`; on every server: `/docs/errors#CODE`.

"""


def page() -> str:
    return _INTRO + "".join(_index()) + "".join(_parts())


def _index() -> Iterator[str]:
    for where, (title, _) in _WHERE.items():
        codes = " · ".join(f"[`{entry.code}`](#{entry.code})" for entry in _of(where))
        yield f"**{title}**: {codes}\n\n"


def _parts() -> Iterator[str]:
    for where, (title, about) in _WHERE.items():
        yield f"## {title}\n\n{about}\n\n"
        yield from (_entry(entry) for entry in _of(where))


def _of(where: Where) -> Iterator[Entry]:
    return (entry for entry in CATALOGUE.values() if entry.where is where)


def _entry(entry: Entry) -> str:
    facts = [f"HTTP {entry.status}"] if entry.status else []
    facts += [str(entry.kind)] if entry.kind else []
    facts += [f"cause: {entry.blame}"] if entry.blame else []
    meaning = f"**{entry.title}.** {entry.about or ''}".strip() + (f" *{', '.join(facts)}.*" if facts else "")
    body = marks.wrapped(json.dumps(example(entry), ensure_ascii=False))
    causes = "".join(f"- {cause}\n" for cause in TROUBLES[entry.code]["mostly"])
    return f"### {entry.code}\n\n{meaning}\n\n```json\n{body}\n```\n\nMostly:\n\n{causes}\n**To do:** {entry.to_do}\n\n"


def example(entry: Entry) -> object:
    """A body as whoever is told the code gets it."""
    match entry.where:
        case Where.REQUEST:
            fault = Fault(path=TROUBLES[entry.code].get("at", ""), code=entry.code, message=said(entry))
            return to_json(of_faults([fault], _REQUEST_ID).told)
        case Where.JOB:
            failure = _KINDS[entry.kind or FailureClass.PERMANENT](
                entry.code, said(entry), check=TROUBLES[entry.code].get("check")
            )
            return to_json(Problem.of(failure))
        case Where.DELIVERY:
            ends = entry.code in {"exhausted", "gone"}
            return {"status": entry.code if ends else "exhausted", "error": None if ends else entry.code}
        case Where.WARNING:
            return to_json(Note(code=entry.code, message=said(entry)))
        case Where.CONTAINER:
            found = Exit(TROUBLES[entry.code]["exit"])
            return report.ended("42", Ending(exit=found, code=entry.code, message=said(entry)))


def said(entry: Entry) -> str:
    """What the code writes; where it has no words of its own, it tells the way out."""
    told: str = TROUBLES[entry.code].get("says", entry.to_do)
    return told
