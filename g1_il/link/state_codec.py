# SPDX-License-Identifier: Apache-2.0
"""Between the robot's messages and what the package knows of its state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.link import layout
from g1_il.link.layout import HAND_MOTORS, PADS, Struct
from g1_il.robot.state import RobotState

Array = npt.NDArray[np.float64]
Pads = npt.NDArray[np.float32]

PRESSURE_SCALE = 10000.0
INVALID_PRESSURE = 30000.0
"""What a touch pad sends when it has nothing to say; raw values from 100000 on are valid."""
LOWEST_VALID_PRESSURE = 100000.0

_BODY = slice(0, 29)
_UNSEEN_HAND = np.full(7, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandReading:
    """State of one hand.

    Attributes:
        stamp_ns: Host time of receipt [ns].
        position: [rad], shape (7,), in the hand's own order.
        velocity: [rad/s], shape (7,).
        effort: Estimated torque [Nm], shape (7,).
        pressure: Nine pads of twelve values, raw / 10000, shape (108,); NaN where invalid.
        temperature: As sent [degC], shape (108,); NaN when the pad is not there.
    """

    stamp_ns: int
    position: Array
    velocity: Array
    effort: Array
    pressure: Pads
    temperature: Pads


def decode_hand(data: bytes, stamp_ns: int) -> HandReading:
    """Reads a HandState.

    Args:
        data: Bytes of the wire.
        stamp_ns: Host time of receipt [ns].

    Raises:
        WireError: The bytes are not a HandState.
    """
    struct = layout.hand_state_from_cdr(data)[0]
    motors = struct['motor_state']
    pressure = np.full((PADS, 12), np.nan, dtype=np.float32)
    temperature = pressure.copy()
    sensors = struct['press_sensor_state'][:PADS]
    raw = sensors['pressure']
    pressure[: len(sensors)] = np.where(raw >= LOWEST_VALID_PRESSURE, raw / PRESSURE_SCALE, np.nan)
    temperature[: len(sensors)] = sensors['temperature']
    return HandReading(
        stamp_ns=stamp_ns,
        position=motors['q'].astype(np.float64),
        velocity=motors['dq'].astype(np.float64),
        effort=motors['tau_est'].astype(np.float64),
        pressure=pressure.reshape(-1),
        temperature=temperature.reshape(-1),
    )


def decode_state(
    struct: Struct, stamp_ns: int, left: HandReading | None, right: HandReading | None
) -> RobotState:
    """Joins a LowState and the hands' newest readings.

    Args:
        struct: LowState, shape (1,).
        stamp_ns: Host time of its receipt [ns].
        left: Left hand; None when never seen.
        right: Right hand; None when never seen.
    """
    low = struct[0]
    motors = low['motor_state'][_BODY]
    imu = low['imu_state']
    hands = (left, right)
    return RobotState(
        stamp_ns=stamp_ns,
        left_hand_stamp_ns=-1 if left is None else left.stamp_ns,
        right_hand_stamp_ns=-1 if right is None else right.stamp_ns,
        position=np.concatenate(
            [motors['q'], *(_UNSEEN_HAND if hand is None else hand.position for hand in hands)],
            dtype=np.float64,
        ),
        velocity=np.concatenate(
            [motors['dq'], *(_UNSEEN_HAND if hand is None else hand.velocity for hand in hands)],
            dtype=np.float64,
        ),
        effort=np.concatenate(
            [
                motors['tau_est'],
                *(_UNSEEN_HAND if hand is None else hand.effort for hand in hands),
            ],
            dtype=np.float64,
        ),
        orientation_wxyz=imu['quaternion'].astype(np.float64),
        angular_velocity=imu['gyroscope'].astype(np.float64),
        linear_acceleration=imu['accelerometer'].astype(np.float64),
        mode_machine=int(low['mode_machine']),
        mode_pr=int(low['mode_pr']),
        tick=int(low['tick']),
        casing_temperature=motors['temperature'][:, 0].astype(np.float64),
        winding_temperature=motors['temperature'][:, 1].astype(np.float64),
        wireless_remote=low['wireless_remote'].tobytes(),
    )


def encode_state(struct: Struct, state: RobotState, *, mode_machine: int, tick: int) -> None:
    """Fills a LowState, shape (1,), in place; the checksum is left to the caller."""
    low = struct[0]
    low['mode_machine'] = mode_machine
    low['mode_pr'] = state.mode_pr
    low['tick'] = tick & 0xFFFFFFFF
    motors = low['motor_state']
    motors['mode'][_BODY] = 1
    motors['q'][_BODY] = state.position[_BODY]
    motors['dq'][_BODY] = state.velocity[_BODY]
    motors['tau_est'][_BODY] = state.effort[_BODY]
    for column, values in enumerate((state.casing_temperature, state.winding_temperature)):
        motors['temperature'][_BODY, column] = np.nan_to_num(values)
    imu = low['imu_state']
    imu['quaternion'] = state.orientation_wxyz
    imu['gyroscope'] = state.angular_velocity
    imu['accelerometer'] = state.linear_acceleration
    imu['rpy'] = roll_pitch_yaw(state.orientation_wxyz)
    remote = np.frombuffer(state.wireless_remote[:40].ljust(40, b'\0'), np.uint8)
    low['wireless_remote'] = remote


def encode_hand(
    struct: Struct,
    position: Array,
    velocity: Array,
    effort: Array,
    *,
    timed_out: bool,
    pressure: Pads | None = None,
) -> None:
    """Fills a HandState with nine pads, shape (1,), in place.

    Args:
        struct: HandState, of `layout.hand_state_type(PADS)`.
        position: [rad], shape (7,).
        velocity: [rad/s], shape (7,).
        effort: [Nm], shape (7,).
        timed_out: The hand has let go because commands stayed away.
        pressure: Raw / 10000, shape (108,); None: every pad says that it has nothing to say.
    """
    hand = struct[0]
    hand['motor_count'] = HAND_MOTORS
    hand['pad_count'] = PADS
    motors = hand['motor_state']
    motors['mode'] = np.arange(HAND_MOTORS) | 0x10 | (0x80 if timed_out else 0)
    motors['q'] = position
    motors['dq'] = velocity
    motors['tau_est'] = effort
    if pressure is None:
        hand['press_sensor_state']['pressure'] = INVALID_PRESSURE
    else:
        raw = np.where(np.isnan(pressure), INVALID_PRESSURE, pressure * PRESSURE_SCALE)
        hand['press_sensor_state']['pressure'] = raw.reshape(PADS, 12)
    hand['imu_state']['quaternion'] = (1.0, 0.0, 0.0, 0.0)


def roll_pitch_yaw(orientation_wxyz: Array) -> tuple[float, float, float]:
    """Roll, pitch and yaw [rad] (rotations about fixed x, y, z) of a quaternion, shape (4,)."""
    w, x, y, z = (float(value) for value in orientation_wxyz)
    roll = np.arctan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = np.arcsin(np.clip(2.0 * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return float(roll), float(pitch), float(yaw)
