"""The fonts that we ship: `fonts.conf` and the wheel say the same."""

from __future__ import annotations

import re

from encoder.ffmpeg import fonts

SETTINGS = fonts.SETTINGS.read_text()


def test_each_family_of_the_wheel_is_asked_for_letters_and_that_of_plain_text_first() -> None:
    """Families are written in the names of files without spaces."""
    asked = re.findall("<family>(Noto .*)</family>", SETTINGS)
    there = {path.name.partition("[")[0].removesuffix("-Italic") for path in fonts.folder().glob("*.ttf")}
    assert asked[0] == fonts.FAMILY
    assert {family.replace(" ", "") for family in asked} == there


def test_the_folder_that_is_named_is_the_one_that_ffmpeg_may_read() -> None:
    [name] = re.findall('<dir prefix="xdg">(.*)</dir>', SETTINGS)
    assert f"{fonts.environment()['XDG_DATA_HOME']}/{name}" == str(fonts.folder())
    assert fonts.folder() in fonts.readable()
