# SPDX-License-Identifier: Apache-2.0
"""A human hand: joint angles to WebXR's 25 joint poses.

Bone lengths are the means of adult hands (Buryanov and Kotiuk, Int. J. Morphol. 28, 2010). Every
joint frame follows WebXR's convention carried into REP-103 axes: x along the bone to the tip,
z out of the back of the finger, y = z cross x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from g1_il.robot.rotation import rotation_x, rotation_y, rotation_z, xyzw_from_matrices
from g1_il.xr.frame import HAND_JOINTS, HandFrame

Array = npt.NDArray[np.float64]
Vector = tuple[float, ...]

# Right hand, wrist frame: base of the metacarpal [m], splay of the metacarpal about z [rad],
# lengths [m] of metacarpal, proximal, intermediate, distal with the soft tip.
_FINGERS = (
    ((0.030, 0.016, -0.002), 0.10, (0.0681, 0.0398, 0.0224, 0.0196)),  # index
    ((0.032, 0.004, 0.000), 0.00, (0.0646, 0.0446, 0.0263, 0.0213)),  # middle
    ((0.030, -0.008, -0.002), -0.10, (0.0580, 0.0414, 0.0257, 0.0213)),  # ring
    ((0.027, -0.017, -0.005), -0.20, (0.0537, 0.0327, 0.0181, 0.0197)),  # pinky
)
_THUMB_BASE = (0.022, 0.022, -0.012)
_THUMB = (0.0462, 0.0316, 0.0274)  # metacarpal, proximal, distal with the soft tip


@dataclass(frozen=True, slots=True, kw_only=True)
class HandPosture:
    """Joint angles of a human hand [rad]; flexion is positive.

    Attributes:
        thumb_radial: Thumb metacarpal away from the index, in the palm's plane.
        thumb_palmar: Thumb metacarpal out of the palm's plane.
        thumb_roll: Pronation of the thumb about its bone; -pi/2 flexes it along the palm.
        thumb_flexion: Thumb's metacarpophalangeal and interphalangeal joints, shape (2,).
        index: Knuckle, middle and end joint of the index finger, shape (3,).
        middle: Likewise, middle finger.
        ring: Likewise, ring finger.
        pinky: Likewise, little finger.
    """

    thumb_radial: float
    thumb_palmar: float
    thumb_roll: float
    thumb_flexion: tuple[float, float]
    index: tuple[float, float, float]
    middle: tuple[float, float, float]
    ring: tuple[float, float, float]
    pinky: tuple[float, float, float]


def blend(a: HandPosture, b: HandPosture, share: float) -> HandPosture:
    """The posture that is `share` (0..1) of the way from a to b, joint by joint."""

    def between(u: float | tuple[float, ...], v: float | tuple[float, ...]) -> object:
        if isinstance(u, tuple) and isinstance(v, tuple):
            return tuple(p + share * (q - p) for p, q in zip(u, v, strict=True))
        assert isinstance(u, float) and isinstance(v, float)
        return u + share * (v - u)

    names = [field.name for field in fields(HandPosture)]
    return HandPosture(**{n: between(getattr(a, n), getattr(b, n)) for n in names})


_DEG = math.pi / 180.0

RELAXED = HandPosture(
    thumb_radial=40 * _DEG,
    thumb_palmar=25 * _DEG,
    thumb_roll=-70 * _DEG,
    thumb_flexion=(10 * _DEG, 15 * _DEG),
    index=(15 * _DEG, 20 * _DEG, 10 * _DEG),
    middle=(20 * _DEG, 25 * _DEG, 12 * _DEG),
    ring=(25 * _DEG, 28 * _DEG, 14 * _DEG),
    pinky=(28 * _DEG, 28 * _DEG, 14 * _DEG),
)


# A hand spanned like a C, as around a large glass from above.
SPANNED = HandPosture(
    thumb_radial=62 * _DEG,
    thumb_palmar=42 * _DEG,
    thumb_roll=-100 * _DEG,
    thumb_flexion=(0.0, 0.0),
    index=(45 * _DEG, 12 * _DEG, 6 * _DEG),
    middle=(47 * _DEG, 12 * _DEG, 6 * _DEG),
    ring=(50 * _DEG, 15 * _DEG, 8 * _DEG),
    pinky=(52 * _DEG, 15 * _DEG, 8 * _DEG),
)

# The same hand closed until the thumb meets the two fingers.
CLOSED = HandPosture(
    thumb_radial=22 * _DEG,
    thumb_palmar=54 * _DEG,
    thumb_roll=-118 * _DEG,
    thumb_flexion=(18 * _DEG, 22 * _DEG),
    index=(62 * _DEG, 45 * _DEG, 20 * _DEG),
    middle=(62 * _DEG, 45 * _DEG, 20 * _DEG),
    ring=(65 * _DEG, 50 * _DEG, 25 * _DEG),
    pinky=(65 * _DEG, 50 * _DEG, 25 * _DEG),
)


_RADIAL = [rotation_z(splay) for _, splay, _ in _FINGERS]


def _right_hand(posture: HandPosture) -> tuple[Array, Array]:
    """Positions (25, 3) and rotations (25, 3, 3) in the right wrist's frame."""
    position = np.zeros((HAND_JOINTS, 3))
    rotation = np.empty((HAND_JOINTS, 3, 3))
    rotation[0] = np.eye(3)

    def chain(
        first: int, base: Vector, frame: Array, bends: tuple[float, ...], lengths: Vector
    ) -> None:
        point = np.array(base)
        position[first], rotation[first] = point, frame
        for k, length in enumerate(lengths):
            point = point + length * frame[:, 0]
            if k < len(bends):
                frame = frame @ rotation_y(bends[k])
            position[first + 1 + k], rotation[first + 1 + k] = point, frame

    metacarpal = (
        rotation_z(posture.thumb_radial)
        @ rotation_y(posture.thumb_palmar)
        @ rotation_x(posture.thumb_roll)
    )
    chain(1, _THUMB_BASE, metacarpal, posture.thumb_flexion, _THUMB)
    flexions = (posture.index, posture.middle, posture.ring, posture.pinky)
    for k, ((base, _, lengths), bends) in enumerate(zip(_FINGERS, flexions, strict=True)):
        chain(5 + 5 * k, base, _RADIAL[k], bends, lengths)
    return position, rotation


def hand_frame(
    *, side: str, posture: HandPosture, wrist_position: Array, wrist_rotation: Array
) -> HandFrame:
    """The 25 joints of a hand whose wrist is at a pose.

    Args:
        side: left or right; the left hand is the right one mirrored.
        posture: Joint angles.
        wrist_position: [m], shape (3,), tracking space.
        wrist_rotation: Shape (3, 3): x to the middle finger, z out of the back of the hand.
    """
    position, rotation = _right_hand(posture)
    if side == 'left':
        mirror = np.diag([1.0, -1.0, 1.0])
        position, rotation = position @ mirror, mirror @ rotation @ mirror
    return HandFrame(
        tracked=True,
        position=wrist_position + position @ wrist_rotation.T,
        orientation_xyzw=xyzw_from_matrices(wrist_rotation @ rotation),
    )
