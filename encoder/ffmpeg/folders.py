"""What packages and images write into the folder that is theirs, as far as names are known before it is made."""

from __future__ import annotations

import re

from encoder.model.plan import KEY_FILE

_TRACK = r"([0-9]+p|audio|subtitles)(-[a-z0-9]+)*"  # a folder of segments (`packages`)
_MANIFEST = r".*\.(m3u8|mpd)"
_PACKAGE = re.compile(f"{_TRACK}|{_MANIFEST}|{re.escape(KEY_FILE)}")


def may_write(name: str, pictures: str | None = None) -> bool:
    """Whether a file or folder of this name at its top may be one of an output's own. Some servers mind no case.

    `pictures`: what they are called; None: it is a package.
    """
    if pictures is None:
        return _PACKAGE.fullmatch(name.lower()) is not None
    before, after = map(re.escape, pictures.lower().split("{index}", 1))
    own = rf"{before}[0-9]{{5,}}{after}\.[a-z0-9]+|{before}thumbnails{after}\.vtt"  # `images`
    return re.fullmatch(own, name.lower()) is not None


def apart(one: str | None, other: str | None) -> bool:
    """Whether two outputs may share a folder, by what their pictures are called: no name of one is one of the other's.

    None: it is a package, whose files are called otherwise than any picture.
    """
    if one is None or other is None:
        return one is not other
    begins = [names.lower().split("{index}", 1)[0] for names in (one, other)]
    return not begins[0].startswith(begins[1]) and not begins[1].startswith(begins[0])
