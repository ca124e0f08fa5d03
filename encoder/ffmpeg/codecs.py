"""The one table of what we encode with: encoders of pictures, of sound, of images. What holds them: `containers`.

The API takes its enumerations from here, `rules` checks combinations by it, `plan` chooses from it, and `command`
writes only what stands in it: no text of a caller ever reaches ffmpeg.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from encoder.ffmpeg.levels import LIMITS

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoEncoder:
    """One of ffmpeg's video encoders and what may be asked of it."""

    name: str
    codec: str  # the family: h264, hevc, vp9, av1
    preset_option: str  # what `encoderPreset` is called here
    presets: tuple[str, ...]
    tunes: tuple[str, ...] = ()
    profiles: Mapping[str, str]  # what is asked → what ffmpeg calls the result
    levels: tuple[str, ...] = ()
    pixel_formats: tuple[str, ...]
    ten_bit_profiles: tuple[str, ...] = ()
    crf_min: int = 0
    crf_max: int
    default_crf: int
    sane_crf: tuple[int, int] = (0, 0)  # beyond: bits that nobody sees, pictures that nobody wants
    quality_option: str = "-crf"
    whole_crf: bool  # takes whole numbers only
    constant_quality: Options = ()  # beside `-crf`, to mean quality and nothing else
    always: Options = ()
    grid: Options = ()  # so that keyframes come every so many frames and nowhere else; {gop}: so many
    grid_params: Options = ()  # the same, for `params_option`
    stitched: Options = ()  # so that headers do not follow from the pictures: those of all chunks must be the same
    run_in_seconds: int = 0  # of a chunk, made before it and thrown away: what it knows of the picture decides its bits
    params_option: str | None = None  # the encoder's own option list, for `params` and the number of threads
    params: Options = ()
    threads_param: str | None = None
    level_param: str | None = None
    two_passes: bool = True
    passes_in_params: bool = False  # two passes are a matter of `params_option`, not of `-pass`
    caps_bitrate: bool = True  # takes a peak beside a bitrate
    caps_quality: bool = True  # takes one beside a quality
    in_hardware: bool = False  # used when it is named; its software twin stands in for it
    min_side_px: int = 2
    # for estimates only, and rough: measured on one quiet 720p clip
    default_preset: str = "medium"
    speed: float = 1.0  # pixels per CPU second against libx264 medium
    bits_per_pixel: float = 0.09  # at the default quality
    crf_halves: int = 6  # so many steps of quality halve the bits
    memory_per_pixel_bytes: int = 180
    memory_per_pixel_and_thread_bytes: int = 10


_X264_SPEEDS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip  # one line reads as the scale that it is

