"""Every member of the job language, with what it refuses: the place, the code, all faults at once."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args, get_origin

import pytest

from encoder.api import wire, wire_place, wire_s3, wire_server
from encoder.api.wire_faults import Reader
from encoder.api.wire_types import MAX_METADATA_BYTES, MAX_URL, Wire, WirePlace
from encoder.destinations.registry import Destinations
from encoder.errors import CATALOGUE, Fault, Rejected
from encoder.ffmpeg import folders, images, ladder, packages
from encoder.model.base import Json
from encoder.model.job import Clip, JobSpec, OutputSpec, Place
from encoder.model.plan import KEY_FILE, ImagesPlan
from encoder.packaging.manifests import mpd_name
from encoder.sources.registry import Sources

HTTP: dict[str, Any] = {"kind": "https", "url": "https://media.example.com/in.mov"}
INLINE: dict[str, Any] = {"kind": "inline", "data": base64.b64encode(b"clip").decode()}
FILE: dict[str, Any] = {"kind": "file", "path": "/media/in.mov"}
FILE_URL: dict[str, Any] = {"url": "file:///media/in.mov"}
PUT: dict[str, Any] = {"kind": "https", "url": "https://media.example.com/out.mp4"}
OUT: dict[str, Any] = {"kind": "file", "path": "/media/out.mp4"}
OUT_URL: dict[str, Any] = {"kind": "file", "url": "file:///media/out.mp4"}
S3: dict[str, Any] = {"kind": "s3", "bucket": "my-bucket", "path": "uploads/in.mov"}
S3_URL: dict[str, Any] = {"url": "s3://my-bucket/uploads/in.mov"}
S3_OUT: dict[str, Any] = {"kind": "s3", "bucket": "my-bucket", "path": "out/720p.mp4"}
S3_OUT_URL: dict[str, Any] = {"url": "s3://my-bucket/out/720p.mp4"}
KEYS: dict[str, Any] = {"access_key_id": "AKIA", "access_key_secret": "secret"}
FTP: dict[str, Any] = {"kind": "ftp", "host": "ftp.example.com", "path": "in/a b.mov"}
FTP_URL: dict[str, Any] = {"url": "ftp://ftp.example.com/in/a%20b.mov"}
SFTP: dict[str, Any] = {"kind": "sftp", "host": "ssh.example.com", "path": "/in.mov"}
SFTP_URL: dict[str, Any] = {"url": "sftp://ssh.example.com//in.mov"}
UPLOAD: dict[str, Any] = {"kind": "upload", "fileId": "0191b2c4-0000-7000-8000-000000000001"}
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----\n"
S3_ACCESS: dict[str, Any] = KEYS | {
    "session_token": "t",
    "region": "eu-central-1",
    "endpointUrl": "https://s3.example.com:9000",
}
S3_GIVEN: dict[str, Any] = {
    "acl": "public-read",
    "storageClass": "STANDARD_IA",
    "contentType": 'video/mp4; codecs="avc1.640028"',
    "cacheControl": "public, max-age=31536000",
    "metadata": {"order-id": "42 of 43"},
}
LOGIN: dict[str, Any] = {"username": "u", "password": "p"}
SSH_LOGIN: dict[str, Any] = {"username": "u", "password": "p", "privateKey": PEM, "hostKey": "ssh-ed25519 AAAA me@x"}
SENTINEL = "S3nt1nel-Secret"
DEST = "/outputs/0/destination"

# (what of a good job is replaced, by what, the fault's place, the fault's code)
TEXT: dict[str, Any] = {"source": HTTP}
FILE_0 = "/outputs/0/subtitles/files/0"

WRONG: list[tuple[str, Json, str, str]] = [
    ("/source", "https://media.example.com/in.mov", "/source", "invalid_type"),
    ("/source", None, "/source", "invalid_type"),
    ("/source", {}, "/source/kind", "missing_field"),
    ("/source", {"kind": "http"}, "/source/url", "missing_field"),
    ("/source", {"kind": "gopher", "url": "gopher://h/x"}, "/source/kind", "unsupported_kind"),
    ("/source", {"url": "gopher://h/x"}, "/source/url", "unsupported_kind"),
    ("/source", {"url": "in.mov"}, "/source/url", "invalid_url"),
    ("/source", {"url": 7}, "/source/url", "invalid_type"),
    ("/source", HTTP | {"kind": 1}, "/source/kind", "invalid_type"),
    ("/source", HTTP | {"kind": None}, "/source/kind", "invalid_type"),
    ("/source", HTTP | {"kind": ["http"]}, "/source/kind", "invalid_type"),
    ("/source", HTTP | {"url": "http://media.example.com/in.mov"}, "/source/url", "invalid_url"),
    ("/source", HTTP | {"url": "ftp://media.example.com/in.mov"}, "/source/url", "invalid_url"),
    ("/source", HTTP | {"url": "https://h/" + "a" * MAX_URL}, "/source/url", "out_of_range"),
    ("/source", HTTP | {"url": "https://h/\n"}, "/source/url", "invalid_text"),
    ("/source", HTTP | {"headers": []}, "/source/headers", "invalid_type"),
    ("/source", HTTP | {"headers": {"X": 1}}, "/source/headers/X", "invalid_type"),
    ("/source", HTTP | {"headers": {"X y": "z"}}, "/source/headers/X y", "invalid_value"),
    ("/source", HTTP | {"headers": {"a/b~c": "\r\n"}}, "/source/headers/a~1b~0c", "invalid_value"),
    ("/source", HTTP | {"headers": {"X": "a\r\nHost: b"}}, "/source/headers/X", "invalid_text"),
    ("/source", HTTP | {"headers": {str(n): "" for n in range(51)}}, "/source/headers", "out_of_range"),
    ("/source", HTTP | {"path": "/x"}, "/source/path", "unknown_field"),
    ("/source", INLINE | {"kind": "inlined"}, "/source/kind", "unsupported_kind"),
    ("/source", {"kind": "inline"}, "/source/data", "missing_field"),
    ("/source", INLINE | {"data": 1}, "/source/data", "invalid_type"),
    ("/source", INLINE | {"data": ""}, "/source/data", "invalid_base64"),
    ("/source", INLINE | {"data": "YWJj ZA=="}, "/source/data", "invalid_base64"),
    ("/source", INLINE | {"data": "!!"}, "/source/data", "invalid_base64"),
    ("/source", INLINE | {"data": "YWJjZA"}, "/source/data", "invalid_base64"),
    ("/source", INLINE | {"data": "YWJjZA=="[::-1]}, "/source/data", "invalid_base64"),
    ("/source", INLINE | {"data": "ÄÄÄÄ"}, "/source/data", "invalid_base64"),
    ("/source", INLINE | {"fileName": 1}, "/source/fileName", "invalid_type"),
    ("/source", INLINE | {"fileName": ""}, "/source/fileName", "out_of_range"),
    ("/source", INLINE | {"fileName": "a\u0007"}, "/source/fileName", "invalid_text"),
    ("/source", FILE | {"kind": "files"}, "/source/kind", "unsupported_kind"),
    ("/source", FILE | {"path": 1}, "/source/path", "invalid_type"),
    ("/source", FILE | {"path": ""}, "/source/path", "out_of_range"),
    ("/source", FILE | {"path": "/" + "ä" * 600}, "/source/path", "out_of_range"),
    ("/source", FILE_URL | {"kind": "http"}, "/source/url", "invalid_url"),
    ("/source", {"kind": "file", "url": "http://h/x"}, "/source/url", "invalid_url"),
    ("/source", {"kind": "file", "url": "file://h/x"}, "/source/url", "invalid_url"),
    ("/source", FILE_URL | {"path": "/x"}, "/source/path", "unsupported_combination"),
    ("/source", UPLOAD | {"fileId": 7}, "/source/fileId", "invalid_type"),
    ("/source", UPLOAD | {"fileId": "../x"}, "/source/fileId", "invalid_value"),
    ("/source", {"kind": "upload"}, "/source/fileId", "missing_field"),
    # C14: what of an S3 place could become a host or a path
    ("/source", {"kind": "s3", "path": "x"}, "/source/bucket", "missing_field"),
    ("/source", {"kind": "s3", "bucket": "my-bucket"}, "/source/path", "missing_field"),
    ("/source", S3 | {"bucket": "My-Bucket"}, "/source/bucket", "invalid_value"),
    ("/source", S3 | {"bucket": "..."}, "/source/bucket", "invalid_value"),
    ("/source", S3 | {"bucket": ".."}, "/source/bucket", "out_of_range"),
    ("/source", S3 | {"bucket": "a..b"}, "/source/bucket", "invalid_value"),
    ("/source", S3 | {"bucket": "a@127.66.0.1"}, "/source/bucket", "invalid_value"),
    ("/source", S3 | {"bucket": "a/b"}, "/source/bucket", "invalid_value"),
    ("/source", S3 | {"bucket": "a" * 64}, "/source/bucket", "out_of_range"),
    ("/source", S3 | {"path": 1}, "/source/path", "invalid_type"),
    ("/source", S3 | {"path": "a\nb"}, "/source/path", "invalid_text"),
    ("/source", S3 | {"region": "x.evil.test/#"}, "/source/region", "invalid_value"),
    ("/source", S3 | {"region": ""}, "/source/region", "invalid_value"),
    ("/source", S3 | {"endpointUrl": "ftp://s3.example.com"}, "/source/endpointUrl", "invalid_url"),
    ("/source", S3 | {"endpointUrl": "https://s3.example.com/\r\n"}, "/source/endpointUrl", "invalid_text"),
    ("/source", S3 | {"access_key_id": "AKIA"}, "/source/access_key_secret", "missing_field"),
    ("/source", S3 | {"access_key_secret": "s"}, "/source/access_key_id", "missing_field"),
    ("/source", S3 | {"session_token": "t"}, "/source/access_key_id", "missing_field"),
    ("/source", S3 | KEYS | {"access_key_id": "a b"}, "/source/access_key_id", "invalid_value"),
    ("/source", S3 | KEYS | {"access_key_secret": "a\r\nX: b"}, "/source/access_key_secret", "invalid_value"),
    ("/source", S3 | KEYS | {"session_token": ""}, "/source/session_token", "invalid_value"),
    ("/source", S3 | {"accessKeyId": "AKIA"}, "/source/accessKeyId", "unknown_field"),
    ("/source", S3 | {"acl": "private"}, "/source/acl", "unknown_field"),
    ("/source", S3_URL | {"bucket": "my-bucket"}, "/source/bucket", "unsupported_combination"),
    ("/source", S3_URL | {"path": "in.mov"}, "/source/path", "unsupported_combination"),
    ("/source", {"url": "s3://my-bucket"}, "/source/url", "invalid_url"),
    ("/source", {"url": "s3://my-bucket/"}, "/source/url", "invalid_path"),
    ("/source", {"url": "s3://My-Bucket/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "s3://key:secret@my-bucket/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "s3://my-bucket:80/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "s3://my-bucket/x?versionId=1"}, "/source/url", "invalid_url"),
    ("/source", {"url": "s3://my-bucket/a%0d%0ab"}, "/source/url", "invalid_text"),
    ("/source", {"url": "s3://my-bucket/a/%2e%2e/b"}, "/source/url", "invalid_path"),
    ("/source", {"kind": "s3", "url": "https://my-bucket.example.com/x"}, "/source/url", "invalid_url"),
    # C16: what could end a line of FTP and begin another
    ("/source", {"kind": "ftp", "path": "x"}, "/source/host", "missing_field"),
    ("/source", FTP | {"host": "a/b"}, "/source/host", "invalid_value"),
    ("/source", FTP | {"host": "a@b"}, "/source/host", "invalid_value"),
    ("/source", FTP | {"host": ""}, "/source/host", "out_of_range"),
    ("/source", FTP | {"host": "h\r\n"}, "/source/host", "invalid_value"),
    ("/source", FTP | {"port": "21"}, "/source/port", "invalid_type"),
    ("/source", FTP | {"port": 0}, "/source/port", "out_of_range"),
    ("/source", FTP | {"port": 65536}, "/source/port", "out_of_range"),
    ("/source", FTP | {"path": "x\r\nDELE y"}, "/source/path", "invalid_text"),
    ("/source", FTP | {"path": ""}, "/source/path", "out_of_range"),
    ("/source", FTP | {"username": "u\r\nDELE y"}, "/source/username", "invalid_text"),
    ("/source", FTP | {"password": "p\nDELE y"}, "/source/password", "invalid_text"),
    ("/source", FTP | {"password": 7}, "/source/password", "invalid_type"),
    ("/source", FTP | {"hostKey": "SHA256:x"}, "/source/hostKey", "unknown_field"),
    ("/source", FTP_URL | {"host": "h.example"}, "/source/host", "unsupported_combination"),
    ("/source", FTP_URL | {"port": 21}, "/source/port", "unsupported_combination"),
    ("/source", FTP_URL | {"path": "x"}, "/source/path", "unsupported_combination"),
    ("/source", {"url": "ftp://u@h.example/x", "username": "v"}, "/source/username", "unsupported_combination"),
    ("/source", {"url": "ftp://u:p@h.example/x", "password": "q"}, "/source/password", "unsupported_combination"),
    ("/source", {"url": "ftp://h.example"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example/"}, "/source/url", "invalid_path"),
    ("/source", {"url": "ftp:///x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://a@b@h.example/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example:21:22/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example\\@i.example/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example:99999/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example/x;type=a?b"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example/x%0d%0aDELE%20y"}, "/source/url", "invalid_text"),
    ("/source", {"url": "ftp://u%0d%0aDELE%20y@h.example/x"}, "/source/url", "invalid_text"),
    ("/source", {"url": "ftp://u:p%0aDELE%20y@h.example/x"}, "/source/url", "invalid_text"),
    ("/source", {"url": "ftp://u%00@h.example/x"}, "/source/url", "invalid_text"),
    ("/source", {"url": "ftp://h.example/%ff%fe"}, "/source/url", "invalid_text"),
    ("/source", {"url": "ftp://h.example/100%.mov"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://h.example/a%2wb"}, "/source/url", "invalid_url"),
    ("/source", {"url": "sftp://u:p%@h.example/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "sftp://u%4:p@h.example/x"}, "/source/url", "invalid_url"),
    ("/source", {"url": "s3://my-bucket/100%"}, "/source/url", "invalid_url"),
    ("/source", {"url": "file:///a/%zz.mov"}, "/source/url", "invalid_url"),
    ("/source", {"url": "file:///a/%ff.mov"}, "/source/url", "invalid_text"),
    # a password that was not encoded may reach into the host, the port and the path: nothing of them is told
    ("/source", {"url": "ftp://ann:se@cret/wor@h.example:2121/in/x.mov"}, "/source/url", "invalid_url"),
    ("/source", {"url": "ftp://ann:12/secret@h.example/x.mov"}, "/source/url", "invalid_url"),
    ("/source", {"url": "sftp://ann/secret@h.example/x.mov"}, "/source/url", "invalid_url"),
    ("/source", {"kind": "ftps", "url": "ftp://h.example/x"}, "/source/url", "invalid_url"),
    ("/source", {"kind": "ftp", "url": "sftp://h.example/x"}, "/source/url", "invalid_url"),
    ("/source", FTP | {"kind": "ftpes"}, "/source/kind", "unsupported_kind"),
    ("/source", SFTP | {"privateKey": "ssh-ed25519"}, "/source/privateKey", "invalid_value"),
    ("/source", SFTP | {"privateKey": PEM + "\0"}, "/source/privateKey", "invalid_text"),
    ("/source", SFTP | {"privateKey": PEM * 300}, "/source/privateKey", "out_of_range"),
    ("/source", SFTP | {"hostKey": "MD5:00:11"}, "/source/hostKey", "invalid_value"),
    ("/source", SFTP_URL | {"hostKey": 1}, "/source/hostKey", "invalid_type"),
    ("/outputs", {}, "/outputs", "invalid_type"),
    ("/outputs", [], "/outputs", "out_of_range"),
    ("/outputs", [{"preset": "h264"}] * 101, "/outputs", "out_of_range"),
    ("/outputs/0", "h264", "/outputs/0", "invalid_type"),
    ("/outputs/0", {}, "/outputs/0/container", "missing_field"),
    ("/outputs/0/preset", "h265", "/outputs/0/preset", "unknown_preset"),
    ("/outputs/0/preset", 1, "/outputs/0/preset", "invalid_type"),
    ("/outputs/0/container", "avi", "/outputs/0/container", "invalid_value"),
    ("/outputs/0/videoCodec", "libx264 -f tee", "/outputs/0/videoCodec", "invalid_value"),
    ("/outputs/0/videoCodec", "h264;id", "/outputs/0/videoCodec", "invalid_value"),
    ("/outputs/0", {"container": "webm", "videoCodec": "h264"}, "/outputs/0/videoCodec", "unsupported_combination"),
    ("/outputs/0/videoBitrate", "2500kb", "/outputs/0/videoBitrate", "invalid_value"),
    ("/outputs/0/videoBitrate", "٣M", "/outputs/0/videoBitrate", "invalid_value"),
    ("/outputs/0/videoBitrate", 999, "/outputs/0/videoBitrate", "out_of_range"),
    ("/outputs/0/videoBitrate", True, "/outputs/0/videoBitrate", "invalid_type"),
    ("/outputs/0/maxBitrate", "999999999M", "/outputs/0/maxBitrate", "out_of_range"),
    ("/outputs/0/watermark", "logo.png", "/outputs/0/watermark", "invalid_type"),
    ("/outputs/0/watermark", {}, "/outputs/0/watermark/source", "missing_field"),
    ("/outputs/0/watermark", {"source": HTTP | {"url": 1}}, "/outputs/0/watermark/source/url", "invalid_type"),
    ("/outputs/0/watermark", {"source": HTTP, "position": "middle"}, "/outputs/0/watermark/position", "invalid_value"),
    ("/outputs/0/watermark", {"source": HTTP, "opacity": 1.1}, "/outputs/0/watermark/opacity", "out_of_range"),
    ("/outputs/0/watermark", {"source": HTTP, "scale": 0}, "/outputs/0/watermark/scale", "out_of_range"),
    ("/outputs/0/watermark", {"source": HTTP, "text": "x"}, "/outputs/0/watermark/text", "unknown_field"),
    ("/outputs/0/targetQuality", 100, "/outputs/0/targetQuality", "out_of_range"),
    ("/outputs/0/targetQuality", "93", "/outputs/0/targetQuality", "invalid_type"),
    ("/outputs/0/measure", [], "/outputs/0/measure", "out_of_range"),
    ("/outputs/0/measure", ["ssim", "ssim"], "/outputs/0/measure", "invalid_value"),
    ("/outputs/0/measure", ["mos"], "/outputs/0/measure/0", "invalid_value"),
    ("/outputs/0/twoPass", "yes", "/outputs/0/twoPass", "invalid_type"),
    ("/outputs/0/twoPass", True, "/outputs/0/twoPass", "unsupported_combination"),
    ("/outputs/0/crf", "23", "/outputs/0/crf", "invalid_type"),
    ("/outputs/0/crf", 64, "/outputs/0/crf", "out_of_range"),
    ("/outputs/0/crf", 52, "/outputs/0/crf", "out_of_range"),
    ("/outputs/0/encoderPreset", "ultrafast:dump-yuv=/x", "/outputs/0/encoderPreset", "invalid_value"),
    ("/outputs/0/tune", "film,metadata=print:file=/x", "/outputs/0/tune", "invalid_value"),
    ("/outputs/0/profile", "high422", "/outputs/0/profile", "invalid_value"),
    ("/outputs/0/level", 4.1, "/outputs/0/level", "invalid_value"),
    ("/outputs/0/pixelFormat", "yuv420p\n-y", "/outputs/0/pixelFormat", "invalid_value"),
    ("/outputs/0/width", "1920", "/outputs/0/width", "invalid_type"),
    ("/outputs/0/width", True, "/outputs/0/width", "invalid_type"),
    ("/outputs/0/width", 1.5, "/outputs/0/width", "invalid_type"),
    ("/outputs/0/width", None, "/outputs/0/width", "invalid_type"),
    ("/outputs/0/width", [], "/outputs/0/width", "invalid_type"),
    ("/outputs/0/width", -2, "/outputs/0/width", "out_of_range"),
    ("/outputs/0/width", 0, "/outputs/0/width", "out_of_range"),
    ("/outputs/0/width", 1e9, "/outputs/0/width", "out_of_range"),
    ("/outputs/0/width", 2**63, "/outputs/0/width", "out_of_range"),
    ("/outputs/0/height", "720:720,metadata=print", "/outputs/0/height", "invalid_type"),
    ("/outputs/0/fit", "fill", "/outputs/0/fit", "invalid_value"),
    ("/outputs/0/upscale", 1, "/outputs/0/upscale", "invalid_type"),
    ("/outputs/0/fps", "30", "/outputs/0/fps", "invalid_type"),
    ("/outputs/0/fps", 10**6, "/outputs/0/fps", "out_of_range"),
    ("/outputs/0/keyframeInterval", 0, "/outputs/0/keyframeInterval", "out_of_range"),
    ("/outputs/0/audioCodec", "mp4a", "/outputs/0/audioCodec", "invalid_value"),
    ("/outputs/0/audioBitrate", -1, "/outputs/0/audioBitrate", "out_of_range"),
    ("/outputs/0/audioChannels", 3, "/outputs/0/audioChannels", "invalid_value"),
    ("/outputs/0/audioChannels", True, "/outputs/0/audioChannels", "invalid_value"),
    ("/outputs/0/audioSampleRate", 44101, "/outputs/0/audioSampleRate", "invalid_value"),
    ("/outputs/0/audioTracks", [1, True], "/outputs/0/audioTracks", "invalid_value"),
    ("/outputs/0/audioTracks", ["eng", "eng"], "/outputs/0/audioTracks", "invalid_value"),
    ("/outputs/0/audioTracks", ["english"], "/outputs/0/audioTracks", "invalid_value"),
    ("/outputs/0/audioTracks", [], "/outputs/0/audioTracks", "out_of_range"),
    ("/outputs/0/audioTracks", "both", "/outputs/0/audioTracks", "invalid_value"),
    ("/outputs/0/loudness", -5, "/outputs/0/loudness", "out_of_range"),
    ("/outputs/0/renditions", [], "/outputs/0/renditions", "out_of_range"),
    ("/outputs/0/renditions", [{"size": "720p"}], "/outputs/0/renditions/0/size", "unknown_field"),
    ("/outputs/0/renditions", [{"resolution": 720}], "/outputs/0/renditions/0/resolution", "invalid_type"),
    ("/outputs/0/renditions", [{"resolution": "HD"}], "/outputs/0/renditions/0/resolution", "invalid_value"),
    ("/outputs/0/renditions", [{"width": 8}], "/outputs/0/renditions/0/width", "out_of_range"),
    ("/outputs/0/renditions", [{"height": "720"}], "/outputs/0/renditions/0/height", "invalid_type"),
    ("/outputs/0/renditions", [{"videoBitrate": "fast"}], "/outputs/0/renditions/0/videoBitrate", "invalid_value"),
    ("/outputs/0/renditions", [{"maxBitrate": 1}], "/outputs/0/renditions/0/maxBitrate", "out_of_range"),
    ("/outputs/0/renditions", [{"crf": -1}], "/outputs/0/renditions/0/crf", "out_of_range"),
    ("/outputs/0/renditions", [{"height": 720}], "/outputs/0/renditions", "unsupported_combination"),
    ("/outputs/0/segmentSeconds", 0, "/outputs/0/segmentSeconds", "out_of_range"),
    ("/outputs/0/segmentFormat", "webm", "/outputs/0/segmentFormat", "invalid_value"),
    ("/outputs/0/encryption", "rot13", "/outputs/0/encryption", "invalid_value"),
    ("/outputs/0/playlistName", "../master.m3u8", "/outputs/0/playlistName", "invalid_value"),
    ("/outputs/0/thumbnails", True, "/outputs/0/thumbnails", "invalid_type"),
    ("/outputs/0/subtitles", "karaoke", "/outputs/0/subtitles", "invalid_value"),
    ("/outputs/0/subtitles", True, "/outputs/0/subtitles", "invalid_value"),
    ("/outputs/0/subtitles", {}, "/outputs/0/subtitles/mode", "missing_field"),
    ("/outputs/0/subtitles", {"mode": "copy", "style": "x"}, "/outputs/0/subtitles/style", "unknown_field"),
    ("/outputs/0/subtitles", {"mode": "copy", "tracks": "eng"}, "/outputs/0/subtitles/tracks", "invalid_value"),
    ("/outputs/0/subtitles", {"mode": "copy", "tracks": [-1]}, "/outputs/0/subtitles/tracks", "invalid_value"),
    ("/outputs/0/subtitles", {"mode": "copy", "files": []}, "/outputs/0/subtitles/files", "out_of_range"),
    ("/outputs/0/subtitles", {"mode": "copy", "files": [{}]}, "/outputs/0/subtitles/files/0/source", "missing_field"),
    (
        "/outputs/0/subtitles",
        {"mode": "copy", "files": [TEXT | {"language": "en-US"}]},
        f"{FILE_0}/language",
        "invalid_value",
    ),
    ("/outputs/0/subtitles", {"mode": "copy", "files": [TEXT | {"default": 1}]}, f"{FILE_0}/default", "invalid_type"),
    ("/outputs/0/subtitles", {"mode": "copy", "files": [TEXT | {"forced": "yes"}]}, f"{FILE_0}/forced", "invalid_type"),
    (
        "/outputs/0/subtitles",
        {"mode": "copy", "files": [{"source": HTTP | {"url": 1}}]},
        f"{FILE_0}/source/url",
        "invalid_type",
    ),
    ("/outputs/0/thumbnails", {"every": 0}, "/outputs/0/thumbnails/every", "out_of_range"),
    ("/outputs/0/thumbnails", {"count": 2.5}, "/outputs/0/thumbnails/count", "invalid_type"),
    ("/outputs/0/thumbnails", {"at": []}, "/outputs/0/thumbnails/at", "out_of_range"),
    ("/outputs/0/thumbnails", {"at": [1, "2"]}, "/outputs/0/thumbnails/at/1", "invalid_type"),
    ("/outputs/0/thumbnails", {"at": [-1]}, "/outputs/0/thumbnails/at/0", "out_of_range"),
    ("/outputs/0/thumbnails", {"width": 8}, "/outputs/0/thumbnails/width", "out_of_range"),
    ("/outputs/0/thumbnails", {"format": "bmp"}, "/outputs/0/thumbnails/format", "invalid_value"),
    ("/outputs/0/thumbnails", {"sprite": "yes"}, "/outputs/0/thumbnails/sprite", "invalid_type"),
    ("/outputs/0/thumbnails", {"sprite": {"columns": 11}}, "/outputs/0/thumbnails/sprite/columns", "out_of_range"),
    ("/outputs/0/thumbnails", {"sprite": {"rows": "3"}}, "/outputs/0/thumbnails/sprite/rows", "invalid_type"),
    ("/outputs/0/thumbnails", {"sprite": {"cells": 3}}, "/outputs/0/thumbnails/sprite/cells", "unknown_field"),
    ("/outputs/0/thumbnails", {"vtt": 1}, "/outputs/0/thumbnails/vtt", "invalid_type"),
    ("/outputs/0/thumbnails", {"names": "thumb"}, "/outputs/0/thumbnails/names", "invalid_value"),
    ("/outputs/0/thumbnails", {"names": "%d{index}"}, "/outputs/0/thumbnails/names", "invalid_value"),
    ("/outputs/0/thumbnails", {"names": "a/{index}"}, "/outputs/0/thumbnails/names", "invalid_value"),
    ("/outputs/0/thumbnails", {"count": 3}, "/outputs/0/thumbnails", "unsupported_combination"),
    ("/outputs/0/clip", [0, 1], "/outputs/0/clip", "invalid_type"),
    ("/outputs/0/clip", {"start": -1}, "/outputs/0/clip/start", "out_of_range"),
    ("/outputs/0/clip", {"start": 5, "end": 5}, "/outputs/0/clip", "invalid_range"),
    ("/outputs/0/clip", {"end": "5"}, "/outputs/0/clip/end", "invalid_type"),
    ("/outputs/0/clip", {"duration": 0}, "/outputs/0/clip/duration", "out_of_range"),
    ("/outputs/0/clip", {"end": 1, "duration": 1}, "/outputs/0/clip", "unsupported_combination"),
    ("/outputs/0/chunked", "yes", "/outputs/0/chunked", "invalid_value"),
    ("/outputs/0/deinterlace", 0, "/outputs/0/deinterlace", "invalid_value"),
    ("/outputs/0/toneMap", "yes", "/outputs/0/toneMap", "invalid_value"),
    ("/outputs/0/rotate", 45, "/outputs/0/rotate", "invalid_value"),
    ("/outputs/0/rotate", False, "/outputs/0/rotate", "invalid_value"),
    ("/outputs/0/destination", "file:///x", "/outputs/0/destination", "invalid_type"),
    ("/outputs/0/destination", {"kind": "inline"}, "/outputs/0/destination/kind", "unsupported_kind"),
    ("/outputs/0/destination", PUT | {"kind": "http2"}, "/outputs/0/destination/kind", "unsupported_kind"),
    ("/outputs/0/destination", PUT | {"url": "out.mp4"}, "/outputs/0/destination/url", "invalid_url"),
    ("/outputs/0/destination", PUT | {"headers": "x"}, "/outputs/0/destination/headers", "invalid_type"),
    ("/outputs/0/destination", PUT | {"method": "PATCH"}, "/outputs/0/destination/method", "invalid_value"),
    ("/outputs/0/destination", OUT | {"kind": "fil"}, "/outputs/0/destination/kind", "unsupported_kind"),
    ("/outputs/0/destination", OUT | {"path": ["/x"]}, "/outputs/0/destination/path", "invalid_type"),
    ("/outputs/0/destination", OUT_URL | {"kind": 0}, "/outputs/0/destination/kind", "invalid_type"),
    ("/outputs/0/destination", OUT_URL | {"url": "file:out"}, "/outputs/0/destination/url", "invalid_url"),
    (DEST, UPLOAD, f"{DEST}/kind", "unsupported_kind"),
    (DEST, S3_OUT | {"bucket": "B"}, f"{DEST}/bucket", "out_of_range"),
    (DEST, S3_OUT | {"region": 1}, f"{DEST}/region", "invalid_type"),
    (DEST, S3_OUT | {"endpointUrl": "s3.example.com"}, f"{DEST}/endpointUrl", "invalid_url"),
    (DEST, S3_OUT | {"access_key_id": "AKIA"}, f"{DEST}/access_key_secret", "missing_field"),
    (DEST, S3_OUT | {"access_key_secret": "x"}, f"{DEST}/access_key_id", "missing_field"),
    (DEST, S3_OUT | KEYS | {"session_token": 1}, f"{DEST}/session_token", "invalid_type"),
    (DEST, S3_OUT | {"acl": "public"}, f"{DEST}/acl", "invalid_value"),
    (DEST, S3_OUT | {"storageClass": "COLD"}, f"{DEST}/storageClass", "invalid_value"),
    (DEST, S3_OUT | {"contentType": "video"}, f"{DEST}/contentType", "invalid_value"),
    (DEST, S3_OUT | {"contentType": "video/mp4\r\nX: y"}, f"{DEST}/contentType", "invalid_value"),
    (DEST, S3_OUT | {"cacheControl": "max-age=1\nX: y"}, f"{DEST}/cacheControl", "invalid_value"),
    (DEST, S3_OUT | {"cacheControl": ""}, f"{DEST}/cacheControl", "invalid_value"),
    (DEST, S3_OUT | {"metadata": []}, f"{DEST}/metadata", "invalid_type"),
    (DEST, S3_OUT | {"metadata": {"a": 1}}, f"{DEST}/metadata/a", "invalid_type"),
    (DEST, S3_OUT | {"metadata": {"a": "ü"}}, f"{DEST}/metadata/a", "invalid_value"),
    (DEST, S3_OUT | {"metadata": {"a": "b\r\nx-amz-acl: public-read"}}, f"{DEST}/metadata/a", "invalid_value"),
    (DEST, S3_OUT | {"metadata": {"a:b": "c"}}, f"{DEST}/metadata/a:b", "invalid_value"),
    (DEST, S3_OUT | {"metadata": {"a": "x" * 2048}}, f"{DEST}/metadata", "out_of_range"),
    (DEST, S3_OUT | {"metadata": {"encoder-sha256": "x"}}, f"{DEST}/metadata", "invalid_value"),
    (DEST, S3_OUT_URL | {"bucket": "my-bucket"}, f"{DEST}/bucket", "unsupported_combination"),
    (DEST, S3_OUT_URL | {"storage_class": "STANDARD"}, f"{DEST}/storage_class", "unknown_field"),
    (DEST, FTP | {"host": 1}, f"{DEST}/host", "invalid_type"),
    (DEST, FTP | {"port": 1.5}, f"{DEST}/port", "invalid_type"),
    (DEST, FTP | {"username": ""}, f"{DEST}/username", "out_of_range"),
    (DEST, FTP | {"password": "\0"}, f"{DEST}/password", "invalid_text"),
    (DEST, SFTP | {"privateKey": 1}, f"{DEST}/privateKey", "invalid_type"),
    (DEST, SFTP_URL | {"hostKey": "x"}, f"{DEST}/hostKey", "invalid_value"),
    ("/notificationUrl", "mailto:a@example.com", "/notificationUrl", "invalid_url"),
    ("/notificationUrl", None, "/notificationUrl", "invalid_type"),
    ("/priority", 101, "/priority", "out_of_range"),
    ("/priority", "0", "/priority", "invalid_type"),
    ("/queue", 1, "/queue", "invalid_type"),
    ("/queue", None, "/queue", "invalid_type"),
    ("/queue", "", "/queue", "invalid_value"),
    ("/queue", "big scratch", "/queue", "invalid_value"),
    ("/queue", "x" * 65, "/queue", "invalid_value"),
    ("/queue", "io", "/queue", "unknown_queue"),
    ("/metadata", [], "/metadata", "invalid_type"),
    ("/metadata", {"a=b": 1}, "/metadata/a=b", "invalid_value"),
    ("/metadata", {"-map": 1}, "/metadata/-map", "invalid_value"),
    ("/metadata", {str(n): n for n in range(1000)}, "/metadata", "out_of_range"),
    ("/metadata", {"a": "x" * MAX_METADATA_BYTES}, "/metadata", "out_of_range"),
    ("/tags", "trailer", "/tags", "invalid_type"),
    ("/tags", ["a", 1], "/tags/1", "invalid_type"),
    ("/tags", [""], "/tags/0", "out_of_range"),
    ("/tags", ["a", "a"], "/tags", "invalid_value"),
    ("/tags", [str(n) for n in range(51)], "/tags", "out_of_range"),
    ("/status", "completed", "/status", "unknown_field"),
    ("/tenantId", 2, "/tenantId", "unknown_field"),
    ("/outputs/0/attempts", 0, "/outputs/0/attempts", "unknown_field"),
    ("/outputs/0/x264Params", "a", "/outputs/0/x264Params", "unknown_field"),
    ("/outputs/0/extraArgs", [], "/outputs/0/extraArgs", "unknown_field"),
    ("/outputs/0/ffmpegOptions", {}, "/outputs/0/ffmpegOptions", "unknown_field"),
]


class Closed:
    """An operator who opens nothing: each place is wrong at one member."""

    def __init__(self, member: str) -> None:
        self._fault = Fault(path=f"/{member}", code="address_not_allowed", message="is closed")

    def source(self, _place: Place, *, folder: bool = False) -> Sequence[Fault]:
        return (self._fault,)

    destination = source

    def receiver(self, _url: str) -> Sequence[Fault]:
        return ()


class Anywhere:
    """Rules of an operator who allows all but what a test names."""

    def __init__(self, *forbidden: str) -> None:
        self._forbidden = forbidden

    def source(self, place: Place, *, folder: bool = False) -> Sequence[Fault]:
        return self.receiver(str(place.get("url", "")), path="/url")

    destination = source

    def receiver(self, url: str, *, path: str = "") -> Sequence[Fault]:
        if url not in self._forbidden:
            return ()
        return (Fault(path=path, code="address_not_allowed", message="is closed"),)


def job(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON, built up
    return {"source": HTTP, "outputs": [{"container": "mp4"}], **changes}


def changed(path: str, value: Json) -> dict[str, Any]:
    """A good job with one member replaced."""
    body: dict[str, Any] = json.loads(json.dumps(job()))
    *way, last = path.removeprefix("/").split("/")
    target: Any = body
    for token in way:
        target = target[int(token) if isinstance(target, list) else token]
    target[int(last) if isinstance(target, list) else last] = value
    return body


def faults_of(body: Any, places: wire.Places | None = None) -> dict[str, str]:  # noqa: ANN401  # JSON, built up
    with pytest.raises(Rejected) as refused:
        wire.read_job(body, places or Anywhere())
    assert len({fault.path for fault in refused.value.faults}) == len(refused.value.faults)
    return {fault.path: fault.code for fault in refused.value.faults}


@pytest.mark.parametrize(("path", "value", "place", "code"), WRONG)
def test_a_wrong_value_is_refused_at_its_place_under_a_stable_code(
    path: str, value: Json, place: str, code: str
) -> None:
    """A13, A14, A15, A16, A23, E6, F1, F2, F3, F5, F8"""
    assert faults_of(changed(path, value)) == {place: code}
    assert CATALOGUE[code].status in {413, 422}


def members(part: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401  # an annotation is of no type
    """Every member of the language, as a pointer into a body; items of lists stand as 0."""
    while get_origin(part) is Annotated:
        part = get_args(part)[0]
    if isinstance(part, type) and issubclass(part, Wire):
        for field in part.model_fields.values():
            yield f"{path}/{field.alias}"
            yield from members(field.annotation, f"{path}/{field.alias}")
    elif get_origin(part) is list:
        yield from members(get_args(part)[0], f"{path}/0")
    elif get_origin(part) is not None:
        for branch in get_args(part):
            yield from members(branch, path)


def test_every_member_of_the_language_has_a_wrong_value_above() -> None:
    tried = {place for _, _, place, code in WRONG if code != "unknown_field"}
    missing = {
        member
        for member in members(wire.Job)
        # a source beside that of the job is read as it is
        if not any(f"{place}/".startswith(f"{re.sub('^/outputs/.*/source/', '/source/', member)}/") for place in tried)
    }
    assert missing == set()


# A place of each class, with every member that it has.
WHOLE: dict[type[WirePlace], dict[str, Any]] = {
    wire_place.HttpSource: HTTP | {"headers": {"X": "y"}},
    wire_place.HttpDestination: PUT | {"headers": {"X": "y"}, "method": "PUT"},
    wire_place.InlineSource: INLINE | {"fileName": "a.mov"},
    wire_place.UploadSource: UPLOAD,
    wire_place.FilePath: FILE,
    wire_place.FileUrlPlace: FILE_URL | {"kind": "file"},
    wire_s3.S3Source: S3 | S3_ACCESS,
    wire_s3.S3UrlSource: S3_URL | S3_ACCESS | {"kind": "s3"},
    wire_s3.S3Destination: S3_OUT | S3_ACCESS | S3_GIVEN,
    wire_s3.S3UrlDestination: S3_OUT_URL | S3_ACCESS | S3_GIVEN | {"kind": "s3"},
    wire_server.Ftp: FTP | {"port": 21, "username": "u", "password": "p"},
    wire_server.FtpUrl: FTP_URL | {"kind": "ftp", "username": "u", "password": "p"},
    wire_server.Sftp: SFTP | {"port": 22} | SSH_LOGIN,
    wire_server.SftpUrl: SFTP_URL | {"kind": "sftp"} | SSH_LOGIN,
}


def _classes(union: Any) -> set[type[WirePlace]]:  # noqa: ANN401  # as above
    return {get_args(branch)[0] for branch in get_args(get_args(union)[0])}


def test_every_class_of_places_is_tried_with_every_member() -> None:
    both = _classes(wire_place.Source) | _classes(wire_place.Destination)
    assert both - {wire_place.OtherSource, wire_place.OtherDestination} == WHOLE.keys()
    assert {part: {field.alias for field in part.model_fields.values()} for part in WHOLE} == {
        part: set(body) for part, body in WHOLE.items()
    }


def test_every_kind_of_ours_can_be_written_and_no_other() -> None:
    def kinds(union: Any) -> set[str]:  # noqa: ANN401  # as above
        return {kind for part in _classes(union) for kind in wire_place.kinds(part)}

    assert kinds(wire_place.Source) == set(Sources.own)
    assert kinds(wire_place.Destination) == set(Destinations.own)


@pytest.mark.parametrize(
    ("part", "member"), [(part, member) for part, body in WHOLE.items() for member in body], ids=str
)
def test_each_member_of_each_class_is_refused_when_it_is_of_no_type_that_it_has(
    part: type[WirePlace], member: str
) -> None:
    reader: Reader[WirePlace] = Reader(part)
    assert reader.read(WHOLE[part])[1] == []
    every: tuple[Json, ...] = (True, [], None, 0.5, {"": 1})
    for wrong in every:
        _, found = reader.read(WHOLE[part] | {member: wrong})
        assert {fault.path.split("/")[1] for fault in found} == {member}, wrong


@pytest.mark.parametrize(
    ("part", "member"), [(part, member) for part, body in WHOLE.items() for member in body], ids=str
)
def test_no_refusal_of_a_place_repeats_what_was_sent(part: type[WirePlace], member: str) -> None:
    """P7: neither what is wrong nor what stands beside it."""
    reader: Reader[WirePlace] = Reader(part)
    every: tuple[Json, ...] = (
        f"{SENTINEL}\n",
        [SENTINEL],
        {f"{SENTINEL} ": SENTINEL},
        f"x://{SENTINEL}:{SENTINEL}@h/\0",
    )
    for wrong in every:
        _, found = reader.read(WHOLE[part] | {member: wrong})
        told = [(fault.code, fault.message) for fault in found]
        assert told
        assert SENTINEL not in str(told)


@pytest.mark.parametrize(
    ("part", "member"),
    [(part, name) for part, body in WHOLE.items() for name, said in body.items() if isinstance(said, str)],
    ids=str,
)
@pytest.mark.parametrize("control", ["\r\nDELE x", "\n", "\r", "\0", "\x1b[2J", "\x7f", "\u2028"])
def test_no_text_of_a_place_holds_what_could_end_its_line(part: type[WirePlace], member: str, control: str) -> None:
    """C16: a private key alone has lines, and nothing after its own words."""
    reader: Reader[WirePlace] = Reader(part)
    _, found = reader.read(WHOLE[part] | {member: WHOLE[part][member] + control})
    lines_of_a_key = member == "privateKey" and control in {"\n", "\r\nDELE x"}
    assert lines_of_a_key or [fault.path for fault in found] == [f"/{member}"]


def test_all_faults_are_told_at_once_in_the_callers_own_places() -> None:
    body = {
        "sorce": HTTP,
        "outputs": [{"preset": "h264", "widht": 1}, {"preset": "vp9", "height": "720"}],
        "notificationUrl": "https://closed.example.com/",
    }
    assert faults_of(body, Anywhere("https://closed.example.com/")) == {
        "/source": "missing_field",
        "/sorce": "unknown_field",
        "/outputs/0/widht": "unknown_field",
        "/outputs/1/height": "invalid_type",
        "/notificationUrl": "address_not_allowed",
    }


def test_what_is_well_formed_is_checked_though_its_neighbour_is_not() -> None:
    closed = "https://closed.example.com/x"
    body = job(
        source={"url": closed},
        outputs=[
            {"preset": "h264", "width": "1", "destination": {"url": closed}},
            {"container": "webm", "videoCodec": "h264"},
        ],
        priority="high",
    )
    found = faults_of(body, Anywhere(closed))
    assert found == {
        "/priority": "invalid_type",
        "/source/url": "address_not_allowed",
        "/outputs/0/width": "invalid_type",
        "/outputs/0/destination/url": "address_not_allowed",
        "/outputs/0/destination": "source_equals_destination",
        "/outputs/1/videoCodec": "unsupported_combination",
    }


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (job(tagz=[]), "`tags`"),
        (changed("/outputs/0/widht", 1), "`width`"),
        (changed("/outputs/0/clip", {"strat": 1}), "`start`"),
        (job(source=HTTP | {"header": {}}), "`headers`"),
        (changed("/outputs/0/destination", PUT | {"metod": "PUT"}), "`method`"),
    ],
)
def test_a_mistyped_member_is_answered_with_the_one_that_was_meant(body: dict[str, Any], wanted: str) -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_job(body, Anywhere())
    assert [fault.code for fault in refused.value.faults] == ["unknown_field"]
    assert refused.value.faults[0].message.endswith(f"did you mean {wanted}?")


@pytest.mark.parametrize(
    "body",
    [
        job(source=HTTP | {"headers": {"Authorization": f"{SENTINEL}\n"}}),
        job(source=HTTP | {"headers": {"Authorization": [SENTINEL]}}),
        job(source=HTTP | {"url": f"https://user:{SENTINEL}@h/\x01"}),
        job(source={"kind": SENTINEL, "url": "https://h/"}),
        job(source=INLINE | {"data": SENTINEL}),
        changed("/outputs/0/videoCodec", SENTINEL),
        changed("/outputs/0/destination", PUT | {"method": SENTINEL}),
        changed("/outputs/0/fps", SENTINEL),
        job(priority=SENTINEL, tags=SENTINEL, metadata=SENTINEL),
    ],
)
def test_no_refusal_repeats_what_was_sent(body: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_job(body, Anywhere())
    assert SENTINEL not in str(refused.value)


@pytest.mark.parametrize("url", ["ftp://ann:se@s3nt/wor@10.0.0.1/x", "sftp://ann:s3nt/word@h/x", "ftp://u:99999/@h/x"])
def test_no_part_of_a_password_that_was_not_encoded_is_told_as_a_host(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_job(job(source={"url": url}), Anywhere())
    assert [fault.code for fault in refused.value.faults] == ["invalid_url"]
    assert "percent-encoded" in str(refused.value)
    assert not {"s3nt", "99999", "wor"} & set(re.findall(r"\w+", str(refused.value)))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (SFTP | {"hostKey": "MD5:00:11"}, "must be `SHA256:` and 43 characters, or a public key in a line of OpenSSH"),
        (SFTP | {"privateKey": "ssh-ed25519"}, "must be a private key in PEM or OpenSSH form, from `-----BEGIN` on"),
        (
            S3 | {"bucket": "My-Bucket"},
            "must be lower-case letters, digits, `-` and `.`, with a letter or digit at each end",
        ),
        (UPLOAD | {"fileId": "7"}, "must be the `file_id` of an upload: 32 hex digits, as 8-4-4-4-12"),
        (FTP | {"host": "a/b"}, "must be a name or an address, and nothing else"),
    ],
)
def test_a_form_that_is_wrong_is_answered_with_the_one_that_is_right(source: dict[str, Any], wanted: str) -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_job(job(source=source), Anywhere())
    assert [fault.message for fault in refused.value.faults] == [wanted]


def test_an_overlong_unknown_name_is_not_told_back() -> None:
    assert faults_of(job(**{"x" * 1000: 1})) == {"": "unknown_field"}


@pytest.mark.parametrize("body", [None, True, 7, "job", [], [job()]])
def test_a_body_that_is_no_object_is_refused_as_a_whole(body: Json) -> None:
    assert faults_of(body) == {"": "invalid_type"}


def test_two_outputs_may_not_go_to_one_place() -> None:
    """A15"""
    outputs = [
        {"preset": "h264", "destination": OUT},
        {"preset": "vp9", "destination": {"kind": "file", "path": "/media//out.mp4"}},
        {"preset": "h264", "destination": PUT},
        {"preset": "vp9", "destination": {"url": "HTTPS://Media.Example.COM/out.mp4#x"}},
    ]
    assert faults_of(job(outputs=outputs)) == {
        "/outputs/1/destination": "duplicate_destination",
        "/outputs/3/destination": "duplicate_destination",
    }


@pytest.mark.parametrize(
    "inside",
    [
        *("master.m3u8", "Index.M3U8", "x.mpd", "package.key", "144p/out.mp4", "360p-2/a"),
        *("audio/a", "Audio-eng-2/a", "subtitles/a", "s-00001.jpg", "S-thumbnails.VTT"),
    ],
)
def test_no_output_goes_among_the_files_of_another(inside: str) -> None:
    inside = f"/media/p/{inside}"
    preset = (
        {"preset": "thumbnails", "thumbnails": {"names": "s-{index}"}}
        if inside.lower().startswith("/media/p/s-")
        else {"preset": "hls"}
    )
    package = {**preset, "destination": {"kind": "file", "path": "/media/p/"}}
    file = {"preset": "h264", "destination": {"kind": "file", "path": inside}}
    for outputs in ([package, file], [file, package]):
        assert faults_of(job(outputs=outputs)) == {"/outputs/1/destination": "duplicate_destination"}
    for beside in ("/media/p.mp4", "/media/p/720p.mp4", "/media/p/thumbs/00001.jpg"):
        file = {"preset": "h264", "destination": {"kind": "file", "path": beside}}
        assert len(wire.read_job(job(outputs=[package, file]), Anywhere()).outputs) == 2


def test_names_that_a_package_writes_are_known_beforehand() -> None:
    """Else two outputs could write one file: the names are those of `packages`, `images` and `manifests`."""
    names = {ladder.unused("1080p", {"1080p"}), ladder.unused("audio-eng", {"audio-eng"}), "subtitles-deu", "subtitles"}
    names |= {*packages.PLAYLISTS.values(), mpd_name("film.m3u8"), KEY_FILE}
    assert [name for name in names if not folders.may_write(name)] == []
    for pictures in ("{index}", "Thumb-{index}.x"):
        plan = ImagesPlan(kind="several", count=1, names=pictures)
        names = {plan.file_name(place, "webp") for place in (0, 123_456)}
        names |= {f"{pictures.replace('{index}', images.CUES)}.vtt"}
        assert [name for name in names if not folders.may_write(name, pictures)] == []


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"preset": "hls"}, {"preset": "thumbnails"}, True),
        ({"preset": "thumbnails", "thumbnails": {"names": "s-{index}"}}, {"preset": "hls"}, True),
        ({"preset": "hls"}, {"preset": "dash"}, False),
        ({"preset": "thumbnails"}, {"preset": "thumbnails", "thumbnails": {"names": "s-{index}"}}, False),
        (
            {"preset": "thumbnails", "thumbnails": {"names": "l-{index}"}},
            {"preset": "storyboard", "thumbnails": {"names": "s-{index}"}},
            True,
        ),
    ],
)
def test_outputs_share_a_folder_where_no_name_of_theirs_can_be_alike(
    one: dict[str, Json], other: dict[str, Json], together: bool
) -> None:
    to: dict[str, Json] = {"destination": {"kind": "file", "path": "/media/p/"}}
    body = job(outputs=[{**each, **to} for each in (one, other)])
    if together:
        assert len(wire.read_job(body, Anywhere()).outputs) == 2
    else:
        assert faults_of(body) == {"/outputs/1/destination": "duplicate_destination"}


def test_each_login_has_files_of_its_own() -> None:
    places = [{"url": f"ftp://{username}@ftp.example.com/out.mp4"} for username in "ab"]
    outputs = [{"preset": "h264", "destination": place} for place in places]
    assert len(wire.read_job(job(outputs=outputs), Anywhere()).outputs) == 2


def test_a_template_that_differs_by_output_may_be_used_twice() -> None:
    place = {"kind": "file", "path": "/media/{preset}.bin"}
    outputs = [{"preset": name, "destination": place} for name in ("h264", "vp9")]
    assert len(wire.read_job(job(outputs=outputs), Anywhere()).outputs) == 2


def test_a_job_may_not_ask_for_more_pixels_than_a_machine_could_make() -> None:
    whole = {"container": "mp4", "videoCodec": "hevc", "width": 8192, "height": 4320}
    assert faults_of(job(outputs=[whole | {"fps": 120}])) == {"/outputs/0/fps": "job_too_large"}
    assert faults_of(job(outputs=[whole] * 100)) == {"/outputs": "job_too_large"}
    ladder = {"container": "hls", "renditions": [{"resolution": "4320p"}, {"width": 8192, "height": 4320}] * 6}
    assert faults_of(job(outputs=[ladder])) == {"/outputs": "job_too_large"}


def test_the_fewest_words_make_a_job() -> None:
    spec = wire.read_job({"source": {"url": "https://h.example/a.mov"}, "outputs": [{"container": "mp4"}]}, Anywhere())
    assert spec == JobSpec(
        source={"kind": "https", "url": "https://h.example/a.mov"}, outputs=(OutputSpec(container="mp4"),)
    )


def test_every_word_of_a_job_arrives() -> None:
    asked: dict[str, Any] = {
        "preset": "h264",
        "videoBitrate": "2500k",
        "maxBitrate": 5e6,
        "encoderPreset": "fast",
        "tune": "film",
        "profile": "high",
        "level": "4.1",
        "pixelFormat": "yuv420p",
        "width": 1280.0,
        "height": 720,
        "fit": "pad",
        "upscale": True,
        "fps": 25,
        "keyframeInterval": 2,
        "audioCodec": "aac",
        "audioBitrate": "96k",
        "audioChannels": 2,
        "audioSampleRate": 44100,
        "clip": {"start": 1.5, "duration": 2},
        "deinterlace": False,
        "toneMap": "auto",
        "rotate": 90,
        "destination": PUT | {"method": "POST", "headers": {"X-Key": "k"}},
    }
    spec = wire.read_job(
        {
            "source": HTTP | {"headers": {"Authorization": "Bearer x"}},
            "outputs": [asked],
            "notificationUrl": "https://hook.example.com/a",
            "priority": -100,
            "queue": "gpu.A100",
            "metadata": {"order id": {"n": [1, None, 2.5]}},
            "tags": ["trailer", "Größe"],
        },
        Anywhere(),
    )
    assert spec == JobSpec(
        source=HTTP | {"headers": {"Authorization": "Bearer x"}},
        outputs=(
            OutputSpec(
                preset="h264",
                preset_version=1,
                container="mp4",
                video_codec="libx264",
                video_bitrate=2_500_000,
                max_bitrate=5_000_000,
                encoder_preset="fast",
                tune="film",
                profile="high",
                level="4.1",
                pixel_format="yuv420p",
                width=1280,
                height=720,
                fit="pad",
                upscale=True,
                fps=25,
                keyframe_interval=2,
                audio_codec="aac",
                audio_bitrate=96_000,
                audio_channels=2,
                audio_sample_rate=44100,
                clip=Clip(start=1.5, end=3.5),
                deinterlace=False,
                rotate=90,
                destination={"kind": "https", **PUT, "method": "POST", "headers": {"X-Key": "k"}},
            ),
        ),
        notification_url="https://hook.example.com/a",
        priority=-100,
        queue="gpu.A100",
        metadata={"order id": {"n": [1, None, 2.5]}},
        tags=("trailer", "Größe"),
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"url": "S3://my-bucket/a%20b/%C3%BC.mov"}, {"kind": "s3", "bucket": "my-bucket", "path": "a b/ü.mov"}),
        (S3_URL | S3_ACCESS, S3 | S3_ACCESS),
        (S3 | KEYS, S3 | KEYS),
        ({"url": "ftp://ftp.example.com/in.mov"}, {"kind": "ftp", "host": "ftp.example.com", "path": "in.mov"}),
        ({"url": "ftp://ftp.example.com//in.mov"}, {"kind": "ftp", "host": "ftp.example.com", "path": "/in.mov"}),
        (
            {"url": "FTPS://u%40x:p%3Aq%2F@[2606:4700::1111]:990/a%20b"},
            {
                "kind": "ftps",
                "host": "2606:4700::1111",
                "port": 990,
                "path": "a b",
                "username": "u@x",
                "password": "p:q/",
            },
        ),
        ({"url": "ftp://u@h.example/x", "password": "p"}, FTP | {"host": "h.example", "path": "x"} | LOGIN),
        ({"url": "ftp://h.example/x"} | LOGIN, FTP | {"host": "h.example", "path": "x"} | LOGIN),
        ({"url": "sftp://h.example/%2Fsrv/x"} | SSH_LOGIN, SFTP | {"host": "h.example", "path": "/srv/x"} | SSH_LOGIN),
        ({"url": "sftp://h.example/x"}, {"kind": "sftp", "host": "h.example", "path": "x"}),
        ({"url": "sftp://h.example/a%40b%25"}, {"kind": "sftp", "host": "h.example", "path": "a@b%"}),
        ({"url": "s3://my-bucket/a@b"}, {"kind": "s3", "bucket": "my-bucket", "path": "a@b"}),
        (UPLOAD, UPLOAD),
        ({"url": "HTTP://h.example/a"}, {"kind": "http", "url": "HTTP://h.example/a"}),
        ({"kind": "http", "url": "https://h.example/a"}, {"kind": "https", "url": "https://h.example/a"}),
        ({"url": "file:///a%20b.mp4"}, {"kind": "file", "path": "/a b.mp4"}),
        (INLINE, INLINE),
    ],
)
def test_an_address_alone_says_what_kind_of_source_it_is(sent: Json, kept: Json) -> None:
    assert wire.read_probe({"source": sent}, Anywhere()) == kept


@pytest.mark.parametrize(
    ("place", "member", "told"),
    [
        (S3, "bucket", "/bucket"),
        (S3_URL, "bucket", "/url"),
        (S3_URL | S3_ACCESS, "endpointUrl", "/endpointUrl"),
        (FTP, "host", "/host"),
        (FTP_URL, "host", "/url"),
        (FTP_URL, "path", "/url"),
        (FILE_URL, "path", "/url"),
    ],
)
def test_what_is_wrong_with_a_part_of_an_address_is_told_at_the_address(
    place: dict[str, Any], member: str, told: str
) -> None:
    assert faults_of(job(source=place), Closed(member)) == {f"/source{told}": "address_not_allowed"}
    with pytest.raises(Rejected) as refused:
        wire.read_probe({"source": place}, Closed(member))
    assert [fault.path for fault in refused.value.faults] == [f"/source{told}"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (S3_OUT, S3_OUT_URL),
        (S3_OUT | KEYS, S3_OUT | {"acl": "private"}),
        (S3_OUT | {"endpointUrl": "https://S3.example.com"}, S3_OUT | {"endpointUrl": "https://s3.example.com/"}),
        (FTP, FTP_URL),
        (FTP | {"username": "u"}, FTP | {"kind": "ftps", "port": 21, "username": "u", "password": "p"}),
        (FTP, FTP | {"host": "FTP.example.com", "path": "in//./a b.mov"}),
        (SFTP, SFTP_URL),
        (FILE, FILE_URL),
    ],
)
def test_one_file_is_not_read_and_written_however_it_is_named(one: dict[str, Any], other: dict[str, Any]) -> None:
    """J20: the source would be overwritten; and two outputs would be one."""
    outputs = [{"preset": "h264", "destination": other}, {"preset": "vp9", "destination": one}]
    source = {name: said for name, said in one.items() if name != "acl"}
    assert faults_of(job(source=source, outputs=outputs)) == {
        "/outputs/0/destination": "source_equals_destination",
        "/outputs/1/destination": "source_equals_destination",
    }
    assert faults_of(job(outputs=outputs)) == {"/outputs/1/destination": "duplicate_destination"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (S3_OUT, S3_OUT | {"endpointUrl": "https://s3.example.com"}),
        (S3_OUT, S3_OUT | {"bucket": "other-bucket"}),
        (S3_OUT, S3_OUT | {"path": "out//720p.mp4"}),
        (FTP, SFTP | {"host": FTP["host"], "path": FTP["path"]}),
        (FTP, FTP | {"port": 2121}),
        (FTP, FTP | {"path": "/in/a b.mov"}),
    ],
)
def test_files_with_a_name_in_common_are_not_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    outputs = [{"preset": "h264", "destination": one}, {"preset": "vp9", "destination": other}]
    assert len(wire.read_job(job(outputs=outputs), Anywhere()).outputs) == 2


def test_a_probe_is_checked_like_the_source_of_a_job() -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_probe({"source": HTTP}, Anywhere("https://media.example.com/in.mov"))
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [("/source/url", "address_not_allowed")]
    with pytest.raises(Rejected):
        wire.read_probe({"source": HTTP, "outputs": []}, Anywhere())


def test_an_address_of_no_known_kind_is_answered_with_the_ways_that_one_may_begin() -> None:
    with pytest.raises(Rejected) as refused:
        wire.read_job(changed("/source", {"url": "rtmp://media.example.com/in"}), Anywhere())
    (fault,) = refused.value.faults
    known = "http://, https://, s3://, ftp://, ftps://, sftp://, file://"
    assert (fault.path, fault.message) == ("/source/url", f"must begin with one of {known}")
