# SPDX-License-Identifier: Apache-2.0
"""The joints of the G1 with two Dex3-1 hands: names, orders, groups, limits and gains.

Every array of 43 in this package is in `ALL_JOINTS` order, every array of 28 that goes to or
comes from a policy in `COMMAND_JOINTS` order. Joints are called by the URDF's names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.robot import tables
from g1_il.robot.tables import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """One revolute joint.

    Attributes:
        name: URDF name.
        parent: Link that carries it.
        child: Link that it moves.
        xyz: Origin of the child's frame in the parent's [m].
        rpy: The same frame's fixed-axis roll, pitch, yaw [rad].
        axis: Axis of rotation, in the child's frame.
        lower: Lower limit [rad].
        upper: Upper limit [rad].
        effort: Torque limit [Nm].
        velocity: Speed limit of the motor [rad/s].
        kp: Default stiffness [Nm/rad].
        kd: Default damping [Nm s/rad].
    """

    name: str
    parent: str
    child: str
    xyz: Vector
    rpy: Vector
    axis: Vector
    lower: float
    upper: float
    effort: float
    velocity: float
    kp: float
    kd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedJoint:
    """A rigid connection of two links; fields as in `Joint`."""

    name: str
    parent: str
    child: str
    xyz: Vector
    rpy: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Mass properties of one link.

    Attributes:
        name: URDF name.
        mass: [kg]; 0 for a mere frame.
        com: Centre of mass in the link's frame [m].
        inertia: About the centre of mass, link axes [kg m^2]: ixx, iyy, izz, ixy, ixz, iyz.
    """

    name: str
    mass: float
    com: Vector
    inertia: tuple[float, float, float, float, float, float]


def _joint(row: tables.JointRow) -> Joint:
    name, parent, child, xyz, rpy, axis, (lower, upper, effort, velocity, kp, kd) = row
    return Joint(
        name=name,
        parent=parent,
        child=child,
        xyz=xyz,
        rpy=rpy,
        axis=axis,
        lower=lower,
        upper=upper,
        effort=effort,
        velocity=velocity,
        kp=kp,
        kd=kd,
    )


ROOT_LINK = 'pelvis'

JOINTS: tuple[Joint, ...] = tuple(_joint(row) for row in tables.REVOLUTE)
"""All 43 revolute joints, in ALL_JOINTS order."""

FIXED_JOINTS: tuple[FixedJoint, ...] = tuple(
    FixedJoint(name=name, parent=parent, child=child, xyz=xyz, rpy=rpy)
    for name, parent, child, xyz, rpy in tables.FIXED
)

LINKS: dict[str, Link] = {
    name: Link(name=name, mass=mass, com=com, inertia=inertia)
    for name, mass, com, inertia in tables.LINKS
}

ALL_JOINTS: tuple[str, ...] = tuple(joint.name for joint in JOINTS)
BODY_JOINTS = ALL_JOINTS[:29]
LEFT_HAND_JOINTS = ALL_JOINTS[29:36]
RIGHT_HAND_JOINTS = ALL_JOINTS[36:43]
LEFT_LEG_JOINTS = BODY_JOINTS[0:6]
RIGHT_LEG_JOINTS = BODY_JOINTS[6:12]
WAIST_JOINTS = BODY_JOINTS[12:15]
LEFT_ARM_JOINTS = BODY_JOINTS[15:22]
RIGHT_ARM_JOINTS = BODY_JOINTS[22:29]

COMMAND_JOINTS = LEFT_ARM_JOINTS + RIGHT_ARM_JOINTS + LEFT_HAND_JOINTS + RIGHT_HAND_JOINTS
"""The 28 joints that teleoperation and policies command."""

GROUPS: dict[str, tuple[str, ...]] = {
    'left_leg': LEFT_LEG_JOINTS,
    'right_leg': RIGHT_LEG_JOINTS,
    'waist': WAIST_JOINTS,
    'left_arm': LEFT_ARM_JOINTS,
    'right_arm': RIGHT_ARM_JOINTS,
    'left_hand': LEFT_HAND_JOINTS,
    'right_hand': RIGHT_HAND_JOINTS,
}

JOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(ALL_JOINTS)}
"""Place of each joint in ALL_JOINTS."""


def indices(names: tuple[str, ...]) -> npt.NDArray[np.intp]:
    """Places of joints in ALL_JOINTS, shape (len(names),)."""
    return np.array([JOINT_INDEX[name] for name in names], dtype=np.intp)


def _column(values: list[float]) -> npt.NDArray[np.float64]:
    array = np.array(values)
    array.flags.writeable = False
    return array


COMMAND_INDEX = indices(COMMAND_JOINTS)
COMMAND_INDEX.flags.writeable = False

LOWER = _column([joint.lower for joint in JOINTS])
UPPER = _column([joint.upper for joint in JOINTS])
EFFORT = _column([joint.effort for joint in JOINTS])
VELOCITY = _column([joint.velocity for joint in JOINTS])
KP = _column([joint.kp for joint in JOINTS])
KD = _column([joint.kd for joint in JOINTS])
