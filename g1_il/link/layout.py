# SPDX-License-Identifier: Apache-2.0
"""Unitree's messages in memory and on the wire, as numpy structured types.

The nouns are one-element arrays of the C structs, the very bytes that the checksum runs over.
On the wire (CDR) they look the same but for one word: C aligns a nested struct as a whole, CDR
only its members, so the first motor's `mode`, a byte, moves up into the padding before it.

Fields and their order: unitree_hg IDL of v0.3.0 or later; all little-endian.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from g1_il.errors import G1Error

Struct = npt.NDArray[np.void]

MOTORS = 35
WEIGHT_MOTOR = 29
"""Not a motor: its `q` is the weight of arm_sdk."""
HAND_MOTORS = 7
PADS = 9

CDR_HEADER = b'\x00\x01\x00\x00'
"""Plain CDR, little-endian."""
_HEADER_BYTES = 4
_LITTLE_ENDIAN = (b'\x00\x01', b'\x00\x07')
"""Plain CDR of XTypes 1 and 2: the same bytes, as nothing here is larger than a word."""


class WireError(G1Error):
    """Bytes from the wire that are not the message they should be."""


def _aligned(*fields: tuple[object, ...]) -> np.dtype[np.void]:
    return np.dtype(list(fields), align=True)


MOTOR_CMD = _aligned(
    ('mode', 'u1'),
    ('q', '<f4'),
    ('dq', '<f4'),
    ('tau', '<f4'),
    ('kp', '<f4'),
    ('kd', '<f4'),
    ('reserve', '<u4'),
)
MOTOR_STATE = _aligned(
    ('mode', 'u1'),
    ('q', '<f4'),
    ('dq', '<f4'),
    ('ddq', '<f4'),
    ('tau_est', '<f4'),
    ('temperature', '<i2', (2,)),
    ('vol', '<f4'),
    ('sensor', '<u4', (2,)),
    ('motorstate', '<u4'),
    ('reserve', '<u4', (4,)),
)
IMU_STATE = _aligned(
    ('quaternion', '<f4', (4,)),
    ('gyroscope', '<f4', (3,)),
    ('accelerometer', '<f4', (3,)),
    ('rpy', '<f4', (3,)),
    ('temperature', '<i2'),
)
LOW_CMD = _aligned(
    ('mode_pr', 'u1'),
    ('mode_machine', 'u1'),
    ('motor_cmd', MOTOR_CMD, (MOTORS,)),
    ('reserve', '<u4', (4,)),
    ('crc', '<u4'),
)
LOW_STATE = _aligned(
    ('version', '<u4', (2,)),
    ('mode_pr', 'u1'),
    ('mode_machine', 'u1'),
    ('tick', '<u4'),
    ('imu_state', IMU_STATE),
    ('motor_state', MOTOR_STATE, (MOTORS,)),
    ('wireless_remote', 'u1', (40,)),
    ('reserve', '<u4', (4,)),
    ('crc', '<u4'),
)
PRESS_SENSOR = _aligned(
    ('pressure', '<f4', (12,)),
    ('temperature', '<f4', (12,)),
    ('lost', '<u4'),
    ('reserve', '<u4'),
)
HAND_CMD = _aligned(
    ('motor_count', '<u4'),
    ('motor_cmd', MOTOR_CMD, (HAND_MOTORS,)),
    ('reserve', '<u4', (4,)),
)
"""HandCmd as it is on the wire, its sequence's length first; it has no C struct and no CRC."""


@lru_cache(maxsize=16)
def hand_state_type(pads: int) -> np.dtype[np.void]:
    """HandState as it is on the wire with a number of touch pads (usually 9)."""
    return _aligned(
        ('motor_count', '<u4'),
        ('motor_state', MOTOR_STATE, (HAND_MOTORS,)),
        ('pad_count', '<u4'),
        ('press_sensor_state', PRESS_SENSOR, (pads,)),
        ('imu_state', IMU_STATE),
        ('power_v', '<f4'),
        ('power_a', '<f4'),
        ('system_v', '<f4'),
        ('device_v', '<f4'),
        ('error', '<u4', (2,)),
        ('reserve', '<u4', (2,)),
    )


def _first_motor(struct_type: np.dtype[np.void], motors: str) -> int:
    fields = struct_type.fields
    assert fields is not None
    return int(fields[motors][1])


_FIRST_MOTOR = {
    LOW_CMD: _first_motor(LOW_CMD, 'motor_cmd'),
    LOW_STATE: _first_motor(LOW_STATE, 'motor_state'),
}


