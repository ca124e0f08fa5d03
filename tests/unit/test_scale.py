"""The simulator of a fleet (docs/operate/scale.md) loses nothing and does nothing twice but what was killed."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from math import inf

import pytest

from encoder.ffmpeg import chunks
from encoder.ffmpeg.plan import decide
from tests.lab import facts
from tests.scale import page
from tests.scale.film import Film, stretches
from tests.scale.fleet import DAY_S, Fleet, daily, steady, together
from tests.scale.pipe import Pipe
from tests.scale.simulator import Simulation
from tests.scale.tally import Tally
from tests.scale.trace import Trace, flat

HOUR = 3600.0
FILM = Film(seconds=HOUR, trace=flat(4.0, busy_cores=2.0), chunk_s=300.0)
UNEVEN = Trace(name="uneven", stretches=(2.0, 3.0, 7.0), begin_cpu_s=1.5, proof_cpu_s=0.2, sound_cpu_s=0.01)


def _run(fleet: Fleet, *films: Film, seed: int = 1, at_s: float = 0.0) -> Tally:
    return Simulation(fleet=fleet, seed=seed).run([(at_s, film) for film in films])


def _free(film: Film = FILM) -> Film:
    """Nothing is moved, so that times are those of the cores alone."""
    return Film(seconds=film.seconds, trace=film.trace, chunk_s=film.chunk_s, source_bps=0.0, output_bps=0.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noticed", [0.0, 0.5, 1.0])
def test_every_chunk_is_done_once_and_what_is_done_again_is_what_was_killed(seed: int, noticed: float) -> None:
    fleet = Fleet(workers=5, kills_per_hour=2.0, noticed=noticed)
    film = Film(seconds=HOUR, trace=UNEVEN, chunk_s=120.0)
    told = _run(fleet, film, film, film, seed=seed)
    done = [job for job in told.jobs if not job.failed]
    assert told.ended == 3
    assert told.kills
    assert set(told.tasks.values()) == {1}
    for job in done:
        assert len(job.chunks) == 30
        assert all(told.tasks[chunk.number] == 1 for chunk in job.chunks)
    kinds = sum(told.claims.values())
    assert kinds - len(told.kills) == sum(told.tasks.values()) or told.failed
    assert told.wasted_cpu_s == pytest.approx(sum(kill.cpu_s for kill in told.kills))
    if not told.failed:
        wanted = sum(chunk.cpu_s for job in done for chunk in job.chunks)
        around = 3 * (2 * 1.5 + HOUR * (0.2 + 0.01))
        assert told.useful_cpu_s == pytest.approx(wanted + around)


def test_one_worker_takes_as_long_as_all_tasks_one_after_the_other() -> None:
    told = _run(Fleet(workers=1), _free())
    assert told.ended_at_s == pytest.approx(HOUR * 4.0 / 2.0)
    assert told.busy == pytest.approx(1.0)
    whole = Film(seconds=HOUR, trace=FILM.trace, source_bps=0.0, output_bps=0.0)
    assert _run(Fleet(workers=1), whole).ended_at_s == pytest.approx(told.ended_at_s)


@pytest.mark.parametrize(("workers", "rounds"), [(2, 6), (5, 3), (12, 1), (100, 1)])
def test_chunks_of_one_length_take_so_many_rounds(workers: int, rounds: int) -> None:
    told = _run(Fleet(workers=workers), _free())
    assert told.ended_at_s == pytest.approx(rounds * 300 * 4.0 / 2.0)
    assert told.most_busy == min(workers, 12)


def test_what_is_done_at_one_place_alone_bounds_the_rest() -> None:
    """The root before the chunks and the assembly behind them: more machines do not shorten them."""
    trace = flat(4.0, proof_cpu_s=0.5, proof_cores=2.0, sound_cpu_s=0.1)
    film = Film(seconds=HOUR, trace=trace, chunk_s=300.0, source_bps=8e6, output_bps=0.0)
    told = _run(Fleet(workers=1000, each_bps=1e6), film)
    (job,) = told.jobs
    assert job.split_at_s == pytest.approx(3600.0)
    assert job.joined_at_s is not None
    assert told.ended_at_s - job.joined_at_s == pytest.approx(3600.0 + HOUR * 0.1 + HOUR * 0.5 / 2)


def test_the_same_seed_has_the_same_end_and_another_another() -> None:
    fleet = Fleet(workers=7, kills_per_hour=1.0, noticed=0.5)
    film = Film(seconds=HOUR, trace=UNEVEN, chunk_s=60.0)
    ends = [_run(fleet, film, film, seed=seed).ended_at_s for seed in (3, 3, 4)]
    assert ends[0] == ends[1] != ends[2]


def test_rework_is_near_what_paper_says() -> None:
    """Kills an hour, times half of a task's hours: chunks of 300 s at 1 CPU s/s on one core, killed with notice."""
    film = Film(seconds=HOUR, trace=flat(1.0, busy_cores=1.0), chunk_s=300.0, cores=1.0, source_bps=0, output_bps=0)
    told = _run(Fleet(workers=20, kills_per_hour=1.0, replaced_s=0.0), *[film] * 300)
    assert told.rework == pytest.approx(1.0 * (300 / 3600) / 2, rel=0.15)


