# SPDX-License-Identifier: Apache-2.0
"""The commanded trajectory keeps its limits whatever is asked of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g1_il.safety.config import GateConfig
from g1_il.safety.limits import make_limits
from g1_il.safety.trajectory import Trajectory, braking_speed

PERIOD_S = 0.004
LIMITS = make_limits(GateConfig())
TINY = 1e-9


def braking_way(speed: float, acceleration: float) -> float:
    """Way to standstill in steps, the slow and obvious way."""
    way = 0.0
    while speed > 0.0:
        way += speed * PERIOD_S
        speed -= acceleration * PERIOD_S
    return way


@given(st.floats(0.0, 3.0), st.floats(1.0, 500.0))
def test_braking_speed_stops_exactly_within_the_distance(distance: float, acceleration: float):
    speed = float(braking_speed(np.array(distance), np.array(acceleration), PERIOD_S))
    assert braking_way(speed, acceleration) <= distance + TINY
    faster = speed + 1e-6 * acceleration * PERIOD_S
    assert braking_way(faster, acceleration) > distance - TINY


def test_braking_speed_of_no_room_is_zero():
    assert braking_speed(np.zeros(3), np.ones(3), PERIOD_S).tolist() == [0.0, 0.0, 0.0]


def pursue(trajectory: Trajectory, target: np.ndarray, **changes):
    """One step after a target at rest, by joints that follow perfectly."""
    settings = dict(
        gain_per_s=50.0, measured=trajectory.position, measured_velocity=trajectory.velocity
    )
    return trajectory.advance(target, np.zeros(28), **(settings | changes))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 20, 150]), st.floats(0.1, 50.0))
def test_limits_hold_for_random_targets(seed: int, hold: int, size: float):
    """Targets that leap every few steps, joints that are anywhere: limits are kept."""
    random = np.random.default_rng(seed)
    trajectory = Trajectory(LIMITS, PERIOD_S)
    trajectory.start(random.uniform(LIMITS.lower, LIMITS.upper))
    target, target_velocity = np.zeros(28), np.zeros(28)
    for step in range(600):
        if step % hold == 0:
            target, target_velocity = random.normal(size=(2, 28)) * size
        old_position, old_velocity = trajectory.position, trajectory.velocity
        trajectory.advance(
            target,
            target_velocity,
            gain_per_s=500.0,
            measured=old_position + random.normal(size=28) * 0.3,
            measured_velocity=random.normal(size=28),
        )
        assert (trajectory.position >= LIMITS.lower - TINY).all()
        assert (trajectory.position <= LIMITS.upper + TINY).all()
        assert (np.abs(trajectory.velocity) <= LIMITS.velocity + TINY).all()
        change = np.abs(trajectory.velocity - old_velocity)
        assert (change <= LIMITS.acceleration * PERIOD_S + 1e-7).all()
        moved = (trajectory.position - old_position) / PERIOD_S
        np.testing.assert_allclose(moved, trajectory.velocity, atol=1e-9)


def test_from_outside_the_limits_joints_only_come_back_in():
    trajectory = Trajectory(LIMITS, PERIOD_S)
    start = LIMITS.upper + 0.1
    trajectory.start(start)
    for _ in range(100):
        pursue(trajectory, start + 1.0)
    np.testing.assert_array_equal(trajectory.position, start)
    for _ in range(300):
        pursue(trajectory, np.zeros(28))
    assert (trajectory.position <= LIMITS.upper + 1e-5).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_arrives_without_overshoot(seed: int):
    random = np.random.default_rng(seed)
    trajectory = Trajectory(LIMITS, PERIOD_S)
    start, target = random.uniform(LIMITS.lower, LIMITS.upper, (2, 28))
    trajectory.start(start)
    side = np.sign(target - start)
    for _ in range(1500):
        pursue(trajectory, target)
        assert (side * (target - trajectory.position) >= -TINY).all()
    np.testing.assert_allclose(trajectory.position, target, atol=1e-5)


def test_says_what_was_held_back():
    trajectory = Trajectory(LIMITS, PERIOD_S)
    trajectory.start(np.zeros(28))
    still = pursue(trajectory, np.zeros(28))
    assert not (still.tracking_error or still.velocity_limit or still.acceleration_limit)
    far = np.zeros(28)
    far[3] = 1.5
    first = pursue(trajectory, far)
    assert first.acceleration_limit and first.lag_rad == 1.5
    for _ in range(40):
        pursue(trajectory, far)
    stuck = pursue(trajectory, far, measured=trajectory.position - LIMITS.lead - 0.1)
    assert stuck.tracking_error
    fast = trajectory.advance(
        trajectory.position,
        np.full(28, 20.0),
        gain_per_s=50.0,
        measured=trajectory.position,
        measured_velocity=np.full(28, 20.0),
    )
    assert fast.velocity_limit and not fast.tracking_error


def test_a_blocked_joint_pulls_its_command_back():
    """The lead over a joint that does not move settles at its bound."""
    trajectory = Trajectory(LIMITS, PERIOD_S)
    trajectory.start(np.zeros(28))
    blocked = np.zeros(28)
    leads = []
    for _ in range(500):
        pursue(trajectory, LIMITS.upper, measured=blocked, measured_velocity=blocked)
        leads.append(np.abs(trajectory.position))
    assert (np.array(leads) <= LIMITS.lead + 1e-6).all()
    assert np.max(leads, axis=0)[:14] == pytest.approx(LIMITS.lead[:14], abs=1e-3)
