"""The form for a new job, as it was filled in, and the body that `POST /jobs` takes of it.

What a visitor wrote wrongly goes into the body as it stands: the API says what is wrong, and here it is found where
that was written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from encoder.api.body import read_json
from encoder.dashboard.forms import pretty
from encoder.dashboard.job_fields import DESTINATIONS, JOB, OUTPUT_FIELDS, SOURCES, Field, Group, Kind
from encoder.errors import Fault, Rejected
from encoder.model.base import Json
from encoder.model.secrets import hide_in, is_veiled

MOST_OUTPUTS = 20  # that a form has room for; the API takes more
MOST_SLOTS = 100  # that were ever added to one form
AGAIN = "again:"  # before the name of a field: what it held must be given again
_SLOT = re.compile(r"/outputs/([0-9]{1,2})(?=/|$)")
_KINDS = frozenset({"upload", "s3", "file"})  # choices that are kinds of places; others have it among their fields
_SECRET_NAMES = re.compile(r"password|secret|token|privateKey|access_key|headers|username|://[^/\s\"]*@", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`values`: by the names of fields, as text. `slots`: the numbers of its outputs, which stay as others go.

    `again`: secrets that must be given once more, with what may be shown of them.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    slots: tuple[int, ...] = (0,)
    again: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Form:
        """As a browser sends it. What is not a field of ours is passed over."""
        slots = sorted({int(found[1]) for name in told if (found := _SLOT.match(name))})[:MOST_OUTPUTS] or [0]
        known = dict(names(slots))
        again = {
            name: _veiled(each, told[AGAIN + name])
            for name, each in known.items()
            if AGAIN + name in told and not told.get(name)
        }
        return cls(values={name: told[name] for name in told if name in known}, slots=tuple(slots), again=again)

    def get(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def with_values(self, values: Mapping[str, str]) -> Form:
        return replace(self, values={**self.values, **values})

    def with_output(self, preset: str) -> Form:
        """With one output more, if there is room for it."""
        slot = max(self.slots) + 1
        if len(self.slots) >= MOST_OUTPUTS or slot >= MOST_SLOTS:
            return self
        return replace(self.with_values({f"/outputs/{slot}/preset": preset}), slots=(*self.slots, slot))

    def without_output(self, slot: int) -> Form:
        """Without that one; the last one stays."""
        slots = tuple(each for each in self.slots if each != slot) or self.slots
        gone = f"/outputs/{slot}"
        values = {name: text for name, text in self.values.items() if slot in slots or not _lies_in(name, gone)}
        return replace(self, values=values, slots=slots)

    def fit_to_show(self) -> Form:
        """Without secrets: what they were is not sent back, only that they must be given again."""
        again: dict[str, str] = {}
        shown: dict[str, str] = {}
        for name, each in names(self.slots):
            text = self.values.get(name, "")
            may_be_shown = _veiled(each, text)
            if each.kind is Kind.JSON:
                shown[name] = may_be_shown
            elif may_be_shown != text or is_veiled(text):
                again[name] = may_be_shown
            else:
                shown[name] = text
        return Form(values=shown, slots=self.slots, again={**self.again, **again})


def names(slots: Iterable[int]) -> Iterator[tuple[str, Field]]:
    """Every field of a form with these outputs, by its name."""
    yield "/source", Field(member="source", label="Source")
    yield from _of_place("/source", SOURCES)
    for slot in slots:
        output = f"/outputs/{slot}"
        yield output, Field(member="", label="More, as JSON", kind=Kind.JSON)
        yield f"{output}/preset", Field(member="preset", label="Preset")
        yield from ((f"{output}/{each.member}", each) for each in OUTPUT_FIELDS)
        yield f"{output}/destination", Field(member="destination", label="Destination")
        yield from _of_place(f"{output}/destination", DESTINATIONS)
    yield from ((f"/{each.member}", each) for each in JOB)


def labels(form: Form) -> dict[str, str]:
    """What each field is called where it stands alone: "Output 2: Width"."""
    told = {}
    for name, each in names(form.slots):
        found = _SLOT.match(name)
        whose = f"Output {form.slots.index(int(found[1])) + 1}: " if found else ""
        told[name] = f"{'Source: ' if name.startswith('/source:') else whose}{each.label}"
    return told


def _of_place(at: str, groups: Mapping[str, Group]) -> Iterator[tuple[str, Field]]:
    for group in groups.values():
        yield from ((_name(at, group, each), each) for each in group.fields)


def _name(at: str, group: Group, each: Field) -> str:
    return f"{at}:{group.name}/{each.member}" if each.member else f"{at}:{group.name}"


def body_of(form: Form) -> tuple[dict[str, Json], dict[str, Fault]]:
    """The body that the form says, and by names of fields what is not written as it must be to be read at all."""
    faults: dict[str, Fault] = {}
    body: dict[str, Json] = {"source": _place(form, "/source", SOURCES, faults)}
    body["outputs"] = [_output(form, slot, faults) for slot in form.slots]
    body |= _said(form, "", JOB, faults)
    if isinstance(body.get("tags"), str):
        body["tags"] = [tag for each in str(body["tags"]).split(",") if (tag := each.strip())]
    return body, faults


def at_fields(form: Form, faults: Iterable[Fault]) -> dict[str, Fault]:
    """Faults of `body_of(form)`, by the names of the fields where they are mended; "" for one that has none."""
    known = [name for name, _ in names(form.slots)]
    found: dict[str, Fault] = {}
    for fault in faults:
        name = _SLOT.sub(lambda at: f"/outputs/{_slot(form, int(at[1]))}", fault.path, count=1)
        found.setdefault(_nearest(_chosen(form, name), known), fault)
    return found


def _place(form: Form, at: str, groups: Mapping[str, Group], faults: dict[str, Fault]) -> dict[str, Json]:
    chosen = groups.get(form.get(at))
    if chosen is None:
        return {}
    if chosen.name == "json":
        return _object(form, f"{at}:json", faults)
    said = _said(form, f"{at}:{chosen.name}", chosen.fields, faults)
    return {"kind": chosen.name, **said} if chosen.name in _KINDS else said


def _output(form: Form, slot: int, faults: dict[str, Fault]) -> dict[str, Json]:
    """What has a field wins over what is said in JSON."""
    at = f"/outputs/{slot}"
    said = _object(form, at, faults)
    if form.get(f"{at}/preset"):
        said["preset"] = form.get(f"{at}/preset")
    _lay(_said(form, at, OUTPUT_FIELDS, faults), said)
    if form.get(f"{at}/destination"):
        said["destination"] = _place(form, f"{at}/destination", DESTINATIONS, faults)
    return said


def _said(form: Form, at: str, fields: Iterable[Field], faults: dict[str, Fault]) -> dict[str, Json]:
    said: dict[str, Json] = {}
    for each in fields:
        name = f"{at}/{each.member}"
        text = form.get(name)
        if text:
            way = each.member.split("/")
            _lay(_nested(way, _value(each, text, name, faults)), said)
    return said


def _nested(way: list[str], value: Json) -> dict[str, Json]:
    for member in reversed(way[1:]):
        value = {member: value}
    return {way[0]: value}


def _lay(upper: Mapping[str, Json], lower: dict[str, Json]) -> None:
    """Lay members over others; objects over objects likewise."""
    for name, value in upper.items():
        below = lower.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            _lay(value, below)
        else:
            lower[name] = value


def _value(each: Field, text: str, name: str, faults: dict[str, Fault]) -> Json:
    match each.kind:
        case Kind.NUMBER | Kind.NUMERAL:
            return _number(text)
        case Kind.SWITCH:
            return text == "true"
        case Kind.PAIRS:
            return _pairs(text, name, faults)
        case Kind.KEY:
            return text.replace("\r\n", "\n") + "\n"
        case _:
            return text


def _number(text: str) -> Json:
    """A number, or the text where it is none: what is wrong with that, the API says."""
    text = text.replace("−", "-")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _pairs(text: str, name: str, faults: dict[str, Fault]) -> Json:
    if text.startswith("{"):
        return _json(text, name, faults)
    pairs: dict[str, Json] = {}
    for line in filter(None, (each.strip() for each in text.splitlines())):
        key, colon, value = line.partition(":")
        if not colon:
            told = "must be a name, a colon and a value in each line"
            faults[name] = Fault(path=name, code="invalid_value", message=told)
            return {}
        pairs[key.strip()] = value.strip()
    return pairs


def _object(form: Form, name: str, faults: dict[str, Fault]) -> dict[str, Json]:
    text = form.get(name)
    found = _json(text, name, faults) if text else {}
    if isinstance(found, dict):
        return dict(found)
    faults[name] = Fault(path=name, code="invalid_type", message="must be an object of JSON: {…}")
    return {}


def _json(text: str, name: str, faults: dict[str, Fault]) -> Json:
    try:
        return read_json(text.encode())
    except (Rejected, UnicodeEncodeError) as wrong:
        why = wrong.faults[0].message if isinstance(wrong, Rejected) else "It is no text."
        faults[name] = Fault(path=name, code="invalid_json", message=why.replace("The body", "It"))
        return {}


def _slot(form: Form, position: int) -> int:
    return form.slots[position] if position < len(form.slots) else position


def _chosen(form: Form, name: str) -> str:
    """The name with the kinds of its place in it."""
    for at in ("/source", *(f"/outputs/{slot}/destination" for slot in form.slots)):
        if name.startswith(f"{at}/"):
            return f"{at}:{form.get(at)}{name.removeprefix(at)}"
    return name


def _nearest(name: str, known: Sequence[str]) -> str:
    """The field of that name, or the first one of the smallest part that it belongs to; "" if there is none."""
    while name:
        if name in known:
            return name
        below = next((each for each in known if _lies_in(each, name)), None)
        if below is not None:
            return below
        name = name.rpartition("/")[0] or name.rpartition(":")[0]
    return ""


def _lies_in(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}/")


def _veiled(each: Field, text: str) -> str:
    """What of a field's text may be sent back."""
    if each.is_secret:
        return ""
    if each.kind is Kind.JSON:
        return _veiled_json(text)
    if each.kind is Kind.ADDRESS and text:
        hidden, _ = hide_in({"text": text})
        return str(hidden["text"])
    return text


def _veiled_json(text: str) -> str:
    try:
        value = read_json(text.encode())
    except (Rejected, UnicodeEncodeError):
        return "" if _SECRET_NAMES.search(text) else text
    if not isinstance(value, dict):
        return text
    hidden, secrets = hide_in(value)
    return pretty(hidden) if secrets else text