_VIDEO: tuple[VideoEncoder, ...] = (
    VideoEncoder(
        name="libx264",
        codec="h264",
        preset_option="-preset",
        presets=_X264_SPEEDS,
        tunes=("film", "animation", "grain", "stillimage", "fastdecode", "zerolatency"),
        profiles={"baseline": "Constrained Baseline", "main": "Main", "high": "High"},
        levels=tuple(LIMITS["h264"]),
        pixel_formats=("yuv420p",),  # High 10 and 4:2:2 play in no browser
        crf_min=1,  # 0 means lossless, which is a profile that no browser plays
        crf_max=51,
        default_crf=23,
        sane_crf=(15, 36),
        whole_crf=False,
        grid=(("-keyint_min", "{gop}"), ("-sc_threshold", "0")),
        stitched=(("-x264-params", "stitchable=1"),),
        run_in_seconds=2,
    ),
    VideoEncoder(
        name="libx265",
        codec="hevc",
        preset_option="-preset",
        presets=_X264_SPEEDS,
        tunes=("grain", "animation", "fastdecode", "zerolatency"),
        profiles={"main": "Main", "main10": "Main 10"},
        ten_bit_profiles=("main10",),
        levels=tuple(LIMITS["hevc"]),
        pixel_formats=("yuv420p", "yuv420p10le"),
        crf_max=51,
        default_crf=28,
        sane_crf=(16, 38),
        whole_crf=False,
        params_option="-x265-params",
        # an open GOP begins with a CRA picture, which ffmpeg flags as a key frame and players cannot seek to
        params=(("open-gop", "0"), ("log-level", "warning")),
        grid_params=(("min-keyint", "{gop}"), ("scenecut", "0")),  # `-sc_threshold` means nothing to it
        threads_param="pools",
        passes_in_params=True,
        level_param="level-idc",
        min_side_px=16,
        speed=0.5,
        bits_per_pixel=0.05,
        memory_per_pixel_bytes=175,
        memory_per_pixel_and_thread_bytes=14,
    ),
    VideoEncoder(
        name="libvpx-vp9",
        codec="vp9",
        preset_option="-cpu-used",
        presets=tuple(str(step) for step in range(9)),
        profiles={"0": "Profile 0", "2": "Profile 2"},
        ten_bit_profiles=("2",),
        pixel_formats=("yuv420p", "yuv420p10le"),
        crf_max=63,
        default_crf=30,
        sane_crf=(15, 50),
        whole_crf=True,
        constant_quality=(("-b:v", "0"),),
        always=(("-deadline", "good"), ("-row-mt", "1")),
        grid=(("-keyint_min", "{gop}"),),
        default_preset="1",
        speed=0.15,
        bits_per_pixel=0.07,
        crf_halves=12,
        memory_per_pixel_bytes=125,
        memory_per_pixel_and_thread_bytes=2,
    ),
    VideoEncoder(
        name="libsvtav1",
        codec="av1",
        preset_option="-preset",
        presets=tuple(str(step) for step in range(14)),
        profiles={"main": "Main"},
        pixel_formats=("yuv420p", "yuv420p10le"),
        crf_max=63,
        default_crf=35,
        sane_crf=(20, 55),
        whole_crf=True,
        params_option="-svtav1-params",
        threads_param="lp",
        two_passes=False,  # its first pass beside any other encoder ends in a segmentation fault (4.2.0)
        caps_bitrate=False,  # "Max Bitrate only supported with CRF mode"
        default_preset="8",
        speed=0.8,
        bits_per_pixel=0.05,
        crf_halves=12,
        memory_per_pixel_bytes=110,
        memory_per_pixel_and_thread_bytes=48,
    ),
    VideoEncoder(
        name="libaom-av1",
        codec="av1",
        preset_option="-cpu-used",
        presets=tuple(str(step) for step in range(9)),
        profiles={"main": "Main"},
        pixel_formats=("yuv420p", "yuv420p10le"),
        crf_max=63,
        default_crf=30,
        sane_crf=(15, 50),
        whole_crf=True,
        constant_quality=(("-b:v", "0"),),
        always=(("-row-mt", "1"),),
        grid=(("-keyint_min", "{gop}"),),
        default_preset="4",
        speed=0.07,
        bits_per_pixel=0.05,
        crf_halves=12,
        memory_per_pixel_bytes=195,
        memory_per_pixel_and_thread_bytes=2,
    ),
)


# what an encoder of a family is asked for on hardware: only what all generations of it have
_ON_HARDWARE = {
    "h264": {"profiles": {"main": "Main", "high": "High"}, "default_crf": 23, "bits_per_pixel": 0.11},
    "hevc": {"profiles": {"main": "Main"}, "default_crf": 28, "bits_per_pixel": 0.065},
    "av1": {"profiles": {"main": "Main"}, "default_crf": 30, "bits_per_pixel": 0.055},
}
_NVENC_SPEEDS = tuple(f"p{step}" for step in range(1, 8))


def _in_hardware(kind: str, codec: str, **kinds_own: object) -> VideoEncoder:
    common: dict[str, Any] = {
        "preset_option": "-preset",
        "presets": (),
        "pixel_formats": ("yuv420p",),
        "crf_min": 1,
        "crf_max": 51,
        "sane_crf": (15, 40),
        "whole_crf": True,
        "two_passes": False,
        "caps_quality": False,
        "in_hardware": True,
        "min_side_px": 160,  # older ones refuse what is narrower
        "default_preset": "",
        "speed": 6.0,  # of what the processor does: decoding and filters
    }
    return VideoEncoder(name=f"{codec}_{kind}", codec=codec, **{**common, **_ON_HARDWARE[codec], **kinds_own})


