# SPDX-License-Identifier: Apache-2.0
"""The virtual clock: right rates, right order, no drift."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g1_il.rollout.schedule import Activity, Schedule

SECOND = 1_000_000_000


@given(
    rates=st.lists(st.sampled_from([1.0, 5.0, 30.0, 60.0, 72.0, 90.0, 250.0]), min_size=1),
    seconds=st.integers(1, 3),
)
def test_every_activity_comes_as_often_as_it_should(rates: list[float], seconds: int) -> None:
    calls: list[tuple[int, int]] = []
    activities = [
        Activity(name=str(k), rate_hz=rate, action=lambda now, k=k: calls.append((now, k)))
        for k, rate in enumerate(rates)
    ]
    schedule = Schedule(activities, start_ns=7)
    assert schedule.run(7 + seconds * SECOND) is False
    assert Counter(k for _, k in calls) == {k: int(r) * seconds for k, r in enumerate(rates)}
    assert calls == sorted(calls), 'by time, and at equal times in the given order'
    for k, rate in enumerate(rates):
        times = [now for now, name in calls if name == k]
        assert times == [7 + round(n * SECOND / rate) for n in range(len(times))]
    assert schedule.now_ns == 7 + seconds * SECOND


def test_pausing_changes_nothing() -> None:
    def record(pauses: list[int]) -> list[tuple[str, int]]:
        calls: list[tuple[str, int]] = []
        schedule = Schedule(
            [
                Activity(name=n, rate_hz=r, action=lambda t, n=n: calls.append((n, t)))
                for n, r in (('a', 60.0), ('b', 250.0))
            ]
        )
        for pause in pauses:
            schedule.run(pause)
        return calls

    assert record([SECOND]) == record([1, 4_000_000, 4_000_001, 500_000_000, SECOND])


def test_stops_after_the_instant_in_which_it_is_told_to() -> None:
    calls: list[str] = []
    both = [
        Activity(name=n, rate_hz=10.0, action=lambda _, n=n: calls.append(n)) for n in ('a', 'b')
    ]
    schedule = Schedule(both)
    assert schedule.run(SECOND, stop=lambda: len(calls) >= 3) is True
    assert calls == ['a', 'b', 'a', 'b']
    assert schedule.now_ns == 100_000_000


def test_first_call_can_be_later() -> None:
    times: list[int] = []
    late = Activity(name='late', rate_hz=10.0, action=times.append, first_s=0.25)
    Schedule([late]).run(SECOND // 2)
    assert times == [250_000_000, 350_000_000, 450_000_000]


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match='rate_hz is 0'):
        Schedule([Activity(name='never', rate_hz=0.0, action=print)])
