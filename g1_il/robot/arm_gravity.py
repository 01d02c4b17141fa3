# SPDX-License-Identifier: Apache-2.0
"""Torques that hold the arms against gravity, fast enough for every control step.

`gravity.gravity_torque` is exact and knows the whole robot; this one knows the two arms only,
side by side in one array, and takes the fingers as straight: they weigh so little that no way
of bending them changes an arm torque by more than 0.1 Nm.

Each arm is a chain of seven joints. With W_i the rotation of link i into the pelvis frame and
m_i its first mass moment about its own joint, extended by the masses beyond times the way to the
next joint, the moment that joint i carries is the sum of W_j m_j over j >= i.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.gravity import GRAVITY_M_S2
from g1_il.robot.joints import (
    FIXED_JOINTS,
    JOINT_INDEX,
    JOINTS,
    LEFT_ARM_JOINTS,
    LINKS,
    RIGHT_ARM_JOINTS,
    WAIST_JOINTS,
    FixedJoint,
    Joint,
)

Array = npt.NDArray[np.float64]

_WAIST = [JOINTS[JOINT_INDEX[name]] for name in WAIST_JOINTS]
_ARMS = [
    [JOINTS[JOINT_INDEX[name]] for name in names] for names in (LEFT_ARM_JOINTS, RIGHT_ARM_JOINTS)
]
_WAIST_INDEX = [JOINT_INDEX[joint.name] for joint in _WAIST]
_ARM_INDEX = np.array([[JOINT_INDEX[joint.name] for joint in arm] for arm in _ARMS]).T


def _rotation(rpy: tuple[float, float, float]) -> Array:
    """Rotation matrix of fixed-axis roll, pitch, yaw, shape (3, 3)."""
    (sr, sp, sy), (cr, cp, cy) = np.sin(rpy), np.cos(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _carried(link: str, chain: set[str]) -> tuple[float, Array]:
    """Mass [kg] and first moment [kg m] about a link's frame of the link and all it carries.

    Joints of the chain itself pass on only their mass, at their origin: what lies beyond turns
    with them. Every other joint is taken at zero.
    """
    mass = LINKS[link].mass
    moment = mass * np.array(LINKS[link].com)
    children: list[Joint | FixedJoint] = [*JOINTS, *FIXED_JOINTS]
    for joint in children:
        if joint.parent != link:
            continue
        beyond, its_moment = _carried(joint.child, chain)
        mass += beyond
        moment += beyond * np.array(joint.xyz)
        if joint.name not in chain:
            moment += _rotation(joint.rpy) @ its_moment
    return mass, moment


def _turns(joint: Joint) -> Array:
    """Rotation of a joint as A + sin(q) B + (1 - cos(q)) C, shape (3, 3, 3) for A, B, C."""
    x, y, z = joint.axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    fixed = _rotation(joint.rpy)
    return np.stack((fixed, fixed @ cross, fixed @ cross @ cross))


_WAIST_TURNS = np.stack([_turns(joint) for joint in _WAIST], axis=1)
_ARM_TURNS = np.stack([[_turns(joint) for joint in arm] for arm in _ARMS]).transpose(2, 1, 0, 3, 4)
"""A, B, C of joint i of each side: shape (3, 7, 2, 3, 3)."""
_CHAIN = {joint.name for arm in _ARMS for joint in arm}
_MOMENT = np.array([[_carried(joint.child, _CHAIN)[1] for joint in arm] for arm in _ARMS])
_MOMENT_AND_AXIS = np.stack(
    (_MOMENT, np.array([[joint.axis for joint in arm] for arm in _ARMS])), axis=-1
).transpose(1, 0, 2, 3)
"""First moment and axis of joint i of each side, as columns: shape (7, 2, 3, 2)."""


def arm_gravity_torque(position: Array, orientation_wxyz: Array) -> Array:
    """Holding torques of both arms.

    Args:
        position: Joint positions [rad], shape (43,), in ALL_JOINTS order.
        orientation_wxyz: Pelvis orientation in the world, shape (4,).

    Returns:
        Torques [Nm], shape (14,): left arm, right arm.
    """
    w, x, y, z = orientation_wxyz.tolist()
    up = (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))
    pull_x, pull_y, pull_z = (-GRAVITY_M_S2 * value for value in up)
    waist = _turned(_WAIST_TURNS, position[_WAIST_INDEX])
    arms = _turned(_ARM_TURNS, position[_ARM_INDEX])
    link = waist[0] @ waist[1] @ waist[2]
    links = np.empty_like(arms)
    for index in range(7):
        link = np.matmul(link, arms[index], out=links[index])
    columns = links @ _MOMENT_AND_AXIS
    moment = columns[::-1, ..., 0].cumsum(axis=0)[::-1]
    axis = columns[..., 1]
    torque = (
        axis[..., 0] * (moment[..., 2] * pull_y - moment[..., 1] * pull_z)
        + axis[..., 1] * (moment[..., 0] * pull_z - moment[..., 2] * pull_x)
        + axis[..., 2] * (moment[..., 1] * pull_x - moment[..., 0] * pull_y)
    )
    result: Array = torque.T.reshape(-1)
    return result


def _turned(turns: Array, position: Array) -> Array:
    """Rotations of joints at their positions, shape of position + (3, 3)."""
    sine = np.sin(position)[..., None, None]
    versine = 1.0 - np.cos(position)[..., None, None]
    result: Array = turns[0] + sine * turns[1] + versine * turns[2]
    return result
