"""Hears how loud sound is: of a source before it is encoded, of a result for its proof. Each run decodes one track."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import graph, loudness
from encoder.ffmpeg.exits import Reason, classify
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Launcher, Limits
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.loudness import Trial
from encoder.ffmpeg.progress import Progress
from encoder.model.base import replace
from encoder.model.plan import AudioPlan, Loudness, OutputPlan

LIMITS = Limits(wall_seconds=6 * 3600.0, file_bytes=32 * 1024**3)
_SPARE_SECONDS = 5
_REHEARSAL = "rehearsal.mka"
_TO_NOWHERE = ("-f", "null", "-")

Told = Callable[[Progress], None]


def of_source(output: OutputPlan, audio: AudioPlan, *, source_args: Sequence[str]) -> list[str]:
    """The arguments that measure a track of the source, which is descriptor 3, as it will be mixed."""
    track, chain = graph.heard(audio)
    return [*_track(output, f"[{track}]{loudness.metered(chain)}", source_args), *_TO_NOWHERE]


def rehearsal(output: OutputPlan, audio: AudioPlan, path: Path, *, source_args: Sequence[str]) -> list[str]:
    """The arguments that encode a track by itself, as it will be."""
    options = [word for option in audio.options for word in option]
    track, chain = graph.heard(audio)
    heard = _track(output, f"[{track}]{','.join(chain)}", source_args)
    return [*heard, "-c:a", audio.encoder, *options, "-y", "-f", "matroska", f"file:{path}"]


def _track(output: OutputPlan, heard: str, source_args: Sequence[str]) -> list[str]:
    args = ["-v", "info"]
    if output.seek_seconds:
        args += ["-ss", f"{output.seek_seconds:.6f}"]
    args += [*source_args, "-filter_complex", f"{heard}[heard]", "-map", "[heard]"]
    if output.duration_seconds is not None:
        args += ["-t", f"{output.duration_seconds + _SPARE_SECONDS:.6f}"]
    return args


def of_result(track: int, *, source_args: Sequence[str]) -> list[str]:
    """The arguments that measure one track of a result, descriptor 3; `track` counts its tracks of sound."""
    return ["-v", "info", *source_args, "-map", f"0:a:{track}", "-filter:a", loudness.metered(), *_TO_NOWHERE]


def runs(output: OutputPlan, *, source_args: Sequence[str]) -> list[list[str]]:
    """The first measuring of each track of an output that is to have a loudness. What they find decides on others."""
    return [
        of_source(stream, audio, source_args=source_args)
        for stream in output.streams
        for audio in stream.sounds
        if _is_unsettled(audio)
    ]


def _is_unsettled(audio: AudioPlan) -> bool:
    return audio.loudness is not None and audio.loudness.mode is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """Listens to one file. `folder`: where ffmpeg runs; `by_descriptor`: this ffmpeg has the `fd` protocol.

    Raises:
        errors.Failure: it cannot be heard to its end.
        errors.LeaseLost: the leash was cut.
    """

    ffmpeg: Launcher
    path: Path
    folder: Path
    leash: Leash
    by_descriptor: bool = True

    async def settle(self, output: OutputPlan, told: Told | None = None) -> OutputPlan:
        """The plan with the gain of the sound that is to have a loudness, and what there is to say of it."""
        if output.renditions:
            return await self._settled_package(output, told)
        if not any(_is_unsettled(audio) for audio in output.sounds):
            return output
        sounds = [
            await self._settled(output, audio, told) if _is_unsettled(audio) else audio for audio in output.sounds
        ]
        notes = [loudness.told(audio) for audio in sounds]
        reasons = tuple(reason for several, _ in notes for reason in several)
        warnings = tuple(warning for _, several in notes for warning in several)
        return replace(
            output,
            audio=sounds[0],
            more_audio=tuple(sounds[1:]),
            reasons=(*output.reasons, *reasons, *warnings),
            warnings=(*output.warnings, *warnings),
        )

    async def heard(self, track: int) -> Loudness:
        """How loud a track is, counted among those of sound, without anything done to it."""
        return await self._heard(of_result(track, source_args=self._source_args), None)

    async def result(self, track: int = 0) -> Loudness | None:
        """How loud a track of a result is; None if it cannot be heard to its end, of which other checks will tell."""
        try:
            return await self.heard(track)
        except errors.Failure:
            return None

    async def _settled_package(self, output: OutputPlan, told: Told | None) -> OutputPlan:
        settled = [await self.settle(rendition, told) for rendition in output.renditions]
        notes = [
            (after.reasons[len(before.reasons) :], after.warnings[len(before.warnings) :])
            for before, after in zip(output.renditions, settled, strict=True)
        ]
        return replace(
            output,
            renditions=tuple(settled),
            audio=next((rendition.audio for rendition in settled if rendition.audio is not None), None),
            reasons=(*output.reasons, *(note for reasons, _ in notes for note in reasons)),
            warnings=(*output.warnings, *(note for _, warnings in notes for note in warnings)),
        )

    async def _settled(self, output: OutputPlan, audio: AudioPlan, told: Told | None) -> AudioPlan:
        found = await self._heard(of_source(output, audio, source_args=self._source_args), told)
        silent = loudness.silent(audio, found)
        if silent is not None:
            return silent
        trials: list[Trial] = []
        while (setting := loudness.next_setting(audio, found, trials)) is not None:
            heard = loudness.foreseen(audio, found, setting)
            if heard is None:
                heard = await self._rehearsed(output, loudness.applied(audio, found, setting), told)
            trials.append(Trial(setting=setting, heard=heard))
        return loudness.settled(audio, found, trials)

    async def _rehearsed(self, output: OutputPlan, audio: AudioPlan, told: Told | None) -> Loudness:
        """How loud the sound is that the codec makes of a track: its peaks are not those that it was given."""
        path = self.folder / _REHEARSAL
        try:
            args = rehearsal(output, audio, path, source_args=self._source_args)
            ended = await self.ffmpeg.run(
                args, folder=self.folder, leash=self.leash, limits=LIMITS, source=self.path, on_progress=told
            )
            if ended.reason is not Reason.OK:
                raise classify(ended)
            return await dataclasses.replace(self, path=path).heard(0)
        finally:
            path.unlink(missing_ok=True)

    @property
    def _source_args(self) -> tuple[str, ...]:
        return input_options(None if self.by_descriptor else self.path)

    async def _heard(self, args: Sequence[str], told: Told | None) -> Loudness:
        ended = await self.ffmpeg.run(
            args, folder=self.folder, leash=self.leash, limits=LIMITS, source=self.path, on_progress=told
        )
        if ended.reason is not Reason.OK:
            raise classify(ended)
        found = loudness.heard(ended.log)
        if found is None:
            raise errors.Crash("encoder_crashed", "The meter of loudness said nothing.")
        return found
