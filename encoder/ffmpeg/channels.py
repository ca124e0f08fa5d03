"""How channels of sound become fewer: by weights of our own, in float, for ffmpeg's depend on the sample format. Pure.

A mix down is left and right, and 0.707 (-3 dB) of what lies between and behind (ATSC A/52 §7.8); the channel for low
frequencies is for loudspeakers that have one.
"""

from __future__ import annotations

import re

NAMES = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}  # what we make
_UNNAMED = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}  # WAV of so many

# as `ffmpeg -layouts` has them
_POSITIONS = {
    "mono": "FC",
    "stereo": "FL FR",
    "2.1": "FL FR LFE",
    "3.0": "FL FR FC",
    "3.0(back)": "FL FR BC",
    "4.0": "FL FR FC BC",
    "quad": "FL FR BL BR",
    "quad(side)": "FL FR SL SR",
    "3.1": "FL FR FC LFE",
    "5.0": "FL FR FC BL BR",
    "5.0(side)": "FL FR FC SL SR",
    "4.1": "FL FR FC LFE BC",
    "5.1": "FL FR FC LFE BL BR",
    "5.1(side)": "FL FR FC LFE SL SR",
    "6.0": "FL FR FC BC SL SR",
    "6.0(front)": "FL FR FLC FRC SL SR",
    "3.1.2": "FL FR FC LFE TFL TFR",
    "hexagonal": "FL FR FC BL BR BC",
    "6.1": "FL FR FC LFE BC SL SR",
    "6.1(back)": "FL FR FC LFE BL BR BC",
    "6.1(front)": "FL FR LFE FLC FRC SL SR",
    "7.0": "FL FR FC BL BR SL SR",
    "7.0(front)": "FL FR FC FLC FRC SL SR",
    "7.1": "FL FR FC LFE BL BR SL SR",
    "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
    "7.1(wide-side)": "FL FR FC LFE FLC FRC SL SR",
    "5.1.2": "FL FR FC LFE SL SR TFL TFR",
    "5.1.2(back)": "FL FR FC LFE BL BR TFL TFR",
    "octagonal": "FL FR FC BL BR BC SL SR",
    "cube": "FL FR BL BR TFL TFR TBL TBR",
    "5.1.4": "FL FR FC LFE SL SR TFL TFR TBL TBR",
    "7.1.2": "FL FR FC LFE BL BR SL SR TFL TFR",
    "7.1.4": "FL FR FC LFE BL BR SL SR TFL TFR TBL TBR",
    "7.2.3": "FL FR FC LFE BL BR SL SR TFL TFR TBC LFE2",
    "9.1.4": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR",
    "9.1.6": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR TSL TSR",
    "hexadecagonal": "FL FR FC BL BR BC SL SR TFL TFC TFR TBL TBC TBR WL WR",
    "binaural": "BIL BIR",
    "downmix": "DL DR",
    "22.2": "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR LFE2 TSL TSR BFC BFL BFR",
}
_KNOWN = frozenset(name for names in _POSITIONS.values() for name in names.split())
_LISTED = re.compile(r"\d+ channels \(([A-Z0-9]+(?:\+[A-Z0-9]+)*)\)")  # "3 channels (FL+FC+LFE)"

_SHARE = "0.707"  # -3 dB
_HALF_SHARE = "0.354"
_LEFT_ITSELF, _LEFT = ("FL", "DL"), ("BL", "SL", "FLC", "WL", "TFL", "TBL", "TSL", "BFL")
_RIGHT_ITSELF, _RIGHT = ("FR", "DR"), ("BR", "SR", "FRC", "WR", "TFR", "TBR", "TSR", "BFR")
_BETWEEN = ("FC", "BC", "TC", "TFC", "TBC", "BFC")
_STEREO, _MORE_SURROUND = 2, 8

# of each loudspeaker, by what it takes whole and what it takes a share of
_FRONT = {
    "FL": (("FL",), ("FLC", "WL", "TFL", "TFC", "TC")),
    "FR": (("FR",), ("FRC", "WR", "TFR", "TFC", "TC")),
    "FC": (("FC",), ("BFC",)),
    "LFE": (("LFE",), ()),
}


