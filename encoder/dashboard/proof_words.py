"""A proof as people read it: each check with what was expected, what was measured, and what it means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from encoder.api.answers import OutputAnswer
from encoder.dashboard.look import in_bytes
from encoder.model.base import Json
from encoder.model.proof import Check, Proof
from encoder.model.state import OutputState

# in the order in which they are made
MEANINGS: Mapping[str, tuple[str, str]] = {
    "run": ("Encoder's end", "ffmpeg came to its own end, and decoded the source almost without a fault."),
    "source": ("Source was whole", "The source went on until where its header says, and gave the frames it promised."),
    "container": ("Container", "The file opens as what it should be; nothing is missing in front or hangs behind."),
    "streams": ("Streams", "Exactly the streams that were planned, each of the planned kind."),
    "picture": ("Picture", "Upright, in square pixels, of the planned size, with true tags of colour."),
    "frames": ("Frames", "Every frame that was encoded lies in the file, and there are as many as planned."),
    "duration": ("Duration", "The file and each of its streams end where they should."),
    "sync": ("Sync", "Sound and picture begin and end as far apart as in the source."),
    "timestamps": ("Time stamps", "Times rise, none comes twice, and the first is where it should be."),
    "keyframes": ("Keyframes", "It begins with a picture that needs no other, and can be entered often enough."),
    "seams": ("Seams", "Where its chunks were joined a picture stands that needs no other, and no frame is missing."),
    "decode": ("Second decoder", "Another decoder went through the whole file and had nothing to say."),
    "captions": ("Subtitles", "They say what they should, when they should."),
    "loudness": ("Loudness", "Each track is as loud as was asked, and no peak goes above the ceiling."),
    "content": ("Content", "It is nowhere black or still for seconds where the source is not."),
    "pictures": ("Pictures", "As many pictures as planned, of the planned size, each of which opens."),
    "package": ("Package", "Manifests and segments fit each other and their standards."),
    "quality": ("Quality", "How near the picture is to the source's, as a viewer would score it."),
}
ADVICE = frozenset({"quality"})  # what fails it is delivered all the same, with a warning
# under which name a member of a check is shown: what is expected of it and what was measured have one
_NAMED: Mapping[str, Callable[[str], str]] = {
    "frames": lambda member: {"planned": "shown", "encoded": "stored"}.get(member, member),
    "duration": lambda member: member if member == "seconds" else f"{member}EndSeconds",
    "timestamps": lambda member: member if member in ("faults", "seconds") else f"{member}StartSeconds",
}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_UNITS = {"seconds": "s", "milliseconds": "ms", "db": "dB", "dbtp": "dBTP", "lufs": "LUFS", "lu": "LU"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that a check compares. `wrong`: it is the one that fails."""

    name: str
    expected: str
    measured: str
    limit: str
    wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A check. `state`: passed, failed, warning, absent (it does not apply), unreached."""

    name: str
    title: str
    means: str
    state: str
    rendition: str | None = None
    measures: tuple[Measure, ...] = ()
    limits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`sentence`: what it comes to; `proven`: whether it may be trusted."""

    proven: bool
    sentence: str
    lines: tuple[Line, ...]

    @property
    def faults(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.state in ("failed", "warning"))


def report(output: OutputAnswer) -> Report | None:
    """The proof of an output; None where there is none yet."""
    if output.proof is None:
        return None
    lines = tuple(_lines(output.proof))
    counted = Counter(line.state for line in lines)
    proven = not counted["failed"]
    told = [f"{counted['passed']} {'check' if counted['passed'] == 1 else 'checks'} passed"]
    told += [f"{counted['absent']} {'does' if counted['absent'] == 1 else 'do'} not apply"] if counted["absent"] else []
    told += [f"{counted['unreached']} not reached"] if counted["unreached"] else []
    if proven:
        return Report(proven=True, sentence=f"Proven: {', '.join(told)}.", lines=lines)
    failed = ", ".join(line.title.lower() for line in lines if line.state == "failed")
    after = "" if output.status is OutputState.UPLOADED else " Nothing was published."
    return Report(proven=False, sentence=f"Not proven: {failed} failed; {', '.join(told)}.{after}", lines=lines)


def _lines(proof: Proof) -> Iterator[Line]:
    made = {check.name for check in proof.checks}
    refused = any(not check.passed and check.measured is None and check.expected is None for check in proof.checks)
    for check in proof.checks:
        yield _line(check)
    for name, (title, means) in MEANINGS.items():
        if name not in made:
            yield Line(name=name, title=title, means=means, state="unreached" if refused else "absent")


def _line(check: Check) -> Line:
    title, means = MEANINGS.get(check.name, (check.name, ""))
    state = "passed" if check.passed else "warning" if check.name in ADVICE else "failed"
    measures = tuple(_measures(check))
    shown = {measure.name for measure in measures}
    limits = _members(check, check.limit)
    rest = [_allowed(name, value) for name, value in limits.items() if _name(name) not in shown]
    return Line(
        name=check.name,
        title=title,
        means=means,
        state=state,
        rendition=check.rendition,
        measures=measures,
        limits=", ".join(rest),
    )


def _measures(check: Check) -> Iterator[Measure]:
    expected, measured, limit = (_members(check, said) for said in (check.expected, check.measured, check.limit))
    wrong = _wrong(check, expected, measured)
    for name in dict.fromkeys([*expected, *measured, *sorted(wrong)]):
        allowed = limit.get(name)
        yield Measure(
            name=_name(name),
            expected=_value(name, expected[name]) if name in expected else "",
            measured=_value(name, measured[name]) if name in measured else "–",
            limit=f"± {_value(name, allowed)}" if allowed not in (None, expected.get(name)) else "",
            wrong=name in wrong,
        )


def _wrong(check: Check, expected: Mapping[str, Json], measured: Mapping[str, Json]) -> frozenset[str]:
    """The members that fail a check: the one that it names, else those that are not as expected."""
    if check.passed:
        return frozenset()
    if check.fault is not None:
        return frozenset(_members(check, {check.fault: None}))
    return frozenset(name for name in expected.keys() & measured.keys() if expected[name] != measured[name])


def _members(check: Check, said: Json) -> Mapping[str, Json]:
    if isinstance(said, dict):
        named = _NAMED.get(check.name, str)
        return {named(member): value for member, value in said.items()}
    return {} if said is None else {"value": said}


def _allowed(member: str, value: Json) -> str:
    """A limit that is of no one member: `seconds` is how far off they may be."""
    return f"± {_value(member, value)}" if member in _UNITS else f"{_name(member)} {_value(member, value)}"


def _name(member: str) -> str:
    """`videoEndSeconds` → video end: units stand behind the values."""
    words = [word.lower() for word in _WORDS.findall(member)]
    if len(words) > 1 and (words[-1] in _UNITS or words[-1] in ("bytes", "share")):
        words = words[:-1]
    return " ".join(words) or member


def _value(member: str, value: Json) -> str:
    unit = (_WORDS.findall(member) or [""])[-1].lower()
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float() | int():
            return _number(value, unit)
        case list():
            return ", ".join(_value("", each) for each in value)
        case dict():
            return ", ".join(f"{_name(name)} {_value(name, each)}" for name, each in value.items())
    return str(value)


def _number(value: float, unit: str) -> str:
    if unit == "bytes":
        return in_bytes(value)
    if unit == "share":
        return f"{value * 100:.3g}\u202f%"
    told = f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{told}\u202f{_UNITS[unit]}" if unit in _UNITS else told
