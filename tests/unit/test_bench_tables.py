"""The report of the side-by-side bench."""

from __future__ import annotations

from tests.bench.beside.cases import Basics, Idle, _rate
from tests.bench.beside.contenders import CONTENDERS
from tests.bench.beside.tables import Figures, report


def _basics(ms: float, rate: float) -> Basics:
    return Basics(
        committed_ms=(ms, ms),
        answered_ms=(ms * ms, ms * ms),
        enqueue=rate,
        drain={1: rate, 2: 2 * rate},
        worker_ms=ms,
        database_ms=ms,
        twice=0,
    )


def _cells(told: str, name: str, occurrence: int = 0) -> dict[str, str]:
    lines = [line for line in told.splitlines() if line.startswith(f"| {name} |")]
    cells = [cell.strip() for cell in lines[occurrence].strip("|").split("|")]
    return dict(zip([each.name for each in CONTENDERS], cells[1:], strict=True))


def test_ratios_are_medians_of_neighbours_in_time() -> None:
    """A machine that slows down by ten between rounds does not change how one stands to the other."""
    rounds = [
        {"Encoder": _basics(1, 1000), "saq": _basics(4, 500)},
        {"Encoder": _basics(10, 100), "saq": _basics(40, 50)},
        {"Encoder": _basics(1, 1000), "saq": _basics(2, 2000)},
    ]
    told = report(Figures(basics=rounds))
    assert _cells(told, "its p50 over ours")["saq"] == "4.00"
    assert _cells(told, "its p50 over ours", 1)["saq"] == "16.00"
    assert _cells(told, "ours over it")["saq"] == "2.00"
    assert _cells(told, "drain, one worker")["saq"] == "500"


def test_a_peer_that_is_not_there_has_an_empty_column() -> None:
    told = report(Figures(backlog={"Encoder": {1000: 900.0, 1_000_000: 450.0}}))
    assert _cells(told, "1,000,000 over 1,000") == {each.name: "" for each in CONTENDERS} | {"Encoder": "0.50"}


def test_cases_that_were_left_out_have_no_table() -> None:
    told = report(Figures(idle={"Encoder": Idle(statements=0.6, connections=4, cpu=0.012)}))
    assert told.count("###") == 1
    assert _cells(told, "CPU, share of a core")["Encoder"] == "1.2%"


def test_a_rate_leaves_out_the_time_in_which_a_worker_warms_up() -> None:
    slow = [0.0, 1.0, 2.0]
    fast = [2.0 + tenth / 10 for tenth in range(1, 81)]
    assert round(_rate([*slow, *fast])) == 10
    assert _rate([1.0]) == 0.0
