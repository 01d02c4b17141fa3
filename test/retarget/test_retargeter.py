# SPDX-License-Identifier: Apache-2.0
"""The retargeter: begins where the robot is, holds what it does not see, repeats itself."""

from dataclasses import replace

import numpy as np
import pytest

from g1_il.errors import ConfigError
from g1_il.retarget.retargeter import RetargetConfig, Retargeter
from g1_il.robot.joints import COMMAND_INDEX, JOINT_INDEX
from g1_il.robot.poses import STANDING
from g1_il.sim.operator import SPANNED
from g1_il.sim.operator_hand import RELAXED, HandPosture, hand_frame
from g1_il.xr.frame import HandFrame, XrFrame

PERIOD_NS = 16_666_667
HEAD = np.array([0.1, -0.2, 1.7])
OFFSET = np.array([0.15, 0.0, 0.45])
LEFT, RIGHT = slice(0, 7), slice(7, 14)
LEFT_HAND, RIGHT_HAND = slice(14, 21), slice(21, 28)


@pytest.fixture(scope='module')
def shared() -> Retargeter:
    return Retargeter()


@pytest.fixture
def retargeter(shared: Retargeter) -> Retargeter:
    shared.engage(STANDING)
    return shared


def hand(side: str, target: tuple[float, float, float], posture: HandPosture) -> HandFrame:
    """A hand, palm down, where the robot's end effector shall be [m, pelvis frame]."""
    position = np.array(target) - OFFSET + HEAD
    return hand_frame(
        side=side, posture=posture, wrist_position=position, wrist_rotation=np.eye(3)
    )


def frame(
    tick: int,
    right: tuple[float, float, float] = (0.30, -0.20, 0.20),
    posture: HandPosture = RELAXED,
) -> XrFrame:
    return XrFrame(
        stamp_ns=1_000_000_000 + tick * PERIOD_NS,
        head_tracked=True,
        head_position=HEAD.copy(),
        head_orientation_xyzw=np.array([0.0, 0.0, 0.0, 1.0]),
        left=hand('left', (0.28, 0.20, 0.15), posture),
        right=hand('right', right, posture),
    )


def follow(retargeter: Retargeter, frames: list[XrFrame]) -> np.ndarray:
    return np.array([retargeter.step(f).position for f in frames])


def test_says_nothing_until_engaged_and_after_disengaging(retargeter: Retargeter) -> None:
    retargeter.disengage()
    assert retargeter.step(frame(0)) is None
    retargeter.engage(STANDING)
    targets = retargeter.step(frame(1))
    assert targets is not None
    assert targets.source == 'teleop'
    assert targets.stamp_ns == frame(1).stamp_ns
    retargeter.disengage()
    assert retargeter.step(frame(2)) is None


def test_begins_where_the_robot_is_and_never_jumps(retargeter: Retargeter) -> None:
    config = retargeter.config
    answers = follow(retargeter, [frame(k) for k in range(200)])
    first = answers[0] - STANDING[COMMAND_INDEX]
    slow = config.arm.approach_velocity_rad_s / config.rate_hz
    assert np.abs(first[:14]).max() <= slow + 1e-6
    steps = np.abs(np.diff(answers[:, :14], axis=0))
    assert steps.max() <= config.arm.max_velocity_rad_s / config.rate_hz + 1e-6
    assert retargeter.approaching == frozenset()
    for side in ('left', 'right'):
        assert retargeter.arms.error(side)[0] < 2e-3


def test_begins_where_the_robot_is_even_outside_the_limits_of_ik(retargeter: Retargeter) -> None:
    measured = STANDING.copy()
    measured[JOINT_INDEX['left_shoulder_roll_joint']] = -0.4  # pressed against the torso
    measured[JOINT_INDEX['right_elbow_joint']] = 2.09
    retargeter.engage(measured)
    answers = follow(retargeter, [frame(k) for k in range(120)])
    config = retargeter.config
    slow = 2.0 * config.arm.approach_velocity_rad_s / config.rate_hz
    path = np.vstack([measured[COMMAND_INDEX], answers])[:61, :14]
    assert np.abs(np.diff(path, axis=0)).max() <= slow + 1e-6
    assert answers[-1][1] >= -config.arm.inward_roll_rad - 1e-9


def test_comes_slowly_at_first_and_then_keeps_up(retargeter: Retargeter) -> None:
    config = retargeter.config
    answers = follow(retargeter, [frame(0)] * 30)
    speed = np.abs(np.diff(answers[:, :14], axis=0)).max() * config.rate_hz
    assert speed <= config.arm.approach_velocity_rad_s + 1e-6
    follow(retargeter, [frame(0)] * 150)
    moved = follow(retargeter, [frame(k, right=(0.45, -0.3, 0.3)) for k in range(10)])
    assert np.abs(np.diff(moved[:, RIGHT], axis=0)).max() * config.rate_hz > 1.5


