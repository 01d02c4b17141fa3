# SPDX-License-Identifier: Apache-2.0
"""Arm IK: reaches what it can, holds what it cannot, and never breaks a bound."""

import numpy as np
import pytest

from g1_il.retarget.arm_ik import ARM_JOINTS, ArmIk, ArmIkConfig
from g1_il.retarget.wrist import SIDES
from g1_il.robot.joints import LOWER, UPPER, indices
from g1_il.robot.kinematics import link_poses
from g1_il.robot.poses import STANDING

PERIOD_S = 1 / 60
ARMS = indices(ARM_JOINTS)
START = STANDING[ARMS]


@pytest.fixture(scope='module')
def shared() -> ArmIk:
    return ArmIk(ArmIkConfig(), PERIOD_S)


@pytest.fixture
def ik(shared: ArmIk) -> ArmIk:
    shared.start(START)
    return shared


def end_effector(arms: np.ndarray, side: str) -> np.ndarray:
    """Forward kinematics that does not come from MuJoCo."""
    position = np.zeros(43)
    position[ARMS] = arms
    pose = link_poses(position)[f'{side}_wrist_yaw_link'].copy()
    pose[:3, 3] += pose[:3, :3] @ (0.05, 0.0, 0.0)
    return pose


def in_front(rng: np.random.Generator, side: str) -> np.ndarray:
    """A pose that an arm can reach: FK of a posture in the middle of its range."""
    arms = START.copy()
    own = slice(0, 7) if side == 'left' else slice(7, 14)
    arms[own] += rng.uniform(-0.3, 0.3, 7)
    arms[own][3] = rng.uniform(-0.9, 0.3)  # the elbow stands near its stop
    roll = 0.3 if side == 'left' else -0.3
    arms[own][1] = roll + rng.uniform(-0.2, 0.2)
    return end_effector(arms, side)


def test_starts_where_it_is_told_and_stays_there(ik: ArmIk) -> None:
    answers = np.array([ik.step() for _ in range(30)])
    assert np.abs(answers - START).max() < 0.02
    for side in SIDES:
        assert end_effector(answers[-1], side)[:3, 3] == pytest.approx(
            end_effector(START, side)[:3, 3], abs=1e-3
        )


@pytest.mark.parametrize('seed', range(8))
def test_reaches_what_can_be_reached(ik: ArmIk, seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = {side: in_front(rng, side) for side in SIDES}
    for side, target in targets.items():
        ik.set_target(side, target)
    for _ in range(120):
        answer = ik.step()
    for side, target in targets.items():
        reached = end_effector(answer, side)
        assert reached[:3, 3] == pytest.approx(target[:3, 3], abs=2e-3)
        assert reached[:3, :3] == pytest.approx(target[:3, :3], abs=2e-2)


@pytest.mark.parametrize('seed', range(6))
def test_wild_targets_break_no_bound_and_touch_nothing(ik: ArmIk, seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = ArmIkConfig()
    last = START
    for _ in range(12):
        for side in SIDES:
            pose = np.eye(4)
            pose[:3, :3], _ = np.linalg.qr(rng.normal(size=(3, 3)))
            pose[:3, :3] *= np.linalg.det(pose[:3, :3])
            pose[:3, 3] = rng.uniform((-0.3, -0.6, -0.3), (0.8, 0.6, 0.8))
            ik.set_target(side, pose)
        for _ in range(25):
            answer = ik.step()
            assert np.all(np.isfinite(answer))
            assert np.all(answer >= LOWER[ARMS] + 0.02)
            assert np.all(answer <= UPPER[ARMS] - 0.02)
            step = np.abs(answer - last).max()
            assert step <= config.max_velocity_rad_s * PERIOD_S + 1e-6
            assert ik.clearance() >= config.clearance_floor_m - 1e-6
            last = answer


def test_hands_inside_the_chest_stay_outside(ik: ArmIk) -> None:
    for side, y in (('left', 0.02), ('right', -0.02)):
        pose = end_effector(START, side)
        pose[:3, 3] = (0.05, y, 0.25)
        ik.set_target(side, pose)
    for _ in range(240):
        ik.step()
    assert ik.clearance() > 0.0
    assert min(ik.error(side)[0] for side in SIDES) > 0.05, 'the target is inside the robot'


def test_out_of_reach_is_held_without_chatter(ik: ArmIk) -> None:
    pose = end_effector(START, 'right')
    pose[:3, 3] = (1.0, -0.3, 0.3)
    ik.set_target('right', pose)
    answers = np.array([ik.step() for _ in range(400)])
    assert ik.error('right')[0] > 0.3
    steps = np.abs(np.diff(answers[-100:], axis=0))
    assert steps.max() < 2e-3
    assert ik.end_effector('right')[0, 3] > 0.4, 'stretched towards it'


def test_the_other_arm_does_not_care(ik: ArmIk) -> None:
    pose = end_effector(START, 'right')
    pose[:3, 3] += (0.15, -0.05, 0.05)
    ik.set_target('right', pose)
    for _ in range(120):
        answer = ik.step()
    assert ik.error('right')[0] < 2e-3
    assert np.abs(answer[:7] - START[:7]).max() < 0.05


def test_a_slow_arm_is_slow_and_the_other_is_not(ik: ArmIk) -> None:
    config = ArmIkConfig()
    for side in SIDES:
        pose = end_effector(START, side)
        pose[:3, 3] += (0.15, 0.0, 0.1)
        ik.set_target(side, pose)
    answers = np.array([START, *(ik.step(frozenset({'left'})) for _ in range(10))])
    speed = np.abs(np.diff(answers, axis=0)).max(axis=0) / PERIOD_S
    assert speed[:7].max() <= config.approach_velocity_rad_s + 1e-6
    assert speed[7:].max() > 1.5 * config.approach_velocity_rad_s
