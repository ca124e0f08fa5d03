"""Which subtitles an output carries, or shows in its picture: `subtitles`. Pure.

Text is lifted out of the source into files of our own, cut to the clip, and written anew in what the container holds.
Pictures cannot become text: they are burnt in, or nothing.
"""

from __future__ import annotations

from encoder import errors
from encoder.ffmpeg import captions, containers, tracks
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.containers import Container
from encoder.model.base import replace
from encoder.model.job import OutputSpec, SubtitleFile, Subtitles
from encoder.model.media import SubtitleStream
from encoder.model.plan import BurntPlan, Script, SubtitlePlan

COPY, BURN_IN, EXTRACT = "copy", "burn-in", "extract"
MODES = (COPY, BURN_IN, EXTRACT)
MOST_FILES = 16
TEXT = ("subrip", "text", "mov_text", "webvtt", "ass", "ssa")
PICTURES = ("hdmv_pgs_subtitle", "dvb_subtitle", "dvd_subtitle", "xsub")
RENDERER = "ass"  # libass, which draws text
_LONGEST_SHOWN_S = 30
_FORMS = {"webvtt": captions.WEBVTT, "ass": captions.ASS, "ssa": captions.ASS}
_FORM_OF_CODEC = {"mov_text": captions.SRT, "subrip": captions.SRT, "webvtt": captions.WEBVTT, "ass": captions.ASS}


def wanted(spec: OutputSpec) -> Subtitles | None:
    """What an output asks for; one that is subtitles and nothing else need not say so."""
    container = containers.CONTAINERS.get(spec.container)
    if spec.subtitles is None and container is not None and container.captions:
        return Subtitles(mode=EXTRACT)
    return spec.subtitles


def carried(number: int, case: Case) -> tuple[SubtitlePlan, ...]:
    """The tracks of an output, in their order.

    Raises:
        errors.Permanent: `no_subtitle_stream`, there is none, and the output is nothing else.
    """
    asked = wanted(case.spec)
    if asked is None or asked.mode == BURN_IN:
        return ()
    found = _of_files(case, asked) if asked.files else []
    if asked.tracks is not None or not asked.files:
        found += _of_source(case, asked)
    if not found and case.container.captions:
        raise errors.Permanent("no_subtitle_stream", "The source has no text of subtitles that is asked for.")
    if case.container.captions:
        found = [_foremost(found)]
    if any(plan.forced for plan in found) and not case.container.marks_forced:
        case.because("forced_not_marked", f"{case.container.name} does not say that subtitles are forced.")
    return tuple(_as_held(number, place, plan, case.container) for place, plan in enumerate(_one_default(found)))


def burnt(case: Case) -> BurntPlan | None:
    """The track that is drawn into the picture.

    Raises:
        errors.Permanent: `encoder_not_available`, this ffmpeg draws no text.
    """
    asked = wanted(case.spec)
    if asked is None or asked.mode != BURN_IN:
        return None
    if asked.files:
        plan = BurntPlan(script=case.scripts[0], language=asked.files[0].language)
    else:
        track = _to_burn(case, asked)
        if track is None:
            return None
        text = track.codec in TEXT
        plan = BurntPlan(
            source_index=track.index,
            script=_script(track) if text else None,
            language=tracks.language_of(case, track.language),
        )
    if plan.script is not None and RENDERER not in case.able.filters:
        raise errors.Permanent("encoder_not_available", "No worker here draws subtitles: its ffmpeg has no libass.")
    where = "a file" if plan.source_index is None else f"stream {plan.source_index}"
    case.because("subtitles_burnt_in", f"The subtitles of {where} are drawn into the picture.")
    return plan


def lead_seconds(case: Case) -> int:
    """How much of the source before a clip must be read: a picture may have been put up before it, and still stand."""
    asked = wanted(case.spec)
    drawn = asked is not None and asked.mode == BURN_IN and not asked.files
    return _LONGEST_SHOWN_S if drawn and any(track.codec in PICTURES for track in case.media.subtitles) else 0


def _of_files(case: Case, asked: Subtitles) -> list[SubtitlePlan]:
    return [_plan(None, script, file) for script, file in zip(case.scripts, asked.files, strict=True)]


def _of_source(case: Case, asked: Subtitles) -> list[SubtitlePlan]:
    """The tracks of text that are asked for; what cannot be carried is told."""
    listed = _asked(case, asked)
    for track in listed:
        if track.codec not in TEXT:
            what = "pictures, which can only be burnt in" if track.codec in PICTURES else "none that can be read"
            case.warn("subtitles_are_pictures", f"The subtitles of stream {track.index} are {what}.")
    return [_plan(track.index, _script(track), track) for track in listed if track.codec in TEXT]


def _to_burn(case: Case, asked: Subtitles) -> SubtitleStream | None:
    """One track: of a list its first that is there, else the default one, the forced one, the first."""
    able = [track for track in _asked(case, asked) if track.codec in (*TEXT, *PICTURES)]
    if isinstance(asked.tracks, tuple):
        return next(iter(able), None)
    return min(able, key=lambda track: (not track.default, not track.forced), default=None)


def _asked(case: Case, asked: Subtitles) -> list[SubtitleStream]:
    there = case.media.subtitles
    if not there:
        case.warn("subtitles_missing", "The source has no subtitles.")
        return []
    if asked.tracks == tracks.DEFAULT:
        return [next((track for track in there if track.default), there[0])]
    if not isinstance(asked.tracks, tuple):
        return [*there]
    found: list[SubtitleStream] = []
    for item, track in tracks.listed(there, asked.tracks):
        if track is None:
            case.warn("subtitles_missing", f"The source has no subtitles of `{item}` that are not named already.")
        elif track not in found:
            found.append(track)
    return found


def _script(track: SubtitleStream) -> Script:
    form = _FORMS.get(track.codec or "", captions.SRT)
    return Script(file=f"script-{track.index}.{captions.EXTENSIONS[form]}", form=form)


def _plan(index: int | None, script: Script, said: SubtitleStream | SubtitleFile) -> SubtitlePlan:
    return SubtitlePlan(
        source_index=index,
        script=script,
        file="",
        form=script.form,
        codec="",
        language=said.language,
        default=said.default,
        forced=said.forced,
    )


def _foremost(found: list[SubtitlePlan]) -> SubtitlePlan:
    return min(found, key=lambda plan: not plan.default)


def _one_default(found: list[SubtitlePlan]) -> list[SubtitlePlan]:
    """Of several that call themselves the default one, players shall take the first."""
    first = next((plan for plan in found if plan.default), None)
    return [replace(plan, default=plan is first) for plan in found]


def _as_held(number: int, place: int, plan: SubtitlePlan, container: Container) -> SubtitlePlan:
    """As the container holds it: with its styles where that can be, else as plain text."""
    keeps_style = plan.script.form == captions.ASS and "ass" in container.subtitles
    codec = "ass" if keeps_style else container.subtitles[0]
    form = _FORM_OF_CODEC[codec]
    known = container.languages and tracks.LANGUAGE.fullmatch(plan.language or "") and plan.language != "und"
    return replace(
        plan,
        file=f"captions-{number}-{place}.{captions.EXTENSIONS[form]}",
        form=form,
        codec=codec,
        language=plan.language if known else None,
        forced=plan.forced and container.marks_forced,
    )
