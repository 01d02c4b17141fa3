# SPDX-License-Identifier: Apache-2.0
"""Distances between the robot's own parts, as capsules in numpy.

The gate asks this before a command leaves, so it is independent of the simulator. Trunk and
upper arms use our own solid shapes (`shapes`), forearms and hands the capsules that enclose the
maker's meshes. Only pairs that the arms can bring together are watched: neighbours in the tree
and pairs that overlap by construction (shoulders and chest, wrist and palm, a hand's fingers)
are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.robot.kinematics import link_poses
from g1_il.robot.tables import Vector

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capsule:
    """A part of the robot: all points within radius of a segment in the link's frame [m]."""

    name: str
    link: str
    start: Vector
    end: Vector
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """The closest watched pair.

    Attributes:
        distance: Between the surfaces [m]; negative when they overlap.
        first: Name of one capsule.
        second: Name of the other.
    """

    distance: float
    first: str
    second: str


def _capsule(name: str, link: str, start: Vector, end: Vector, radius: float) -> Capsule:
    return Capsule(name=name, link=link, start=start, end=end, radius=radius)


_TRUNK = (
    _capsule('chest', 'torso_link', (0.006, -0.030, 0.246), (0.006, 0.030, 0.246), 0.068),
    _capsule('belly', 'torso_link', (0.006, -0.026, 0.160), (0.006, 0.026, 0.160), 0.068),
    _capsule('waist', 'torso_link', (0.004, -0.018, 0.072), (0.004, 0.018, 0.072), 0.060),
    _capsule('head', 'head_link', (0.013, 0.0, 0.4657), (-0.0128, 0.0, 0.3410), 0.0814),
    _capsule('pelvis', 'pelvis', (0.0, 0.0, -0.1039), (0.0, 0.0, -0.0617), 0.0780),
    _capsule(
        'left_hip', 'left_hip_roll_link', (0.0258, 0.0, -0.1135), (0.0628, 0.0, -0.0012), 0.0569
    ),
    _capsule(
        'right_hip', 'right_hip_roll_link', (0.0258, 0.0, -0.1135), (0.0628, 0.0, -0.0012), 0.0569
    ),
    _capsule(
        'left_thigh', 'left_hip_yaw_link', (-0.0685, 0.0, -0.1786), (-0.0008, 0.0, -0.017), 0.0615
    ),
    _capsule(
        'right_thigh',
        'right_hip_yaw_link',
        (-0.0685, 0.0, -0.1786),
        (-0.0008, 0.0, -0.017),
        0.0615,
    ),
)


def _arm(side: str) -> tuple[Capsule, ...]:
    s = 1.0 if side == 'left' else -1.0
    rows: tuple[tuple[str, str, Vector, Vector, float], ...] = (
        ('upper_arm', 'shoulder_yaw_link', (0.003, 0.0, -0.004), (0.014, 0.0, -0.074), 0.034),
        ('forearm', 'elbow_link', (0.0081, s * 0.0228, -0.0008), (0.0846, 0.0, -0.0137), 0.0381),
        ('wrist', 'wrist_pitch_link', (0.0001, 0.0, 0.0001), (0.0467, 0.0, 0.0001), 0.0342),
        ('palm', 'hand_palm_link', (0.0372, 0.0, 0.0), (0.0682, 0.0, 0.0), 0.0449),
        ('thumb', 'hand_thumb_2_link', (0.0, 0.0, 0.0), (0.0, s * -0.0383, 0.0), 0.0149),
        ('index', 'hand_index_1_link', (0.0, 0.0, 0.0), (0.0383, 0.0, 0.0), 0.0149),
        ('middle', 'hand_middle_1_link', (0.0, 0.0, 0.0), (0.0383, 0.0, 0.0), 0.0149),
    )
    return tuple(
        _capsule(f'{side}_{name}', f'{side}_{link}', start, end, radius)
        for name, link, start, end, radius in rows
    )


CAPSULES: tuple[Capsule, ...] = (*_TRUNK, *_arm('left'), *_arm('right'))

IGNORED: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ('left_upper_arm', 'right_upper_arm'),
        ('left_upper_arm', 'left_hip'),
        ('left_upper_arm', 'right_hip'),
        ('right_upper_arm', 'left_hip'),
        ('right_upper_arm', 'right_hip'),
    )
)
"""Pairs that cannot meet within the joint limits; watching them would be for nothing."""


