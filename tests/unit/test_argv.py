"""F7 and F12: whatever is asked, of whatever source, a command is made of our own words alone."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from encoder.ffmpeg import codecs, command, containers, overlay, rules
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from encoder.model.media import AudioStream, Media, VideoStream
from encoder.model.plan import Mark
from tests.lab.facts import ABLE, MKV, MP4, spec

# what a source may say of itself is text of a stranger
HOSTILE = st.sampled_from(["-y", "a=b,[x];movie=/etc/passwd", "$(id)", "'\"\\", "\n-map 0", "pipe:1", "ger", "bt2020"])
NAMES = st.none() | HOSTILE
SECONDS = st.floats(0, 100, allow_nan=False)
RATES = st.sampled_from([None, "25/1", "30000/1001", "0/0", "nonsense", "1/100000", "240/1"])
FOLDER = Path("/scratch/42/1")


def either(*values: Json) -> st.SearchStrategy[Json]:
    return st.sampled_from(values)


RENDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "resolution": either("1080p", "144p"),
        "height": st.integers(16, 8192),
        "videoBitrate": st.integers(1, 10**9),
        "crf": st.integers(0, 63),
    },
)
THUMBNAILS = st.fixed_dictionaries(
    {},
    optional={
        "every": st.floats(0.1, 100),
        "count": st.integers(1, 1000),
        "at": st.lists(SECONDS, min_size=1, max_size=4).map(lambda moments: [*sorted(set(moments))]),
        "width": st.integers(16, 8192),
        "sprite": st.booleans() | st.fixed_dictionaries({}, optional={"columns": st.integers(1, 10)}),
        "vtt": st.booleans(),
    },
)
OUTPUTS = st.fixed_dictionaries(
    {"container": either(*containers.CONTAINERS)},
    optional={
        "videoCodec": either(*codecs.video_codecs()),
        "videoBitrate": st.integers(1, 10**9),
        "maxBitrate": st.integers(1, 10**9),
        "crf": st.floats(0, 63) | st.integers(0, 63),
        "encoderPreset": either(*(word for one in codecs.VIDEO_ENCODERS.values() for word in one.presets)),
        "tune": either(*(word for one in codecs.VIDEO_ENCODERS.values() for word in one.tunes)),
        "profile": either(*(word for one in codecs.VIDEO_ENCODERS.values() for word in one.profiles)),
        "level": either(*(word for one in codecs.VIDEO_ENCODERS.values() for word in one.levels)),
        "pixelFormat": either("yuv420p", "yuv420p10le"),
        "width": st.integers(16, 8192),
        "height": st.integers(16, 8192),
        "fit": either(*rules.FITS),
        "upscale": st.booleans(),
        "fps": st.floats(1, 120),
        "keyframeInterval": st.floats(0.1, 60),
        "audioCodec": either(*codecs.audio_codecs()),
        "audioBitrate": st.integers(1, 10**7),
        "audioTracks": either("all", "default", [1, "ger"], [2, 1]),
        "loudness": st.floats(-36, -9),
        "audioChannels": either(*rules.CHANNELS),
        "audioSampleRate": either(8000, 44100, 48000, 96000),
        "clip": st.fixed_dictionaries({"start": SECONDS}, optional={"end": SECONDS}),
        "deinterlace": st.booleans(),
        "toneMap": st.booleans(),
        "twoPass": st.booleans(),
        "watermark": st.fixed_dictionaries(
            {
                "source": st.fixed_dictionaries({"kind": HOSTILE, "url": HOSTILE}),
                "position": either(*overlay.POSITIONS),
                "opacity": st.floats(0, 1),
                "scale": st.floats(0.01, 1),
            }
        ),
        "targetQuality": st.floats(30, 99),
        "rotate": either(*rules.ROTATIONS),
        "renditions": st.lists(RENDITIONS, min_size=1, max_size=3),
        "segmentSeconds": st.floats(1, 30),
        "segmentFormat": either("fmp4", "ts"),
        "encryption": either("aes-128"),
        "playlistName": either("show.m3u8", "show.mpd"),
        "thumbnails": THUMBNAILS,
    },
)
PICTURES = st.builds(
    VideoStream,
    index=st.just(0),
    codec=HOSTILE | either("h264", "vp9", "mpeg4"),
    pixel_format=HOSTILE | either("yuv420p", "gbrp", "rgba"),
    bit_depth=either(8, 10),
    coded_width=st.integers(1, 8192),
    coded_height=st.integers(1, 8192),
    sample_aspect_ratio=either("1/1", "64/45"),
    rotation_deg=either(0, 90, 180, 270),
    mirrored=st.booleans(),
    average_rate=RATES,
    median_rate=RATES,
    variable_rate=st.booleans(),
    interlaced=st.booleans(),
    telecined=st.booleans(),
    pulled_down=st.booleans(),
    field_order=NAMES | either("tt", "bb"),
    color_range=NAMES,
    color_primaries=NAMES | either("bt470bg", "smpte432"),
    color_transfer=NAMES | either("smpte2084", "arib-std-b67", "linear"),
    color_matrix=NAMES,
    alpha_beside=st.booleans(),
    lead_frames=st.integers(0, 3),
    hdr_side_data=st.booleans(),
    hdr_peak_nits=st.none() | st.floats(0, 1e9),
    dolby_vision_profile=st.none() | either(5, 8),
    start_seconds=SECONDS,
    duration_seconds=st.none() | SECONDS,
    frames=st.none() | st.integers(0, 10**6),
    default=st.booleans(),
    language=NAMES,
)
SOUNDS = st.builds(
    AudioStream,
    index=st.just(1),
    codec=HOSTILE | either("aac", "mp3", "ac3"),
    channels=st.integers(1, 16),
    layout=NAMES | either("mono", "stereo", "5.1", "5.1(side)", "7.1", "6 channels"),
    sample_rate_hz=st.integers(1, 192_000),
    start_seconds=SECONDS,
    duration_seconds=st.none() | SECONDS,
    default=st.booleans(),
    language=NAMES,
    decodable=st.booleans(),
)
SOURCES = st.builds(
    Media,
    format=HOSTILE | either(MP4, MKV, "mpegts"),
    size_bytes=st.integers(0, 2**40),
    duration_seconds=st.none() | SECONDS,
    start_seconds=SECONDS,
    video=st.tuples() | st.tuples(PICTURES),
    audio=st.tuples() | st.tuples(SOUNDS),
)

NUMBER = r"-?\d+(?:\.\d+)?"
LAYOUT = r"(?:mono|stereo|5\.1|7\.1)"
CHANNEL = r"(?:[BFST]C|[BFSW][LR]|TF[LRC]|TB[LRC]|TS[LR]|BF[LRC]|F[LR]C|D[LR]|LFE|c\d)"
COLOUR = r"(?:bt709|bt601|smpte170m|gbr|iec61966-2-1|bt2020|bt2020nc|smpte2084|arib-std-b67)"
PRIMARIES = "(?:bt709|bt470m|bt470bg|smpte170m|smpte240m|film|bt2020|smpte43[12]|ebu3213)"
SCALER = r"bicubic(?:\+full_chroma_int\+accurate_rnd)?"
FROM_TO = rf"(?::in_color_matrix={COLOUR})?(?::out_color_matrix={COLOUR})?"
MIXED = rf"(?:{NUMBER}\*)?{CHANNEL}(?:\+(?:{NUMBER}\*)?{CHANNEL})*"

# every filter that we have, with the only values that it may take
LOGO = rf"scale=w=\d+:h=\d+:force_original_aspect_ratio=decrease:flags=bicubic:out_color_matrix={COLOUR}:out_range=tv"
STEPS = re.compile(
    "|".join(
        f"(?:{step})"
        for step in (
            r"bwdif=mode=send_(?:frame|field):parity=auto:deint=(?:all|interlaced)",
            r"fieldmatch=order=[tb]ff:combmatch=full", "decimate", "premultiply=inplace=1",
            r"transpose=c?clock", "hflip", "vflip",
            r"fps=fps=\d+/\d+(?::start_time=0)?", r"trim=start_pts=\d+(?::end_pts=\d+)?", r"setpts=PTS-\d+",
            rf"setparams=color_primaries=bt2020:color_trc={COLOUR}:colorspace=bt2020nc",
            rf"setparams=range=(?:tv|pc):color_primaries={COLOUR}:color_trc={COLOUR}:colorspace={COLOUR}",
            rf"scale=\d+:\d+:flags={SCALER}(?:{FROM_TO}:out_range=(?:tv|pc))?",
            r"zscale=t=linear:npl=100", "format=gbrpf32le", "zscale=p=bt709", rf"tonemap=hable:desat=0:peak={NUMBER}",
            r"zscale=(?:p=bt709:)?t=(?:bt709|iec61966-2-1):m=bt709:r=tv",
            rf"setparams=color_primaries={PRIMARIES}:color_trc=(?:bt709|linear)(?::colorspace={COLOUR})?",
            "format=(?:yuv420p(?:10le)?|yuvj420p|rgb24)",
            r"sidedata=mode=delete:type=[A-Z_]+", "blackframe=amount=0:threshold=40",
            r"trim=end_frame=\d+", r"settb=1/\(\d+/\d+\*1000\)", r"thumbnail=n=\d+", "concat=n=2:v=1:a=0",
            "metadata=mode=select:key=lavfi.blackframe.pblack:value=90:function=less", "split", "palettegen",
            "paletteuse=diff_mode=rectangle", r"tpad=stop=\d+:stop_mode=clone", r"tile=\d+x\d+",
            r"setpts=round\(N/FRAME_RATE/TB\)",
            r"crop=\d+:\d+", r"pad=\d+:\d+:-1:-1:color=black", "null", "format=rgba",
            rf"colorchannelmixer=aa={NUMBER}", "format=yuva420p(?:10le)?", LOGO,
            r"overlay=x=(?:\d+|\(W-w\)/2|W-w-\d+):y=(?:\d+|\(H-h\)/2|H-h-\d+):format=yuv420(?:p10)?",
            "setsar=1", "format=nv12", "hwupload", r"a?split=\d+",
            rf"atrim=start={NUMBER}(?::end={NUMBER})?", rf"asetpts=PTS-round\({NUMBER}/TB\)", "asetpts=PTS-STARTPTS",
            "aformat=sample_fmts=fltp", rf"aformat=channel_layouts={LAYOUT}", r"aresample=\d+:async=1",
            "aresample=async=1:first_pts=0", rf"apad=pad_dur={NUMBER}", rf"atrim=end={NUMBER}",
            rf"pan={LAYOUT}(?:\|{CHANNEL}={MIXED})+", r"channelmap=map=0\|1:channel_layout=stereo",
        )
    )
)  # fmt: skip
LABELS = re.compile(r"\[(?:0:\d+|1:v|[mtvw]\d+|a\d+_\d+|i\d+[a-d])\]")
QUOTED = re.compile(
    r"select='(?:lt\(ceil\(n\*\d+/\d+\)\*\d+,\(n\+1\)\*\d+\)|eq\(n,\d+\)(?:\+eq\(n,\d+\))*)'"
    r"|setpts='if\(lt\(abs\(PTS-PREV_OUTPTS-1000\),600\),PREV_OUTPTS\+1000,PTS\)'"
)

CONDITION = re.compile(rf"(?:not|if|lte|gte|[(),*1]|[pd]ts\*tb|{NUMBER})+")

OPTIONS = {
    "-bsf:0", "-c:0", "-metadata:s:v",
    "-cq", "-rc", "-no-scenecut", "-forced-idr", "-forced_idr", "-global_quality", "-q:v", "-rc_mode",
    "-init_hw_device", "-filter_hw_device",
    "-v", "-max_error_rate", "-ss", "-protocol_whitelist", "-format_whitelist", "-max_pixels", "-max_streams", "-fd",
    "-i", "-filter_complex", "-map", "-c:v", "-c:a", "-preset", "-cpu-used", "-tune", "-crf", "-b:v", "-maxrate",
    "-bufsize", "-profile:v", "-level:v", "-g", "-deadline", "-row-mt", "-x265-params", "-svtav1-params", "-threads:v",
    "-fps_mode", "-tag:v", "-b:a", "-metadata:s:a", "-disposition:a", "-disposition:v", "-map_metadata:g",
    "-map_metadata:s",
    "-keyint_min", "-sc_threshold", "-avoid_negative_ts", "-hls_playlist_type", "-hls_time", "-start_number",
    "-hls_segment_type", "-hls_segment_options", "-hls_segment_filename", "-hls_fmp4_init_filename",
    "-update", "-loop", "-pred", "-quality", "-compression_level",
    "-pass:v", "-passlogfile:v", "-map_chapters", "-t", "-movflags", "-max_muxing_queue_size", "-y", "-f",
}  # fmt: skip
WORDS = {
    "vbr", "CQP", "hw", "vaapi=hw:/dev/dri/renderD128", "qsv=hw,child_device=/dev/dri/renderD128",
    "verbose", "0.01", "fd", "fd:", ",".join(command.INPUT_OPTIONS[3].split(",")), "-1", "good", "passthrough", "copy",
    "+faststart", "language=ger", "alpha_mode=1", "+default", "file", "png_pipe", "file:watermark-0", "null", "-",
    "libvpx", "mixed", "webp", *codecs.image_encoders(),
    "disabled", "hls", "vod", "fmp4", "mpegts", "avoid_negative_ts=disabled", "init.mp4",
    *codecs.VIDEO_ENCODERS, *codecs.AUDIO_ENCODERS,
    *(container.muxer for container in containers.CONTAINERS.values()),
    *(tag for container in containers.CONTAINERS.values() for tag in container.tags.values()),
    *(word for one in codecs.VIDEO_ENCODERS.values()
      for word in (*one.presets, *one.tunes, *one.profiles, *one.levels)),
}  # fmt: skip
PARAMS = re.compile(
    r"(?:(?:open-gop|min-keyint|scenecut|log-level|pools|level-idc|lp|pass|stats)="
    r"(?:warning|pass-0(?:-\d+p(?:-\d)?)?\.log|[\d.]+):?)+"
)
PASS_LOG = re.compile(r"pass-0(?:-\d+p(?:-\d)?)?")
FILES = {f"file:{FOLDER}/out-0.{container.extension}" for container in containers.CONTAINERS.values()}
FILES |= {f"file:{FOLDER}/out-0/%05d.{extension}" for extension in ("jpg", "png", "webp")}

SEGMENTS = re.compile(
    rf"file:{FOLDER}/out-0/(?:\d+p(?:-\d)?|audio(?:-[a-z]{{3}})?(?:-\d+)?)/(?:%05d\.(?:m4s|ts)|index\.m3u8)"
)


def is_graph(word: str) -> bool:
    steps = [step for part in QUOTED.sub("null", word).split(";") for step in LABELS.sub("", part).split(",")]
    return all(STEPS.fullmatch(step) for step in steps)


def is_condition(word: str) -> bool:
    """On which packets are not decoded."""
    found = re.fullmatch(r"noise=drop='([^']*)'", word)
    return found is not None and CONDITION.fullmatch(found[1]) is not None


def unnumbered(word: str) -> str:
    """An option without the number of the track of sound that it is about."""
    return re.sub(r"(-[a-z:]+:a):\d+", r"\1", word)


def is_ours(word: str) -> bool:
    numeric = re.fullmatch(rf"{NUMBER}|\d+:\d+|0:\d+|\[v\d+\]|\[a\d+_\d+\]", word) is not None
    return (
        unnumbered(word) in OPTIONS or word in WORDS or word in FILES or numeric or PARAMS.fullmatch(word) is not None
        or SEGMENTS.fullmatch(word) is not None or PASS_LOG.fullmatch(word) is not None
        or is_graph(word) or is_condition(word)
    )  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(media=SOURCES, members=OUTPUTS, threads=st.none() | st.integers(1, 64), entries=st.lists(SECONDS).map(sorted))
def test_a_command_holds_only_constants_numbers_and_our_paths(
    media: Media, members: dict[str, Json], threads: int | None, entries: list[float]
) -> None:
    output = spec(None, **members)
    faulty = {fault.path.split("/")[1] for fault in rules.check(output)}
    output = spec(None, **{member: value for member, value in members.items() if member not in faulty})
    assume(not rules.check(output))
    plan = decide(media, {0: output}, ABLE, {0: Mark(file="watermark-0", demuxer="png_pipe")}, {0: entries})
    for one_pass, made in product(plan.passes, plan.outputs):
        files = {0: FOLDER / made.file_name}
        first = command.first(plan, one_pass, threads=threads) or []
        args = [*first, *command.build(plan, one_pass, files=files, threads=threads)]
        assert [word for word in args if not is_ours(word)] == []
        assert {
            unnumbered(word) for word in args if word.startswith("-") and word != "-" and not re.fullmatch(NUMBER, word)
        } <= OPTIONS


def test_the_property_would_see_a_stranger_s_word() -> None:
    for word in ("-filter", "a=b", "movie=/etc/passwd", "scale=iw:ih", "language=-map", "/etc/passwd", "fps=fps=x"):
        assert not is_ours(word)
