"""What the files are that our folders consist of, as servers tell it."""

from __future__ import annotations

from pathlib import PurePosixPath

CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",  # RFC 8216, 10
    ".m4s": "video/iso.segment",  # as IANA has it; RFC 8216 names none
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".png": "image/png",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
}
OTHER_CONTENT_TYPE = "application/octet-stream"


def content_type(name: str) -> str:
    """By how a name ends."""
    return CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), OTHER_CONTENT_TYPE)
