"""What each member of the job language means, where its class does not say so itself.

One text for the API's document and for docs/reference: `wire_schema` writes them into the schemas. They are plain
Markdown without links, for each is read in both. A test sees that every member has one, here or at its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_Words = Mapping[str, str]

_JOB: _Words = {
    "source": "what is read",
    "outputs": "what is made of it",
    "priority": "of one tenant's jobs in a queue, the higher runs sooner; tenants take turns",
    "tags": "to find the job by",
}
_OUTPUT: _Words = {
    "preset": "a built-in one or one of your own, whose members these are laid over; `GET /presets` has both",
    "container": "a single file; `vtt`: subtitles alone; `jpg`, `png`, `webp`, `gif`: images; `hls`, `dash`, `cmaf`: "
    "a package",
    "videoCodec": "an encoder, or a family, which is its first encoder here (`av1`: SVT-AV1; the preset `av1` is "
    "libaom). `toggle-h264-hevc`, into MP4 and MOV: HEVC of H.264, H.264 of all else",
    "videoBitrate": "bits per second on average; or `crf`, or `targetQuality`",
    "maxBitrate": "caps a rate or a quality over the decoder's buffer, not over a short clip; beside `videoBitrate` "
    "one and a half times that if nothing is said",
    "crf": "constant quality, on the encoder's own scale: less is better",
    "targetQuality": "in place of a rate: a VMAF. The CRF for it is found by samples before the encode, of a package "
    "for each picture by itself",
    "twoPass": "with `videoBitrate`, of a package of each picture: a first run over the whole, then a second that "
    "shares out the bits; not with `libsvtav1`",
    "encoderPreset": "how long the encoder may think; of those that it has",
    "tune": "of those that the encoder has",
    "profile": "of those that the encoder has",
    "level": "of those that the encoder has. One that does not hold the picture is raised, and told",
    "pixelFormat": "of those that the encoder has",
    "width": "pixels; alone, the other side follows from the shape",
    "height": "as `width`",
    "fit": "where both sides are said: `contain` inside them, `cover` and cut, `stretch`, or `pad` with black",
    "upscale": "whether a picture may become larger than its source",
    "fps": "frames per second, constant; if nothing is said, the source's",
    "keyframeInterval": "seconds; if nothing is said, four of a single file, two of a package",
    "measure": "how near the output is to its source, told with its proof; of a package each picture",
    "audioCodec": "an encoder or a family",
    "audioBitrate": "if nothing is said: 128 kbit/s for up to two channels; AAC and Vorbis 384 for 5.1 and 512 for "
    "7.1, Opus 256 and 450. With `audioChannels`, that of a preset does not count",
    "audioChannels": "at most those of the source; mono or stereo if nothing is said",
    "audioSampleRate": "hertz; if nothing is said, 48000 whatever the source has",
    "audioTracks": "`default`: the source's, else the first that can be decoded; or `all`; or a list of stream "
    "indices, as `POST /probe` tells, and languages. Several in mp4, mov, webm, mkv, mpegts, m4a, and in packages, "
    "where each is a rendition. The first of a list is the default one",
    "loudness": "LUFS by EBU R128: -23 for broadcasting, -16 or -14 for streaming. The sound is measured first; true "
    "peaks stay below -1 dBTP. Where a plain gain would put them above, a limiter holds them down, with a warning",
    "clip": "a part of the source",
    "deinterlace": "`auto`: where frames are measured to be interlaced; `false`: the fields stay mixed, which is told",
    "toneMap": "`auto`: HDR becomes SDR in outputs of 8 bits; `false` keeps it in 10-bit HEVC, VP9 and AV1",
    "rotate": "degrees clockwise, on top of `auto`: upright, as it was recorded to be shown. 0 is the same",
    "watermark": "a picture over the picture",
    "renditions": "of packages: the pictures that players switch between; none: one, as the output itself is. They "
    "take the place of all that a preset has. Those larger than the source are left out, with the reason, unless "
    "`upscale`",
    "segmentSeconds": "of packages, 6 if nothing is said: of whole GOPs of about two seconds, as near to what is "
    "asked as whole frames allow. `keyframeInterval` sets the GOP instead, and is at most a segment",
    "segmentFormat": "of packages; `ts` is for HLS of H.264 and HEVC",
    "playlistName": "of packages: `show.m3u8`, for DASH `show.mpd`; of `cmaf` the MPD has the same name",
    "encryption": "of HLS: the segments are encrypted, and the key is the package's file `package.key`. Whoever can "
    "fetch it can play: guard it where you serve it",
    "thumbnails": "of images: pictures of several moments, in a folder; its destination ends in `/`",
    "subtitles": "what becomes of the source's, or which come with the job",
    "chunked": "`auto`: a long picture, or one that other slots are free for, is made in chunks by several workers, "
    "and the plan says why or why not; `true`: a short one too, with a warning where that cannot be; `false`: never",
}
_S3: _Words = {
    "kind": "told by `url` when absent",
    "bucket": "its name",
    "path": "the object's key; as a destination a template",
    "region": "of the bucket",
    "access_key_secret": "kept secret",
    "session_token": "of credentials that end; kept secret",
    "acl": "of the object",
    "storageClass": "of the object",
    "cacheControl": "kept with the object",
}
_SERVER: _Words = {
    "kind": "told by `url` when absent",
    "host": "a name or an address",
    "port": "absent: the protocol's own",
    "username": "kept secret",
    "password": "kept secret",
}
_HTTP: _Words = {"url": "fetched with GET, or sent to", "method": "that the file is sent with"}
_FILE: _Words = {"kind": "told by `url` when absent", "path": "absolute", "url": "file:///path, percent-encoded"}
_IMAGES: _Words = {
    "every": "seconds: pictures of the moments 0, n, 2n …",
    "count": "so many, at equal distances, the first at 0",
    "at": "seconds, rising: the frames on show then; after the end, the last one",
    "width": "pixels of each picture; without it as large as the video, on sheets 160",
    "format": "in place of a preset's container",
    "sprite": "`true`: on sheets of as many as fit, at most 10 × 10. The last one is filled up with black",
    "vtt": "a file `thumbnails.vtt` that names picture and moment for players; sheets of a time line have it unless "
    "`false`. It appears last",
    "names": "of the files, without ending, around `{index}`, the number in five digits from `00001`. Without it the "
    "number alone. A file of cues has `thumbnails` in its place. Pictures may lie in the folder of a package, and of "
    "other pictures whose names begin otherwise",
}

ABOUT: Mapping[str, _Words] = {
    "Job": _JOB,
    "Probe": _JOB,
    "Output": _OUTPUT,
    "PresetMembers": _OUTPUT,
    "RuleOutput": _OUTPUT,
    "Clip": {
        "start": "seconds of the source; `{start}` alone goes to its end",
        "end": "seconds of the source. Up to a second after its end is its end, for who read a rounded duration; what "
        "ends later, begins after the end, or has no frame of the picture, fails with `invalid_range`",
        "duration": "seconds, in place of `end`",
    },
    "Watermark": {
        "source": "a PNG, JPEG or WebP, up to 32 MiB",
        "position": "where it lies",
        "opacity": "1 is opaque",
    },
    "Rendition": {
        "resolution": 'the short side, also of a portrait: `"720p"`; or `width`, `height`',
        "width": "pixels",
        "height": "pixels",
        "videoBitrate": "as of the output; what a rendition does not say is as the output says",
        "maxBitrate": "as of the output",
        "crf": "as of the output",
    },
    "Thumbnails": _IMAGES,
    "Sheet": {"columns": "pictures beside each other", "rows": "pictures above each other"},
    "Subtitles": {
        "mode": "`copy`: as tracks of the output, in mp4, mov, webm, mkv and packages; `burn-in`: drawn into the "
        "picture, for all to see; `extract`: a WebVTT file, an output by itself with `container` `vtt`, which needs "
        "no `subtitles`",
        "tracks": "`all`, `default`, or a list of stream indices, as `POST /probe` tells, and languages. Left out: of "
        "`copy` all, of the others the default one, else the first. `burn-in` and `extract` take the first of a list "
        "that is there",
        "files": "in place of the source's own, or of `copy` beside the `tracks` that are named",
    },
    "SubtitleFile": {"source": "up to 32 MiB", "language": "ISO 639-2"},
    "Preset": {"members": "of an output, without places"},
    "IngestRule": {**_JOB, "enabled": "a disabled rule makes no jobs", "source": "the objects that it is for"},
    "RuleSource": {**_S3, "kind": "s3", "prefix": "that their keys begin with"},
    "Pipeline": {"input": "where sources are read", "output": "where outputs go"},
    "Bulk": {
        "action": "what is done to each",
        "ids": "the jobs",
        "filter": "in place of `ids`: all that match",
    },
    "JobsMeant": {"tag": "only jobs with this tag"},
    "HttpSource": _HTTP,
    "HttpDestination": _HTTP,
    **dict.fromkeys(("S3Bucket", "S3BucketTo", "S3Source", "S3UrlSource", "S3Destination", "S3UrlDestination"), _S3),
    **dict.fromkeys(("Ftp", "FtpUrl", "Sftp", "SftpUrl"), _SERVER),
    **dict.fromkeys(("FilePath", "FileUrlPlace"), _FILE),
    "InlineSource": {"kind": "inline", "fileName": "only shown"},
    "UploadSource": {"kind": "upload", "fileId": "of a file that was brought with `POST /upload`"},
}


def say(definitions: Mapping[str, Any]) -> None:
    """Write them into schemas, where a member says nothing itself."""
    for name, words in ABOUT.items():
        for member, schema in definitions[name]["properties"].items():
            if member in words:
                schema.setdefault("description", words[member])
