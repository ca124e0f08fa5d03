"""Which tracks of sound an output carries: `audioTracks`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from encoder import errors
from encoder.ffmpeg.case import Case
from encoder.model.media import AudioStream, Media, SubtitleStream

T = TypeVar("T", AudioStream, SubtitleStream)

DEFAULT, ALL = "default", "all"
_OF_STUDIOS = ("mxf", "gxf", "mov")  # formats in which each channel may have a track of its own
_SAME_SECONDS = 0.001
MOST = 16
LANGUAGE = re.compile(r"[a-z]{3}")

# ISO 639-2 has two codes for some languages: files carry either
_SAME = (
    ("alb", "sqi"), ("arm", "hye"), ("baq", "eus"), ("bur", "mya"), ("chi", "zho"), ("cze", "ces"), ("dut", "nld"),
    ("fre", "fra"), ("geo", "kat"), ("ger", "deu"), ("gre", "ell"), ("ice", "isl"), ("mac", "mkd"), ("mao", "mri"),
    ("may", "msa"), ("per", "fas"), ("rum", "ron"), ("slo", "slk"), ("tib", "bod"), ("wel", "cym"),
)  # fmt: skip
_OTHER = {one: other for pair in _SAME for one, other in (pair, pair[::-1])}


def chosen(case: Case) -> list[AudioStream]:
    """The tracks that an output carries, in its order; one where none is asked for by name.

    Raises:
        errors.Permanent: `no_audio_stream`, the source has nothing of a list.
    """
    wanted = case.spec.audio_tracks
    able = [track for track in case.media.audio if track.decodable]
    if wanted == ALL and able:
        _passed_over(case)
        return able
    if not isinstance(wanted, tuple):
        return _usual(case, able)
    found = _asked(case, able, wanted)
    if not found:
        raise errors.Permanent("no_audio_stream", "The source has none of the tracks of sound that are asked for.")
    return found


def right_of(case: Case, left: AudioStream) -> AudioStream | None:
    """The right channel of sound that is recorded as pairs of mono tracks, as cameras and studios do; None: it is not.

    Only the first pair is taken, by custom the programme, and only where nobody asks for tracks by name.
    """
    tracks = case.media.audio
    if case.spec.audio_tracks not in (None, DEFAULT) or not _are_pairs(case.media) or left != tracks[0]:
        return None
    count = len(tracks)
    case.warn("tracks_paired", f"Sound is {count} tracks of one channel: streams {left.index} and {tracks[1].index}, "
              "the first two, are made left and right.")  # fmt: skip
    return tracks[1]


def _are_pairs(media: Media) -> bool:
    alike = {(each.codec, each.channels, each.sample_rate_hz, each.language, each.decodable) for each in media.audio}
    starts = [each.start_seconds for each in media.audio]
    paired = len(media.audio) > 0 and len(media.audio) % 2 == 0 and len(alike) == 1
    codec, channels, *_, decodable = next(iter(alike), ("", 0, False))
    return (
        paired
        and any(name in _OF_STUDIOS for name in media.format.split(","))
        and codec.startswith("pcm_")
        and (channels, decodable) == (1, True)
        and max(starts) - min(starts) < _SAME_SECONDS
    )


def default_of(case: Case, tracks: list[AudioStream]) -> AudioStream:
    """Which of several tracks players take by themselves: of all the source's own default, of a list its first."""
    marked = (track for track in tracks if track.default and case.spec.audio_tracks == ALL)
    return next(marked, tracks[0])


def _usual(case: Case, able: list[AudioStream]) -> list[AudioStream]:
    usual = next((track for track in able if track.default), next(iter(able), None))
    if usual is None:
        return []
    if len(case.media.audio) > 1:
        why = "the default one" if usual.default else "the first that can be decoded"
        case.because("audio_track", f"Sound is stream {usual.index}: {why} of {len(case.media.audio)} tracks.")
    return [usual]


def _passed_over(case: Case) -> None:
    for track in case.media.audio:
        if not track.decodable:
            case.warn("audio_track_missing", f"Stream {track.index} cannot be decoded: it is left out.")


def _asked(case: Case, able: list[AudioStream], wanted: tuple[int | str, ...]) -> list[AudioStream]:
    """Those of a list, each once."""
    found: list[AudioStream] = []
    for item, track in listed(able, wanted):
        if track is None:
            again = isinstance(item, str) and any(is_in(each, item) for each in able)
            sound = "no further track of sound" if again else "no track of sound"
            what = f"{sound} in `{item}`" if isinstance(item, str) else f"no sound in stream {item}"
            case.warn("audio_track_missing", f"The source has {what} that can be decoded.")
        elif track not in found:
            found.append(track)
    return found


def language_of(case: Case, language: str | None) -> str | None:
    """Three small letters, or nothing: a source's text goes no further than that."""
    known = case.container.languages and LANGUAGE.fullmatch(language or "") and language != "und"
    return language if known else None


def listed(able: Sequence[T], wanted: tuple[int | str, ...]) -> Iterator[tuple[int | str, T | None]]:
    """What each item of a list finds: a track by the index of its stream; by a language the first in it that the list
    has not named yet, the default one before others, those that it names by index last."""
    indices = {item for item in wanted if isinstance(item, int)}
    named: set[int] = set()
    for item in wanted:
        fitting = [track for track in able if (track.index == item if isinstance(item, int) else is_in(track, item))]
        fresh = [track for track in fitting if isinstance(item, int) or track.index not in named]
        found = min(fresh, key=lambda track: (track.index in indices, not track.default), default=None)
        named |= {found.index} if found else set()
        yield item, found


def is_in(track: AudioStream | SubtitleStream, language: str) -> bool:
    """By either of the codes that some languages have."""
    return track.language in (language, _OTHER.get(language, language))
