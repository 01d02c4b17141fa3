# SPDX-License-Identifier: Apache-2.0
"""Whether a measured state is to be believed, and whether the robot it describes is well.

The thresholds are those of Unitree's own `terminations.hpp`.
"""

from __future__ import annotations

import math

import numpy as np

from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, LOWER, UPPER
from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig

BODY = slice(0, 29)
LIMIT_TOLERANCE_RAD = 0.15
"""How far a joint may read beyond its limits (calibration, soft stops) and still be believed."""
STILL_RAD_S = 1.0
"""Arms that move faster than this cannot be taken over without a jerk."""
_ARMS = COMMAND_INDEX[:14]


def tilt(state: RobotState) -> float:
    """Angle between the pelvis' z axis and the world's [rad]."""
    _, x, y, _ = state.orientation_wxyz.tolist()
    return math.acos(min(1.0, max(-1.0, 1.0 - 2.0 * (x * x + y * y))))


def is_finite(state: RobotState) -> bool:
    """True when no body joint and no part of the IMU reads NaN or infinite."""
    total = np.add.reduce(state.position[BODY]) + np.add.reduce(state.velocity[BODY])
    imu = sum(state.orientation_wxyz.tolist()) + sum(state.angular_velocity.tolist())
    return math.isfinite(total + imu)


def illness(state: RobotState, config: GateConfig) -> str:
    """Why the robot must not be driven on; empty when it is well.

    Args:
        state: A finite state.
        config: The thresholds.
    """
    speed = np.abs(state.velocity[BODY])
    if np.maximum.reduce(speed) > config.max_joint_velocity_rad_s:
        fastest = int(speed.argmax())
        return (
            f'{ALL_JOINTS[fastest]} moves at {speed[fastest]:.1f} rad/s, allowed are '
            f'{config.max_joint_velocity_rad_s:.1f} rad/s'
        )
    gyro = max(map(abs, state.angular_velocity.tolist()))
    if gyro > config.max_gyro_rad_s:
        return f'pelvis turns at {gyro:.1f} rad/s, allowed are {config.max_gyro_rad_s:.1f} rad/s'
    lean = tilt(state)
    if lean > config.max_tilt_rad:
        return f'pelvis is tilted by {lean:.2f} rad, allowed are {config.max_tilt_rad:.2f} rad'
    for what, values, highest in (
        ('casing', state.casing_temperature, config.max_casing_temperature_degc),
        ('winding', state.winding_temperature, config.max_winding_temperature_degc),
    ):
        if np.fmax.reduce(values) > highest:
            index = int(np.nanargmax(values))
            return (
                f'{what} of {ALL_JOINTS[index]} has {values[index]:.0f} degC, allowed are '
                f'{highest:.0f} degC; let it cool'
            )
    return ''


def obstacle_to_arming(state: RobotState, config: GateConfig) -> str:
    """Why the arms cannot be taken over from this state; empty when they can.

    Args:
        state: A finite state.
        config: Thresholds, and whether hands are fitted.
    """
    norm = float(np.linalg.norm(state.orientation_wxyz))
    if abs(norm - 1.0) > 0.1:
        return f'IMU orientation has norm {norm:.2f}, expected is 1; wait for the robot to boot'
    checked = COMMAND_INDEX if config.hands else _ARMS
    position = state.position[checked]
    if not np.isfinite(position).all():
        return 'a hand has not reported its joints; check its cable, or set hands:=false'
    beyond = np.maximum(LOWER[checked] - position, position - UPPER[checked])
    worst = int(beyond.argmax())
    if beyond[worst] > LIMIT_TOLERANCE_RAD:
        joint = int(checked[worst])
        return (
            f'{ALL_JOINTS[joint]} reads {position[worst]:.2f} rad, possible are '
            f'{LOWER[joint]:.2f} to {UPPER[joint]:.2f} rad; check its calibration'
        )
    speed = np.abs(state.velocity[_ARMS])
    fastest = int(speed.argmax())
    if speed[fastest] > STILL_RAD_S:
        return (
            f'{ALL_JOINTS[int(_ARMS[fastest])]} moves at {speed[fastest]:.1f} rad/s; '
            f'wait until the arms are still (below {STILL_RAD_S:.1f} rad/s)'
        )
    return illness(state, config)
