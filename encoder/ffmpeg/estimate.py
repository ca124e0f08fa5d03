"""What an output will cost, roughly: good enough to choose a machine and to show a caller, never a limit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from encoder.ffmpeg import codecs, target
from encoder.model.base import replace
from encoder.model.media import Media
from encoder.model.plan import AudioPlan, Estimate, ImagesPlan, Need, OutputPlan, Plan, VideoPlan

_PIXELS_PER_CPU_SECOND = 30e6  # libx264 medium with its decoder and filters
_PER_PRESET_STEP = 1.4
_LOSSLESS_BITS = {"flac": 10, "pcm_s16le": 16, "pcm_s24le": 24}  # per sample
# measured on one 1080p clip; a preview has more than one still
_IMAGE_BITS_PER_PIXEL = {"mjpeg": 1.6, "png": 14.0, "webp": 1.0, "gif": 5.0}
_IMAGE_PIXELS_PER_CPU_SECOND = 15e6
_DECODED_PER_CPU_SECOND = 300e6
_SOUND_CPU_SHARE = 0.01  # of its duration
_OUTPUTS_MARGIN = 1.1

# measured with two and eight threads (docs/adr/0018-machines-have-budgets.md)
_LEAST_MEMORY_BYTES = 40 * 1024**2
_THREAD_BYTES = 7 * 1024**2
_DECODED_PIXEL_BYTES = 26
_MEASURED_PIXEL_BYTES = 200
_MEMORY_PER_PRESET_STEP = 1.25  # a longer look ahead, more references
_TEN_BITS = 1.6  # of samples of two bytes
_BYTE_BITS = 8
THREADS = 4  # of a machine that is not known


def estimate(plan: OutputPlan, media: Media) -> Estimate:
    """Size, CPU time, scratch space and memory of one output. None where the source does not tell its length."""
    seconds = plan.duration_seconds
    memory = _memory_bytes(plan.streams, media, threads=THREADS)
    if seconds is None:
        return Estimate(size_bytes=None, cpu_seconds=None, scratch_bytes=None, memory_bytes=memory)
    if plan.images is not None and plan.video is not None:
        return replace(_of_images(plan.images, plan.video, seconds, media), memory_bytes=memory)
    sizes = [_size_bytes(stream, media, seconds) for stream in plan.streams]
    cpu = _SOUND_CPU_SHARE * seconds
    cpu += sum(_picture_cpu_seconds(stream.video, seconds) for stream in plan.streams if stream.video)
    joined = max(sizes) if plan.package else 0  # one rendition at a time, to be judged
    scratch = media.size_bytes + sum(sizes) + joined
    return Estimate(size_bytes=sum(sizes), cpu_seconds=round(cpu, 1), scratch_bytes=scratch, memory_bytes=memory)


def need(plan: Plan, media: Media, *, threads: int) -> Need:
    """What a whole attempt is predicted to take, with its source: passes follow each other, and each clears its files.

    An output of unknown length is taken to be as large as its source.
    """
    passes = [[plan.output(number) for number in one_pass.outputs] for one_pass in plan.passes]
    written = (sum(_written_bytes(each, media) for each in outputs) for outputs in passes)
    streams = [[stream for each in outputs for stream in each.streams] for outputs in passes]
    memory = (
        max(
            _memory_bytes(one_pass, media, threads=threads),
            *(_memory_bytes([each] * _trials(each), media, threads=threads) for each in one_pass),
            _measured_bytes(one_pass),
        )
        for one_pass in streams
    )
    return Need(
        scratch_bytes=media.size_bytes + int(_OUTPUTS_MARGIN * max(written, default=0)),
        memory_bytes=max(memory, default=0),
    )


def _written_bytes(plan: OutputPlan, media: Media) -> int:
    scratch = estimate(plan, media).scratch_bytes
    return media.size_bytes if scratch is None else scratch - media.size_bytes


def _memory_bytes(streams: Sequence[OutputPlan], media: Media, *, threads: int) -> int:
    """The peak of one ffmpeg run: its decoder, and the frames that its encoders hold."""
    pictures = [video for stream in streams if (video := stream.video) is not None and video.encoder != codecs.COPY]
    sources = {video.source_index for video in pictures}
    decoded = sum(
        stream.coded_width * stream.coded_height * (2 if stream.bit_depth > _BYTE_BITS else 1)
        for stream in media.video
        if stream.index in sources
    )
    held = sum(video.width_px * video.height_px * _held_bytes(video, threads) for video in pictures)
    return _LEAST_MEMORY_BYTES + _THREAD_BYTES * threads + _DECODED_PIXEL_BYTES * decoded + held


def _held_bytes(video: VideoPlan, threads: int) -> int:
    known = codecs.VIDEO_ENCODERS.get(video.encoder)
    if known is None:  # a still
        return 0
    of_eight_bits = known.memory_per_pixel_bytes + known.memory_per_pixel_and_thread_bytes * threads
    longer = _MEMORY_PER_PRESET_STEP ** max(0, _steps_slower(video, known))
    return int(of_eight_bits * longer * (_TEN_BITS if "p10" in video.pixel_format else 1))


def _trials(stream: OutputPlan) -> int:
    """How many of it one run makes to find its CRF."""
    if stream.video is None or stream.video.target_quality is None:
        return 0
    return len(target.crfs(codecs.VIDEO_ENCODERS[stream.video.encoder]))


def _measured_bytes(streams: Sequence[OutputPlan]) -> int:
    """All outputs of a pass may be compared with the source at the same time."""
    compared = (stream.video for stream in streams if stream.measure and stream.video is not None)
    return sum(_LEAST_MEMORY_BYTES + video.width_px * video.height_px * _MEASURED_PIXEL_BYTES for video in compared)


def _of_images(images: ImagesPlan, video: VideoPlan, seconds: float, media: Media) -> Estimate:
    """All of the source is decoded, and only what is shown is encoded."""
    pixels = video.width_px * video.height_px * (images.count or 1)
    size = int(pixels * _IMAGE_BITS_PER_PIXEL[video.codec] / 8)
    track = next((stream for stream in media.video if stream.index == video.source_index), None)
    decoded = track.coded_width * track.coded_height * float(Fraction(video.rate)) * seconds if track else 0.0
    cpu = decoded / _DECODED_PER_CPU_SECOND + pixels / _IMAGE_PIXELS_PER_CPU_SECOND
    return Estimate(size_bytes=size, cpu_seconds=round(cpu, 1), scratch_bytes=media.size_bytes + size)


def _size_bytes(plan: OutputPlan, media: Media, seconds: float) -> int:
    return int((_picture_bps(plan, media) + sum(_sound_bps(audio, media) for audio in plan.sounds)) * seconds / 8)


def _picture_bps(plan: OutputPlan, media: Media) -> float:
    video = plan.video
    if video is None:
        return 0.0
    source = next((stream.bitrate_bps for stream in media.video if stream.index == video.source_index), None)
    if video.encoder == codecs.COPY:
        return float(source or media.bitrate_bps or 0)
    if video.bitrate_bps is not None:
        return float(video.bitrate_bps)
    encoder = codecs.VIDEO_ENCODERS[video.encoder]
    finer = 2 ** ((encoder.default_crf - (video.crf or 0)) / encoder.crf_halves)
    return min(_pixels_per_second(video) * encoder.bits_per_pixel * finer, float(video.max_bitrate_bps or "inf"))


def _sound_bps(audio: AudioPlan | None, media: Media) -> float:
    if audio is None:
        return 0.0
    if audio.encoder == codecs.COPY:
        return float(next((stream.bitrate_bps or 0 for stream in media.audio if stream.index == audio.source_index), 0))
    samples = audio.sample_rate_hz * audio.channels
    return float(audio.bitrate_bps or samples * _LOSSLESS_BITS[audio.codec])


def _picture_cpu_seconds(video: VideoPlan, seconds: float) -> float:
    if video.encoder == codecs.COPY:
        return 0.0
    encoder = codecs.VIDEO_ENCODERS[video.encoder]
    speed = _PIXELS_PER_CPU_SECOND * encoder.speed * _PER_PRESET_STEP ** -_steps_slower(video, encoder)
    return _pixels_per_second(video) * seconds / speed


def _steps_slower(video: VideoPlan, encoder: codecs.VideoEncoder) -> int:
    """Than the encoder's own preset."""
    if not encoder.presets:
        return 0
    chosen = dict(video.options).get(encoder.preset_option, encoder.default_preset)
    steps = encoder.presets.index(chosen) - encoder.presets.index(encoder.default_preset)
    return -steps if chosen.isdecimal() else steps  # names, and NVENC's p1 to p7, go from fast to slow


def _pixels_per_second(video: VideoPlan) -> float:
    return video.width_px * video.height_px * float(Fraction(video.rate))
