# SPDX-License-Identifier: Apache-2.0
"""Hand retargeting: what must hold for every human posture, and what makes a grasp firm."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g1_il.errors import ConfigError
from g1_il.retarget.hand_qp import HAND_JOINT_NAMES, HandQp, HandQpConfig, wanted_distance
from g1_il.robot.joints import LOWER, UPPER, VELOCITY, indices
from g1_il.sim.operator import CLOSED, SPANNED
from g1_il.sim.operator_hand import RELAXED, HandPosture, blend, hand_frame
from g1_il.xr.frame import HandFrame

PERIOD_S = 1 / 60
THUMB_2, MIDDLE_0, MIDDLE_1, INDEX_0, INDEX_1 = 2, 3, 4, 5, 6


def human(side: str, posture: HandPosture) -> HandFrame:
    return hand_frame(
        side=side, posture=posture, wrist_position=np.zeros(3), wrist_rotation=np.eye(3)
    )


def settled(side: str, posture: HandPosture, config: HandQpConfig | None = None) -> np.ndarray:
    qp = HandQp(config or HandQpConfig(), side, PERIOD_S)
    qp.start(np.zeros(7))
    for _ in range(120):
        answer = qp.step(human(side, posture))
    return answer


angle = st.floats(-0.3, 2.0)
finger = st.tuples(angle, angle, angle)
postures = st.builds(
    HandPosture,
    thumb_radial=st.floats(-0.5, 1.5),
    thumb_palmar=st.floats(-0.5, 1.5),
    thumb_roll=st.floats(-3.0, 0.5),
    thumb_flexion=st.tuples(angle, angle),
    index=finger,
    middle=finger,
    ring=finger,
    pinky=finger,
)


@settings(max_examples=60, deadline=None)
@given(side=st.sampled_from(['left', 'right']), wild=st.lists(postures, min_size=1, max_size=5))
def test_limits_of_angle_and_speed_hold_for_any_hand(side: str, wild: list[HandPosture]) -> None:
    joints = indices(HAND_JOINT_NAMES[side])
    qp = HandQp(HandQpConfig(), side, PERIOD_S)
    last = np.zeros(7)
    qp.start(last)
    for posture in wild:
        for _ in range(4):
            now = qp.step(human(side, posture))
            assert np.all(np.isfinite(now))
            assert np.all(now >= LOWER[joints] - 1e-9)
            assert np.all(now <= UPPER[joints] + 1e-9)
            assert np.all(np.abs(now - last) <= VELOCITY[joints] * PERIOD_S + 1e-9)
            last = now


@pytest.mark.parametrize('posture', [RELAXED, SPANNED, blend(SPANNED, CLOSED, 0.5), CLOSED])
def test_left_is_the_mirror_of_right(posture: HandPosture) -> None:
    left, right = settled('left', posture), settled('right', posture)
    # thumb_0 turns about the mirrored axis, everything else bends the other way round
    assert left[1:] == pytest.approx(-right[1:], abs=1e-6)
    assert left[0] == pytest.approx(right[0], abs=1e-6)


def test_straight_fingers_stay_straight_and_curled_ones_curl() -> None:
    straight = replace(RELAXED, index=(0.0, 0.0, 0.0), middle=(0.0, 0.0, 0.0))
    fist = replace(RELAXED, index=(1.4, 1.4, 0.7), middle=(1.4, 1.4, 0.7))
    open_hand, closed_hand = settled('right', straight), settled('right', fist)
    assert np.all(open_hand[MIDDLE_0:] < 0.35)
    assert np.all(open_hand[[MIDDLE_0, INDEX_0]] + open_hand[[MIDDLE_1, INDEX_1]] < 0.45)
    curl = closed_hand[[MIDDLE_0, INDEX_0]] + closed_hand[[MIDDLE_1, INDEX_1]]
    assert np.all(curl > 2.2)


def test_one_finger_can_be_stretched_while_the_other_is_curled() -> None:
    pointing = replace(CLOSED, index=(0.0, 0.0, 0.0))
    answer = settled('right', pointing)
    assert answer[INDEX_0] + answer[INDEX_1] < 0.6 < 1.5 < answer[MIDDLE_0] + answer[MIDDLE_1]


def test_a_closed_human_hand_sends_the_fingertips_past_the_thumb() -> None:
    config = HandQpConfig()
    qp = HandQp(config, 'right', PERIOD_S)
    qp.start(np.zeros(7))
    apart = {}
    for name, posture in {'spanned': SPANNED, 'closed': CLOSED}.items():
        for _ in range(60):
            qp.step(human('right', posture))
        apart[name] = qp.fingertips()[1:, 0] - qp.fingertips()[0, 0]
    # a can of 56 mm and two fingertips of 21 mm have to fit between thumb and fingers
    assert np.all(apart['spanned'] > 0.09)
    assert np.all(apart['closed'] < -0.8 * config.squeeze_m)


def test_closing_never_opens() -> None:
    qp = HandQp(HandQpConfig(), 'right', PERIOD_S)
    qp.start(settled('right', SPANNED))
    gaps = []
    for share in np.linspace(0.0, 1.0, 60):
        qp.step(human('right', blend(SPANNED, CLOSED, float(share))))
        tips = qp.fingertips()
        gaps.append(float(np.mean(tips[1:, 0]) - tips[0, 0]))
    assert np.all(np.diff(gaps) < 0.002)


@pytest.mark.parametrize('share', [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_still_hand_is_answered_by_a_still_hand(share: float) -> None:
    qp = HandQp(HandQpConfig(), 'right', PERIOD_S)
    qp.start(np.zeros(7))
    frame = human('right', blend(SPANNED, CLOSED, share))
    answers = np.array([qp.step(frame) for _ in range(120)])
    assert np.abs(np.diff(answers[60:], axis=0)).max() < 1e-4


def test_wanted_distance_is_monotonic_continuous_and_ends_in_a_squeeze() -> None:
    config = HandQpConfig()
    distances = np.linspace(0.0, 0.2, 2001)
    wanted = np.array([wanted_distance(d, config) for d in distances])
    assert np.all(np.diff(wanted) >= 0)
    assert np.all(np.diff(wanted) < 3e-4 + 1e-9), 'no jumps'
    assert wanted[0] == -config.squeeze_m
    assert wanted_distance(0.1, config) == 0.1
    assert wanted[-1] == config.aperture_max_m


def test_distances_out_of_order_are_refused() -> None:
    with pytest.raises(ConfigError, match=r'pinch_end_m, pinch_start_m.*0\.09, 0\.07'):
        HandQpConfig(pinch_end_m=0.09)
