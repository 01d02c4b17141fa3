# SPDX-License-Identifier: Apache-2.0
"""One frame of headset tracking, in the robot's axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

HAND_JOINTS = 25
WRIST, THUMB_TIP, INDEX_TIP, MIDDLE_TIP, RING_TIP, PINKY_TIP = 0, 4, 9, 14, 19, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HandFrame:
    """One tracked hand: WebXR's 25 joints in WebXR's order.

    Attributes:
        tracked: False when the headset does not see the hand; the poses are then not to be used.
        position: Joint positions [m], shape (25, 3), in the tracking space (x forward, y left,
            z up, origin on the floor).
        orientation_xyzw: Joint orientations, shape (25, 4), ROS order; WebXR's joint axes carried
            into these axes by T R T^-1.
    """

    tracked: bool
    position: Array
    orientation_xyzw: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class XrFrame:
    """Head and hands at one capture time.

    Attributes:
        stamp_ns: Capture time on the host's clock [ns].
        head_tracked: False when the head pose is lost or emulated.
        head_position: [m], shape (3,), tracking space.
        head_orientation_xyzw: Shape (4,), x out of the face, z up.
        left: The left hand.
        right: The right hand.
    """

    stamp_ns: int
    head_tracked: bool
    head_position: Array
    head_orientation_xyzw: Array
    left: HandFrame
    right: HandFrame
