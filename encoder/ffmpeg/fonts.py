"""The letters of burnt-in text: the fonts of a pinned wheel, and after them the system's (ADR 17).

libass asks fontconfig, and `fonts.conf` beside this file is all that fontconfig is told.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from encoder import errors

FAMILY = "Noto Sans"  # of text that names none itself, or one that is not there
SETTINGS = Path(__file__).with_name("fonts.conf")
SYSTEM = ("/etc/fonts", "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig")
_WHEEL = "manimgx_fonts"


@cache
def folder() -> Path:
    """Where the wheel's fonts lie.

    Raises:
        errors.Unfit: it is not installed.
    """
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is None or wheel.origin is None:
        raise errors.Unfit("The wheel manimgx-fonts is not installed: there would be no letters to draw.")
    return Path(wheel.origin).parent


def readable() -> tuple[object, ...]:
    """The files and folders that ffmpeg must be able to read for them."""
    return SETTINGS, folder(), *SYSTEM


def environment() -> dict[str, str]:
    """What leads fontconfig there: `fonts.conf` names the folder by what lies above it."""
    return {"FONTCONFIG_FILE": str(SETTINGS), "XDG_DATA_HOME": str(folder().parent)}
