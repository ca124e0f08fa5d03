"""What becomes of a picture's colours: high dynamic range, wide gamut, what is not tagged, what is transparent."""

from __future__ import annotations

from encoder import errors
from encoder.ffmpeg import codecs
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.codecs import VideoEncoder
from encoder.model.job import OutputSpec
from encoder.model.media import VideoStream

HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
TONE_MAPPERS = frozenset({"zscale", "tonemap"})
USUAL_PEAK_NITS = 1000  # of HLG by its definition, of most HDR10
DIMMEST_PEAK_NITS, BRIGHTEST_PEAK_NITS = 100, 10_000  # from SDR's white to all that PQ can say
_SD_LINES, _SD_MATRIX = 576, "smpte170m"
_UNKNOWN = (None, "unknown", "unspecified", "reserved")
_NO_YUV = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "xyz", "x2rgb", "x2bgr")
_TRANSPARENT = ("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya8", "ya16", "ayuv", "vuya", "pal8")
_VPX = "libvpx-vp9"
_OTHER_PRIMARIES = (
    "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte431", "smpte432", "ebu3213",
)  # fmt: skip
_TEN_BIT = codecs.TEN_BIT[0]
_DOLBY_VISION_ALONE, _DOLBY_VISION_OF_AV1 = 5, 10


def hdr_transfer(case: Case, stream: VideoStream, encoder: VideoEncoder) -> str | None:
    """The transfer of a source in high dynamic range, and why it is kept or not; None: it is SDR.

    Raises:
        errors.Permanent: `unsupported_hdr`.
    """
    if _has_no_base(stream):
        told = f"Dolby Vision profile {stream.dolby_vision_profile} has no HDR10 or HLG base to show."
        raise errors.Permanent("unsupported_hdr", told)
    if stream.color_transfer not in HDR:
        return None
    name = HDR[stream.color_transfer]
    if stream.dolby_vision_profile is not None:
        case.because("dolby_vision_base", f"Dolby Vision {stream.dolby_vision_profile}: its {name} base is shown.")
    if case.spec.tone_map:
        if TONE_MAPPERS.difference(case.able.filters):
            raise errors.Permanent("unsupported_hdr", f"This ffmpeg has no zscale and tonemap to make SDR of {name}.")
        case.warn("hdr_to_sdr", f"Recorded in HDR ({name}); made SDR, which every player shows right.")
    elif not _may_be_ten_bit(case.spec, encoder):
        told = f"{name} needs 10 bits: HEVC, VP9 or AV1 in `pixelFormat` yuv420p10le; or keep toneMap."
        raise errors.Permanent("unsupported_hdr", told)
    else:
        case.because("hdr_kept", f"{name} is kept in 10 bits, as toneMap is off.")
    if is_absurd(stream):
        told = f"The source says that its brightest light has {stream.hdr_peak_nits:g} nits: that is not believed."
        case.because("hdr_metadata", told)
    return stream.color_transfer


def is_absurd(stream: VideoStream) -> bool:
    """Whether the brightest light that a source tells of cannot be: peaks of 0.005 nits gave negatives."""
    told = stream.hdr_peak_nits
    return told is not None and not DIMMEST_PEAK_NITS <= told <= BRIGHTEST_PEAK_NITS


def peak_nits(stream: VideoStream) -> int:
    """The light that tone mapping makes white: the source's brightest, where that can be believed."""
    if stream.hdr_peak_nits is None or is_absurd(stream):
        return USUAL_PEAK_NITS
    return round(stream.hdr_peak_nits)


def gamut(case: Case, stream: VideoStream) -> str | None:
    """The primaries of a picture in SDR that are made BT.709; None: they are, or are not told."""
    known = stream.color_primaries in _OTHER_PRIMARIES
    primaries = stream.color_primaries if known else "bt709" if is_linear(stream) else None
    if primaries is None:
        return None
    if "zscale" not in case.able.filters:
        case.because("gamut", f"This ffmpeg has no zscale to make BT.709 of {primaries}: colours are a little off.")
        return None
    case.because("gamut", f"Recorded in the colours of {primaries}; made BT.709.")
    return primaries


def is_linear(stream: VideoStream) -> bool:
    """Whether it is light without a curve, as renderers write it."""
    return stream.color_transfer == "linear"


def matrix_in(stream: VideoStream) -> str | None:
    """What an untagged source is taken for; None: it says itself, or its colours are no YUV."""
    if stream.color_matrix not in _UNKNOWN or stream.pixel_format.startswith(_NO_YUV):
        return None
    return _SD_MATRIX if stream.coded_height <= _SD_LINES else "bt709"


def is_transparent(stream: VideoStream) -> bool:
    """Whether its pixels may be transparent."""
    return stream.alpha_beside or stream.pixel_format.startswith(_TRANSPARENT)


def decoder(case: Case, stream: VideoStream) -> str | None:
    """The decoder that sees what is transparent, where ffmpeg's own does not. A build has it with the encoder."""
    if not stream.alpha_beside:
        return None
    if _VPX not in case.able.encoders:
        case.warn("transparency_lost", f"This ffmpeg has no libvpx to see what of the {stream.codec} is transparent.")
        return None
    return _VPX if stream.codec == "vp9" else "libvpx"


def explain(case: Case, stream: VideoStream) -> None:
    """What is done to colours that nobody asked about."""
    if matrix_in(stream) == _SD_MATRIX:
        case.because("untagged_colours", f"Colours are not tagged; {stream.coded_height} lines are taken for BT.601.")
    if stream.color_range == "pc":
        case.because("full_range", "Recorded in full range; made video range.")
    if is_transparent(stream):
        case.because("transparency", "What is transparent is shown on black.")


def _has_no_base(stream: VideoStream) -> bool:
    """Whether there is nothing but Dolby's own colours: read as any other they are green and purple."""
    profile = stream.dolby_vision_profile
    return profile == _DOLBY_VISION_ALONE or (profile == _DOLBY_VISION_OF_AV1 and stream.color_transfer in _UNKNOWN)


def _may_be_ten_bit(spec: OutputSpec, encoder: VideoEncoder) -> bool:
    deep = encoder.ten_bit_profiles
    shallow_profile = bool(deep) and spec.profile is not None and spec.profile not in deep
    return _TEN_BIT in encoder.pixel_formats and spec.pixel_format in (None, _TEN_BIT) and not shallow_profile
