# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics of the whole robot in numpy, from the joint table alone."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from g1_il.robot.joints import ALL_JOINTS, FIXED_JOINTS, JOINTS, ROOT_LINK
from g1_il.robot.shapes import FRAME_OF_SITE
from g1_il.robot.tables import Vector

Array = npt.NDArray[np.float64]


def rotation_from_rpy(rpy: Vector) -> Array:
    """Rotation matrix of fixed-axis roll, pitch, yaw [rad], shape (3, 3)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def transform(xyz: Vector, rpy: Vector) -> Array:
    """Homogeneous transform of a URDF origin, shape (4, 4)."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_from_rpy(rpy)
    matrix[:3, 3] = xyz
    return matrix


def quaternion_xyzw(rotation: Array) -> tuple[float, float, float, float]:
    """Quaternion of a rotation matrix, shape (3, 3), in ROS's order, w not negative."""
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    # Shepperd: the largest of the four squares is the safe one to divide by.
    squares = (1 + a - e - i, 1 - a + e - i, 1 - a - e + i, 1 + a + e + i)
    rows = (
        (squares[0], b + d, c + g, h - f),
        (b + d, squares[1], f + h, c - g),
        (c + g, f + h, squares[2], d - b),
        (h - f, c - g, d - b, squares[3]),
    )
    x, y, z, w = rows[squares.index(max(squares))]
    length = math.copysign(math.sqrt(x * x + y * y + z * z + w * w), w)
    return x / length, y / length, z / length, w / length


def _skew(axis: Vector) -> Array:
    x, y, z = axis
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


_ORIGIN = np.stack([transform(joint.xyz, joint.rpy) for joint in JOINTS])
_SKEW = np.stack([_skew(joint.axis) for joint in JOINTS])
_SKEW_SQUARED = _SKEW @ _SKEW
_FIXED = {joint.child: (joint.parent, transform(joint.xyz, joint.rpy)) for joint in FIXED_JOINTS}
_MOVED = {joint.child: (joint.parent, index) for index, joint in enumerate(JOINTS)}


@lru_cache(maxsize=64)
def _order(links: tuple[str, ...]) -> tuple[str, ...]:
    """The links and all their ancestors below the root, parents first."""
    order: list[str] = []

    def visit(link: str) -> None:
        if link == ROOT_LINK or link in order:
            return
        if link not in _MOVED and link not in _FIXED:
            raise ValueError(f'link {link!r} is not one of the G1; see g1_il.robot.joints.LINKS')
        visit(_MOVED[link][0] if link in _MOVED else _FIXED[link][0])
        order.append(link)

    for link in links:
        visit(link)
    return tuple(order)


_ALL_LINKS = (*_MOVED, *_FIXED)


def joint_transforms(position: Array) -> Array:
    """Pose of every joint's child link in its parent link.

    Args:
        position: Joint positions [rad], shape (43,), in ALL_JOINTS order.

    Returns:
        Shape (43, 4, 4), in ALL_JOINTS order.
    """
    angle = np.asarray(position, dtype=np.float64)
    if angle.shape != (len(ALL_JOINTS),):
        raise ValueError(f'position has shape {angle.shape}, wanted ({len(ALL_JOINTS)},)')
    sine = np.sin(angle)[:, None, None]
    versine = (1.0 - np.cos(angle))[:, None, None]
    turn = np.zeros_like(_ORIGIN)
    turn[:, :3, :3] = np.eye(3) + sine * _SKEW + versine * _SKEW_SQUARED
    turn[:, 3, 3] = 1.0
    placed: Array = _ORIGIN @ turn
    return placed


def link_poses(position: Array, links: tuple[str, ...] = _ALL_LINKS) -> dict[str, Array]:
    """Poses of links in the pelvis frame.

    Args:
        position: Joint positions [rad], shape (43,), in ALL_JOINTS order.
        links: Links wanted; their ancestors come along.

    Returns:
        Homogeneous transforms link -> (4, 4) [m].
    """
    local = joint_transforms(position)
    poses: dict[str, Array] = {ROOT_LINK: np.eye(4)}
    for link in _order(links):
        if link in _MOVED:
            parent, index = _MOVED[link]
            poses[link] = poses[parent] @ local[index]
        else:
            parent, fixed = _FIXED[link]
            poses[link] = poses[parent] @ fixed
    return poses


def site_pose(poses: dict[str, Array], site: str) -> Array:
    """Pose of a palm or fingertip frame, e.g. 'right_index_tip', in the pelvis frame, (4, 4)."""
    link, offset = FRAME_OF_SITE[site]
    pose: Array = poses[link] @ transform(offset, (0.0, 0.0, 0.0))
    return pose