def _watched() -> tuple[tuple[int, int], ...]:
    number = {capsule.name: index for index, capsule in enumerate(CAPSULES)}
    left, right = _arm('left'), _arm('right')
    fingers = ('thumb', 'index', 'middle')
    pairs = [(arm, part) for arm in (*left, *right) for part in _TRUNK]
    pairs += [
        (one, other)
        for one in left
        for other in right
        if not one.name.endswith(fingers) and not other.name.endswith(fingers)
    ]
    return tuple(
        (number[one.name], number[other.name])
        for one, other in pairs
        if frozenset((one.name, other.name)) not in IGNORED
    )


PAIRS: tuple[tuple[int, int], ...] = _watched()
"""Watched pairs as places in CAPSULES. Finger against finger of two hands is left to the task."""

_LINKS = tuple(dict.fromkeys(capsule.link for capsule in CAPSULES))
_LINK_NUMBER = np.array([_LINKS.index(capsule.link) for capsule in CAPSULES])
_START = np.array([capsule.start for capsule in CAPSULES])
_END = np.array([capsule.end for capsule in CAPSULES])
_RADIUS = np.array([capsule.radius for capsule in CAPSULES])
_FIRST = np.array([pair[0] for pair in PAIRS])
_SECOND = np.array([pair[1] for pair in PAIRS])
_RADII = _RADIUS[_FIRST] + _RADIUS[_SECOND]


def segment_distances(p0: Array, p1: Array, q0: Array, q1: Array) -> Array:
    """Distances between segments, row by row.

    Closest points by clamped minimisation (Ericson, Real-Time Collision Detection, 5.1.9).

    Args:
        p0: Starts of the first segments [m], shape (N, 3).
        p1: Their ends, shape (N, 3).
        q0: Starts of the second segments, shape (N, 3).
        q1: Their ends, shape (N, 3).

    Returns:
        Shape (N,) [m].
    """
    d1, d2, r = p1 - p0, q1 - q0, p0 - q0
    a = np.maximum(np.einsum('ij,ij->i', d1, d1), 1e-18)
    e = np.maximum(np.einsum('ij,ij->i', d2, d2), 1e-18)
    b = np.einsum('ij,ij->i', d1, d2)
    c = np.einsum('ij,ij->i', d1, r)
    f = np.einsum('ij,ij->i', d2, r)
    denominator = a * e - b * b
    parallel = denominator <= 1e-12 * a * e
    s = np.where(parallel, 0.0, (b * f - c * e) / np.where(parallel, 1.0, denominator))
    s = np.clip(s, 0.0, 1.0)
    t = (b * s + f) / e
    clamped = np.clip(t, 0.0, 1.0)
    s = np.where(t == clamped, s, np.clip((b * clamped - c) / a, 0.0, 1.0))
    gap = r + s[:, None] * d1 - clamped[:, None] * d2
    distance: Array = np.sqrt(np.einsum('ij,ij->i', gap, gap))
    return distance


def pair_distances(position: Array) -> Array:
    """Surface distances of all watched pairs [m], shape (len(PAIRS),).

    Args:
        position: Joint positions [rad], shape (43,), in ALL_JOINTS order.
    """
    poses = link_poses(position, _LINKS)
    placed = np.stack([poses[link] for link in _LINKS])[_LINK_NUMBER]
    rotation, origin = placed[:, :3, :3], placed[:, :3, 3]
    start = np.einsum('nij,nj->ni', rotation, _START) + origin
    end = np.einsum('nij,nj->ni', rotation, _END) + origin
    between = segment_distances(start[_FIRST], end[_FIRST], start[_SECOND], end[_SECOND])
    surface: Array = between - _RADII
    return surface


def clearance(position: Array) -> Clearance:
    """The closest watched pair at a joint position, shape (43,)."""
    distances = pair_distances(position)
    pair = int(np.argmin(distances))
    first, second = PAIRS[pair]
    return Clearance(
        distance=float(distances[pair]),
        first=CAPSULES[first].name,
        second=CAPSULES[second].name,
    )
