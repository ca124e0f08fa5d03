"""Subtitles on their way: lifted out of the source as text, cut to each output, and read back out of results."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg import captions, containers, markup
from encoder.ffmpeg.captions import Captions
from encoder.ffmpeg.exits import Exit, Reason, classify
from encoder.ffmpeg.formats import DEMUXER_OF, input_options
from encoder.ffmpeg.launcher import Launcher, Limits
from encoder.ffmpeg.leash import Leash
from encoder.model.base import replace
from encoder.model.plan import BurntPlan, Note, OutputPlan, Script, SubtitlePlan, VideoPlan

MOST_BYTES = 64 * 1024**2
LIMITS = Limits(wall_seconds=3600.0, file_bytes=MOST_BYTES)
# as it is where the form can say it; all other text by way of SubRip, which keeps more than WebVTT
_CODECS = {captions.SRT: "srt", captions.WEBVTT: "copy", captions.ASS: "copy"}


def wants(output: OutputPlan) -> bool:
    """Whether it has subtitles that are text."""
    return bool(_scripts(output))


def is_empty(output: OutputPlan) -> bool:
    """Whether it should be subtitles and has none."""
    return containers.CONTAINERS[output.container].captions and not output.subtitles


def scripts(outputs: Iterable[OutputPlan]) -> dict[int, Script]:
    """The text that these outputs need of the source, by its stream."""
    return {
        each.source_index: each.script
        for output in outputs
        for each in _wanting(output)
        if each.source_index is not None and each.script is not None
    }


def run(outputs: Iterable[OutputPlan], *, source_args: Sequence[str]) -> list[str] | None:
    """The arguments that lift them, each into its file; None where there is nothing to lift."""
    lifted = scripts(outputs)
    if not lifted:
        return None
    files = {str(stream): script for stream, script in lifted.items()}
    return ["-v", "error", "-max_error_rate", "1", *source_args, *_files(files)]


def again(plan: OutputPlan, *, source_args: Sequence[str]) -> list[str]:
    """The arguments that lift the subtitles out of a result, descriptor 3."""
    files = {
        f"s:{place}": Script(file=read_back(each.file), form=each.form) for place, each in enumerate(plan.subtitles)
    }
    return ["-v", "error", *source_args, *_files(files)]


def read_back(file: str) -> str:
    """What a file of subtitles is called when it comes out of the result."""
    return f"again-{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """`folder`: where ffmpeg runs, and all files of subtitles lie. `by_descriptor`: this ffmpeg has the `fd` protocol.

    Raises:
        errors.LeaseLost: the leash was cut.
    """

    ffmpeg: Launcher
    folder: Path
    leash: Leash
    by_descriptor: bool = True

    async def settle(self, outputs: Sequence[OutputPlan], source: Path) -> list[OutputPlan]:
        """These outputs with the files of their subtitles beside them, without those that say nothing.

        Raises:
            errors.Failure: the source's text cannot be lifted.
        """
        args = run(outputs, source_args=input_options(None if self.by_descriptor else source))
        damaged = False
        if args is not None:
            ended = await self._ran(args, source)
            if ended.reason is not Reason.OK:
                raise classify(ended)
            damaged = bool(ended.log.strip())
        return await asyncio.to_thread(lambda: [self._settled(output, damaged=damaged) for output in outputs])

    async def read(self, plan: OutputPlan, path: Path) -> tuple[tuple[Captions, Captions], ...]:
        """Of each track of a result what it should say, and what it says; nothing where it cannot be read."""
        if not plan.subtitles:
            return ()
        demuxer = DEMUXER_OF[containers.CONTAINERS[plan.container].muxer]
        opened = input_options(None if self.by_descriptor else path, formats=(demuxer,))
        await self._ran(again(plan, source_args=opened), path)
        return await asyncio.to_thread(
            lambda: tuple(
                (self._read(each.file, each.form), self._read(read_back(each.file), each.form))
                for each in plan.subtitles
            )
        )

    async def _ran(self, args: list[str], source: Path) -> Exit:
        return await self.ffmpeg.run(args, folder=self.folder, leash=self.leash, limits=LIMITS, source=source)

    def _settled(self, output: OutputPlan, *, damaged: bool) -> OutputPlan:
        whole = {script.file: self._read(script.file, script.form) for script in _scripts(output)}
        settled, texts = fitted(output, whole)
        for name, text in texts.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        if damaged and any(each.source_index is not None for each in _wanting(output)):
            note = Note(code="subtitles_damaged", message="Some subtitles of the source could not be read.")
            return replace(settled, warnings=(*settled.warnings, note))
        return settled

    def _read(self, name: str, form: str) -> Captions:
        path = self.folder / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return captions.read(text, form)


def fitted(output: OutputPlan, whole: Mapping[str, Captions]) -> tuple[OutputPlan, dict[str, str]]:
    """An output, and the files of its subtitles with their text. `whole`: the scripts, by their names. Pure."""
    shown = {each.file: _shown(output, each, whole[each.script.file]) for each in output.subtitles}
    kept = [each for each in output.subtitles if shown[each.file].listed]
    empty: list[SubtitlePlan | BurntPlan] = [each for each in output.subtitles if each not in kept]
    texts = {each.file: captions.written(shown[each.file]) for each in kept}
    video = output.video
    if video is not None and video.burnt is not None and video.burnt.script is not None:
        script = whole[video.burnt.script.file]
        texts[video.burnt.file or ""] = captions.written(markup.recast(script, captions.ASS, tall=is_tall(video)))
        if not _cut(output, script).listed:
            empty.append(video.burnt)
            video = replace(video, burnt=None)
    renditions = [fitted(each, whole) for each in output.renditions]
    told = [*dict.fromkeys(_empty(each.source_index) for each in empty)]
    for each, more in renditions:
        texts |= more
        told += [note for note in each.warnings if note not in told]
    settled = replace(
        output,
        video=video,
        subtitles=tuple(kept),
        renditions=tuple(each for each, _ in renditions if not is_empty(each)),
        warnings=(*output.warnings, *(note for note in told if note not in output.warnings)),
    )
    return settled, texts


def is_tall(video: VideoPlan) -> bool:
    """Whether the picture stands upright."""
    return video.height_px > video.width_px


def _shown(output: OutputPlan, plan: SubtitlePlan, script: Captions) -> Captions:
    shown = markup.recast(_cut(output, script), plan.form)
    return captions.apart(shown) if plan.codec == "mov_text" else shown


def _cut(output: OutputPlan, script: Captions) -> Captions:
    length = output.duration_seconds
    length_ms = None if length is None else int(length * 1000)
    return captions.cut(script, round(output.clip_start_seconds * 1000), length_ms)


def _empty(index: int | None) -> Note:
    what = "The file of subtitles" if index is None else f"Stream {index} of the source"
    return Note(code="subtitles_empty", message=f"{what} says nothing in what the output shows.")


def _wanting(output: OutputPlan) -> Iterator[BurntPlan | SubtitlePlan]:
    for each in (output, *output.renditions):
        if each.video is not None and each.video.burnt is not None:
            yield each.video.burnt
        yield from each.subtitles


def _scripts(output: OutputPlan) -> list[Script]:
    return [each.script for each in _wanting(output) if each.script is not None]


def _files(lifted: Mapping[str, Script]) -> Iterator[str]:
    for stream, script in lifted.items():
        yield from ("-map", f"0:{stream}", "-c:s", _CODECS[script.form])
        yield from ("-f", script.form, "-y", f"file:{script.file}")