def test_the_same_frames_give_the_same_answers() -> None:
    rng = np.random.default_rng(3)
    path = np.cumsum(rng.normal(0.0, 0.01, (120, 3)), axis=0) + (0.3, -0.2, 0.2)
    frames = [frame(k, right=tuple(point), posture=SPANNED) for k, point in enumerate(path)]
    first, second = Retargeter(), Retargeter()
    second.engage(np.zeros(43))
    follow(second, frames[:20])  # what was before an engage does not count
    first.engage(STANDING)
    second.engage(STANDING)
    assert np.array_equal(follow(first, frames), follow(second, frames))


def test_an_unseen_hand_holds_its_last_target(retargeter: Retargeter) -> None:
    follow(retargeter, [frame(k) for k in range(200)])
    before = retargeter.step(frame(200)).position
    lost = [
        replace(
            frame(k, right=(0.9, 0.9, 0.9), posture=SPANNED),
            right=replace(hand('right', (0.9, 0.9, 0.9), SPANNED), tracked=False),
        )
        for k in range(201, 220)
    ]
    after = follow(retargeter, lost)[-1]
    assert after[RIGHT] == pytest.approx(before[RIGHT], abs=1e-3)
    assert np.array_equal(after[RIGHT_HAND], before[RIGHT_HAND])
    assert np.abs(after[LEFT_HAND] - before[LEFT_HAND]).max() > 0.05, 'the other goes on'


def test_a_hand_that_is_back_after_long_is_approached_slowly(retargeter: Retargeter) -> None:
    config = retargeter.config
    follow(retargeter, [frame(k) for k in range(200)])
    assert not retargeter.approaching
    answers = follow(retargeter, [frame(k, right=(0.5, -0.3, 0.35)) for k in range(240, 250)])
    assert retargeter.approaching == {'right'}, 'the left hand is where it was'
    speed = np.abs(np.diff(answers[:, RIGHT], axis=0)).max() * config.rate_hz
    assert speed <= config.arm.approach_velocity_rad_s + 1e-6


@pytest.mark.parametrize('lost', ['head', 'both hands'])
def test_nothing_to_see_is_nothing_to_say(retargeter: Retargeter, lost: str) -> None:
    whole = frame(0)
    if lost == 'head':
        blind = replace(whole, head_tracked=False)
    else:
        blind = replace(
            whole,
            left=replace(whole.left, tracked=False),
            right=replace(whole.right, tracked=False),
        )
    assert retargeter.step(blind) is None
    assert retargeter.step(whole) is not None


def test_numbers_that_are_none_count_as_unseen(retargeter: Retargeter) -> None:
    whole = frame(0)
    broken = whole.right.position.copy()
    broken[4, 1] = np.nan
    zeros = np.zeros((25, 4))
    for right in (
        replace(whole.right, position=broken),
        replace(whole.right, orientation_xyzw=zeros),
    ):
        targets = retargeter.step(replace(whole, right=right))
        assert np.all(np.isfinite(targets.position))
    left = replace(whole.left, orientation_xyzw=zeros)
    assert retargeter.step(replace(whole, left=left, right=right)) is None


def test_turning_the_head_moves_nothing_but_moving_it_does(retargeter: Retargeter) -> None:
    follow(retargeter, [frame(k) for k in range(200)])
    still = retargeter.step(frame(200)).position
    turned = replace(frame(201), head_orientation_xyzw=np.array([0.0, 0.3, 0.5, 0.81]))
    assert retargeter.step(turned).position == pytest.approx(still, abs=1e-4)
    forward = replace(frame(202), head_position=HEAD + (0.05, 0.0, 0.0))
    assert np.abs(retargeter.step(forward).position[RIGHT] - still[RIGHT]).max() > 0.02


def test_hands_never_seen_by_the_robot_start_open() -> None:
    measured = STANDING.copy()
    measured[29:] = np.nan
    retargeter = Retargeter()
    retargeter.engage(measured)
    assert np.all(np.isfinite(retargeter.step(frame(0)).position))


def test_wrong_measurements_are_refused(retargeter: Retargeter) -> None:
    with pytest.raises(ValueError, match=r'\(28,\)'):
        retargeter.engage(np.zeros(28))
    broken = STANDING.copy()
    broken[20] = np.nan
    with pytest.raises(ValueError, match='finite'):
        retargeter.engage(broken)


@pytest.mark.parametrize(
    ('values', 'told'),
    [({'rate_hz': 0.0}, 'rate_hz is 0.0'), ({'head_offset_m': (0.0, 1.0)}, 'head_offset_m')],
)
def test_wrong_parameters_are_refused(values: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        RetargetConfig(**values)
