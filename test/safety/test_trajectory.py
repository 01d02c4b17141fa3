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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 20, 150]), st.floats(0.1, 50.0))
def test_limits_hold_for_random_wishes(seed: int, hold: int, size: float):
    """Velocities that change every few steps, joints that are anywhere: limits are kept."""
    random = np.random.default_rng(seed)
    trajectory = Trajectory(LIMITS, PERIOD_S)
    trajectory.start(random.uniform(LIMITS.lower, LIMITS.upper))
    wanted = np.zeros(28)
    for step in range(600):
        if step % hold == 0:
            wanted = random.normal(size=28) * size
        old_position, old_velocity = trajectory.position, trajectory.velocity
        measured = old_position + random.normal(size=28) * 0.3
        trajectory.advance(wanted, measured=measured, measured_velocity=random.normal(size=28))
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
        trajectory.advance(
            np.full(28, 5.0), measured=trajectory.position, measured_velocity=np.zeros(28)
        )
    np.testing.assert_array_equal(trajectory.position, start)
    for _ in range(300):
        wanted = trajectory.approach(np.zeros(28), np.zeros(28), 50.0)
        trajectory.advance(
            wanted, measured=trajectory.position, measured_velocity=trajectory.velocity
        )
    assert (trajectory.position <= LIMITS.upper + 1e-5).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_approach_arrives_without_overshoot(seed: int):
    random = np.random.default_rng(seed)
    trajectory = Trajectory(LIMITS, PERIOD_S)
    start, target = random.uniform(LIMITS.lower, LIMITS.upper, (2, 28))
    trajectory.start(start)
    side = np.sign(target - start)
    for _ in range(1500):
        wanted = trajectory.approach(target, np.zeros(28), 50.0)
        trajectory.advance(
            wanted, measured=trajectory.position, measured_velocity=trajectory.velocity
        )
        assert (side * (target - trajectory.position) >= -TINY).all()
    np.testing.assert_allclose(trajectory.position, target, atol=1e-5)


def test_a_blocked_joint_pulls_its_command_back():
    """The lead over a joint that does not move settles at its bound."""
    trajectory = Trajectory(LIMITS, PERIOD_S)
    trajectory.start(np.zeros(28))
    blocked = np.zeros(28)
    leads = []
    for _ in range(500):
        wanted = trajectory.approach(LIMITS.upper, np.zeros(28), 50.0)
        trajectory.advance(wanted, measured=blocked, measured_velocity=blocked)
        leads.append(np.abs(trajectory.position))
    assert (np.array(leads) <= LIMITS.lead + 1e-6).all()
    assert np.max(leads, axis=0)[:14] == pytest.approx(LIMITS.lead[:14], abs=1e-3)
