# SPDX-License-Identifier: Apache-2.0
"""The joint table: dense, mirrored, and what the maker says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from g1_il.robot import joints
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS, GROUPS, JOINTS, LINKS
from g1_il.robot.poses import STANDING

FACTS = json.loads((Path(__file__).parents[1] / 'data' / 'g1_self_check.json').read_text())
HAND_ORDER = ('thumb_0', 'thumb_1', 'thumb_2', 'middle_0', 'middle_1', 'index_0', 'index_1')


def test_orders_are_dense_and_unique():
    assert len(ALL_JOINTS) == len(set(ALL_JOINTS)) == 43
    assert joints.BODY_JOINTS + joints.LEFT_HAND_JOINTS + joints.RIGHT_HAND_JOINTS == ALL_JOINTS
    assert sorted(sum(GROUPS.values(), ())) == sorted(ALL_JOINTS)
    assert len(COMMAND_JOINTS) == 28
    assert tuple(ALL_JOINTS[index] for index in COMMAND_INDEX) == COMMAND_JOINTS


def test_motor_order_is_unitrees():
    assert ALL_JOINTS[0] == 'left_hip_pitch_joint'
    assert ALL_JOINTS[12:15] == ('waist_yaw_joint', 'waist_roll_joint', 'waist_pitch_joint')
    assert ALL_JOINTS[15] == 'left_shoulder_pitch_joint'
    assert ALL_JOINTS[28] == 'right_wrist_yaw_joint'
    for side, group in (('left', 'left_hand'), ('right', 'right_hand')):
        assert GROUPS[group] == tuple(f'{side}_hand_{part}_joint' for part in HAND_ORDER)


def test_every_link_hangs_on_the_tree_once():
    children = [joint.child for joint in (*JOINTS, *joints.FIXED_JOINTS)]
    assert len(children) == len(set(children)) == 52
    assert {*children, joints.ROOT_LINK} == set(LINKS)
    assert {joint.parent for joint in JOINTS} <= set(LINKS)


@pytest.mark.parametrize('joint', [joint for joint in JOINTS if joint.name.startswith('left')])
def test_right_side_mirrors_the_left(joint):
    right = JOINTS[joints.JOINT_INDEX[joint.name.replace('left', 'right', 1)]]
    fingers = any(part in joint.name for part in ('_index_', '_middle_', 'thumb_1', 'thumb_2'))
    about_y = joint.axis[1] == 1.0
    if about_y:
        assert (right.lower, right.upper) == (joint.lower, joint.upper)
    else:
        assert (right.lower, right.upper) == (-joint.upper, -joint.lower)
    assert right.axis == joint.axis
    assert (right.effort, right.velocity, right.kp, right.kd) == (
        joint.effort,
        joint.velocity,
        joint.kp,
        joint.kd,
    )
    np.testing.assert_allclose(np.array(right.xyz) * (1, -1, 1), joint.xyz, atol=2e-5)
    assert LINKS[right.child].mass == LINKS[joint.child].mass
    assert not (fingers and about_y)


@pytest.mark.parametrize('name', FACTS['arm_limits'])
def test_limits_are_the_makers(name):
    index = joints.JOINT_INDEX[name]
    ours = [table[index] for table in (joints.LOWER, joints.UPPER, joints.EFFORT, joints.VELOCITY)]
    assert ours == FACTS['arm_limits'][name]


def test_masses_add_up():
    assert sum(link.mass for link in LINKS.values()) == pytest.approx(
        FACTS['total_mass'], abs=1e-6
    )


def test_inertias_are_physical():
    for link in LINKS.values():
        if link.mass == 0.0:
            continue
        ixx, iyy, izz, ixy, ixz, iyz = link.inertia
        moments = np.linalg.eigvalsh([[ixx, ixy, ixz], [ixy, iyy, iyz], [ixz, iyz, izz]])
        assert moments[0] > 0.0, link.name
        assert moments[0] + moments[1] >= moments[2] * 0.999, link.name


def test_tables_and_postures_cannot_be_changed():
    for array in (joints.LOWER, joints.KP, COMMAND_INDEX, STANDING):
        with pytest.raises(ValueError, match='read-only'):
            array[0] = 1


def test_standing_is_within_the_limits():
    assert np.all(STANDING > joints.LOWER - 1e-12) and np.all(STANDING < joints.UPPER + 1e-12)
