# SPDX-License-Identifier: Apache-2.0
"""How a hand gets from one pose to another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.robot.rotation import matrix_from_xyzw, xyzw_from_matrices

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A wrist of the operator as he thinks of it: the robot's, in the robot's pelvis frame.

    Attributes:
        position: [m], shape (3,).
        rotation: Shape (3, 3): x to the middle finger, z out of the back of the hand.
    """

    position: Array
    rotation: Array


def min_jerk(share: float) -> float:
    """Smooth step from 0 to 1 with velocity and acceleration zero at both ends."""
    s = min(max(share, 0.0), 1.0)
    return s * s * s * (10.0 + s * (6.0 * s - 15.0))


def between(a: Pose, b: Pose, share: float) -> Pose:
    """The pose that is `share` of the way from a to b, turning about one axis."""
    q = xyzw_from_matrices(a.rotation.T @ b.rotation)
    half = math.atan2(float(np.linalg.norm(q[:3])), float(q[3]))
    rotation = a.rotation
    if half > 1e-9:
        axis = q[:3] / np.linalg.norm(q[:3])
        turn = np.append(axis * math.sin(share * half), math.cos(share * half))
        rotation = a.rotation @ matrix_from_xyzw(turn)
    return Pose(position=a.position + share * (b.position - a.position), rotation=rotation)
