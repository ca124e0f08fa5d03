"""The tables of docs/operate/scale.md."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from encoder.worker import choice
from tests.bench.measure import median, percentile
from tests.bench.page import table
from tests.scale import database, trace
from tests.scale.film import Film, Job
from tests.scale.fleet import DAY_S, HOUR_S, Fleet, daily, steady, together
from tests.scale.simulator import Simulation
from tests.scale.tally import Tally
from tests.scale.trace import measured

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "scale.md"
SIZES = (1, 10, 100, 1000)
LINK_BPS = 1.25e9  # 10 Gbit/s between all workers and the storage
FILM_S = 2 * HOUR_S
CHUNK_S = 300.0
CODECS = {
    "h264 ladder 1080": "H.264 ladder, 1080 to 360",
    "libsvtav1 1080": "AV1 by SVT-AV1, 1080",
    "libvpx-vp9 1080": "VP9, 1080",
    "libaom-av1 1080": "AV1 by libaom, 1080",
}
LADDER = "h264 ladder 1080"
LOADED = 0.8  # of what all slots can do
HOURS = 6.0
DAYS = 4
PART_BYTES = 8 * 1024**2  # of an upload
_KILLED = 20  # films


def tables(sizes: Sequence[int] = SIZES) -> dict[str, str]:
    """All of them, as Markdown, by the marks between which they stand."""
    made: Mapping[str, Callable[[Sequence[int]], str]] = {
        "traces": lambda _: traces(),
        "film": film,
        "load": loaded,
        "database": asked,
        "arrivals": lambda _: arrivals(),
        "kills": lambda _: kills(),
        "walls": lambda _: walls(),
    }
    return {name: make(sizes) for name, make in made.items()}


def write(name: str, told: str) -> None:
    """In place of what stands between its marks."""
    text = PAGE.read_text()
    PAGE.write_text(_place(name).sub(lambda found: f"{found[1]}{told.rstrip()}\n{found[3]}", text))


def between(text: str, name: str) -> str:
    """What stands there."""
    found = _place(name).search(text)
    assert found, name
    return found[2].rstrip()


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- /{name} -->)", re.DOTALL)


def traces() -> str:
    """What goes in."""
    kept = trace.kept()
    rows = []
    for name, of in kept["encodes"].items():
        costs, known = of["stretches"], measured(name)
        spread = f"{min(costs):.1f} to {max(costs):.1f}"
        cores = f"{known.busy_cores:.2f}"
        rows.append((name, f"{known.mean_cpu_s:.1f}", spread, f"{len(costs)}", cores, f"{known.proof_cpu_s:.2f}"))
    where = kept["where"]
    told = (
        f"{where['date']}, {where['machine']}, ffmpeg {where['ffmpeg']}, load of the machine before: {where['load']}."
    )
    heads = ("", "CPU s/s", "of single pieces", "pieces", "cores that one run keeps busy, of 2", "proof, CPU s/s")
    return f"{told}\n\n{table(heads, rows)}"


# one film


def film(sizes: Sequence[int] = SIZES) -> str:
    """Two hours, whole and in chunks."""
    rows = []
    for name, about in CODECS.items():
        rows.append((f"**{about}**", *[""] * len(sizes)))
        for how, chunked in _WAYS.items():
            told = [one_film(name, workers, chunked(name, workers)) for workers in sizes]
            rows.append((how, *(_time(each.ended_at_s) for each in told)))
        jobs = [one_film(name, workers, fitting(name, workers)).jobs[0] for workers in sizes]
        rows.append(("  how many", *(f"{len(job.chunks)}" for job in jobs)))
        rows.append(("  before and behind them", *(_time(_ends(job)) for job in jobs)))
    return table(("a film of two hours", *(_workers(size) for size in sizes)), rows)


def one_film(name: str, workers: int, chunk_s: float | None) -> Tally:
    fleet = Fleet(workers=workers, all_bps=LINK_BPS)
    return Simulation(fleet=fleet, seed=1).run([(0.0, Film(seconds=FILM_S, trace=measured(name), chunk_s=chunk_s))])


def fitting(name: str, free: int) -> float:
    """Chunks as `choice` makes them of that film where so many slots are free."""
    cost = measured(name).mean_cpu_s * FILM_S
    work = choice._Work(seconds=FILM_S, cpu_seconds=cost, free_slots=free - 1, chunk_seconds=CHUNK_S)
    return work.length(forced=False)


_WAYS: Mapping[str, Callable[[str, int], float | None]] = {
    "whole": lambda _name, _workers: None,
    f"chunks of {CHUNK_S:.0f} s": lambda _name, _workers: CHUNK_S,
    "chunks by free slots": fitting,
}


def _ends(job: Job) -> float:
    assert job.split_at_s is not None
    assert job.joined_at_s is not None
    assert job.ended_at_s is not None
    return job.split_at_s - job.at_s + job.ended_at_s - job.joined_at_s


# a fleet at work


def short(chunk_s: float | None = CHUNK_S) -> Film:
    """Ten minutes, as on the page of capacity."""
    return Film(seconds=600.0, trace=measured(LADDER), chunk_s=chunk_s)


def slot_seconds(film: Film) -> float:
    """Of one slot, for a whole film."""
    alone = Simulation(fleet=Fleet(workers=1, all_bps=LINK_BPS)).run([(0.0, film)] * 20)
    return alone.held_s / 20


@cache
def at_work(workers: int) -> Tally:
    """So many hours of steady arrivals, machines that are taken away like spot machines."""
    film = short()
    per_hour = LOADED * workers * HOUR_S / slot_seconds(film)
    chance = random.Random(workers)  # noqa: S311  # the same each time
    fleet = Fleet(workers=workers, all_bps=LINK_BPS, kills_per_hour=0.05, noticed=0.5)
    return Simulation(fleet=fleet, seed=1).run((at_s, film) for at_s in steady(per_hour, HOURS * HOUR_S, chance))


def loaded(sizes: Sequence[int] = SIZES) -> str:
    """Throughput, waiting, what is done twice and what is moved."""
    told = [at_work(size) for size in sizes]
    rows = {
        "films an hour": [f"{len(each.jobs) / HOURS:,.0f}" for each in told],
        "media hours an hour": [f"{len(each.jobs) * 600 / HOUR_S / HOURS:,.1f}" for each in told],
        "slots busy": [f"{each.busy:.0%}" for each in told],
        "from submit to end, p50": [_time(_took(each.jobs, 0.5)) for each in told],
        "p95": [_time(_took(each.jobs, 0.95)) for each in told],
        "machines taken away under a task": [f"{len(each.kills):,}" for each in told],
        "computed twice": [f"{each.rework:.2%}" for each in told],
        "films that failed by it": [f"{each.failed}" for each in told],
        "moved, MB/s": [f"{sum(each.moved_bytes.values()) / each.ended_at_s / 1e6:,.0f}" for each in told],
        "  of it chunks": [f"{_chunks(each) / each.ended_at_s / 1e6:,.0f}" for each in told],
        "moved, of source and output": [f"{_times(each):.2f} ×" for each in told],
    }
    return table(("", *(_workers(size) for size in sizes)), [(name, *cells) for name, cells in rows.items()])


def asked(sizes: Sequence[int] = SIZES) -> str:
    """Statements a second."""
    loads = [database.load(at_work(size)) for size in sizes]
    verbs = sorted({verb for each in loads for verb in each.by_verb}, key=lambda verb: -loads[-1].by_verb.get(verb, 0))
    rows = [(verb, *(_few(each.by_verb.get(verb, 0.0)) for each in loads)) for verb in verbs]
    rows += [
        ("**all**", *(_few(each.mean) for each in loads)),
        ("in the busiest second", *(_few(each.peak) for each in loads)),
        ("cores of the database", *(f"{each.cores:.3f}" for each in loads)),
    ]
    return table(("statements a second", *(_workers(size) for size in sizes)), rows)


def arrivals() -> str:
    """A hundred workers, one amount of work, three ways in which it comes."""
    film, workers, hours = short(), 100, 24.0
    per_hour = 0.5 * workers * HOUR_S / slot_seconds(film)
    chance = random.Random(7)  # noqa: S311  # the same each time
    ways = {
        "steady": steady(per_hour, hours * HOUR_S, chance),
        "a day's shape, peak 1.8 × mean": daily(per_hour, hours * HOUR_S, chance),
        "500 at once, and nothing else": together(500),
    }
    rows = []
    for name, times in ways.items():
        told = Simulation(fleet=Fleet(workers=workers, all_bps=LINK_BPS), seed=1).run((at, film) for at in times)
        ends = _time(_took(told.jobs, 0.5)), _time(_took(told.jobs, 0.95))
        rows.append((name, f"{len(told.jobs):,}", f"{told.busy:.0%}", *ends, _few(database.load(told).peak)))
    heads = ("films of ten minutes on 100 workers", "films", "busy", "p50", "p95", "statements, busiest second")
    return table(heads, rows)


def kills() -> str:
    """What is computed twice, by chunk length and by how often machines are taken away."""
    rates = (0.05, 0.5, 2.0)
    heads = (f"{_KILLED} films of two hours on 20 workers", *(f"{rate:g} an hour" for rate in rates))
    rows = []
    for chunk_s in (None, CHUNK_S, 60.0):
        for noticed, how in ((1.0, "told before"), (0.0, "killed")):
            cells = [_struck(chunk_s, rate, noticed) for rate in rates]
            rows.append((f"{'whole' if chunk_s is None else f'chunks of {chunk_s:.0f} s'}, {how}", *cells))
    return table(heads, rows)


def _struck(chunk_s: float | None, kills_per_hour: float, noticed: float) -> str:
    fleet = Fleet(workers=20, all_bps=LINK_BPS, kills_per_hour=kills_per_hour, noticed=noticed)
    film = Film(seconds=FILM_S, trace=measured(LADDER), chunk_s=chunk_s)
    told = Simulation(fleet=fleet, seed=2).run([(0.0, film)] * _KILLED, until_s=DAYS * DAY_S)
    left = _KILLED - told.ended
    more = [f"{told.failed} failed"] * (told.failed > 0) + [f"{left} not done in {DAYS} days"] * (left > 0)
    return "; ".join([f"{told.rework:.1%}", *more])


def walls() -> str:
    """What a worker takes of each thing that all share, and for how many workers it is enough."""
    told = at_work(100)
    load = database.load(told)
    moved_bps = sum(told.moved_bytes.values()) / told.ended_at_s / 100
    requests = (told.moved_bytes["chunk written"] + told.moved_bytes["output"]) / PART_BYTES / told.ended_at_s / 100
    connections = trace.kept()["statements"]["connections"]
    heads = ("shared by all", "a worker takes", "there is", "enough for workers")
    rows = [
        ("connections of the database", connections, "100, PostgreSQL's own `max_connections`", 100 / connections),
        ("connections behind a pooler: who listens", 1, "1,000", 1000),
        ("link to the storage, MB/s", f"{moved_bps / 1e6:.1f}", "1,250 (10 Gbit/s)", LINK_BPS / moved_bps),
        ("cores of the database, thousandths", f"{load.cores * 10:.2f}", "4 cores", 400 / load.cores),
        ("requests that write, a second", f"{requests:.3f}", "3,500, S3's of a prefix", 3500 / requests),
    ]
    return table(heads, [(what, str(takes), has, f"{enough:,.0f}") for what, takes, has, enough in rows])


def _took(jobs: Iterable[Job], share: float) -> float:
    took = [job.ended_at_s - job.at_s for job in jobs if job.ended_at_s is not None]
    return median(took) if share == 0.5 else percentile(took, share)


def _chunks(told: Tally) -> float:
    return told.moved_bytes["chunk written"] + told.moved_bytes["chunks read"]


def _times(told: Tally) -> float:
    once = sum(chain.from_iterable((job.film.source_bytes, job.film.output_bytes) for job in told.jobs))
    return sum(told.moved_bytes.values()) / once


def _few(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"


def _workers(count: int) -> str:
    return f"{count:,} worker{'s' if count > 1 else ''}"


def _time(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours:,} h {minutes:02} min" if hours < 100 else f"{hours:,} h"
    return f"{minutes} min {seconds:02} s"
