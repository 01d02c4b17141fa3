# SPDX-License-Identifier: Apache-2.0
"""Torques that hold the robot against gravity, in numpy.

A controller with kp 80 lets an outstretched arm hang by about 3 degrees, two centimetres at the
hand; sent as feed-forward effort, these torques remove that error. The pelvis is taken as
upright unless told otherwise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.joints import FIXED_JOINTS, JOINTS, LINKS, ROOT_LINK
from g1_il.robot.kinematics import link_poses

Array = npt.NDArray[np.float64]

GRAVITY_M_S2 = 9.81

_HEAVY = tuple(name for name, link in LINKS.items() if link.mass > 0.0)
_MASS = np.array([LINKS[name].mass for name in _HEAVY])
_COM = np.array([LINKS[name].com for name in _HEAVY])
_AXIS = np.array([joint.axis for joint in JOINTS])
_MOVED = tuple(joint.child for joint in JOINTS)


def _carries() -> Array:
    """1 where a joint (row) moves a link (column)."""
    parent = {joint.child: joint.parent for joint in JOINTS}
    parent |= {joint.child: joint.parent for joint in FIXED_JOINTS}
    table = np.zeros((len(JOINTS), len(_HEAVY)))
    for column, link in enumerate(_HEAVY):
        while link != ROOT_LINK:
            if link in _MOVED:
                table[_MOVED.index(link), column] = 1.0
            link = parent[link]
    return table


_CARRIED = _carries()


def gravity_torque(position: Array, down: Array | None = None) -> Array:
    """Joint torques that keep the robot still at a position.

    Args:
        position: Joint positions [rad], shape (43,), in ALL_JOINTS order.
        down: Direction of gravity in the pelvis frame, unit vector, shape (3,); default -z.

    Returns:
        Torques [Nm], shape (43,), in ALL_JOINTS order.
    """
    poses = link_poses(position)
    heavy = np.stack([poses[link] for link in _HEAVY])
    com = np.einsum('nij,nj->ni', heavy[:, :3, :3], _COM) + heavy[:, :3, 3]
    moved = np.stack([poses[link] for link in _MOVED])
    axis = np.einsum('nij,nj->ni', moved[:, :3, :3], _AXIS)
    mass = _CARRIED @ _MASS
    moment = _CARRIED @ (_MASS[:, None] * com) - mass[:, None] * moved[:, :3, 3]
    pull = GRAVITY_M_S2 * (np.array([0.0, 0.0, -1.0]) if down is None else np.asarray(down))
    torque: Array = -np.einsum('ni,ni->n', axis, np.cross(moment, pull))
    return torque
