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


_ORDER = [joint for pair in zip(*_ARMS, strict=True) for joint in pair] + _WAIST
_INDEX = np.array([JOINT_INDEX[joint.name] for joint in _ORDER])
_TURNS = np.stack([_turns(joint) for joint in _ORDER]).reshape(len(_ORDER), 3, 9)
"""A, B, C of the arms' joints, left and right in turn, and of the waist's: shape (17, 3, 9)."""
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
    pull_x = -2.0 * GRAVITY_M_S2 * (x * z - w * y)
    pull_y = -2.0 * GRAVITY_M_S2 * (y * z + w * x)
    pull_z = -GRAVITY_M_S2 * (1.0 - 2.0 * (x * x + y * y))
    turned = position[_INDEX]
    factors = np.ones((len(_ORDER), 1, 3))
    np.sin(turned, out=factors[:, 0, 1])
    np.subtract(1.0, np.cos(turned), out=factors[:, 0, 2])
    rotations = np.matmul(factors, _TURNS).reshape(-1, 3, 3)
    arms = rotations[:14].reshape(7, 2, 3, 3)
    link = rotations[14] @ rotations[15] @ rotations[16]
    links = np.empty_like(arms)
    for index in range(7):
        link = np.matmul(link, arms[index], out=links[index])
    columns = np.matmul(links, _MOMENT_AND_AXIS)
    moment = columns[::-1, ..., 0].cumsum(axis=0)[::-1]
    pull_cross = np.array(((0.0, pull_z, -pull_y), (-pull_z, 0.0, pull_x), (pull_y, -pull_x, 0.0)))
    torque = np.add.reduce(columns[..., 1] * np.matmul(moment, pull_cross), axis=-1)
    result: Array = torque.T.reshape(-1)
    return result
