"""The filter graphs of a pass: each output is a chain of steps, and what chains have in common is done once (`tree`).

Order of a chain (docs/why/encoding.md, "Source hygiene"): decode, which turns the picture upright → deinterlace →
constant frame rate and clip → `rotate` → scale to the largest size needed, tone map, watermark, subtitles → scale, crop
or pad → format and tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import count

from encoder.errors import Defect
from encoder.ffmpeg import colour_graph, image_graph, overlay, rates, tree
from encoder.ffmpeg.tree import Chain
from encoder.model.plan import AudioPlan, OutputPlan, Part, VideoPlan

Size = tuple[int, int]

COUNTED = "counted"  # the label of what is only counted
_SOURCE = ""  # among the inputs of a command, which are else called by their files
_TURNS: dict[int, Chain] = {0: (), 90: ("transpose=clock",), 180: ("hflip", "vflip"), 270: ("transpose=cclock",)}
FILM_ON_VIDEO = Fraction(30000, 1001)  # the rate to which 2:3 pulldown brings a film
_JOINED = "join=inputs=2:channel_layout=stereo"
_EVEN_TICKS = 1000  # of a film's frame


def pictures(outputs: Mapping[str, OutputPlan], part: Part | None = None) -> str:
    """The graph that makes each output's picture, under its label, from the one track that they share.

    `part`: the run makes a chunk; its own frames of the source come out under `COUNTED`, as they were decoded.
    """
    videos = {label: _video(output) for label, output in outputs.items()}
    places = _places(outputs.values(), source=0)
    streams = {label: video for label, video in videos.items() if outputs[label].images is None}
    chains = {
        label: _chain(output, videos[label], _made_at(videos[label], streams), places)
        for label, output in outputs.items()
    }
    track = next(iter(videos.values())).source_index
    if part is not None:
        chains[COUNTED] = (_own(part),)
    return tree.grown(f"0:{track}", chains, split="split")


def _own(part: Part) -> str:
    """The frames of a chunk. Where one ends the next begins, by the same words: none belongs to two, or to nobody.

    After them comes the first that was decoded: ffmpeg fails where a stream has no frame, as in a gap of the source.
    """
    ends = [("start", part.start_seconds), ("end", part.end_seconds)]
    cut = "trim=" + ":".join(f"{name}={moment:.6f}" for name, moment in ends if moment is not None)
    return f"split[c{{n}}][f{{n}}];[c{{n}}]{cut}[o{{n}}];[f{{n}}]trim=end_frame=1[l{{n}}];[o{{n}}][l{{n}}]concat"


def sounds(audios: Mapping[str, AudioPlan]) -> list[str]:
    """The graphs that make each output's sound, under its label: one for each track that they come from.

    One and not one for each output: ffmpeg 9.0.2 may hold a graph back while the decoder before it waits for that graph
    alone, and looks only at the first graph of a decoder when it looks for what it must let go on. Of 160 runs four
    stood still for ever.
    """
    by_track: dict[str, dict[str, Chain]] = {}
    for label, audio in audios.items():
        track, chain = heard(audio)
        by_track.setdefault(track, {})[label] = chain
    numbers = count()
    graphs = [tree.grown(track, chains, split="asplit", numbers=numbers) for track, chains in by_track.items()]
    # a pair may share a track with what is made of that track alone
    return [";".join(graphs)] if any(audio.right_index is not None for audio in audios.values()) else graphs


def heard(audio: AudioPlan) -> tuple[str, Chain]:
    """What of the source is heard, as a graph names its inputs, and what becomes of it."""
    if audio.right_index is None:
        return f"0:{audio.source_index}", audio.filters
    return f"0:{audio.source_index}][0:{audio.right_index}", (_JOINED, *audio.filters)


def alone(output: OutputPlan, *, first_mark: int = 1) -> Chain:
    """All that becomes of one output's picture, as if no other were made beside it.

    `first_mark`: which input of the command its watermark is; the source is the one before.
    """
    video = _video(output)
    places = _places([output], source=first_mark - 1)
    return tree.numbered(_chain(output, video, _made_at(video, {"": video}), places))


def _places(outputs: Iterable[OutputPlan], *, source: int) -> dict[str, int]:
    """Which inputs of a command the source and the files over its picture are."""
    marks = overlay.inputs(outputs)
    return {_SOURCE: source} | {mark.file: place for place, mark in enumerate(marks, source + 1)}


def _chain(output: OutputPlan, video: VideoPlan, made_at: Size | None, places: Mapping[str, int]) -> Chain:
    return (
        *_woven(video),
        *_timed(output, video),
        *(() if output.images is None else image_graph.chosen(output.images)),
        *(("premultiply=inplace=1",) if video.transparent else ()),
        *_TURNS[video.turn_deg],
        *(() if made_at is None else colour_graph.made(video, made_at)),
        *(() if made_at is None or _is_cut(video) else _marked(video, made_at, places)),
        *(() if made_at is None else _captioned(output, video, made_at, places[_SOURCE])),
        *(() if _is_cut(video) else _written(output, video)),
        *_sized(video, made_at),
        *(_marked(video, (video.width_px, video.height_px), places) if _is_cut(video) else ()),
        *(_written(output, video) if _is_cut(video) else ()),
        *_finished(video),
        *(() if output.images is None else image_graph.arranged(output, output.images)),
    )


def _woven(video: VideoPlan) -> Chain:
    """Fields made whole frames. `bwdif` gets its mode always: by itself it doubles the rate."""
    if video.telecine is not None:
        matched = f"fieldmatch=order={video.telecine}:combmatch=full"
        # what has no partner, as at a cut made on video, is deinterlaced; and one of five is shown twice
        return (f"fps=fps={FILM_ON_VIDEO}", matched, "bwdif=mode=send_frame:parity=auto:deint=interlaced", "decimate")
    if video.deinterlace is not None:
        return (f"bwdif=mode={video.deinterlace}:parity=auto:deint=all",)
    return ()


def _timed(output: OutputPlan, video: VideoPlan) -> Chain:
    """Constant rate, and of that grid the frames of the clip: the first is the one on show at its start."""
    constant = (*_evened(video), f"fps=fps={video.rate}" + (":start_time=0" if video.from_zero else ""))
    held = (f"tpad=stop={video.held_frames}:stop_mode=clone",) if video.held_frames else ()
    if not output.clipped:
        return (*constant, *held)
    if output.images is not None:  # of an image it is the source's last frame, and the clip may be nothing else
        constant, held = (*constant, *held), ()
    first = _lead_frames(output)
    until = ""
    if output.clip_seconds is not None:
        until = f":end_pts={first + round(Fraction(output.clip_seconds) * Fraction(video.rate))}"
    return (*constant, f"trim=start_pts={first}{until}", f"setpts=PTS-{first}", *held)


def _evened(video: VideoPlan) -> Chain:
    """Each frame a step after the one before it, as long as that keeps pace with its own time (some may be
    missing): on the grid of another phase frames of two fields and of three would fall into each other."""
    if video.evened is None:
        return ()
    near = f"lt(abs(PTS-PREV_OUTPTS-{_EVEN_TICKS}),{_EVEN_TICKS * rates.PACE:g})"
    return (f"settb=1/({video.evened}*{_EVEN_TICKS})", f"setpts='if({near},PREV_OUTPTS+{_EVEN_TICKS},PTS)'")


def _lead_frames(output: OutputPlan) -> int:
    """How many frames are decoded before the first of a clip."""
    return round(Fraction(output.clip_start_seconds - output.seek_seconds) * Fraction(_video(output).rate))


def _is_cut(video: VideoPlan) -> bool:
    """Whether an output shows another part than the picture: then watermark and text lie where its own corners are."""
    return video.crop or video.pad


def _captioned(output: OutputPlan, video: VideoPlan, at: Size, source: int) -> Chain:
    """With subtitles that are pictures, which belong to the whole picture."""
    if video.burnt is None or video.burnt.file is not None:
        return ()
    return overlay.captioned(video, video.burnt, at, source, lead_seconds=_lead_frames(output) / Fraction(video.rate))


def _written(output: OutputPlan, video: VideoPlan) -> Chain:
    """With subtitles that are text, whose times are the source's."""
    if video.burnt is None or video.burnt.file is None:
        return ()
    drawn = f"ass=filename={video.burnt.file}"
    before = round(Fraction(output.clip_start_seconds) * Fraction(video.rate))
    return (f"setpts=PTS+{before}", drawn, f"setpts=PTS-{before}") if before else (drawn,)


