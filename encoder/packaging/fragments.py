"""Reads a track of fragmented MP4: `init.mp4` and its segments (ISO/IEC 14496-12, 8.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import BinaryIO, NamedTuple

from encoder.packaging import codec
from encoder.packaging.boxes import Place, Reader, boxes, broken, find, maybe, places, read_at
from encoder.packaging.independent import is_independent
from encoder.packaging.track import IFrame, Segment, Track, Written

_NOT_SYNC = 0x10000  # sample_is_non_sync_sample
_BASE, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20  # of tfhd
_OFFSET, _FIRST_FLAGS = 0x1, 0x4  # of trun
_OF_SAMPLE = (0x100, 0x200, 0x400, 0x800)  # of trun: duration, size, flags, composition offset
_MOST_SAMPLE_BYTES = 64 << 20
_MOST_SAMPLES = 1 << 20  # of a run

Open = Callable[[str], BinaryIO]  # a file of the track, by its name


class Init(NamedTuple):
    """What `init.mp4` says of its one track."""

    entry: codec.Entry
    timescale: int
    origin: int  # the composition time that is presented at 0
    usual: tuple[int, int, int]  # duration, size and flags of samples that say nothing else


class Sample(NamedTuple):
    at: int  # composition time
    duration: int
    place: int  # in the file
    size: int
    sync: bool


class Fragment(NamedTuple):
    place: Place
    samples: tuple[Sample, ...]


def read_init(file: BinaryIO) -> Init:
    """Raises errors.Permanent: `output_invalid`."""
    moov = next((place.read(file) for place in places(file) if place.kind == "moov"), None)
    if moov is None:
        raise broken("it has no moov")
    traks = [box.body for box in boxes(moov) if box.kind == "trak"]
    if len(traks) != 1:
        raise broken(f"it has {len(traks)} tracks")
    timescale = _timescale(find(traks[0], "mdia", "mdhd"))
    trex = Reader(find(moov, "mvex", "trex"))
    trex.full()
    _, _, duration, size, flags = trex.take("IIIII")
    return Init(
        entry=codec.entry(find(traks[0], "mdia", "minf", "stbl", "stsd")),
        timescale=timescale,
        origin=_origin(traks[0], Fraction(timescale, _timescale(find(moov, "mvhd")))),
        usual=(duration, size, flags),
    )


def read_track(track: Track, init: Init, names: Sequence[str], opened: Open) -> Written:
    """`names`: of its segments, in order. What the edit list hides is not presented, and does not count.

    Raises:
        errors.Permanent: `output_invalid`.
    """
    segments, usual = [], 0
    for name in names:
        with opened(name) as file:
            fragments = tuple(_fragments(file, init))
            segments.append(_segment(name, file, fragments, init))
        usual = usual or next(sample.duration for fragment in fragments for sample in fragment.samples)
    return Written(
        track=track,
        container="fmp4",
        codec=init.entry.codec,
        timescale=init.timescale,
        width_px=init.entry.width_px,
        height_px=init.entry.height_px,
        sample_rate_hz=init.entry.sample_rate_hz,
        frame=init.timescale / Fraction(track.rate) if track.rate else Fraction(usual),
        segments=tuple(segments),
    )


def _segment(name: str, file: BinaryIO, fragments: Sequence[Fragment], init: Init) -> Segment:
    samples = [sample for fragment in fragments for sample in fragment.samples]
    if not samples:
        raise broken("it has no samples")
    start = min(sample.at for sample in samples) - init.origin
    hidden = max(0, -start)
    heads = [_is_head(file, fragment, init) for fragment in fragments]
    pictures = zip(fragments, heads, strict=True) if init.entry.width_px else ()
    return Segment(
        name=name,
        size_bytes=file.seek(0, 2),
        start=start + hidden,
        duration=sum(sample.duration for sample in samples) - hidden,
        independent=heads[0],
        i_frames=tuple(_i_frame(fragment, init) for fragment, head in pictures if head),
    )


def _i_frame(fragment: Fragment, init: Init) -> IFrame:
    first = fragment.samples[0]
    start = fragment.place.start
    return IFrame(offset_bytes=start, size_bytes=first.place + first.size - start, at=first.at - init.origin)


def _is_head(file: BinaryIO, fragment: Fragment, init: Init) -> bool:
    if not fragment.samples:
        return False
    first = fragment.samples[0]
    if first.size > _MOST_SAMPLE_BYTES:
        raise broken("a sample is too large")
    data = read_at(file, first.place, first.size)
    return first.sync and is_independent(init.entry.kind, data, length_size=init.entry.length_size)


def _fragments(file: BinaryIO, init: Init) -> Iterator[Fragment]:
    """Each `moof`, whose samples must lie in the file."""
    size = file.seek(0, 2)
    for place in places(file):
        if place.kind != "moof":
            continue
        trafs = [box.body for box in boxes(place.read(file)) if box.kind == "traf"]
        if len(trafs) != 1:
            raise broken(f"a moof has {len(trafs)} tracks")
        samples = tuple(_samples(trafs[0], place.start, init))
        if any(sample.place + sample.size > size for sample in samples):
            raise broken("its samples are cut short")
        yield Fragment(place, samples)


def _samples(traf: bytes, moof: int, init: Init) -> Iterator[Sample]:
    base, usual = _defaults(find(traf, "tfhd"), moof, init)
    version, _ = (time := Reader(find(traf, "tfdt"))).full()
    decoded, place = time.number("Q" if version else "I"), base
    for box in boxes(traf):
        if box.kind == "trun":
            run = list(_run(Reader(box.body), decoded, (base, place), usual))
            decoded += sum(sample.duration for sample in run)
            place = run[-1].place + run[-1].size if run else place
            yield from run


def _defaults(tfhd: bytes, moof: int, init: Init) -> tuple[int, tuple[int, int, int]]:
    """Where data is counted from, and what samples are that say nothing else."""
    reader = Reader(tfhd)
    _, flags = reader.full()
    reader.number("I")
    base = reader.number("Q") if flags & _BASE else moof
    if flags & _DESCRIPTION:
        reader.number("I")
    duration, size, of_sample = (
        reader.number("I") if flags & bit else usual
        for bit, usual in zip((_DURATION, _SIZE, _FLAGS), init.usual, strict=True)
    )
    return base, (duration, size, of_sample)


def _run(trun: Reader, decoded: int, places: tuple[int, int], usual: tuple[int, int, int]) -> Iterator[Sample]:
    """`places`: where data is counted from, and where it goes on if the run does not say."""
    version, flags = trun.full()
    count = trun.number("I")
    if count > _MOST_SAMPLES:
        raise broken("a run has too many samples")
    place = places[0] + trun.number("i") if flags & _OFFSET else places[1]
    first = trun.number("I") if flags & _FIRST_FLAGS else None
    for number in range(count):
        duration, size, of_sample = (
            trun.number("I") if flags & bit else value for bit, value in zip(_OF_SAMPLE[:3], usual, strict=True)
        )
        later = trun.number("i" if version else "I") if flags & _OF_SAMPLE[3] else 0
        if number == 0 and first is not None:
            of_sample = first
        yield Sample(decoded + later, duration, place, size, sync=not of_sample & _NOT_SYNC)
        decoded, place = decoded + duration, place + size


def _timescale(head: bytes) -> int:
    """Of an mdhd or mvhd."""
    reader = Reader(head)
    version, _ = reader.full()
    reader.take("QQ" if version else "II")
    return reader.number("I") or 1


def _origin(trak: bytes, per_movie_tick: Fraction) -> int:
    """The edit list: nothing for a while, then the media from some time on."""
    edits = maybe(trak, "edts")
    if edits is None:
        return 0
    reader, empty = Reader(find(edits, "elst")), Fraction(0)
    version, _ = reader.full()
    for _ in range(reader.number("I")):
        duration, media_time, _, _ = reader.take("QqHH" if version else "IiHH")
        if media_time >= 0:
            return media_time - round(empty)
        empty += duration * per_movie_tick
    return -round(empty)