def _padding_mask(struct_type: np.dtype[np.void]) -> npt.NDArray[np.uint8]:
    """1 where a struct has data, 0 where it has padding, shape (bytes of the struct,)."""
    used = np.zeros(struct_type.itemsize, dtype=np.uint8)

    def mark(kind: np.dtype[np.void], offset: int) -> None:
        base, shape = kind.subdtype if kind.subdtype else (kind, ())
        for index in range(int(np.prod(shape, dtype=int))):
            start = offset + index * base.itemsize
            if base.fields is None:
                used[start : start + base.itemsize] = 1
            else:
                for member, member_offset, *_ in base.fields.values():
                    mark(member, start + member_offset)

    mark(struct_type, 0)
    return used


_DATA_BYTES = {kind: _padding_mask(kind) for kind in (LOW_CMD, LOW_STATE)}
_MODE_SHIFT = 2
"""Both structs end in two used bytes of a word before the first motor: its mode comes third."""


def zeros(struct_type: np.dtype[np.void]) -> Struct:
    """A zeroed message, padding included, shape (1,)."""
    return np.zeros(1, dtype=struct_type)


def low_to_cdr(struct: Struct) -> bytes:
    """LowCmd or LowState, shape (1,), as bytes for the wire."""
    first_motor = _FIRST_MOTOR[struct.dtype]
    data = bytearray(CDR_HEADER + struct.tobytes())
    mode = data[_HEADER_BYTES + first_motor]
    del data[_HEADER_BYTES + first_motor : _HEADER_BYTES + first_motor + 4]
    data[_HEADER_BYTES + first_motor - 4 + _MODE_SHIFT] = mode
    return bytes(data)


def low_from_cdr(data: bytes, struct_type: np.dtype[np.void]) -> Struct:
    """LowCmd or LowState, shape (1,), from bytes of the wire, with its padding zeroed.

    Raises:
        WireError: The bytes have another encoding or length.
    """
    size = struct_type.itemsize - 4
    _check(data, size)
    first_motor = _FIRST_MOTOR[struct_type]
    buffer = np.empty(struct_type.itemsize, dtype=np.uint8)
    body = np.frombuffer(data, np.uint8, size, _HEADER_BYTES)
    buffer[:first_motor] = body[:first_motor]
    buffer[first_motor + 4 :] = body[first_motor:]
    buffer[first_motor] = body[first_motor - 4 + _MODE_SHIFT]
    buffer *= _DATA_BYTES[struct_type]
    return buffer.view(struct_type)


def hand_to_cdr(struct: Struct) -> bytes:
    """HandCmd or HandState, shape (1,), as bytes for the wire."""
    return CDR_HEADER + struct.tobytes()


def hand_cmd_from_cdr(data: bytes) -> Struct:
    """HandCmd, shape (1,), from bytes of the wire.

    Raises:
        WireError: The bytes have another encoding or length, or another number of motors.
    """
    _check(data, HAND_CMD.itemsize)
    _check_count(data, 0, HAND_MOTORS, 'motors')
    return np.frombuffer(data, HAND_CMD, 1, _HEADER_BYTES)


def hand_state_from_cdr(data: bytes) -> Struct:
    """HandState, shape (1,), from bytes of the wire; see `hand_state_type` for its fields.

    Raises:
        WireError: The bytes have another encoding or length, or another number of motors.
    """
    _check_count(data, 0, HAND_MOTORS, 'motors')
    pads = _count(data, 4 + HAND_MOTORS * MOTOR_STATE.itemsize)
    if pads > 64:
        raise WireError(f'HandState tells of {pads} touch pads, expected are {PADS}')
    struct_type = hand_state_type(pads)
    _check(data, struct_type.itemsize)
    return np.frombuffer(data, struct_type, 1, _HEADER_BYTES)


def _count(data: bytes, offset: int) -> int:
    start = _HEADER_BYTES + offset
    return int.from_bytes(data[start : start + 4], 'little')


def _check_count(data: bytes, offset: int, expected: int, what: str) -> None:
    count = _count(data, offset)
    if count != expected:
        raise WireError(f'hand message tells of {count} {what}, expected are {expected}')


def _check(data: bytes, size: int) -> None:
    if data[:2] not in _LITTLE_ENDIAN:
        raise WireError(f'message has encoding {data[:2].hex()}, expected is 0001 or 0007')
    length = len(data) - _HEADER_BYTES
    if not size <= length <= size + 3:
        raise WireError(
            f'message has {length} bytes, expected are {size}; is another version of unitree_hg '
            f'on the other side? v0.3.0 or later is needed'
        )
