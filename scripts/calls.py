"""docs/reference/api.md: every operation, out of the table that mounts it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from encoder.api.operations import Operation
from encoder.api.problems import phrase
from encoder.api.routes.compat import COMPAT
from encoder.api.routes.feed import FEED
from encoder.api.routes.ingest import INGEST
from encoder.api.routes.jobs import JOBS, ONE_JOB
from encoder.api.routes.keys import KEYS
from encoder.api.routes.platform import PLATFORM
from encoder.api.routes.presets import PRESETS
from encoder.api.routes.storage import STORAGE
from encoder.api.routes.uploads import UPLOADS
from encoder.api.routes.webhooks import WEBHOOKS
from scripts import objects
from scripts.objects import Schema

PAGE = "reference/api.md"
_COMMON = {"400", "401", "403", "414", "429", "431", "500", "503"}
_SECTIONS: Sequence[tuple[str, str, Sequence[Operation]]] = (
    ("Jobs", "What a job may say: [the job language](job.md).", (*JOBS, *ONE_JOB)),
    ("Uploads", "How a file is brought, with curl: [uploads](../howto/uploads.md).", UPLOADS),
    ("Live", "What the streams say: [live events](live.md).", FEED),
    ("Presets", "[Presets](presets.md).", PRESETS),
    ("The platform", "Workers, queues, figures, and what failed.", PLATFORM),
    ("Webhooks", "Events, bodies and tries: [webhooks](webhooks.md).", WEBHOOKS),
    ("Ingest", "[Ingest](ingest.md).", INGEST),
    ("Keys", "What keys open: [calling](calling.md#keys).", KEYS),
    ("Other services", "In the words of Elastic Transcoder and Coconut: [other services' jobs](compat.md).", COMPAT),
    ("Files", "By signed links, where the platform's storage is a folder.", STORAGE),
)

_INTRO = f"""# API

Written by `make docs` from the table that mounts the routes; the same as JSON is `GET /openapi.json`, and `GET /docs`
lets you try each call. What holds for all of them – keys, limits, repeated calls, refusals – is in
[calling](calling.md); members of what is told in [answers](answers.md).

Beside what an operation names, any may answer {", ".join(sorted(_COMMON))}.
"""


def page() -> str:
    return _INTRO + "".join(_sections()) + _own_objects()


def _sections() -> Iterator[str]:
    shown = {id(operation) for _, _, part in _SECTIONS for operation in part}
    rest = [operation for operation in objects.listed() if id(operation) not in shown and _is_new(operation)]
    for title, about, part in (*_SECTIONS, ("The server", "About itself; [metrics](metrics.md).", rest)):
        yield f"\n## {title}\n\n{about}\n"
        for first, *others in _alike(part):
            yield _call(first, others)


def _is_new(operation: Operation) -> bool:
    named = {each.operation_id for _, _, part in _SECTIONS for each in part}
    return operation.operation_id not in named


def _alike(part: Sequence[Operation]) -> Iterable[list[Operation]]:
    """Those that do the same at several addresses, together: clients of others call where they always did."""
    found: dict[tuple[str, str, str], list[Operation]] = {}
    for operation in part:
        last = operation.path if operation.dialect is None else operation.path.rpartition("/jobs")[2]
        found.setdefault((operation.method, operation.summary, last), []).append(operation)
    return found.values()


def _call(operation: Operation, others: Iterable[Operation]) -> str:
    described: Schema = objects.told()["paths"][operation.path][operation.method.lower()]
    told = " ".join(filter(None, (f"{operation.summary}.", operation.about, _scope(operation))))
    parts = [f"\n### `{operation.method} {operation.path}`\n\n{told}\n"]
    also = ", ".join(f"`{other.method} {other.path}`" for other in others)
    if also:
        parts.append(f"\nAlso {also}, where its clients call.\n")
    parts.append(_parameters(described["parameters"]))
    parts.append(f"\n{_taken(described)}{_answers(described)}\n")
    return "".join(parts)


def _scope(operation: Operation) -> str:
    return "Public." if operation.scope is None else f"Scope `{operation.scope}`."


def _parameters(parameters: Sequence[Schema]) -> str:
    told = [each for each in parameters if each["in"] != "path"]
    if not told:
        return ""
    rows = "".join(map(_parameter, told))
    return f"\n| parameter | in | is | |\n|---|---|---|---|\n{rows}"


def _parameter(each: Schema) -> str:
    facts = [objects.kind(each["schema"], of=PAGE)]
    if each.get("required"):
        facts.append("required")
    if "default" in each["schema"]:
        facts.append(f"`{str(each['schema']['default']).lower()}` if absent")
    about = each.get("description", "").replace("|", "\\|")
    return f"| `{each['name']}` | {each['in']} | {'; '.join(facts)} | {about} |\n"


def _taken(described: Schema) -> str:
    body = described.get("requestBody")
    if not body:
        return ""
    (kind, content), *_ = body["content"].items()
    schema = content.get("schema")
    return f"Takes {objects.link(schema['$ref'].rpartition('/')[2], of=PAGE) if schema else f'`{kind}`'}. "


def _answers(described: Schema) -> str:
    good = ((status, each) for status, each in described["responses"].items() if status < "4")
    told = "; ".join(f"{status}{_content(each)}" for status, each in good)
    own = [status for status in described["responses"] if status >= "4" and status not in _COMMON]
    refused = f" Refuses with {', '.join(f'{status} ({phrase(int(status))})' for status in own)}." if own else ""
    return f"Answers {told}.{refused}"


def _content(response: Schema) -> str:
    said = []
    for kind, each in response.get("content", {}).items():
        schema = each["schema"]
        said.append(objects.link(schema["$ref"].rpartition("/")[2], of=PAGE) if "$ref" in schema else f"`{kind}`")
    return f" {' or '.join(said)}" if said else ""


def _own_objects() -> str:
    names = [name for name, where in objects.PAGE_OF.items() if where == PAGE]
    tables = "".join(f"\n### {name}\n\n{objects.table(name, of=PAGE)}" for name in names)
    return f"\n## Objects\n{tables}"
