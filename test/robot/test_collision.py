# SPDX-License-Identifier: Apache-2.0
"""Distances of the robot's parts to each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g1_il.robot.collision import CAPSULES, PAIRS, clearance, pair_distances, segment_distances
from g1_il.robot.joints import LOWER, UPPER
from g1_il.robot.poses import STANDING, posture

coordinate = st.floats(-1.0, 1.0)
point = st.tuples(coordinate, coordinate, coordinate)


@settings(max_examples=60, deadline=None)
@given(point, point, point, point)
def test_segment_distance_is_the_smallest_over_all_points(a, b, c, d):
    a, b, c, d = (np.array([vector]) for vector in (a, b, c, d))
    share = np.linspace(0.0, 1.0, 60)
    first = a + share[:, None] * (b - a)
    second = c + share[:, None] * (d - c)
    sampled = np.linalg.norm(first[:, None] - second[None], axis=2).min()
    exact = segment_distances(a, b, c, d)[0]
    assert exact <= sampled + 1e-9
    coarse = (np.linalg.norm(b - a) + np.linalg.norm(d - c)) / 59
    assert exact >= sampled - coarse - 1e-9


def test_parallel_and_point_segments():
    zero, x, up = np.zeros((1, 3)), np.array([[1.0, 0, 0]]), np.array([[0, 0, 0.5]])
    assert segment_distances(zero, x, up, x + up)[0] == pytest.approx(0.5)
    assert segment_distances(zero, zero, up, up)[0] == pytest.approx(0.5)
    assert segment_distances(zero, x, x + x, x + x + x)[0] == pytest.approx(1.0)


@pytest.mark.parametrize('position', [np.zeros(43), STANDING], ids=['zero', 'standing'])
def test_ordinary_postures_are_clear(position):
    assert clearance(position).distance > 0.015


def test_a_hand_in_the_chest_is_seen():
    folded = posture(
        {
            'left_shoulder_pitch_joint': 0.3,
            'left_shoulder_yaw_joint': -1.3,
            'left_elbow_joint': -0.2,
            'left_shoulder_roll_joint': 0.3,
        }
    )
    found = clearance(folded)
    assert found.distance < 0.0
    assert found.first.startswith('left_') or found.second.startswith('left_')


def test_crossed_forearms_are_seen():
    angles = {}
    for side, sign in (('left', 1.0), ('right', -1.0)):
        angles[f'{side}_shoulder_pitch_joint'] = -0.7
        angles[f'{side}_shoulder_yaw_joint'] = -0.75 * sign
        angles[f'{side}_elbow_joint'] = 0.3
    found = clearance(posture(angles))
    assert found.distance < 0.0
    assert {found.first.split('_')[0], found.second.split('_')[0]} == {'left', 'right'}


def test_left_and_right_are_alike():
    rng = np.random.default_rng(3)
    names = [capsule.name for capsule in CAPSULES]
    swapped = {frozenset((names[a], names[b])): index for index, (a, b) in enumerate(PAIRS)}

    def mirror_name(name: str) -> str:
        side, _, rest = name.partition('_')
        return {'left': f'right_{rest}', 'right': f'left_{rest}'}.get(side, name)

    angle = np.zeros(43)
    angle[15:22] = rng.uniform(LOWER[15:22], UPPER[15:22])
    mirrored = np.zeros(43)
    mirrored[22:29] = angle[15:22] * (1, -1, -1, 1, -1, 1, -1)
    one, other = pair_distances(angle), pair_distances(mirrored)
    for index, (a, b) in enumerate(PAIRS):
        twin = swapped[frozenset((mirror_name(names[a]), mirror_name(names[b])))]
        assert one[index] == pytest.approx(other[twin], abs=1e-3)
