# SPDX-License-Identifier: Apache-2.0
"""The operator's hand is a human's, in WebXR's conventions."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from g1_il.robot.rotation import matrix_from_xyzw, rotation_x, rotation_z
from g1_il.sim.operator import CLOSED, SPANNED
from g1_il.sim.operator_hand import RELAXED, HandPosture, blend, hand_frame
from g1_il.xr.frame import HandFrame

CHAINS = [[1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]] + [
    [15, 16, 17, 18, 19],
    [20, 21, 22, 23, 24],
]
POSTURES = [RELAXED, SPANNED, CLOSED, blend(SPANNED, CLOSED, 0.3)]


def made(side: str, posture: HandPosture) -> HandFrame:
    turn = rotation_z(0.4) @ rotation_x(-0.7)
    return hand_frame(
        side=side, posture=posture, wrist_position=np.array([0.3, -0.2, 1.2]), wrist_rotation=turn
    )


def lengths(hand: HandFrame) -> np.ndarray:
    return np.concatenate(
        [np.linalg.norm(np.diff(hand.position[c], axis=0), axis=1) for c in CHAINS]
    )


@pytest.mark.parametrize('side', ['left', 'right'])
@pytest.mark.parametrize('posture', POSTURES)
def test_bones_keep_their_length_and_run_along_their_frames(
    side: str, posture: HandPosture
) -> None:
    hand = made(side, posture)
    assert lengths(hand) == pytest.approx(lengths(made('right', RELAXED)))
    for chain in CHAINS:
        for joint, following in itertools.pairwise(chain):
            axes = matrix_from_xyzw(hand.orientation_xyzw[joint])
            bone = hand.position[following] - hand.position[joint]
            assert axes[:, 0] == pytest.approx(bone / np.linalg.norm(bone), abs=1e-9)
            assert np.linalg.det(axes) == pytest.approx(1.0)
    assert np.linalg.norm(hand.orientation_xyzw, axis=1) == pytest.approx(np.ones(25))


def test_the_hand_is_of_adult_size() -> None:
    flat = replace(RELAXED, index=(0.0, 0.0, 0.0), middle=(0.0, 0.0, 0.0))
    hand = made('right', flat)
    assert 0.17 < np.linalg.norm(hand.position[14] - hand.position[0]) < 0.21
    assert 0.07 < np.linalg.norm(hand.position[9] - hand.position[6]) < 0.09


@pytest.mark.parametrize('side', ['left', 'right'])
def test_wrist_is_where_it_was_put(side: str) -> None:
    hand = made(side, SPANNED)
    assert hand.tracked
    assert hand.position[0] == pytest.approx((0.3, -0.2, 1.2))
    axes = matrix_from_xyzw(hand.orientation_xyzw[0])
    assert axes == pytest.approx(rotation_z(0.4) @ rotation_x(-0.7))


def test_fingers_bend_towards_the_palm_on_both_sides() -> None:
    for side in ('left', 'right'):
        up = matrix_from_xyzw(made(side, RELAXED).orientation_xyzw[0])[:, 2]
        for tip in (9, 14, 19, 24):
            height = [
                float((made(side, p).position[tip] - made(side, p).position[0]) @ up)
                for p in (RELAXED, CLOSED)
            ]
            assert height[1] < height[0] < 0.0, 'z leaves the back of the hand'


def test_thumb_and_index_are_on_the_inner_side() -> None:
    flat = {s: hand_frame(side=s, posture=RELAXED, wrist_position=np.zeros(3),
                          wrist_rotation=np.eye(3)) for s in ('left', 'right')}  # fmt: skip
    for side, sign in (('left', -1.0), ('right', 1.0)):
        y = flat[side].position[:, 1] * sign
        assert y[4] > y[9] > y[14] > y[19] > y[24]


def test_closing_brings_thumb_and_fingers_together() -> None:
    gaps = []
    for share in np.linspace(0.0, 1.0, 11):
        hand = made('right', blend(SPANNED, CLOSED, float(share)))
        gaps.append(np.linalg.norm(hand.position[4] - hand.position[9]))
    assert gaps[0] > 0.1
    assert gaps[-1] < 0.02
    assert np.all(np.diff(gaps) < 0)


def test_blend_begins_and_ends_with_its_postures() -> None:
    assert blend(SPANNED, CLOSED, 0.0) == SPANNED
    assert blend(RELAXED, RELAXED, 0.7).index == pytest.approx(RELAXED.index)
    assert blend(SPANNED, CLOSED, 1.0).thumb_roll == pytest.approx(CLOSED.thumb_roll)
