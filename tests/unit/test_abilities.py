"""What is known against a build."""

from __future__ import annotations

import pytest

from encoder.ffmpeg.abilities import Abilities


def _weak(version: str) -> set[str]:
    nothing: frozenset[str] = frozenset()
    able = Abilities(version=version, encoders=nothing, filters=nothing, protocols=nothing)
    return {weakness.name.removeprefix("CVE-2026-") for weakness in able.weaknesses}


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("5.1.9-0+deb12u1", {"40962", "107695", "107697", "107696", "107675"}),
        ("8.1.2", {"107695", "107697", "107696", "107675"}),
        ("n8.1.3", {"107696", "107675"}),
        ("n9.0.2-17-g2a571b6068-20260930", {"107696", "107675"}),
        ("9.1", set()),
        ("N-120000-gabcdef", {"40962", "107695", "107697", "107696", "107675"}),
    ],
)
def test_the_weaknesses_of_a_version_are_named(version: str, names: set[str]) -> None:
    assert _weak(version) == names
