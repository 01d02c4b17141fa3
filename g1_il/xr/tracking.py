# SPDX-License-Identifier: Apache-2.0
"""The tracking message of the page: its bytes, its checks, and the XrFrame it becomes.

Layout, little endian, 1444 bytes:

    u8       kind, 1
    u8       version, 1
    u8       flags: 1 head tracked, 2 left hand tracked, 4 right hand tracked
    u8       0
    u32      sequence number, counts the frames of a session
    f64      capture time on the headset's clock (performance.now()) [ms]
    f32 x 7  head: position x y z [m], orientation x y z w
    f32 x 7  for each of 25 joints of the left hand, then of the right, in WebXR's order

Poses are in WebXR's `local-floor` space. What is not tracked is sent as zeros.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.errors import G1Error
from g1_il.xr.bases import orientation_to_rep103, position_to_rep103
from g1_il.xr.frame import HAND_JOINTS, HandFrame, XrFrame

Array = npt.NDArray[np.float64]

TRACKING = 1
VERSION = 1
HEAD_TRACKED, LEFT_TRACKED, RIGHT_TRACKED = 1, 2, 4

_HEADER = struct.Struct('<BBBBId')
_POSES = 1 + 2 * HAND_JOINTS
SIZE = _HEADER.size + _POSES * 7 * 4

MAX_DISTANCE_M = 20.0
_NORM_TOLERANCE = 0.05


class TrackingError(G1Error):
    """A tracking message that cannot be used; it is counted and dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """One tracking message, checked, still in WebXR's axes and on the headset's clock.

    Attributes:
        sequence: Counts the frames of a session.
        headset_ms: Capture time on the headset's clock [ms].
        head_tracked: Whether the head's pose may be used.
        left_tracked: Whether the left hand's poses may be used.
        right_tracked: Whether the right hand's poses may be used.
        poses: Head, left hand, right hand: position [m] and unit quaternion xyzw, shape (51, 7).
            Zeros with an identity quaternion where not tracked.
    """

    sequence: int
    headset_ms: float
    head_tracked: bool
    left_tracked: bool
    right_tracked: bool
    poses: Array


def decode_tracking(data: bytes) -> Tracking:
    """Read and check one message of the page.

    Raises:
        TrackingError: When size, kind or version are wrong, or a tracked pose is not finite,
            farther than 20 m from the origin, or its quaternion is not of unit length.
    """
    if len(data) != SIZE:
        raise TrackingError(f'a tracking message has {len(data)} bytes; it must have {SIZE}')
    kind, version, flags, _, sequence, headset_ms = _HEADER.unpack_from(data)
    if (kind, version) != (TRACKING, VERSION):
        raise TrackingError(
            f'a tracking message is of kind {kind}, version {version}; '
            f'allowed: kind {TRACKING}, version {VERSION}; reload the page'
        )
    if not np.isfinite(headset_ms) or headset_ms < 0.0:
        raise TrackingError(f'a capture time is {headset_ms} ms; it must be finite and positive')
    values = np.frombuffer(data, dtype='<f4', offset=_HEADER.size)
    with np.errstate(invalid='ignore'):  # A signalling NaN is found by the checks below.
        poses = values.astype(np.float64).reshape(_POSES, 7)
    tracked = (bool(flags & HEAD_TRACKED), bool(flags & LEFT_TRACKED), bool(flags & RIGHT_TRACKED))
    parts = (slice(0, 1), slice(1, 1 + HAND_JOINTS), slice(1 + HAND_JOINTS, _POSES))
    for name, used, part in zip(('head', 'left hand', 'right hand'), tracked, parts, strict=True):
        if used:
            poses[part] = _checked(name, poses[part])
        else:
            poses[part] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    return Tracking(
        sequence=sequence,
        headset_ms=headset_ms,
        head_tracked=tracked[0],
        left_tracked=tracked[1],
        right_tracked=tracked[2],
        poses=poses,
    )


def _checked(name: str, poses: Array) -> Array:
    """Poses of shape (N, 7) with their quaternions at exactly unit length."""
    if not np.all(np.isfinite(poses)):
        raise TrackingError(f'the {name} has a pose that is not finite')
    far = float(np.abs(poses[:, :3]).max())
    if far > MAX_DISTANCE_M:
        raise TrackingError(f'the {name} is {far:.1f} m away; at most {MAX_DISTANCE_M} m')
    norm = np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    worst = float(np.abs(norm - 1.0).max())
    if worst > _NORM_TOLERANCE:
        raise TrackingError(f'the {name} has a quaternion whose length is {worst:.2f} off 1')
    return np.hstack((poses[:, :3], poses[:, 3:] / norm))


def encode_tracking(tracking: Tracking) -> bytes:
    """The bytes of a message: what the page sends, for clients written in Python."""
    flags = (
        HEAD_TRACKED * tracking.head_tracked
        | LEFT_TRACKED * tracking.left_tracked
        | RIGHT_TRACKED * tracking.right_tracked
    )
    header = _HEADER.pack(TRACKING, VERSION, flags, 0, tracking.sequence, tracking.headset_ms)
    return header + tracking.poses.astype('<f4').tobytes()


class FrameMaker:
    """Turns tracking into frames; an untracked part keeps the last pose it was seen at."""

    def __init__(self) -> None:
        self._last = np.zeros((_POSES, 7), dtype=np.float64)
        self._last[:, 6] = 1.0

    def frame(self, tracking: Tracking, stamp_ns: int) -> XrFrame:
        """The XrFrame of a tracking message.

        Args:
            tracking: Checked message.
            stamp_ns: Its capture time on the host's clock [ns].
        """
        left, right = slice(1, 1 + HAND_JOINTS), slice(1 + HAND_JOINTS, _POSES)
        for used, part in (
            (tracking.head_tracked, slice(0, 1)),
            (tracking.left_tracked, left),
            (tracking.right_tracked, right),
        ):
            if used:
                self._last[part, :3] = position_to_rep103(tracking.poses[part, :3])
                self._last[part, 3:] = orientation_to_rep103(tracking.poses[part, 3:])
        poses = self._last.copy()
        return XrFrame(
            stamp_ns=stamp_ns,
            head_tracked=tracking.head_tracked,
            head_position=poses[0, :3],
            head_orientation_xyzw=poses[0, 3:],
            left=HandFrame(
                tracked=tracking.left_tracked,
                position=poses[left, :3],
                orientation_xyzw=poses[left, 3:],
            ),
            right=HandFrame(
                tracked=tracking.right_tracked,
                position=poses[right, :3],
                orientation_xyzw=poses[right, 3:],
            ),
        )
