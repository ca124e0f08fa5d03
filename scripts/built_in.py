"""The built-in presets for docs/reference/presets.md: what each says, and the very commands that it becomes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from encoder.ffmpeg import command, presets
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.presets import BUILT_IN, Preset
from scripts import marks
from tests.lab.facts import ABLE, source

_WIDTH = 110
_INTRO = """Each as `ffmpeg` is told it for a source of 1920×1080 at 25 frames a second with stereo sound. For your own,
`encoder plan FILE --preset NAME`, or `POST /jobs?dryRun=true`, shows it with the reasons.
"""


def part(_: str) -> str:
    return _INTRO + "".join(_section(preset) for preset in BUILT_IN.values())


def _section(preset: Preset) -> str:
    members = json.dumps(preset.members, ensure_ascii=False)
    commands = "\n".join(map(_folded, _commands(preset)))
    return f"\n### {preset.name}\n\n{preset.about}\n\n```json\n{marks.wrapped(members)}\n```\n\n```\n{commands}\n```\n"


def _commands(preset: Preset) -> Iterator[Sequence[str]]:
    plan = decide(source(), {0: presets.merge(preset.members, {})}, ABLE)
    files = {made.output: Path(made.file_name) for made in plan.outputs}
    for one in plan.passes:
        yield command.shown(command.build(plan, one, files=files), Path())


def _folded(args: Sequence[str]) -> str:
    """As a shell takes it, an option with its values on one line where they fit."""
    lines = [""]
    for arg in args:
        word = shlex.quote(arg)
        if len(lines[-1]) + len(word) > _WIDTH and arg.startswith("-"):
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\n".join(lines)