_VIDEO += (
    *(
        _in_hardware(
            "nvenc", codec, presets=_NVENC_SPEEDS, default_preset="p4", quality_option="-cq",
            constant_quality=(("-rc", "vbr"), ("-b:v", "0")), grid=(("-no-scenecut", "1"), ("-forced-idr", "1")),
        )
        for codec in _ON_HARDWARE
    ),
    *(
        _in_hardware(
            "qsv", codec, presets=_X264_SPEEDS[2:], default_preset="medium", quality_option="-global_quality",
            grid=(("-forced_idr", "1"),),
        )
        for codec in _ON_HARDWARE
    ),
    *(
        _in_hardware("vaapi", codec, quality_option="-global_quality", constant_quality=(("-rc_mode", "CQP"),))
        for codec in _ON_HARDWARE
    ),
    # its quality counts upwards, to 100: there is none to search in
    *(
        _in_hardware(
            "videotoolbox", codec, quality_option="-q:v", crf_max=100, default_crf=60, sane_crf=(0, 0),
            presets=(), crf_halves=25,
        )
        for codec in ("h264", "hevc")
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioEncoder:
    """One of ffmpeg's audio encoders and what may be asked of it."""

    name: str
    codec: str
    sample_rates_hz: tuple[int, ...]
    max_channels: int
    default_bps: int | None  # for two channels or one; None: lossless, takes no bitrate
    surround_bps: Mapping[int, int] = field(default_factory=lambda: {6: 384_000, 8: 512_000})  # 64 kbit/s a channel
    bitrate_bps: tuple[int, int] = (0, 0)
    per_channel_bps: tuple[int, int] = (0, 1_024_000)
    frame_samples: int = 1024

    def usual_bps(self, channels: int) -> int | None:
        """The bitrate for so many channels when none is asked for; None if it takes none."""
        return self.default_bps and self.surround_bps.get(channels, self.default_bps)

    def taken_bps(self, wanted_bps: int, channels: int) -> int:
        """The bitrate nearest to the wanted one that the encoder opens with for so many channels."""
        least, most = (bound * channels for bound in self.per_channel_bps)
        return max(self.bitrate_bps[0], least, min(self.bitrate_bps[1], most, wanted_bps))


_COMMON_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_HIGH_RATES = (*_COMMON_RATES, 88200, 96000)

_AUDIO = (
    AudioEncoder(
        name="aac",
        codec="aac",
        sample_rates_hz=_HIGH_RATES,
        max_channels=8,
        default_bps=128_000,
        bitrate_bps=(16_000, 1_024_000),
    ),
    AudioEncoder(
        name="libopus",
        codec="opus",
        sample_rates_hz=(48000,),
        max_channels=8,
        default_bps=128_000,
        bitrate_bps=(6_000, 1_536_000),
        per_channel_bps=(0, 256_000),
        surround_bps={6: 256_000, 8: 450_000},  # the upper ends of what wiki.xiph.org/Opus_Recommended_Settings says
        frame_samples=960,
    ),
    AudioEncoder(
        name="libmp3lame",
        codec="mp3",
        sample_rates_hz=_COMMON_RATES,
        max_channels=2,
        default_bps=128_000,
        bitrate_bps=(8_000, 320_000),
        frame_samples=2 * 1152,  # a packet, and what the encoder puts before it
    ),
    AudioEncoder(
        name="libvorbis",
        codec="vorbis",
        sample_rates_hz=(44100, 48000),  # at others hardly any bitrate is taken
        max_channels=8,
        default_bps=128_000,
        bitrate_bps=(32_000, 960_000),
        per_channel_bps=(24_000, 240_000),
        frame_samples=2048,
    ),
    AudioEncoder(
        name="flac",
        codec="flac",
        sample_rates_hz=_HIGH_RATES,
        max_channels=8,
        default_bps=None,
        frame_samples=4608,
    ),
    AudioEncoder(name="pcm_s16le", codec="pcm_s16le", sample_rates_hz=_HIGH_RATES, max_channels=8, default_bps=None),
    AudioEncoder(name="pcm_s24le", codec="pcm_s24le", sample_rates_hz=_HIGH_RATES, max_channels=8, default_bps=None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEncoder(VideoEncoder):
    """One of ffmpeg's image encoders, and in which colours its readers take an image: files do not say."""

    color_range: str
    color_matrix: str


def _image_encoder(name: str, codec: str, colours: tuple[str, str, str], always: Options) -> ImageEncoder:
    return ImageEncoder(
        name=name,
        codec=codec,
        preset_option="",
        presets=(),
        profiles={},
        pixel_formats=colours[:1],
        crf_max=0,
        default_crf=0,
        whole_crf=True,
        two_passes=False,
        always=always,
        color_range=colours[1],
        color_matrix=colours[2],
    )


_WEBP_COLOURS = ("yuv420p", "tv", "smpte170m")  # RFC 6386, 9.2
_RGB = ("rgb24", "pc", "gbr")

# by container; JFIF says that a JPEG is BT.601 in full range
IMAGE_ENCODERS: Mapping[str, ImageEncoder] = {
    "jpg": _image_encoder("mjpeg", "mjpeg", ("yuvj420p", "pc", "smpte170m"), (("-q:v", "3"),)),
    "png": _image_encoder("png", "png", _RGB, (("-pred", "mixed"),)),
    "webp": _image_encoder("libwebp", "webp", _WEBP_COLOURS, (("-quality", "80"),)),
    "gif": _image_encoder("gif", "gif", _RGB, ()),
}
MOVING_WEBP = _image_encoder("libwebp_anim", "webp", _WEBP_COLOURS, (("-quality", "70"), ("-compression_level", "3")))

VIDEO_ENCODERS: Mapping[str, VideoEncoder] = {encoder.name: encoder for encoder in _VIDEO}
AUDIO_ENCODERS: Mapping[str, AudioEncoder] = {encoder.name: encoder for encoder in _AUDIO}

COPY, NONE = "copy", "none"
TOGGLE = "toggle-h264-hevc"  # the other of the two
TWO = ("h264", "hevc")
TEN_BIT = ("yuv420p10le",)
VIDEO_FAMILIES = tuple(dict.fromkeys(encoder.codec for encoder in _VIDEO))
AUDIO_FAMILIES = tuple(dict.fromkeys(encoder.codec for encoder in _AUDIO))


def image_encoders() -> frozenset[str]:
    """ffmpeg's names of those that make images."""
    return frozenset(encoder.name for encoder in (*IMAGE_ENCODERS.values(), MOVING_WEBP))


def any_video_encoder(name: str) -> VideoEncoder:
    """The one of that name, also of those that nobody asks for by it: of images."""
    of_images = {encoder.name: encoder for encoder in (*IMAGE_ENCODERS.values(), MOVING_WEBP)}
    return VIDEO_ENCODERS.get(name) or of_images[name]


def video_encoders(wanted: str) -> tuple[VideoEncoder, ...]:
    """The encoders that a `videoCodec` may mean, best first: one by its name, or a whole family."""
    named = tuple(encoder for encoder in _VIDEO if wanted == encoder.name)
    return named or tuple(encoder for encoder in _VIDEO if wanted == encoder.codec and not encoder.in_hardware)


def audio_encoder(wanted: str) -> AudioEncoder | None:
    """The encoder that an `audioCodec` means, by its name or the codec's."""
    return next((encoder for encoder in _AUDIO if wanted in (encoder.name, encoder.codec)), None)


def video_codecs() -> tuple[str, ...]:
    """Every value of `videoCodec`."""
    return (*VIDEO_ENCODERS, *VIDEO_FAMILIES, TOGGLE, COPY, NONE)


def other_of_two(codec: str) -> str:
    """What `TOGGLE` makes of a codec: HEVC of H.264, and H.264, which plays everywhere, of all else."""
    return TWO[codec == TWO[0]]


def audio_codecs() -> tuple[str, ...]:
    """Every value of `audioCodec`."""
    return (*dict.fromkeys((*AUDIO_ENCODERS, *AUDIO_FAMILIES)), COPY, NONE)
