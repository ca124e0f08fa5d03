"""The steps of a chain that change its colours: high dynamic range, wide gamut, matrix and range. Pure.

What is converted is scaled first: three times cheaper.
"""

from __future__ import annotations

from encoder.ffmpeg.tree import Chain
from encoder.model.plan import VideoPlan

Size = tuple[int, int]

# side data of HDR survives the chain, and is not true of the result any more
_OF_EACH_FRAME = tuple(
    f"sidedata=mode=delete:type={kind}" for kind in ("DYNAMIC_HDR_PLUS", "DOVI_RPU_BUFFER", "DOVI_METADATA")
)
_STRIPPED = (
    *(f"sidedata=mode=delete:type={kind}" for kind in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")),
    *_OF_EACH_FRAME,
)
# hable keeps highlights, npl=100 sets white at 100 nits; measured in docs/why/encoding.md
_WHITE_NITS = 100
_TO_LINEAR = (f"zscale=t=linear:npl={_WHITE_NITS}", "format=gbrpf32le", "zscale=p=bt709")
_RGB = "gbr"  # ffmpeg's name for the matrix of what has none
_BEFORE_OTHER_COLOURS = "yuv420p"
_TO_SDR = "zscale=t=bt709:m=bt709:r=tv"
_LINEAR, _CURVE, _ANY_CURVE = "linear", "iec61966-2-1", "bt709"


def made(video: VideoPlan, size: Size) -> Chain:
    """The picture in the colours of the output, or in those from which images are made."""
    if video.tone_map is not None:
        return _tone_mapped(video, video.tone_map, size)
    return (scaled(video, size),) if video.gamut is None else _narrowed(video, video.gamut, size)


def converts(video: VideoPlan) -> bool:
    """Whether more is to be done to its colours than their matrix and range."""
    return video.tone_map is not None or video.gamut is not None


def scaled_again(video: VideoPlan) -> bool:
    """Whether what `made` gives is not yet in the colours of the output, but of a video: those of images differ."""
    return converts(video) and video.color_matrix in (_RGB, "smpte170m")


def scaled(video: VideoPlan, size: Size) -> str:
    """To a size, and into the output's matrix and range."""
    known = video.matrix_in is None or converts(video)
    matrix_in = "" if known else f":in_color_matrix={video.matrix_in}"
    matrix = "" if video.color_matrix == _RGB else f":out_color_matrix={video.color_matrix}"
    # by itself it gives each colour to two pixels on the way to RGB: an SSIM of 0.85 to what does not
    flags = "bicubic+full_chroma_int+accurate_rnd" if video.color_matrix == _RGB else "bicubic"
    return f"scale={size[0]}:{size[1]}:flags={flags}{matrix_in}{matrix}:out_range={video.color_range}"


def dulled(video: VideoPlan) -> Chain:
    """Without side data of HDR that would not be true of the result; tone mapping has none left."""
    if video.tone_map is not None:
        return ()
    if video.strip_hdr:
        return _STRIPPED
    return _OF_EACH_FRAME if video.color_transfer != "bt709" else ()


def _tone_mapped(video: VideoPlan, transfer: str, size: Size) -> Chain:
    """HDR made SDR: the input's tags are stated, for zscale finds no path from an unknown one."""
    return (
        f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc",
        f"scale={size[0]}:{size[1]}:flags=bicubic",
        *_TO_LINEAR,
        f"tonemap=hable:desat=0:peak={video.peak_nits / _WHITE_NITS:g}",
        *_in_sdr(video),
        *_STRIPPED,
    )


def _narrowed(video: VideoPlan, primaries: str, size: Size) -> Chain:
    """Other primaries made those of BT.709; a curve stays as it is, for all are shown alike, but light gets one."""
    curve = _CURVE if video.linear else _ANY_CURVE
    matrix = "" if video.matrix_in is None else f":colorspace={video.matrix_in}"
    return (
        f"setparams=color_primaries={primaries}:color_trc={_LINEAR if video.linear else _ANY_CURVE}{matrix}",
        f"scale={size[0]}:{size[1]}:flags=bicubic",
        f"zscale=p=bt709:t={curve}:m=bt709:r=tv",
        f"format={_sdr_format(video)}",
    )


def _in_sdr(video: VideoPlan) -> Chain:
    return (_TO_SDR, f"format={_sdr_format(video)}")


def _sdr_format(video: VideoPlan) -> str:
    return _BEFORE_OTHER_COLOURS if scaled_again(video) else video.pixel_format
