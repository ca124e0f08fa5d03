"""The one table of what we encode into: files, packages, images. Like that of `codecs`, all who decide read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One kind of file. The first codec of a list is what it gets when nothing is said."""

    name: str
    muxer: str
    demuxer: str  # ffmpeg's name of what opens it again
    extension: str
    content_type: str
    audio_content_type: str | None = None  # without a picture; None: as above
    video: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)  # codec → four characters that players want
    boxes: bool = False  # ISO boxes: edit lists, `moov`, faststart
    languages: bool = True  # holds the language of a track
    several: bool = False  # holds several tracks of sound
    subtitles: tuple[str, ...] = ()  # codecs of those that are text
    marks_forced: bool = True  # says which of them are shown to all
    marks_default: bool = False  # says which tracks are to be taken
    own_zero: bool = False  # its times begin wherever the muxer likes, and it declares no end
    timed: bool = True  # its packets have times: a late start is kept
    alpha_beside: bool = False  # holds what VP8 and VP9 tell beside their pictures of what is transparent
    turns: bool = True  # holds the turn with which a copied picture is to be shown
    package: bool = False  # a folder of renditions, cut into segments
    images: bool = False  # an image, or a folder of them
    captions: bool = False  # one track of subtitles and nothing else

    @property
    def flags_default(self) -> bool:
        """Whether its tracks themselves say that they are to be taken; of packages, the manifests do."""
        return self.marks_default and not self.package

    def content(self, *, picture: bool) -> str:
        return self.content_type if picture else self.audio_content_type or self.content_type


_ISO = "mov,mp4,m4a,3gp,3g2,mj2"
_ISO_TAGS = {"hevc": "hvc1"}  # Apple plays no `hev1`

_PACKAGE_AUDIO = ("aac", "opus")

_CONTAINERS = (
    Container(
        name="mp4",
        several=True,
        marks_default=True,
        muxer="mp4",
        demuxer=_ISO,
        extension="mp4",
        content_type="video/mp4",
        audio_content_type="audio/mp4",
        video=("h264", "hevc", "av1", "vp9"),
        audio=("aac", "mp3", "opus", "flac", "ac3", "eac3", "alac"),
        subtitles=("mov_text",),
        tags=_ISO_TAGS,
        boxes=True,
    ),
    Container(
        name="mov",
        several=True,
        marks_default=True,
        muxer="mov",
        demuxer=_ISO,
        extension="mov",
        content_type="video/quicktime",
        video=("h264", "hevc"),
        audio=("aac", "mp3", "pcm_s16le", "pcm_s24le", "ac3", "eac3", "alac"),
        subtitles=("mov_text",),
        marks_forced=False,
        tags=_ISO_TAGS,
        boxes=True,
    ),
    Container(
        name="webm",
        several=True,
        marks_default=True,
        muxer="webm",
        demuxer="matroska,webm",
        extension="webm",
        content_type="video/webm",
        audio_content_type="audio/webm",
        alpha_beside=True,
        video=("vp9", "av1", "vp8"),
        audio=("opus", "vorbis"),
        subtitles=("webvtt",),
    ),
    Container(
        name="mkv",
        several=True,
        marks_default=True,
        muxer="matroska",
        demuxer="matroska,webm",
        extension="mkv",
        content_type="video/x-matroska",
        audio_content_type="audio/x-matroska",
        alpha_beside=True,
        video=("h264", "hevc", "av1", "vp9", "vp8", "mpeg4", "mpeg2video"),
        audio=("aac", "opus", "mp3", "flac", "vorbis", "pcm_s16le", "pcm_s24le", "ac3", "eac3", "mp2"),
        subtitles=("subrip", "ass"),
    ),
    Container(
        name="mpegts",
        several=True,
        own_zero=True,
        turns=False,
        muxer="mpegts",
        demuxer="mpegts",
        extension="ts",
        content_type="video/mp2t",
        video=("h264", "hevc", "mpeg2video"),
        audio=("aac", "mp3", "ac3", "eac3", "mp2"),
    ),
    Container(
        name="hls",
        package=True,
        several=True,
        marks_default=True,
        muxer="hls",
        demuxer=_ISO,
        extension="m3u8",
        content_type="application/vnd.apple.mpegurl",
        video=("h264", "hevc", "av1"),
        audio=_PACKAGE_AUDIO,
        subtitles=("webvtt",),
        tags=_ISO_TAGS,
    ),
    Container(
        name="dash",
        package=True,
        several=True,
        marks_default=True,
        muxer="hls",  # ffmpeg's segments; the manifests are ours
        demuxer=_ISO,
        extension="mpd",
        content_type="application/dash+xml",
        video=("h264", "hevc", "av1", "vp9"),
        audio=_PACKAGE_AUDIO,
        subtitles=("webvtt",),
        tags=_ISO_TAGS,
    ),
    Container(
        name="cmaf",
        package=True,
        several=True,
        marks_default=True,
        muxer="hls",
        demuxer=_ISO,
        extension="m3u8",
        content_type="application/vnd.apple.mpegurl",
        video=("h264", "hevc", "av1"),
        audio=_PACKAGE_AUDIO,
        subtitles=("webvtt",),
        tags=_ISO_TAGS,
    ),
    Container(
        name="mp3",
        timed=False,
        own_zero=True,
        muxer="mp3",
        demuxer="mp3",
        extension="mp3",
        content_type="audio/mpeg",
        audio=("mp3",),
        languages=False,
    ),
    Container(
        name="m4a",
        several=True,
        marks_default=True,
        muxer="ipod",
        demuxer=_ISO,
        extension="m4a",
        content_type="audio/mp4",
        audio=("aac", "alac"),
        boxes=True,
    ),
    Container(
        name="ogg",
        muxer="ogg",
        demuxer="ogg",
        extension="ogg",
        content_type="audio/ogg",
        audio=("vorbis", "opus", "flac"),
        languages=False,
    ),
    Container(
        name="opus",
        muxer="opus",
        demuxer="ogg",
        extension="opus",
        content_type="audio/ogg",
        audio=("opus",),
        languages=False,
    ),
    Container(
        name="flac",
        timed=False,
        muxer="flac",
        demuxer="flac",
        extension="flac",
        content_type="audio/flac",
        audio=("flac",),
        languages=False,
    ),
    Container(
        name="wav",
        timed=False,
        muxer="wav",
        demuxer="wav",
        extension="wav",
        content_type="audio/wav",
        audio=("pcm_s16le", "pcm_s24le"),
        languages=False,
    ),
    Container(
        name="vtt",
        captions=True,
        muxer="webvtt",
        demuxer="webvtt",
        extension="vtt",
        content_type="text/vtt",
        subtitles=("webvtt",),
        languages=False,
    ),
)


def _of_images(name: str, muxer: str, demuxer: str, content_type: str, codec: str) -> Container:
    return Container(
        name=name,
        muxer=muxer,
        demuxer=demuxer,
        extension=name,
        content_type=content_type,
        video=(codec,),
        languages=False,
        images=True,
    )


_IMAGES = (
    _of_images("jpg", "image2", "jpeg_pipe", "image/jpeg", "mjpeg"),
    _of_images("png", "image2", "png_pipe", "image/png", "png"),
    _of_images("webp", "image2", "webp_pipe", "image/webp", "webp"),
    _of_images("gif", "gif", "gif", "image/gif", "gif"),
)

CONTAINERS: Mapping[str, Container] = {container.name: container for container in (*_CONTAINERS, *_IMAGES)}
