# SPDX-License-Identifier: Apache-2.0
"""From tracked human hands to the robot's frames: wrist targets and fingertips in the palm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.rotation import matrix_from_xyzw
from g1_il.xr.frame import WRIST, HandFrame

Array = npt.NDArray[np.float64]

SIDES = ('left', 'right')

# WebXR's wrist in REP-103 axes: x to the middle finger, z out of the back of the hand. Unitree's
# wrist_yaw frames keep x; y leaves the back (left) or the palm (right), z points to the index.
WRIST_TO_ARM = {
    'left': np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    'right': np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}

# The point of the arm that follows the human wrist: ahead of the wrist_yaw joint, as
# xr_teleoperate has it, so that its users' habits hold here.
END_EFFECTOR_OFFSET = np.array([0.05, 0.0, 0.0])


def arm_orientation(hand: HandFrame, side: str) -> Array:
    """The tracked wrist's orientation as Unitree's wrist_yaw frame, shape (3, 3)."""
    return matrix_from_xyzw(hand.orientation_xyzw[WRIST]) @ WRIST_TO_ARM[side]


def wrist_target(head_position: Array, hand: HandFrame, side: str, offset: Array) -> Array:
    """Where the arm's end effector should be, from a wrist relative to the head.

    Only the head's translation is removed: turning the head does not move the hands.

    Args:
        head_position: [m], shape (3,), tracking space.
        hand: The tracked hand, same space.
        side: left or right.
        offset: Where the head is in the pelvis frame [m], shape (3,).

    Returns:
        Pose of the end effector in the pelvis frame, shape (4, 4).
    """
    pose = np.eye(4)
    pose[:3, :3] = arm_orientation(hand, side)
    pose[:3, 3] = hand.position[WRIST] - head_position + offset
    return pose


def points_in_palm(hand: HandFrame, side: str, joints: tuple[int, ...]) -> Array:
    """Joints of the human hand relative to its wrist, in the axes of the robot's palm link.

    Returns:
        [m], shape (len(joints), 3): x to the fingers, y out of the palm (right) or out of the
        back (left), z to the index finger.
    """
    return (hand.position[list(joints)] - hand.position[WRIST]) @ arm_orientation(hand, side)
