"""Bodies that are taken as they stand: one for each kind of place, and for each sort of thing that is made of a source.

They stand in the API's document, where people read them and try them out. The least is asked for everywhere else, so
that an example shows one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoder.model.base import Json
from encoder.model.job import Place

_OUTPUT: Json = {"preset": "h264"}
_KEYS: Place = {
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "access_key_secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
_BUCKET: Place = {"bucket": "my-bucket", "region": "eu-central-1"}
_LOGIN: Place = {"username": "camera", "password": "a password"}
_FINGERPRINT = "SHA256:" + "uNiVztksCsDhcc0u9e8BrqlXVUNJr" + "A" * 14

SOURCES: Mapping[str, Place] = {
    "http": {"kind": "http", "url": "http://media.example.com/holiday.mov"},
    "https": {
        "kind": "https",
        "url": "https://media.example.com/holiday.mov",
        "headers": {"Authorization": "Bearer a-token"},
    },
    "s3": {"kind": "s3", "bucket": "my-bucket", "path": "uploads/holiday.mov", "region": "eu-central-1", **_KEYS},
    "ftp": {"kind": "ftp", "host": "ftp.example.com", "path": "in/holiday.mov", **_LOGIN},
    "ftps": {"url": "ftps://camera:a%20password@ftp.example.com/in/holiday.mov"},
    "sftp": {"kind": "sftp", "host": "ssh.example.com", "path": "/in/holiday.mov", "hostKey": _FINGERPRINT, **_LOGIN},
    "file": {"kind": "file", "path": "/media/holiday.mov"},
    "inline": {"kind": "inline", "data": "R0lGODlhAQABAAAAACw=", "fileName": "dot.gif"},
    "upload": {"kind": "upload", "fileId": "0191b2c4-0000-7000-8000-000000000001"},
}
DESTINATIONS: Mapping[str, Place] = {
    "http": {"kind": "http", "url": "http://media.example.com/out/720p.mp4", "method": "POST"},
    "https": {"kind": "https", "url": "https://media.example.com/out/720p.mp4", "method": "PUT"},
    "s3": {"kind": "s3", "bucket": "my-bucket", "path": "out/{sourceName}/720p.mp4", "acl": "public-read", **_KEYS},
    "ftp": {"url": "ftp://camera:a%20password@ftp.example.com/out/720p.mp4"},
    "ftps": {"kind": "ftps", "host": "ftp.example.com", "path": "out/720p.mp4", **_LOGIN},
    "sftp": {"url": "sftp://camera@ssh.example.com//out/720p.mp4", "hostKey": _FINGERPRINT, "password": "a password"},
    "file": {"kind": "file", "path": "/media/out/720p.mp4"},
}
_LETTERS: Json = {
    "mode": "burn-in",
    "files": [{"source": {"url": "https://media.example.com/de.srt"}, "language": "deu"}],
}
OUTPUTS: Mapping[str, tuple[str, Json]] = {
    "file": (
        "A file in words of its own",
        {
            "container": "mp4",
            "videoCodec": "libx264",
            "videoBitrate": "2500k",
            "audioCodec": "aac",
            "audioBitrate": "128k",
            "width": 1280,
            "height": 720,
        },
    ),
    "package": ("HLS, of which the sizes are named", {"preset": "hls", "renditions": [{"resolution": "720p"}]}),
    "sound": ("Its sound alone, at an even loudness", {"preset": "audio-aac", "loudness": -16}),
    "pictures": ("Pictures of it, on sheets", {"preset": "storyboard"}),
    "part": ("A part of it", {"preset": "vp9", "clip": {"start": 2.5, "duration": 10}}),
    "marked": (
        "With a mark and subtitles in the picture",
        {
            "preset": "h264",
            "subtitles": _LETTERS,
            "watermark": {"source": {"url": "https://media.example.com/logo.png"}, "position": "top-right"},
        },
    ),
    "quality": ("As good as it has to be", {"preset": "hevc", "targetQuality": 93, "measure": ["vmaf"]}),
}


EVENTS: Mapping[str, tuple[str, Json]] = {
    "s3": (
        "As S3 sends it",
        {
            "Records": [
                {
                    "eventVersion": "2.1",
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {
                        "bucket": {"name": "bucket-without-rules"},
                        "object": {
                            "key": "uploads/my+holiday.mov",
                            "size": 1048576,
                            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                            "sequencer": "0055AED6DCD90281E5",
                        },
                    },
                }
            ]
        },
    ),
    "eventbridge": (
        "As EventBridge sends it",
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "version": "0",
                "bucket": {"name": "bucket-without-rules"},
                "object": {"key": "uploads/my holiday.mov", "etag": "d41d8cd98f00b204e9800998ecf8427e"},
            },
        },
    ),
}


def of(body: str) -> dict[str, Any]:
    """The examples of a class of the job language, as OpenAPI has them."""
    return {name: {"summary": summary, "value": value} for name, (summary, value) in _BODIES[body].items()}


def _job(source: Place = SOURCES["https"], output: Json = _OUTPUT, **more: Json) -> Json:
    return {"source": source, "outputs": [output], **more}


def _to(destination: Place) -> Json:
    return {"preset": "h264", "height": 720, "destination": destination}


_BODIES: Mapping[str, Mapping[str, tuple[str, Json]]] = {
    "Job": {
        "smallest": ("The fewest words", _job({"url": "https://media.example.com/holiday.mov"})),
        **{f"from {kind}": (f"A source of kind {kind}", _job(source)) for kind, source in SOURCES.items()},
        **{f"to {kind}": (f"A destination of kind {kind}", _job(output=_to(to))) for kind, to in DESTINATIONS.items()},
        **{name: (summary, _job(output=output)) for name, (summary, output) in OUTPUTS.items()},
        "told": (
            "Who is told of it, and what comes back with it",
            _job(
                notificationUrl="https://media.example.com/webhook",
                priority=10,
                queue="encode",
                metadata={"orderId": "42"},
                tags=["trailer"],
            ),
        ),
    },
    "Pipeline": {
        "smallest": ("Two buckets of which the operator has the keys", {"input": _BUCKET, "output": _BUCKET}),
        "whole": (
            "With keys of its own, and who is told",
            {
                "input": {**_BUCKET, **_KEYS},
                "output": {**_BUCKET, **_KEYS, "acl": "public-read"},
                "notificationUrl": "https://media.example.com/webhook",
            },
        ),
    },
    "ElasticTranscoderJob": {
        "file": (
            "One file, by a system preset",
            {
                "PipelineId": "1111111111111-abcde1",
                "Input": {"Key": "in/holiday.mov"},
                "Outputs": [{"Key": "out/holiday.mp4", "PresetId": "1351620000001-000010"}],
            },
        ),
        "playlist": (
            "A playlist of two sizes",
            {
                "PipelineId": "1111111111111-abcde1",
                "Input": {"Key": "in/holiday.mov"},
                "OutputKeyPrefix": "out/holiday/",
                "Outputs": [
                    {"Key": "2m", "PresetId": "1351620000001-200010", "SegmentDuration": "6"},
                    {"Key": "1m", "PresetId": "1351620000001-200030", "SegmentDuration": "6"},
                ],
                "Playlists": [{"Name": "index", "Format": "HLSv3", "OutputKeys": ["2m", "1m"]}],
            },
        ),
    },
    "CoconutBody": {
        "whole": (
            "A file, pictures and a stream, to a bucket",
            {
                "input": {"url": "https://media.example.com/holiday.mov"},
                "storage": {
                    "service": "s3",
                    "region": "eu-central-1",
                    "bucket": "my-bucket",
                    "path": "/out",
                    "credentials": {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI"},
                },
                "notification": {"type": "http", "url": "https://media.example.com/webhook"},
                "outputs": {
                    "mp4:720p": {"path": "/720p.mp4"},
                    "jpg:480x": {"path": "/thumbs/%.2d.jpg", "number": 3},
                    "httpstream": {"hls": {"path": "/hls"}, "variants": ["mp4:x:64k", "mp4:360p::quality=3"]},
                },
            },
        ),
    },
    "Probe": {f"from {kind}": (f"A source of kind {kind}", {"source": source}) for kind, source in SOURCES.items()},
    "PresetBody": {
        "smallest": ("The fewest words", {"members": {"container": "mp4"}}),
        "built on": (
            "A built-in one, but smaller, and with a sound of its own",
            {"about": "For phones", "members": {"preset": "h264", "height": 480, "audioBitrate": "96k"}},
        ),
        "package": (
            "HLS of two sizes",
            {"members": {"preset": "hls", "renditions": [{"resolution": "720p"}, {"resolution": "360p"}]}},
        ),
        "theirs": (
            "One of Elastic Transcoder's",
            {
                "Container": "mp4",
                "Video": {"Codec": "H.264", "BitRate": "1200", "MaxWidth": "854", "MaxHeight": "480"},
                "Audio": {"Codec": "AAC", "BitRate": "128", "SampleRate": "44100", "Channels": "2"},
                "Thumbnails": {"Format": "png", "Interval": "60", "MaxWidth": "192", "MaxHeight": "108"},
            },
        ),
    },
    "Bulk": {
        "ids": ("Some that were chosen", {"action": "cancel", "ids": [812, 815]}),
        "filter": (
            "All that failed alike until a time",
            {
                "action": "retry",
                "filter": {"code": "destination_auth_failed", "createdBefore": "2026-11-20T13:00:00Z"},
            },
        ),
    },
    "Quota": {
        "cap": ("At most two at a time", {"cap": 2}),
        "share": ("Twice as much as another, where both have work", {"share": 2}),
    },
    "Key": {
        "smallest": ("To read and to write, until it is revoked", {"name": "shop"}),
        "support": (
            "For people who look, of tenant 7, for a year",
            {"name": "support", "scopes": ["read"], "tenant": 7, "days": 365},
        ),
    },
    "Endpoint": {
        "smallest": ("The fewest words", {"url": "https://media.example.com/webhook"}),
        "ends": (
            "Told of ends alone",
            {"url": "https://media.example.com/webhook", "events": ["job.completed", "job.failed"]},
        ),
        "mediaconvert": (
            "As MediaConvert tells EventBridge",
            {
                "url": "https://media.example.com/webhook",
                "format": "mediaconvert",
                "settings": {"account": "111122223333", "region": "eu-central-1", "queue": "Default"},
            },
        ),
    },
    "IngestRule": {
        "smallest": (
            "All videos of a bucket, into the platform's storage",
            {"source": {"bucket": "my-bucket"}, "outputs": [{"preset": "h264"}]},
        ),
        "beside": (
            "HLS beside each upload, a poster elsewhere, and who is told",
            {
                "source": {"bucket": "my-bucket", "prefix": "uploads/", "region": "eu-central-1", **_KEYS},
                "outputs": [
                    {"preset": "hls", "path": "{dir}/{name}_processed/hls/"},
                    {"container": "jpg", "destination": {"url": "https://media.example.com/posters/{name}.jpg"}},
                ],
                "notificationUrl": "https://media.example.com/webhook",
                "topics": ["arn:aws:sns:eu-central-1:123456789012:uploads"],
            },
        ),
    },
    "ObjectEvents": EVENTS,
    "Upload": {
        "smallest": ("The fewest words", {"file_name": "holiday.mov"}),
        "announced": (
            "Just so many bytes of this type are taken",
            {"file_name": "holiday.mp4", "size_bytes": 1048576, "content_type": "video/mp4"},
        ),
        "preset": (
            "What is to be made of it, and who is told",
            {"file_name": "holiday.mov", "preset": "hls", "notificationUrl": "https://media.example.com/webhook"},
        ),
        "outputs": (
            "Several outputs, as of a job",
            {"file_name": "holiday.mov", "outputs": [{"preset": "h264"}, {"preset": "thumbnails"}]},
        ),
        "no job": ("A file that later jobs will name", {"file_name": "holiday.mov", "outputs": []}),
        "form": ("A form that a browser sends", {"file_name": "holiday.mov", "protocol": "post"}),
        "tus": ("In pieces, by tus 1.0", {"file_name": "holiday.mov", "protocol": "tus", "size_bytes": 1048576}),
    },
}
