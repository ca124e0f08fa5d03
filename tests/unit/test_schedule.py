from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.webhooks.schedule import DELAYS_S, Answer, judge


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_delivered(status: int) -> None:
    sent = judge(Answer(status=status, text="ok"), tried=10, jitter=0)
    assert (sent.result.state, sent.result.status, sent.result.error) == ("delivered", status, None)
    assert (sent.result.answer, sent.delay_seconds) == ("ok", 0)


@pytest.mark.parametrize("status", [101, 301, 307, 308, 400, 404, 429, 500, 501, 503])
def test_anything_else_is_told_again(status: int) -> None:
    """I4"""
    sent = judge(Answer(status=status), tried=1, jitter=0)
    assert (sent.result.state, sent.result.error) == ("pending", f"answered {status}")
    assert sent.delay_seconds >= 5


def test_gone_is_the_end_at_once() -> None:
    """I4"""
    assert judge(Answer(status=410), tried=1, jitter=0).result.state == "gone"


def test_ten_tries_are_made_in_three_days() -> None:
    states = [judge(Answer(error="timeout"), tried=tried, jitter=0).result.state for tried in range(1, 11)]
    assert states == ["pending"] * 9 + ["exhausted"]
    assert 3 * 86400 < sum(DELAYS_S) < 4 * 86400


@pytest.mark.parametrize(("tried", "base_s"), [(1, 5), (2, 300), (3, 1800), (4, 7200), (9, 86400)])
def test_each_pause_is_that_of_the_schedule_give_or_take_a_fifth(tried: int, base_s: float) -> None:
    """I2"""
    delays = [judge(Answer(status=500), tried=tried, jitter=jitter).delay_seconds for jitter in (-1, 0, 1)]
    assert delays == pytest.approx([0.8 * base_s, base_s, 1.2 * base_s])


@pytest.mark.parametrize(
    ("asked_s", "delay_s"), [(3600, 600), (0, 300), (301, 301), (600, 600), (1e12, 600), (None, 300)]
)
def test_the_receiver_may_ask_for_up_to_twice_the_pause(asked_s: float | None, delay_s: float) -> None:
    """I5"""
    assert judge(Answer(status=503, retry_after_s=asked_s), tried=2, jitter=0).delay_seconds == delay_s


@pytest.mark.parametrize("answer", [Answer(error="timeout"), Answer(status=429), Answer(status=429, retry_after_s=1)])
def test_a_receiver_that_cannot_keep_up_gets_a_minute(answer: Answer) -> None:
    assert judge(answer, tried=1, jitter=-1).delay_seconds == 60


@given(
    st.integers(1, 20),
    st.one_of(st.none(), st.integers(100, 599)),
    st.one_of(st.none(), st.floats(0, 1e300)),
    st.floats(-1, 1),
)
def test_no_answer_delays_for_ever(tried: int, status: int | None, retry_after_s: float | None, jitter: float) -> None:
    answer = Answer(status=status, error=None if status else "timeout", retry_after_s=retry_after_s)
    assert 0 <= judge(answer, tried=tried, jitter=jitter).delay_seconds <= 2 * 86400
