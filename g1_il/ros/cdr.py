# SPDX-License-Identifier: Apache-2.0
"""Nouns <-> serialized messages, without building the messages in between.

Reading an episode costs a fraction of deserializing it, and `collect` writes its episodes
as fast. The layout is ROS 2's on the wire: CDR, little endian, 4 bytes of encapsulation, every
number aligned to its size counted from behind those. A test holds each function equal to rclpy's
serialization of the message that `ros/messages.py` makes.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS
from g1_il.robot.state import RobotState
from g1_il.ros.samples import ExecutedCommand, JointSample, MessageError, in_order, joint_order
from g1_il.sim.scene import Scene
from g1_il.xr.frame import HAND_JOINTS, HandFrame, XrFrame

_ENCAPSULATION = b'\x00\x01\x00\x00'
_NS = 1_000_000_000
_ALL = list(ALL_JOINTS)
_COMMAND = list(COMMAND_JOINTS)


class _Writer:
    """Appends CDR values to a buffer."""

    def __init__(self, stamp_ns: int, frame_id: str) -> None:
        self._parts = [_ENCAPSULATION]
        self._size = 0
        sec, nanosec = divmod(int(stamp_ns), _NS)
        self.raw(struct.pack('<iI', sec, nanosec))
        self.text(frame_id)

    def raw(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)

    def align(self, size: int) -> None:
        self.raw(bytes(-self._size % size))

    def number(self, layout: str, value: float) -> None:
        self.align(struct.calcsize(layout))
        self.raw(struct.pack('<' + layout, value))

    def text(self, value: str) -> None:
        encoded = value.encode()
        self.number('I', len(encoded) + 1)
        self.raw(encoded + b'\0')

    def texts(self, values: tuple[str, ...]) -> None:
        self.align(4)
        self.raw(_texts_block(values))

    def doubles(self, values: npt.ArrayLike) -> None:
        """A fixed array."""
        self.align(8)
        self.raw(np.ascontiguousarray(values, dtype='<f8').tobytes())

    def sequence(self, values: npt.ArrayLike) -> None:
        """A sequence of float64."""
        numbers = np.asarray(values)
        self.number('I', len(numbers))
        if len(numbers):
            self.doubles(numbers)

    def done(self) -> bytes:
        return b''.join(self._parts)


class _Reader:
    """Takes CDR values from a message, the header first."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 4 or data[:2] != _ENCAPSULATION[:2]:
            raise MessageError(
                f'message begins with {bytes(data[:4]).hex()}; only little-endian CDR, which '
                'begins with 0001, is read'
            )
        self._data = data
        self._at = 4
        try:
            sec, nanosec = struct.unpack_from('<iI', data, 4)
        except struct.error as error:
            raise MessageError(f'message of {len(data)} bytes has no header') from error
        self.stamp_ns = sec * _NS + nanosec
        self._at = 12
        self.frame_id = self.text()

    def number(self, layout: str) -> int:
        self._align(struct.calcsize(layout))
        (value,) = struct.unpack('<' + layout, self._take(struct.calcsize(layout)))
        return value

    def double(self) -> float:
        return float(self.doubles(1)[0])

    def text(self) -> str:
        data = bytes(self._take(self.number('I'))[:-1])
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise MessageError(f'message holds a text that is not UTF-8: {data[:20]!r}') from error

    def texts(self, expected: tuple[str, ...]) -> Sequence[str]:
        """A sequence of strings; the expected ones are recognised without taking them apart."""
        self._align(4)
        block = _texts_block(expected)
        if self._data[self._at : self._at + len(block)] == block:
            self._at += len(block)
            return expected
        return [self.text() for _ in range(self.number('I'))]

    def doubles(self, count: int) -> npt.NDArray[np.float64]:
        self._align(8)
        return np.frombuffer(self._take(8 * count), dtype='<f8')

    def sequence(self) -> npt.NDArray[np.float64]:
        count = self.number('I')
        return self.doubles(count) if count else np.empty(0)

    def octets(self) -> bytes:
        return bytes(self._take(self.number('I')))

    def _align(self, size: int) -> None:
        self._at += (4 - self._at) % size

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise MessageError(
                f'message of {len(self._data)} bytes ends where {size} more are needed'
            )
        self._at += size
        return taken


@functools.lru_cache(maxsize=64)
def _texts_block(values: tuple[str, ...]) -> bytes:
    """A sequence of strings as it stands at a multiple of 4."""
    block = bytearray(struct.pack('<I', len(values)))
    for value in values:
        block += bytes(-len(block) % 4)
        encoded = value.encode()
        block += struct.pack('<I', len(encoded) + 1) + encoded + b'\0'
    return bytes(block)


def header_stamp_ns(data: bytes) -> int:
    """Stamp of a message whose first field is a header [ns]; nothing else of it is read."""
    sec, nanosec = struct.unpack_from('<iI', data, 4)
    return int(sec) * _NS + int(nanosec)


def encode_frame(frame: XrFrame, *, stamp_uncertainty_s: float = math.nan) -> bytes:
    """A frame of headset tracking as a serialized g1_il/msg/XrFrame."""
    writer = _Writer(frame.stamp_ns, 'xr_local_floor')
    writer.number('?', frame.head_tracked)
    writer.doubles(np.concatenate([frame.head_position, frame.head_orientation_xyzw]))
    for hand in (frame.left, frame.right):
        writer.number('?', hand.tracked)
        writer.doubles(np.concatenate([hand.position, hand.orientation_xyzw], axis=1))
    writer.number('d', stamp_uncertainty_s)
    return writer.done()


