# SPDX-License-Identifier: Apache-2.0
"""The clock mapping bounds the truth, whatever the line does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from g1_il.xr.clock import HeadsetClock

EPOCH = 1_800_000_000_000_000_000
OFFSET = EPOCH - 5_000_000_000  # The headset's clock began five seconds before.


def headset_ms(host_ns: int) -> float:
    return (host_ns - OFFSET) / 1e6


def test_unknown_before_the_first_round_trip() -> None:
    assert HeadsetClock().to_host_ns(1.0, EPOCH) is None


@given(
    st.lists(st.tuples(st.floats(0.0, 0.2), st.floats(0.0, 0.2)), min_size=1, max_size=40),
    st.floats(0.0, 30.0),
)
def test_the_truth_lies_within_the_uncertainty(delays, wait_s: float) -> None:
    clock = HeadsetClock()
    now = EPOCH
    for there_s, back_s in delays:
        asked = now
        answer = headset_ms(asked + round(there_s * 1e9))
        now = asked + round((there_s + back_s) * 1e9)
        assert clock.add_round_trip(asked_ns=asked, headset_ms=answer, answered_ns=now)
        now += 1_000_000_000
    assert clock.restarts == 0
    now += round(wait_s * 1e9)
    truth = now - 20_000_000
    stamp, half_s = clock.to_host_ns(headset_ms(truth), now)
    assert abs(stamp - truth) <= half_s * 1e9 + 1000
    shortest = min(there + back for there, back in delays)
    assert half_s <= shortest / 2 + 1e-4 * (wait_s + 1.4 * len(delays)) + 1e-6


def test_drift_stays_within_the_uncertainty() -> None:
    clock = HeadsetClock()
    rng = np.random.default_rng(0)
    for second in range(600):
        asked = EPOCH + second * 1_000_000_000
        there, back = rng.uniform(1e6, 20e6, 2).astype(int)
        drifted = headset_ms(asked + there) * (1 + 60e-6)
        clock.add_round_trip(asked_ns=asked, headset_ms=drifted, answered_ns=asked + there + back)
        truth = asked + 100_000_000
        stamp, half_s = clock.to_host_ns(headset_ms(truth) * (1 + 60e-6), truth)
        assert abs(stamp - truth) <= half_s * 1e9
    assert clock.restarts == 0


def test_no_stamp_lies_in_the_future() -> None:
    clock = HeadsetClock()
    clock.add_round_trip(asked_ns=EPOCH, headset_ms=headset_ms(EPOCH), answered_ns=EPOCH)
    stamp, _ = clock.to_host_ns(headset_ms(EPOCH + 50_000_000), EPOCH + 10)
    assert stamp == EPOCH + 10


def test_a_set_clock_is_noticed() -> None:
    clock = HeadsetClock()
    for second in range(5):
        at = EPOCH + second * 1_000_000_000
        clock.add_round_trip(asked_ns=at, headset_ms=headset_ms(at), answered_ns=at + 4_000_000)
    jump = 3_600_000_000_000
    at = EPOCH + 6_000_000_000
    clock.add_round_trip(
        asked_ns=at + jump, headset_ms=headset_ms(at), answered_ns=at + jump + 4_000_000
    )
    assert clock.restarts == 1
    stamp, half_s = clock.to_host_ns(headset_ms(at), at + jump + 10_000_000)
    assert abs(stamp - (at + jump)) <= half_s * 1e9


def test_useless_round_trips_are_left_out() -> None:
    clock = HeadsetClock()
    assert not clock.add_round_trip(asked_ns=EPOCH, headset_ms=0.0, answered_ns=EPOCH - 1)
    assert not clock.add_round_trip(
        asked_ns=EPOCH, headset_ms=0.0, answered_ns=EPOCH + 2_000_000_000
    )
    assert clock.to_host_ns(1.0, EPOCH) is None
