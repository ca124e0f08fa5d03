"""What packages and images write into the folder that is theirs, as far as names are known before it is made."""

from __future__ import annotations

import re

from encoder.model.plan import KEY_FILE

_TRACK = r"([0-9]+p|audio|subtitles)(-[a-z0-9]+)*"  # a folder of segments (`packages`)
_PICTURE = r"[0-9]{5,}\.[a-z0-9]+|thumbnails\.vtt"  # `images`
_MANIFEST = r".*\.(m3u8|mpd)"
_OWN = re.compile(f"{_TRACK}|{_PICTURE}|{_MANIFEST}|{re.escape(KEY_FILE)}")


def may_write(name: str) -> bool:
    """Whether a file or folder of this name at its top may be one of an output's own. Some servers mind no case."""
    return _OWN.fullmatch(name.lower()) is not None