def layout_of(layout: str | None, count: int) -> str:
    """The layout of a track; where its file names none, the usual one of so many channels, else ""."""
    if layout is None or re.fullmatch(r"\d+ channels", layout):
        return _UNNAMED.get(count, "")
    return layout


def most_kept(count: int) -> int:
    """The most channels that we make of so many: none is invented but the low one of 5.0 and 7.0, which is silent."""
    return max(made for made in NAMES if made <= max(count, _STEREO) or (made > _STEREO and made == count + 1))


def mixed(layout: str, has: int, wanted: int) -> str | None:
    """The filter that makes `wanted` channels; None where they are those that there are."""
    if layout == NAMES[wanted]:
        return None
    if layout == "binaural":  # `pan` refuses it
        heard = "channelmap=map=0|1:channel_layout=stereo"
        return heard if wanted != 1 else f"{heard},{mixed(NAMES[2], 2, 1)}"
    present = _positions(layout)
    if len(present) != has or has == 1:
        return _by_number(has, wanted)
    if wanted == 1:
        return _mono(present)
    return _fed(_speakers(present, wanted), present, wanted)


def _fed(speakers: dict[str, str], present: tuple[str, ...], wanted: int) -> str:
    """The filter that feeds each loudspeaker its sum; some may stay silent, but not the two in front."""
    if not (speakers["FL"] and speakers["FR"]):
        return _by_number(len(present), wanted)
    return "|".join([f"pan={NAMES[wanted]}", *(f"{name}={fed}" for name, fed in speakers.items() if fed)])


def _positions(layout: str) -> tuple[str, ...]:
    listed = _LISTED.fullmatch(layout)
    named = tuple(listed[1].split("+") if listed else _POSITIONS.get(layout, "").split())
    return named if _KNOWN.issuperset(named) else ()  # a word of the source gets no further


def _by_number(has: int, wanted: int) -> str:
    """Of channels without positions (tapes of eight, sixteen) the first ones: by custom the programme."""
    if has == 1:
        return "pan=mono|FC=c0" if wanted == 1 else "pan=stereo|FL=c0|FR=c0"
    if wanted == 1:
        return "pan=mono|FC=0.5*c0+0.5*c1"
    return "|".join([f"pan={NAMES[wanted]}", *(f"c{place}=c{place}" for place in range(min(has, wanted)))])


def _mono(present: tuple[str, ...]) -> str | None:
    """Half of each side of the mix in stereo."""
    sides = [f"0.5*{name}" for name in present if name in (*_LEFT_ITSELF, *_RIGHT_ITSELF)]
    sides += [f"{_SHARE}*{name}" for name in present if name in _BETWEEN]
    sides += [f"{_HALF_SHARE}*{name}" for name in present if name in (*_LEFT, *_RIGHT)]
    return f"pan=mono|FC={'+'.join(sides)}" if sides else _by_number(len(present), 1)


def _speakers(present: tuple[str, ...], wanted: int) -> dict[str, str]:
    if wanted == _STEREO:
        return {
            "FL": _sum(present, _LEFT_ITSELF, _BETWEEN + _LEFT),
            "FR": _sum(present, _RIGHT_ITSELF, _BETWEEN + _RIGHT),
        }
    return {name: _sum(present, *parts) for name, parts in {**_FRONT, **_behind(present, wanted)}.items()}


def _behind(present: tuple[str, ...], wanted: int) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    shared = ("BC", "TBC")
    if wanted == _MORE_SURROUND:
        return {
            "BL": (("BL",), ("TBL", *shared)),
            "BR": (("BR",), ("TBR", *shared)),
            "SL": (("SL",), ("TSL",)),
            "SR": (("SR",), ("TSR",)),
        }
    # one pair alone keeps its level; two pairs share the one that is left
    if "BL" in present and "SL" in present:
        return {"BL": ((), ("BL", "SL", "TBL", "TSL", *shared)), "BR": ((), ("BR", "SR", "TBR", "TSR", *shared))}
    return {"BL": (("BL", "SL"), ("TBL", "TSL", *shared)), "BR": (("BR", "SR"), ("TBR", "TSR", *shared))}


def _sum(present: tuple[str, ...], whole: tuple[str, ...], shares: tuple[str, ...]) -> str:
    parts = [name for name in whole if name in present]
    return "+".join([*parts, *(f"{_SHARE}*{name}" for name in shares if name in present)])
