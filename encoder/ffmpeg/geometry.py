"""How a picture is fitted into the size that was asked for.

All sizes here are of the *presented* picture: upright, in square pixels. Width and height together are a box for
`fit`; one of them alone lets the other follow the picture's aspect.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from encoder.model.job import OutputSpec

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """`size` is what comes out, `scale` what the picture itself is scaled to."""

    size: Size
    scale: Size
    too_small: bool = False  # the source had fewer pixels than asked, and was not enlarged


def fitted(shown: Size, spec: OutputSpec, *, least_px: int = 2) -> Fitted:
    """The even size of an output made from a picture that is shown at `shown`."""
    width, height = shown
    wanted = Fraction(spec.width or width), Fraction(spec.height or height)
    ratios = _ratios(shown, spec)
    if spec.fit == "stretch":
        return _stretched(shown, wanted, spec, least_px)
    ratio = max(ratios) if spec.fit == "cover" else min(ratios)
    too_small = ratio > 1 and not spec.upscale
    if too_small and spec.fit == "cover":
        wanted = wanted[0] / ratio, wanted[1] / ratio
    ratio = Fraction(1) if too_small else ratio
    picture = _even(width * ratio, least_px, exact=ratio == 1), _even(height * ratio, least_px, exact=ratio == 1)
    if spec.fit == "contain":
        picture = _within(picture[0], spec.width), _within(picture[1], spec.height)
        return Fitted(size=picture, scale=picture, too_small=too_small)
    box = _even(wanted[0], least_px, exact=True), _even(wanted[1], least_px, exact=True)
    if spec.fit == "cover":
        picture = max(picture[0], box[0]), max(picture[1], box[1])
    else:
        picture = min(picture[0], box[0]), min(picture[1], box[1])
    return Fitted(size=box, scale=picture, too_small=too_small)


def _ratios(shown: Size, spec: OutputSpec) -> list[Fraction]:
    asked = [Fraction(side, has) for side, has in zip((spec.width, spec.height), shown, strict=True) if side]
    return asked or [Fraction(1)]


def _stretched(shown: Size, wanted: tuple[Fraction, Fraction], spec: OutputSpec, least_px: int) -> Fitted:
    too_small = not spec.upscale and (wanted[0] > shown[0] or wanted[1] > shown[1])
    if too_small:
        wanted = min(wanted[0], Fraction(shown[0])), min(wanted[1], Fraction(shown[1]))
    size = _even(wanted[0], least_px, exact=True), _even(wanted[1], least_px, exact=True)
    return Fitted(size=size, scale=size, too_small=too_small)


def _even(side: Fraction, least_px: int, *, exact: bool) -> int:
    """An even side: the one below when `side` is a limit (a source, a box), else the nearest."""
    even = 2 * int(side / 2) if exact else 2 * int(side / 2 + Fraction(1, 2))
    return max(even, least_px)


def _within(side: int, asked: int | None) -> int:
    return side if asked is None else min(side, asked - asked % 2)
