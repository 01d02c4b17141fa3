# SPDX-License-Identifier: Apache-2.0
"""From WebXR's axes (x right, y up, z backwards) to REP-103 (x forward, y left, z up).

A pose is carried over whole, T P T^-1: points and joint axes turn together, nothing is
re-labelled. What a wrist's axes mean to the robot is the business of retargeting.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ROBOT_FROM_WEBXR: Array = np.array(
    [[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=np.float64
)


def position_to_rep103(position: Array) -> Array:
    """Points of a WebXR space in REP-103 axes, same origin.

    Args:
        position: [m], shape (..., 3).
    """
    turned: Array = position @ ROBOT_FROM_WEBXR.T
    return turned


def orientation_to_rep103(orientation_xyzw: Array) -> Array:
    """Orientations of a WebXR space in REP-103 axes, T R T^-1.

    T is a proper rotation, so the axis of each quaternion turns like a point and its angle stays.

    Args:
        orientation_xyzw: Unit quaternions in WebXR's (and ROS's) order, shape (..., 4).
    """
    turned = np.empty_like(orientation_xyzw)
    turned[..., :3] = orientation_xyzw[..., :3] @ ROBOT_FROM_WEBXR.T
    turned[..., 3] = orientation_xyzw[..., 3]
    return turned