def decode_frame(data: bytes) -> XrFrame:
    """A serialized g1_il/msg/XrFrame as a frame."""
    reader = _Reader(data)
    head_tracked = bool(reader.number('?'))
    head = reader.doubles(7)
    hands = []
    for _ in range(2):
        tracked = bool(reader.number('?'))
        poses = reader.doubles(7 * HAND_JOINTS).reshape(HAND_JOINTS, 7)
        hands.append(
            HandFrame(tracked=tracked, position=poses[:, :3], orientation_xyzw=poses[:, 3:])
        )
    return XrFrame(
        stamp_ns=reader.stamp_ns,
        head_tracked=head_tracked,
        head_position=head[:3],
        head_orientation_xyzw=head[3:],
        left=hands[0],
        right=hands[1],
    )


def encode_targets(targets: JointTargets) -> bytes:
    """Wanted targets as a serialized g1_il/msg/JointCommand."""
    return _encode_command(
        targets.stamp_ns, targets.source, targets.position, targets.velocity, (), math.nan
    )


def encode_executed(command: RobotCommand, *, stamp_ns: int, source: str) -> bytes:
    """What was really sent as a serialized g1_il/msg/JointCommand."""
    return _encode_command(
        stamp_ns,
        source,
        command.position[COMMAND_INDEX],
        command.velocity[COMMAND_INDEX],
        command.effort[COMMAND_INDEX],
        command.weight,
    )


def decode_command(data: bytes) -> ExecutedCommand:
    """A serialized g1_il/msg/JointCommand, wanted or executed, in COMMAND_JOINTS order.

    Raises:
        MessageError: It does not name exactly the COMMAND_JOINTS, or is cut short.
    """
    reader = _Reader(data)
    source = reader.text()
    names = reader.texts(COMMAND_JOINTS)
    order = joint_order(names, _COMMAND, 'joint command', exact=True)
    return ExecutedCommand(
        stamp_ns=reader.stamp_ns,
        source=source,
        position=in_order(reader.sequence(), names, order, 'position'),
        velocity=in_order(reader.sequence(), names, order, 'velocity', missing=0.0),
        effort=in_order(reader.sequence(), names, order, 'effort', missing=0.0),
        weight=reader.double(),
    )


def encode_joint_state(state: RobotState) -> bytes:
    """Measured joints as a serialized sensor_msgs/msg/JointState of all 43 joints."""
    writer = _Writer(state.stamp_ns, '')
    writer.texts(ALL_JOINTS)
    for values in (state.position, state.velocity, state.effort):
        writer.sequence(values)
    return writer.done()


def decode_joint_state(data: bytes) -> JointSample:
    """A serialized sensor_msgs/msg/JointState in ALL_JOINTS order; joints not named are NaN."""
    reader = _Reader(data)
    names = reader.texts(ALL_JOINTS)
    order = joint_order(names, _ALL, 'joint state', exact=False)
    return JointSample(
        stamp_ns=reader.stamp_ns,
        position=in_order(reader.sequence(), names, order, 'position', missing=math.nan),
        velocity=in_order(reader.sequence(), names, order, 'velocity', missing=math.nan),
        effort=in_order(reader.sequence(), names, order, 'effort', missing=math.nan),
    )


def encode_scene(scene: Scene) -> bytes:
    """The simulated scene as a serialized g1_il/msg/SceneState."""
    writer = _Writer(scene.stamp_ns, 'pelvis')
    writer.text(scene.task)
    writer.number('q', scene.seed)
    writer.texts(scene.names)
    writer.number('I', len(scene.poses))
    if len(scene.poses):
        writer.doubles(scene.poses)
    writer.number('?', scene.success)
    writer.text(scene.stage)
    return writer.done()


def decode_scene(data: bytes) -> Scene:
    """A serialized g1_il/msg/SceneState as a scene."""
    reader = _Reader(data)
    task = reader.text()
    seed = int(reader.number('q'))
    names = tuple(reader.texts(()))
    count = int(reader.number('I'))
    poses = reader.doubles(7 * count).reshape(-1, 7) if count else np.empty((0, 7))
    if count != len(names):
        raise MessageError(f'scene names {len(names)} objects but has {count} poses')
    return Scene(
        stamp_ns=reader.stamp_ns,
        task=task,
        seed=seed,
        names=names,
        poses=poses,
        success=bool(reader.number('?')),
        stage=reader.text(),
    )


def encode_compressed(
    data: bytes, *, stamp_ns: int, frame_id: str, image_format: str = 'jpeg'
) -> bytes:
    """Encoded image bytes as a serialized sensor_msgs/msg/CompressedImage."""
    writer = _Writer(stamp_ns, frame_id)
    writer.text(image_format)
    writer.number('I', len(data))
    writer.raw(data)
    return writer.done()


def decode_compressed(data: bytes) -> tuple[int, bytes]:
    """Capture time [ns] and encoded bytes of a serialized sensor_msgs/msg/CompressedImage."""
    reader = _Reader(data)
    reader.text()
    return reader.stamp_ns, reader.octets()


def _encode_command(
    stamp_ns: int,
    source: str,
    position: npt.ArrayLike,
    velocity: npt.ArrayLike,
    effort: npt.ArrayLike,
    weight: float,
) -> bytes:
    writer = _Writer(stamp_ns, '')
    writer.text(source)
    writer.texts(COMMAND_JOINTS)
    for values in (position, velocity, effort):
        writer.sequence(values)
    writer.number('d', weight)
    return writer.done()
