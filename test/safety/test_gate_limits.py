# SPDX-License-Identifier: Apache-2.0
"""Whatever comes in, what goes out is finite and within every limit."""

from __future__ import annotations

import numpy as np
from gate_bench import REST, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from g1_il.robot.joints import COMMAND_INDEX, EFFORT, KP
from g1_il.safety.config import GateConfig
from g1_il.safety.limits import make_limits
from g1_il.safety.report import GateState

CONFIG = GateConfig(arming_s=0.05, release_move_s=0.5, release_ramp_s=0.2)
LIMITS = make_limits(CONFIG)
PERIOD_S = 0.004


def bad_numbers(random: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Some of the values replaced by what should never come."""
    kinds = np.array([np.nan, np.inf, -np.inf, 1e9, -1e9, 1e300])
    hit = random.random(values.shape) < 0.02
    return np.where(hit, random.choice(kinds, values.shape), values)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 4, 8, 25]),
    st.sampled_from([0.02, 0.3, 3.0]),
    st.booleans(),
)
def test_commands_keep_every_limit(seed: int, every: int, size: float, bad: bool):
    random = np.random.default_rng(seed)
    bench = Bench(CONFIG)
    bench.arm('teleop')
    target = REST
    for index in range(700):
        if index % every == 0:
            target = target + random.normal(size=28) * size
            if random.random() < 0.05:
                target = random.uniform(LIMITS.lower, LIMITS.upper)
            velocity = random.normal(size=28) * size * 10.0
            if bad:
                target, velocity = bad_numbers(random, target), bad_numbers(random, velocity)
            bench.gate.offer(bench.targets(target, velocity=velocity), bench.now_ns)
            target = np.clip(np.nan_to_num(target), LIMITS.lower, LIMITS.upper)
        bench.step(fresh=random.random() > 0.05)
        if bad and random.random() < 0.002:
            bench.gate.select_source('policy', bench.now_ns)
            bench.gate.select_source('teleop', bench.now_ns)
    bench.gate.disarm(bench.now_ns)
    bench.run(1.0)
    assert bench.state is GateState.DISARMED
    sent = [command for command in bench.commands if command is not None]
    for command in sent:
        for values in (command.position, command.velocity, command.effort):
            assert np.isfinite(values).all()
    position = np.array([command.position[COMMAND_INDEX] for command in sent])
    assert (position >= LIMITS.lower - 1e-9).all() and (position <= LIMITS.upper + 1e-9).all()
    velocity = np.diff(position, axis=0) / PERIOD_S
    assert (np.abs(velocity) <= LIMITS.velocity + 1e-6).all()
    acceleration = np.abs(np.diff(velocity, axis=0)) / PERIOD_S
    assert (acceleration <= LIMITS.acceleration + 1e-3).all()
    told = np.array([command.velocity[COMMAND_INDEX] for command in sent])
    np.testing.assert_allclose(told[1:], velocity, atol=1e-6)


def test_the_lead_asks_for_less_torque_than_the_motors_have():
    torque = KP[COMMAND_INDEX] * LIMITS.lead
    assert (torque <= 0.9 * EFFORT[COMMAND_INDEX] + 1e-9).all()
    assert (LIMITS.lead > 0.1).all()


def test_soft_limits_lie_within_the_hard_ones_and_hold_the_resting_pose():
    assert (LIMITS.lower < LIMITS.upper).all()
    assert (LIMITS.lower <= REST).all() and (LIMITS.upper >= REST).all()