def test_a_film_in_one_piece_fails_where_machines_live_too_short_and_in_chunks_it_does_not() -> None:
    dear = flat(10.0, busy_cores=2.0)
    whole = Film(seconds=2 * HOUR, trace=dear)
    parts = Film(seconds=2 * HOUR, trace=dear, chunk_s=60.0)
    short_lived = Fleet(workers=10, kills_per_hour=1.0, noticed=0.0, replaced_s=0.0)
    assert _run(short_lived, whole).failed == 1
    assert _run(short_lived, parts).failed == 0


def test_a_lost_task_waits_for_its_lease_and_one_that_is_given_back_does_not() -> None:
    film = Film(seconds=600.0, trace=flat(1.0, busy_cores=1.0), cores=1.0, source_bps=0, output_bps=0)
    for noticed, at_least_s, at_most_s in ((0.0, 48.0, 70.0), (1.0, 0.0, 0.0)):
        fleet = Fleet(workers=1, kills_per_hour=4.0, noticed=noticed, replaced_s=0.0)
        told = next(each for seed in range(99) if (each := _run(fleet, film, seed=seed)).kills)
        begun = sorted(second for (second, verb) in told.asked_in if verb == "begin transcode")
        waited_s = begun[1] - int(told.kills[0].at_s)
        assert at_least_s <= waited_s <= at_most_s


def test_films_stand_in_line_and_what_was_begun_goes_first() -> None:
    told = _run(Fleet(workers=2), *[_free()] * 3)
    ends = [job.ended_at_s for job in told.jobs]
    assert ends == sorted(ends, key=lambda each: each or inf)
    assert told.ended_at_s == pytest.approx(3 * HOUR * 4.0 / 4.0, rel=0.02)


# transfers


def test_transfers_share_what_there_is() -> None:
    pipe = Pipe(each_bps=100.0, all_bps=150.0)
    first = pipe.begin(0.0, 1000.0)
    assert pipe.next_end_s(0.0) == (10.0, first)
    second = pipe.begin(4.0, 300.0)  # 75 each from now on; the first has 600 left
    assert pipe.next_end_s(4.0) == (8.0, second)
    assert pipe.end(8.0, second) == pytest.approx(300.0)
    assert pipe.next_end_s(8.0) == (11.0, first)  # 300 left at 100
    assert pipe.end(9.0, first) == pytest.approx(800.0)  # given up
    assert pipe.next_end_s(9.0) is None


def test_bytes_are_those_of_source_and_output_with_what_was_read_twice() -> None:
    film = Film(seconds=HOUR, trace=flat(1.0), chunk_s=300.0, source_bps=8e6, output_bps=4e6)
    told = _run(Fleet(workers=4), film)
    assert told.moved_bytes["source"] == pytest.approx(2 * HOUR * 1e6)  # the root and the assembly
    assert told.moved_bytes["chunk written"] == told.moved_bytes["chunks read"] == pytest.approx(HOUR * 0.5e6)
    assert told.moved_bytes["output"] == pytest.approx(HOUR * 0.5e6)
    assert told.moved_bytes["range"] == pytest.approx(12 * (310e6 + film.index_bytes))
    assert told.wasted_bytes == 0.0


# films and arrivals


@pytest.mark.parametrize(
    ("seconds", "count", "last"), [(3600, 12, 300), (3605, 12, 305), (3620, 13, 20), (200, 1, 200)]
)
def test_a_short_rest_joins_the_last_chunk(seconds: float, count: int, last: float) -> None:
    made = stretches(seconds, 300.0)
    assert (len(made), made[-1][1] - made[-1][0]) == (count, last)
    assert made[0][0] == 0.0
    assert all(one[1] == other[0] for one, other in pairwise(made))


@pytest.mark.parametrize(("seconds", "chunk_s"), [(7200.0, 300.0), (7204.0, 300.0), (7252.0, 60.0), (607.0, 10.0)])
def test_chunks_part_where_the_platform_parts_them(seconds: float, chunk_s: float) -> None:
    media = facts.source(picture=facts.video(duration_seconds=seconds, frames=int(25 * seconds)), silent=True)
    plan = decide(media, {0: facts.spec("hls")}, facts.ABLE)
    split = chunks.split(plan, media, seconds=chunk_s, identity="")
    assert split is not None
    starts = [float(Fraction(chunk.start_seconds)) for chunk in split.chunks]
    assert starts == [start for start, _ in stretches(seconds, chunk_s)]


def test_arrivals_have_their_shape() -> None:
    days, chance = 20, random.Random(1)  # noqa: S311  # the same each time
    came = list(daily(10.0, days * DAY_S, chance))
    assert len(came) == pytest.approx(10 * 24 * days, rel=0.05)
    night = sum(at_s % DAY_S < HOUR for at_s in came)
    noon = sum(12 * HOUR <= at_s % DAY_S < 13 * HOUR for at_s in came)
    assert 5 < noon / night < 20
    assert len(list(steady(10.0, days * DAY_S, chance))) == pytest.approx(10 * 24 * days, rel=0.05)
    assert list(together(3)) == [0.0, 0.0, 0.0]


# the page


def test_the_page_says_what_the_simulator_says() -> None:
    """The columns of the large fleets are left to `make scale`: the same code, for longer."""
    written = page.PAGE.read_text()
    assert page.between(written, "traces") == page.traces()
    assert page.between(written, "film") == page.film()
    few = (1, 10)
    for name, made in (("load", page.loaded(few)), ("database", page.asked(few))):
        rows = {row[0]: row[1 : 1 + len(few)] for row in _cells(page.between(written, name))}
        assert {row[0]: row[1:] for row in _cells(made)}.items() <= rows.items(), name


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
