# SPDX-License-Identifier: Apache-2.0
"""What the robot says about itself, as one frozen noun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotState:
    """Measured state of body and hands, in ALL_JOINTS order (29 body, 7 left hand, 7 right hand).

    Attributes:
        stamp_ns: Host time at which the body's state was received [ns].
        left_hand_stamp_ns: Host time of the left hand's last state [ns]; -1 when never seen.
        right_hand_stamp_ns: Host time of the right hand's last state [ns]; -1 when never seen.
        position: Joint positions [rad], shape (43,); NaN for a hand never seen.
        velocity: Joint velocities [rad/s], shape (43,).
        effort: Estimated joint torques [Nm], shape (43,).
        orientation_wxyz: Pelvis orientation in the world, shape (4,), Unitree's order w x y z.
        angular_velocity: Pelvis gyroscope [rad/s], shape (3,), pelvis frame.
        linear_acceleration: Pelvis accelerometer [m/s^2], shape (3,), pelvis frame.
        mode_machine: Model variant byte, to be sent back unchanged in every command.
        mode_pr: 0 series joints, 1 parallel motors.
        tick: The robot's own counter [ms since boot].
        casing_temperature: Motor casings [degC], shape (29,); NaN when unknown.
        winding_temperature: Motor windings [degC], shape (29,); NaN when unknown.
        wireless_remote: The remote's 40 raw bytes.
    """

    stamp_ns: int
    left_hand_stamp_ns: int
    right_hand_stamp_ns: int
    position: Array
    velocity: Array
    effort: Array
    orientation_wxyz: Array
    angular_velocity: Array
    linear_acceleration: Array
    mode_machine: int
    mode_pr: int
    tick: int
    casing_temperature: Array
    winding_temperature: Array
    wireless_remote: bytes
