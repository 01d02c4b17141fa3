# SPDX-License-Identifier: Apache-2.0
"""Device times on the host's clock."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from g1_il.camera.device_clock import DeviceClock

HOST = 1_800_000_000_000_000_000
MS = 1_000_000


@given(st.lists(st.floats(1.0, 30.0), min_size=5, max_size=60))
def test_jitter_drops_out(delays_ms) -> None:
    clock = DeviceClock()
    errors = []
    for number, delay in enumerate(delays_ms):
        device = 5_000 * MS + number * 33 * MS
        truth = HOST + number * 33 * MS
        arrival = truth + round(delay * MS)
        stamp = clock.to_host_ns(device, arrival)
        assert stamp <= arrival
        errors.append(stamp - truth)
    assert clock.restarts == 0
    shortest = np.minimum.accumulate(np.round(np.array(delays_ms) * MS))
    np.testing.assert_allclose(errors, shortest, atol=2)


def test_drift_is_followed() -> None:
    clock = DeviceClock(window_s=5.0)
    rng = np.random.default_rng(1)
    for number in range(3000):
        truth = HOST + number * 33 * MS
        device = round(number * 33 * MS * (1 + 80e-6))
        stamp = clock.to_host_ns(device, truth + round(rng.uniform(2, 12) * MS))
        assert abs(stamp - truth) < 13 * MS
    assert clock.restarts == 0


def test_a_device_that_starts_again_is_noticed() -> None:
    clock = DeviceClock()
    for number in range(10):
        clock.to_host_ns(90_000 * MS + number * 33 * MS, HOST + number * 33 * MS)
    later = HOST + 400 * MS
    assert clock.to_host_ns(100 * MS, later) == later
    assert clock.restarts == 1


def test_a_host_clock_that_is_set_is_noticed() -> None:
    clock = DeviceClock()
    clock.to_host_ns(0, HOST)
    jumped = HOST + 3_600_000 * MS + 33 * MS
    assert clock.to_host_ns(33 * MS, jumped) == jumped
    assert clock.restarts == 1
