# SPDX-License-Identifier: Apache-2.0
"""What is asked of the robot: targets that a source wants, and commands that go on the wire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTargets:
    """Joint targets that a source wants, before the gate.

    Attributes:
        stamp_ns: Capture time of the observation these targets answer to [ns].
        source: teleop, policy or replay.
        position: Targets [rad], shape (28,), in COMMAND_JOINTS order (left arm, right arm,
            left hand, right hand).
        velocity: Feed-forward velocities [rad/s], shape (28,), zeros when there is no opinion.
    """

    stamp_ns: int
    source: str
    position: Array
    velocity: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotCommand:
    """One command as it goes on the wire: every motor's law tau + kp (q* - q) + kd (dq* - dq).

    Attributes:
        position: q* [rad], shape (43,), in ALL_JOINTS order.
        velocity: dq* [rad/s], shape (43,).
        effort: Feed-forward tau [Nm], shape (43,).
        kp: Stiffness [Nm/rad], shape (43,); zero for joints that are not commanded.
        kd: Damping [Nm s/rad], shape (43,).
        weight: arm_sdk weight, 0 (the robot's own controller) to 1 (ours).
        hands_enabled: False sends the hands Unitree's stop command (timeout bit, zeros).
    """

    position: Array
    velocity: Array
    effort: Array
    kp: Array
    kd: Array
    weight: float
    hands_enabled: bool
