"""Which level holds a picture. A header that promises less is a lie that small players believe; x265 refuses it.

ITU-T H.264, table A-1, and H.265, table A.8: largest picture and pictures a second. Levels limit bits as well; those an
encoder keeps by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class _Limits:
    """In units: macroblocks of 16×16 for H.264, samples for HEVC."""

    picture: int
    second: int


_H264 = {
    "1": _Limits(99, 1_485), "1.1": _Limits(396, 3_000), "1.2": _Limits(396, 6_000), "1.3": _Limits(396, 11_880),
    "2": _Limits(396, 11_880), "2.1": _Limits(792, 19_800), "2.2": _Limits(1_620, 20_250),
    "3": _Limits(1_620, 40_500), "3.1": _Limits(3_600, 108_000), "3.2": _Limits(5_120, 216_000),
    "4": _Limits(8_192, 245_760), "4.1": _Limits(8_192, 245_760), "4.2": _Limits(8_704, 522_240),
    "5": _Limits(22_080, 589_824), "5.1": _Limits(36_864, 983_040), "5.2": _Limits(36_864, 2_073_600),
    "6": _Limits(139_264, 4_177_920), "6.1": _Limits(139_264, 8_355_840), "6.2": _Limits(139_264, 16_711_680),
}  # fmt: skip
_HEVC = {
    "1": _Limits(36_864, 552_960), "2": _Limits(122_880, 3_686_400), "2.1": _Limits(245_760, 7_372_800),
    "3": _Limits(552_960, 16_588_800), "3.1": _Limits(983_040, 33_177_600),
    "4": _Limits(2_228_224, 66_846_720), "4.1": _Limits(2_228_224, 133_693_440),
    "5": _Limits(8_912_896, 267_386_880), "5.1": _Limits(8_912_896, 534_773_760),
    "5.2": _Limits(8_912_896, 1_069_547_520), "6": _Limits(35_651_584, 1_069_547_520),
    "6.1": _Limits(35_651_584, 2_139_095_040), "6.2": _Limits(35_651_584, 4_278_190_080),
}  # fmt: skip
LIMITS: Mapping[str, Mapping[str, _Limits]] = {"h264": _H264, "hevc": _HEVC}  # in rising order
_UNIT_PX = {"h264": 16, "hevc": 1}


def holding(codec: str, asked: str, size: tuple[int, int], rate: Fraction) -> str:
    """`asked`, or the lowest level above it that holds pictures of `size` at `rate` a second; else the highest."""
    levels = list(LIMITS[codec])
    above = levels[levels.index(asked) :]
    return next((level for level in above if _holds(codec, level, size, rate)), levels[-1])


def _holds(codec: str, level: str, size: tuple[int, int], rate: Fraction) -> bool:
    limits, unit = LIMITS[codec][level], _UNIT_PX[codec]
    width, height = (math.ceil(Fraction(side, unit)) for side in size)
    longest = math.isqrt(8 * limits.picture)
    return width * height <= limits.picture and max(width, height) <= longest and width * height * rate <= limits.second
