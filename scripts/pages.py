"""Writes the pages of docs/ that come from the tables the program runs on, and what k8s/ ships of alerts and boards:
`make docs`. A test holds them to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from encoder.cli import SECTIONS, root
from encoder.ffmpeg.codecs import AUDIO_ENCODERS, VIDEO_ENCODERS
from encoder.ffmpeg.containers import CONTAINERS
from encoder.ffmpeg.rules import CHANNELS
from encoder.settings import Settings
from scripts import built_in, calls, cases, limits, marks, monitoring, numbers, objects, troubles
from scripts.marks import DOCS

WIDTH: dict[str, int] = {"max_content_width": 100, "terminal_width": 100}


def settings_page() -> str:
    """docs/reference/settings.md."""
    intro = (
        "# Settings\n\n"
        "Written by `make docs` from `encoder/settings.py`. Environment variables, also read from a file `.env` in\n"
        "the folder in which the process starts; the environment wins. A wrong value keeps a role from starting.\n"
        "\n| variable | unit or values | default | effect |\n|---|---|---|---|\n"
    )
    return intro + "".join(_setting(name, field) for name, field in Settings.model_fields.items()) + CLIENT


CLIENT = """
## For the command line as a client

| variable | unit or values | default | effect |
|---|---|---|---|
| `ENCODER_URL` | address | `http://127.0.0.1:8080` | server that `encoder submit`, `jobs`, `watch` … talk to |
| `ENCODER_API_KEY` | text | – | key that they show; `--key-file` wins |
| `NO_COLOR`, `CI`, `TERM=dumb` | any | – | no bars and no colours |
"""


def _setting(name: str, field: FieldInfo) -> str:
    effect = _PAGE.sub(r"[\2](../\1\2.md)", field.description or "")
    return f"| `ENCODER_{name.upper()}` | {_unit(name, field)} | {_default(field)} | {effect} |\n"


_PAGE = re.compile(r"docs/(\w+/)([\w-]+)\.md")  # as a terminal shows it; a page has a link


def _unit(name: str, field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) in {Union, UnionType}:  # with None: it may be absent
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if name.endswith("_seconds"):
        return "seconds"
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is tuple:
        return "list, separated by commas"
    if kind is int:
        return "number"
    return "folder or file" if kind is Path else "text"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default in (None, ()):
        return "–"
    shown = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{shown}`"


def cli_page() -> str:
    """docs/reference/cli.md."""
    return "".join(_cli_parts()).rstrip() + "\n"


def _cli_parts() -> Iterator[str]:
    yield INTRO
    top = click.Context(root, info_name="encoder", **root.context_settings)
    for title, commands in SECTIONS.items():
        yield f"## {title}\n\n"
        for name in commands:
            command = root.get_command(top, name)
            assert command is not None  # noqa: S101  # it stands in the table
            yield f"### {name}\n\n```\n{_help(command, name, top)}\n```\n\n"
            for below in command.commands.values() if isinstance(command, click.Group) else ():
                words = f"{name} {below.name}"
                yield f"#### {words}\n\n```\n{_help(below, words, top)}\n```\n\n"


def _help(command: click.Command, name: str, top: click.Context) -> str:
    ctx = click.Context(command, info_name=name, parent=top, **WIDTH)  # type: ignore[arg-type]  # two widths
    return "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())


INTRO = """# Command line

Written by `make docs` from the commands themselves. `make setup` puts it at `.venv/bin/encoder`.

Data goes to standard output, all else to standard error. With `--json` lists are one object per line, and an error
is the API's problem object. Bars and tables are drawn on a terminal only; elsewhere each change of state is a line.
`NO_COLOR` takes the colours away; with `TERM=dumb`, `CI` or `--no-progress` nothing is drawn on a terminal either. Text
from others never steers the terminal: its control characters are shown as `·`.

```
encoder submit holiday.mov --wait     # a bar per output, then where it stands, and what was proven
encoder watch                         # all that waits and runs, as a table that stays true
encoder jobs --watch --status failed  # the same of a list
encoder log 42 --follow               # what ffmpeg says just now
eval "$(encoder completion bash)"     # the shell then knows commands, jobs, presets, queues and codes
```

| exit code | means |
|---|---|
| 0 | done and proven |
| 1 | a job or a check failed, or its state did not allow it (409) |
| 2 | usage, or a request that must be corrected (400, 404, 413, 422 …) |
| 3 | no key, or not allowed (401, 403) |
| 4 | not reachable, 5xx or 429, also after retries |
| 5 | `--timeout` has passed; the job goes on |
| 6 | the job was cancelled |
| 130 | interrupted; the job goes on |

