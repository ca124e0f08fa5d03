"""A plan as an argument vector for the launcher. Pure.

Every element is a constant that stands here or in `codecs`, a number that we formatted, or a path that we made: no
word of a caller or of a source gets through (docs/why/security.md). The one exception is a track's language, which
`sound` lets pass as three small letters or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from encoder.ffmpeg import (
    captions,
    codecs,
    containers,
    controls,
    graph,
    hardware,
    image_graph,
    joint,
    overlay,
    segments,
)
from encoder.ffmpeg.formats import decoder_options, input_options
from encoder.model.plan import AudioPlan, OutputPlan, Part, Pass, Plan, SubtitlePlan, VideoPlan

INPUT_OPTIONS = input_options()
_SPARE_SECONDS = 5  # what a run may make beyond its plan before it is cut off
_LONGEST_SECONDS = 12 * 3600
_TICK_SECONDS = 0.001  # Matroska rounds to a millisecond, and no two frames lie so near
# ffmpeg would call a cut file damaged, and end a run that several outputs share; the proof judges, and tells them apart
_MAX_ERROR_RATE = "1"
# frames go there as they are, and the log tells how many
_COUNTED = (
    "-map", f"[{graph.COUNTED}]", "-c:v", "wrapped_avframe", "-fps_mode", "passthrough", "-f", "null", "-",
)  # fmt: skip


def build(
    plan: Plan,
    one_pass: Pass,
    *,
    files: Mapping[int, Path],
    threads: int | None = None,
    source_args: Sequence[str] = INPUT_OPTIONS,
) -> list[str]:
    """The arguments of one pass, for `Launcher.run`, which opens the source as descriptor 3.

    `files`: where each output goes, by its position in the job. `threads`: for each encoder; None: as many as it likes.
    `source_args`: how the source is opened, up to and with `-i`.
    """
    outputs = [plan.output(number) for number in one_pass.outputs]
    streams = dict(enumerate(_streams(outputs)))
    joints = {(each.output, each.name): each for each in one_pass.joints}
    pictures = {
        _label("v", place): stream
        for place, stream in streams.items()
        if _is_encoded(stream) and _key(stream) not in joints
    }
    sounds = {
        _label("a", place, number): audio
        for place, stream in streams.items()
        for number, audio in enumerate(stream.sounds)
        if audio.encoder != codecs.COPY
    }
    text = _scripts(outputs)
    scripts = {file: place for place, file in enumerate(text, 1 + len(overlay.inputs(pictures.values())))}
    lists = {key: place for place, key in enumerate(joints, 1 + len(overlay.inputs(pictures.values())) + len(text))}
    args = [*_opened(outputs, [*pictures.values()], one_pass, source_args), *_text(text)]
    for each in joints.values():
        args += joint.opened(each)
    args += _filtered(pictures, sounds, one_pass.part)
    for place, stream in streams.items():
        args += _output(stream, place, threads, scripts, lists.get(_key(stream)))
        args += _kept(stream, one_pass.part, place)
        args += _written(plan.output(stream.output), stream, files[stream.output])
    return args if one_pass.part is None else [*args, *_COUNTED]


def first(
    plan: Plan, one_pass: Pass, *, threads: int | None = None, source_args: Sequence[str] = INPUT_OPTIONS
) -> list[str] | None:
    """The arguments of the run before `build`, for pictures of two passes: all look in one decode, without sound.

    None where there is none. What it finds goes into files of the folder it runs in: see `pass_logs`.
    """
    pictures = _twice(plan, one_pass)
    if not pictures:
        return None
    drawn = [*pictures.values()]
    args = [*_opened(drawn, drawn, one_pass, source_args), *_filtered(pictures, {})]
    for label, stream in pictures.items():
        if stream.video is not None:
            args += _video(stream.video, label, threads, passing=_Passing(1, _pass_log(stream)))
        args += ["-t", f"{_most_seconds(stream):.6f}", "-f", "null", "-"]
    return args


def pass_logs(plan: Plan, one_pass: Pass) -> dict[str, str]:
    """What the files of the first run are to be called for the second, where that differs.

    ffmpeg numbers them by the stream's place in the whole command, and in the second there is sound between.
    """
    places: dict[str, int] = {}
    tracks = 0
    for stream in _streams(map(plan.output, one_pass.outputs)):
        places[_pass_log(stream)] = tracks
        tracks += (stream.video is not None) + len(stream.sounds)
    twice = map(_pass_log, _twice(plan, one_pass).values())
    return {
        f"{log}-{place}.log{more}": f"{log}-{places[log]}.log{more}"
        for place, log in enumerate(twice)
        for more in ("", ".mbtree")  # x264 leaves a second one
        if place != places[log]
    }


def encoders(outputs: Iterable[OutputPlan]) -> tuple[str, ...]:
    """The video encoders that these outputs need."""
    return tuple(each.video.encoder for output in outputs for each in output.streams if each.video is not None)


def shown(args: Sequence[str], folder: Path) -> list[str]:
    """A command as people may see it: `ffmpeg …`, files by their names alone."""
    return ["ffmpeg", *(arg.replace(f"{folder}/", "") for arg in args)]


@dataclass(frozen=True, slots=True)
class _Passing:
    """Which of two passes over a picture. `log`: the prefix of what the first leaves for the second."""

    number: int
    log: str


def _pass_log(stream: OutputPlan) -> str:
    """One of its own for each picture."""
    return f"pass-{stream.output}-{stream.name}" if stream.name else f"pass-{stream.output}"


def _twice(plan: Plan, one_pass: Pass) -> dict[str, OutputPlan]:
    """What has a picture of two passes, under the labels of these."""
    streams = enumerate(_streams(map(plan.output, one_pass.outputs)))
    there = {(each.output, each.name) for each in one_pass.joints}
    return {
        _label("v", place): stream
        for place, stream in streams
        if stream.video and stream.video.two_pass and _key(stream) not in there
    }


def _opened(
    outputs: Sequence[OutputPlan], pictures: Sequence[OutputPlan], one_pass: Pass, source_args: Sequence[str]
) -> Iterator[str]:
    """The source, and what lies over the pictures that are made."""
    # verbose closes with what was read, decoded and damaged: the proof lives on it. About a hundred lines in all.
    yield from ("-v", "verbose", "-max_error_rate", _MAX_ERROR_RATE)
    yield from hardware.options(encoders(pictures))
    yield from _entered(outputs[0], one_pass.part)
    if one_pass.decoded and outputs[0].video is not None:
        yield from (f"-bsf:{outputs[0].video.source_index}", image_graph.unneeded(one_pass.decoded))
    yield from decoder_options(pictures[0].video if pictures else None)
    yield from source_args
    yield from overlay.opened(overlay.inputs(pictures))


def _entered(output: OutputPlan, part: Part | None) -> Iterator[str]:
    """Where in the source decoding begins."""
    if part is not None:
        # times are moved by what moves them in the whole, to the tick, wherever decoding begins: else a frame near the
        # middle of two may go to the other one. What comes before is not cut off: it may be on show as the chunk begins
        yield from ("-copyts", "-start_at_zero", "-noaccurate_seek")
        if output.seek_seconds:
            yield from ("-itsoffset", f"{-output.seek_seconds:.6f}")
        if output.seek_seconds + part.enter_seconds:
            yield from ("-ss", f"{output.seek_seconds + part.enter_seconds:.6f}")
    elif output.seek_seconds:
        yield from ("-ss", f"{output.seek_seconds:.6f}")


def _scripts(outputs: Iterable[OutputPlan]) -> dict[str, SubtitlePlan]:
    """The subtitles that outputs carry, by their files."""
    return {each.file: each for stream in _streams(outputs) for each in stream.subtitles}


def _text(scripts: Mapping[str, SubtitlePlan]) -> Iterator[str]:
    """How subtitles are opened: as the form in which we wrote them and as nothing else, by the names that we gave."""
    for script in scripts.values():
        yield from ("-protocol_whitelist", "file", "-format_whitelist", script.form, "-f", script.form)
        yield from ("-i", f"file:{script.file}")


def _filtered(
    pictures: Mapping[str, OutputPlan], sounds: Mapping[str, AudioPlan], part: Part | None = None
) -> Iterator[str]:
    if pictures:
        yield from ("-filter_complex", graph.pictures(pictures, part))
    for each in graph.sounds(sounds):
        yield from ("-filter_complex", each)


def _label(kind: str, *numbers: int) -> str:
    """What graphs call their end that becomes a track: by the place of its file in the command, and in that file."""
    return kind + "_".join(map(str, numbers))


def _streams(outputs: Iterable[OutputPlan]) -> Iterator[OutputPlan]:
    """What is written by itself: files, and the renditions of packages."""
    return (stream for output in outputs for stream in output.streams)


def _key(stream: OutputPlan) -> tuple[int, str]:
    return stream.output, stream.name


def _is_encoded(output: OutputPlan) -> bool:
    return output.video is not None and output.video.encoder != codecs.COPY


def _output(
    output: OutputPlan, place: int, threads: int | None, scripts: Mapping[str, int], joined: int | None
) -> Iterator[str]:
    """One file; `joined`: the input that holds its picture, where that is there."""
    if output.video is not None and joined is not None:
        yield from ("-map", f"{joined}:v", "-c:v", codecs.COPY, *_tagged(output.video))
    elif output.video is not None:
        passing = _Passing(2, _pass_log(output)) if output.video.two_pass else None
        yield from _video(output.video, _label("v", place), threads, passing=passing)
    if output.video is not None and containers.CONTAINERS[output.container].flags_default:
        yield from ("-disposition:v", "+default")
    for number, audio in enumerate(output.sounds):
        stream = f"a:{number}" if output.more_audio else "a"
        yield from _audio(audio, _label("a", place, number), stream, number)
    for number, track in enumerate(output.subtitles):
        yield from _subtitles(track, number, scripts[track.file])
    yield from ("-map_metadata:g", "-1", "-map_metadata:s", "-1")  # phones write there where they were
    yield from ("-map_chapters", "-1" if output.clipped or output.name else "0")
    yield from ("-t", f"{_most_seconds(output):.6f}")
    if output.faststart:
        yield from ("-movflags", "+faststart")
    yield from ("-max_muxing_queue_size", "1024")  # a track may begin late


def _written(output: OutputPlan, stream: OutputPlan, path: Path) -> Iterator[str]:
    yield "-y"
    if output.package is not None and stream.subtitles:
        yield from ("-f", stream.muxer, f"file:{path / stream.name / segments.SUBTITLES}")
    elif output.package is not None:
        yield from segments.options(output.package, path / stream.name)
    elif output.images is not None:
        yield from image_graph.options(output, output.images, path)
    else:
        yield from ("-f", output.muxer, f"file:{path}")


def _most_seconds(output: OutputPlan) -> float:
    if output.clip_seconds is not None and output.video is None:
        return output.clip_seconds
    return min(_LONGEST_SECONDS, (output.duration_seconds or _LONGEST_SECONDS) + _SPARE_SECONDS)


def _video(video: VideoPlan, label: str, threads: int | None, *, passing: _Passing | None = None) -> Iterator[str]:
    if video.encoder == codecs.COPY:
        yield from ("-map", f"0:{video.source_index}", "-c:v", codecs.COPY)
        if video.cut_seconds is not None:
            yield from ("-bsf:v", f"noise=drop='gte(pts*tb,{video.cut_seconds - _TICK_SECONDS:.6f})'")
        if video.transparent:  # else players would not look beside the pictures
            yield from ("-metadata:s:v", "alpha_mode=1")
    else:
        yield from ("-map", f"[{label}]", "-c:v", video.encoder)
        for option in video.options:
            yield from option
        yield from _params(video, threads, passing)
        # the graph made the grid already; anything else would drop or repeat frames behind the plan's back
        yield from ("-fps_mode", "passthrough")
    yield from _tagged(video)


def _kept(stream: OutputPlan, part: Part | None, place: int) -> Iterator[str]:
    """Of a chunk, what was encoded before it is thrown away, and its own time begins at 0."""
    if part is None or stream.video is None or not part.run_in[place]:
        return
    rate = Fraction(stream.video.rate)
    dropped = f"noise=drop='lt(pts*tb,{float((part.run_in[place] - Fraction(1, 2)) / rate):.6f})'"
    moved = f"round({float(part.run_in[place] / rate):.9f}/TB)"
    yield from ("-bsf:v", f"{dropped},setts=pts=PTS-{moved}:dts=DTS-{moved}")


def _tagged(video: VideoPlan) -> Iterator[str]:
    if video.codec_tag is not None:
        yield from ("-tag:v", video.codec_tag)


def _params(video: VideoPlan, threads: int | None, passing: _Passing | None) -> Iterator[str]:
    encoder = codecs.any_video_encoder(video.encoder)
    params: list[tuple[str, str]] = list(encoder.params)
    if video.level is not None and encoder.level_param is not None:
        params.append((encoder.level_param, video.level))
    if video.grid:
        params += controls.gridded(encoder.grid_params, video)
    if threads is not None and encoder.threads_param is not None:
        params.append((encoder.threads_param, str(threads)))
    if passing is not None and encoder.passes_in_params:
        params += [("pass", str(passing.number)), ("stats", f"{passing.log}.log")]
    if encoder.params_option is not None and params:
        yield from (encoder.params_option, ":".join(f"{name}={value}" for name, value in params))
    if threads is not None and encoder.threads_param is None:
        yield from ("-threads:v", str(threads))
    if passing is not None and not encoder.passes_in_params:
        yield from ("-pass:v", str(passing.number), "-passlogfile:v", passing.log)


def _audio(audio: AudioPlan, label: str, stream: str, number: int) -> Iterator[str]:
    """One track; `stream` is what its options name: all sound, where there is no other."""
    if audio.encoder == codecs.COPY:
        yield from ("-map", f"0:{audio.source_index}", f"-c:{stream}", codecs.COPY)
    else:
        yield from ("-map", f"[{label}]", f"-c:{stream}", audio.encoder)
        for name, value in audio.options:
            yield from (f"{name.removesuffix(':a')}:{stream}", value)
    if audio.default is not None:
        yield from (f"-disposition:{stream}", "+default" if audio.default else "0")
    if audio.language is not None:
        yield from (f"-metadata:s:a:{number}", f"language={audio.language}")


def _subtitles(track: SubtitlePlan, number: int, script: int) -> Iterator[str]:
    """One track; `script` is the input that holds its text."""
    same = track.codec == captions.CODECS[track.form]
    yield from ("-map", f"{script}:0", f"-c:s:{number}", codecs.COPY if same else track.codec)
    marks = [name for name, marked in (("default", track.default), ("forced", track.forced)) if marked]
    yield from (f"-disposition:s:{number}", "+".join(marks) or "0")
    if track.language is not None:
        yield from (f"-metadata:s:s:{number}", f"language={track.language}")
