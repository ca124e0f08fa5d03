"""What a source is and what would become of it: pure text, cleaned of all that a terminal would obey."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from encoder.cli.text import clean, duration, rate, size
from encoder.cli.views import PlannedOutput, Preview
from encoder.model.media import AudioStream, Media, SubtitleStream, VideoStream


def planned(preview: Preview) -> Iterator[str]:
    """A dry run on a screen."""
    yield from media(preview.media)
    yield from (f"warning: {clean(note.message)}" for note in preview.warnings)
    for number, output in enumerate(preview.outputs):
        yield f"output {number}"
        yield from (f"  {line}" for line in _output(output))


def _output(output: PlannedOutput) -> Iterator[str]:
    if output.error:
        yield f"cannot be made: {clean(output.error.code)}: {clean(output.error.message)}"
    yield from (f"because {clean(note.message)}" for note in output.reasons)
    yield from (f"$ {clean(shlex.join(command))}" for command in output.commands)
    if output.estimate:
        cost = output.estimate
        machine = f"{size(cost.scratch_bytes)} of scratch, {size(cost.memory_bytes)} of memory"
        yield f"about {size(cost.size_bytes)}, {duration(cost.cpu_seconds)} of CPU, {machine}"


def media(found: Media) -> Iterator[str]:
    """A media file on a screen, a line per stream."""
    facts = (clean(found.format), size(found.size_bytes), duration(found.duration_seconds), rate(found.bitrate_bps))
    yield ", ".join(facts)
    yield from (f"  {video.index} video {_video(video)}" for video in found.video)
    yield from (f"  {audio.index} audio {_audio(audio)}" for audio in found.audio)
    yield from (f"  {track.index} subtitles {_subtitles(track)}" for track in found.subtitles)
    for other in found.other:
        yield f"  {other.index} {clean(other.type)} {clean(other.codec or '')}".rstrip()


def _video(video: VideoStream) -> str:
    size_px = f"{video.display_width_px}×{video.display_height_px}"
    turned = f"turned {video.rotation_deg}°" if video.rotation_deg else ""
    fps = f"{clean(video.median_rate or '?')} fps{' and uneven' if video.variable_rate else ''}"
    interlaced = "interlaced" if video.interlaced else ""
    facts = (clean(video.codec), size_px, turned, fps, clean(video.pixel_format), interlaced)
    return ", ".join(fact for fact in facts if fact)


def _audio(audio: AudioStream) -> str:
    return f"{clean(audio.codec)}, {clean(audio.layout or f'{audio.channels} channels')}, {audio.sample_rate_hz} Hz"


def _subtitles(track: SubtitleStream) -> str:
    marks = [mark for mark, marked in (("default", track.default), ("forced", track.forced)) if marked]
    return ", ".join([clean(fact) for fact in (track.codec, track.language) if fact] + marks)
