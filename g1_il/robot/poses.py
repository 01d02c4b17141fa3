# SPDX-License-Identifier: Apache-2.0
"""Named postures of the whole robot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.joints import ALL_JOINTS, JOINT_INDEX

_STANDING = {
    'left_shoulder_pitch_joint': 0.50,
    'left_shoulder_roll_joint': 0.25,
    'left_elbow_joint': -0.90,
    'right_shoulder_pitch_joint': 0.50,
    'right_shoulder_roll_joint': -0.25,
    'right_elbow_joint': -0.90,
}


def posture(angles: dict[str, float]) -> npt.NDArray[np.float64]:
    """Joint positions [rad], shape (43,), in ALL_JOINTS order; joints not named are at zero."""
    position = np.zeros(len(ALL_JOINTS))
    for name, angle in angles.items():
        position[JOINT_INDEX[name]] = angle
    position.flags.writeable = False
    return position


STANDING = posture(_STANDING)
"""Upright, elbows back and forearms raised: the hands are above a table's top and clear of it.

The simulated robot's own controller holds this pose, and the gate's rest may be this pose.
"""