def _marked(video: VideoPlan, at: Size, places: Mapping[str, int]) -> Chain:
    mark = video.watermark
    return () if mark is None else overlay.laid(video, mark, at, places[mark.file])


def _made_at(video: VideoPlan, all_videos: Mapping[str, VideoPlan]) -> Size | None:
    """The size at which this output's picture is tone-mapped, gets its watermark and its subtitles: once for all that
    can share it, large enough for each."""
    if not colour_graph.converts(video) and video.watermark is None and video.burnt is None:
        return None
    alike = [video, *(other for other in all_videos.values() if _look(other) == _look(video))]
    return max(_scaled(other)[0] for other in alike), max(_scaled(other)[1] for other in alike)


def _look(video: VideoPlan) -> tuple[object, ...]:
    width, height = _scaled(video)
    # on another shape they would lie elsewhere
    shape = round(width / height, 1) if video.watermark or video.burnt else None
    return video.tone_map, video.rate, video.turn_deg, video.pixel_format, video.watermark, video.burnt, shape


def _scaled(video: VideoPlan) -> Size:
    return video.scale or (video.width_px, video.height_px)


def _sized(video: VideoPlan, made_at: Size | None) -> Chain:
    width, height = _scaled(video)
    steps: list[str] = []
    if made_at is None or colour_graph.scaled_again(video):
        steps.append(colour_graph.scaled(video, (width, height)))
    elif made_at != (width, height):
        steps.append(f"scale={width}:{height}:flags=bicubic")
    if video.crop:
        steps.append(f"crop={video.width_px}:{video.height_px}")
    if video.pad:
        steps.append(f"pad={video.width_px}:{video.height_px}:-1:-1:color=black")
    return tuple(steps)


def _finished(video: VideoPlan) -> Chain:
    """Square pixels, the pixel format, the tags."""
    return (
        *colour_graph.dulled(video),
        "setsar=1",
        f"format={video.pixel_format}",
        (
            f"setparams=range={video.color_range}:color_primaries={video.color_primaries}"
            f":color_trc={video.color_transfer}:colorspace={video.color_matrix}"
        ),
        *video.upload,
    )


def _video(output: OutputPlan) -> VideoPlan:
    if output.video is None:
        raise Defect("an output without a picture has no place in a filter graph")
    return output.video