"""


def codecs_page() -> str:
    """docs/reference/codecs.md."""
    intro = (
        "# Containers and encoders\n\n"
        "Written by `make docs` from `encoder/ffmpeg/containers.py` and `codecs.py`. What is not listed is refused.\n"
    )
    return "".join((intro, *_containers(), *_video_encoders(), *_audio_encoders()))


def _containers() -> Iterator[str]:
    yield (
        "\n## Containers\n\n`container`, and what it holds. The first of a column is what an output gets when nothing"
        " is said;\nwhat has no encoder below is only copied.\n\n"
        "| container | picture | sound | text | |\n|---|---|---|---|---|\n"
    )
    for each in CONTAINERS.values():
        kinds = {
            "package": each.package,
            "images": each.images,
            "subtitles alone": each.captions,
            "several tracks of sound": each.several,
        }
        facts = ", ".join(name for name, so in kinds.items() if so)
        held = " | ".join(", ".join(codecs) or "–" for codecs in (each.video, each.audio, each.subtitles))
        yield f"| `{each.name}` | {held} | {facts} |\n"


def _video_encoders() -> Iterator[str]:
    yield (
        "\n## Picture\n\n`videoCodec` is an encoder or a family; a family is its first encoder here. Keyframes of"
        " single files are at most\nfour seconds apart unless `keyframeInterval` says otherwise, in packages two.\n\n"
        "| encoder | family | `encoderPreset` | `tune` | `profile` | `level` | `pixelFormat` | `crf` |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    for each in VIDEO_ENCODERS.values():
        names = (each.presets, each.tunes, tuple(each.profiles), each.levels, each.pixel_formats)
        presets, *others = (_span(part) for part in names)
        usual = f" ({each.default_preset})" if each.presets else ""
        crf = f"{each.crf_min} to {each.crf_max} ({each.default_crf})"
        yield f"| `{each.name}` | {each.codec} | {presets}{usual} | {' | '.join(others)} | {crf} |\n"


def _audio_encoders() -> Iterator[str]:
    yield (
        "\n## Sound\n\nAt 48 kHz, whatever the source has, unless `audioSampleRate` says otherwise. In brackets: the\n"
        "bitrate of up to two channels · of 5.1 · of 7.1, where `audioBitrate` says none.\n\n"
        "| encoder | family | `audioBitrate` | `audioSampleRate` | channels |\n|---|---|---|---|---|\n"
    )
    for each in AUDIO_ENCODERS.values():
        least, most = each.bitrate_bps
        usual = " · ".join(
            dict.fromkeys(f"{each.usual_bps(count)}" for count in CHANNELS if count <= each.max_channels)
        )
        rates = "lossless" if each.default_bps is None else f"{least} to {most} ({usual})"
        hertz = ", ".join(map(str, each.sample_rates_hz))
        yield f"| `{each.name}` | {each.codec} | {rates} | {hertz} | up to {each.max_channels} |\n"


def _span(names: tuple[str, ...]) -> str:
    """Names in brief: a scale by its ends."""
    if len(names) > _MOST_NAMES:
        return f"{names[0]} … {names[-1]}"
    return ", ".join(names) or "–"


_MOST_NAMES = 6


def decisions_page() -> str:
    """docs/adr/index.md."""
    return "# Decisions\n\nWritten by `make docs`: what would surprise, and why it is so.\n\n" + "".join(_decisions())


def _decisions() -> Iterator[str]:
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        number, _, title = path.read_text().partition("\n")[0].removeprefix("# ").partition(". ")
        yield f"{number}. [{title}]({path.name})\n"


def _object(page: str) -> Callable[[str], str]:
    return lambda name: objects.table(name, of=page)


def _screen(name: str) -> str:
    """A picture of the dashboard, which browser tests took; nothing where there is none yet."""
    wide = f"screens/{name}-1440-light.webp"
    return f"![Picture of the page: {name.replace('-', ', ')}]({wide})" if (DOCS / wide).exists() else ""


_WRITERS: Mapping[str, Callable[[str], str]] = {
    "answers": lambda _: objects.answers(),
    "presets": built_in.part,
    "screen": _screen,
}
_WITH_PARTS = (
    "dashboard.md",
    *("reference/job.md", "reference/places.md", "reference/answers.md", "reference/presets.md"),
    *("reference/uploads.md", "reference/ingest.md", "reference/webhooks.md", "reference/compat.md"),
)


def _with_parts(page: str) -> Callable[[], str]:
    return lambda: marks.filled(page, {**_WRITERS, "object": _object(page)})


PAGES: dict[str, Callable[[], str]] = {
    "reference/api.md": calls.page,
    "reference/errors.md": troubles.page,
    "reference/limits.md": limits.page,
    "reference/settings.md": settings_page,
    "reference/cli.md": cli_page,
    "reference/codecs.md": codecs_page,
    "reference/metrics.md": numbers.page,
    "adr/index.md": decisions_page,
    "why/security.md": cases.page,
    **{page: _with_parts(page) for page in _WITH_PARTS},
}


def main() -> None:
    for name, write in PAGES.items():
        (DOCS / name).write_text(write())
    monitoring.write()


if __name__ == "__main__":
    main()
