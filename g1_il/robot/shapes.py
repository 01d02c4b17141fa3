# SPDX-License-Identifier: Apache-2.0
"""Primitive shapes of our own for every link: what is seen and what collides.

The extents follow the measured envelopes of the maker's meshes; no mesh is used. Shapes are
written once, for the left side and the middle; the right side is the mirror image in y. MJCF
and URDF are both built from `shapes_of`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from g1_il.robot.tables import Vector

Kind = Literal['capsule', 'cylinder', 'box', 'sphere']

COLOURS: dict[str, tuple[float, float, float, float]] = {
    'shell': (0.80, 0.82, 0.84, 1.0),
    'dark': (0.13, 0.14, 0.16, 1.0),
    'joint': (0.33, 0.35, 0.38, 1.0),
    'visor': (0.03, 0.03, 0.05, 1.0),
    'glow': (0.25, 0.65, 1.0, 1.0),
    'pad': (0.22, 0.23, 0.25, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One primitive in its link's frame.

    Attributes:
        kind: capsule and cylinder run from start to end; box and sphere sit at start.
        start: First end, or the centre [m].
        end: Second end of capsule and cylinder [m]; equal to start otherwise.
        radius: Of capsule, cylinder and sphere [m]; 0 for a box.
        half: Half extents of a box [m]; zeros otherwise.
        colour: Key of COLOURS.
        solid: False for shapes that are only seen.
    """

    kind: Kind
    start: Vector
    end: Vector
    radius: float = 0.0
    half: Vector = (0.0, 0.0, 0.0)
    colour: str = 'shell'
    solid: bool = True


def _rod(a: Vector, b: Vector, radius: float, colour: str, solid: bool = True) -> Shape:
    return Shape(kind='capsule', start=a, end=b, radius=radius, colour=colour, solid=solid)


def _disc(a: Vector, b: Vector, radius: float, colour: str, solid: bool = False) -> Shape:
    return Shape(kind='cylinder', start=a, end=b, radius=radius, colour=colour, solid=solid)


def _block(centre: Vector, half: Vector, colour: str, solid: bool = True) -> Shape:
    return Shape(kind='box', start=centre, end=centre, half=half, colour=colour, solid=solid)


_FINGER_BASE = (_rod((0.003, 0.0, 0.0), (0.0440, 0.0, 0.0), 0.0115, 'joint'),)
_FINGER_END = (_rod((0.0, 0.0, 0.0), (0.0395, 0.0, 0.0), 0.0105, 'pad'),)

_MIDDLE: dict[str, tuple[Shape, ...]] = {
    'pelvis': (_rod((0.0, -0.022, -0.075), (0.0, 0.022, -0.075), 0.052, 'dark'),),
    'pelvis_contour_link': (
        _rod((0.0, -0.012, -0.100), (0.0, 0.012, -0.100), 0.053, 'shell', solid=False),
        _rod((0.0, -0.040, -0.045), (0.0, 0.040, -0.045), 0.030, 'shell', solid=False),
    ),
    'waist_yaw_link': (_disc((0.0, 0.0, 0.0), (0.0, 0.0, 0.054), 0.0425, 'joint'),),
    'waist_roll_link': (),
    'torso_link': (
        _rod((0.006, -0.030, 0.246), (0.006, 0.030, 0.246), 0.068, 'shell'),
        _rod((0.006, -0.026, 0.160), (0.006, 0.026, 0.160), 0.068, 'shell'),
        _rod((0.004, -0.018, 0.072), (0.004, 0.018, 0.072), 0.060, 'dark'),
        _disc((0.004, 0.070, 0.248), (0.004, 0.103, 0.248), 0.040, 'joint'),
        _disc((0.004, -0.103, 0.248), (0.004, -0.070, 0.248), 0.040, 'joint'),
        _block((-0.052, 0.0, 0.195), (0.020, 0.055, 0.075), 'joint', solid=False),
    ),
    'logo_link': (_disc((0.070, 0.0, 0.230), (0.0785, 0.0, 0.230), 0.017, 'glow'),),
    'head_link': (
        _disc((0.0, 0.0, 0.310), (0.0, 0.0, 0.375), 0.042, 'joint'),
        _rod((-0.006, 0.0, 0.402), (-0.006, 0.0, 0.460), 0.066, 'shell'),
        _rod((0.016, 0.0, 0.405), (0.016, 0.0, 0.466), 0.0585, 'visor', solid=False),
        _rod((0.0695, 0.004, 0.487), (0.0620, 0.030, 0.487), 0.0040, 'glow', solid=False),
        _rod((0.0695, -0.004, 0.487), (0.0620, -0.030, 0.487), 0.0040, 'glow', solid=False),
    ),
}

_LEFT: dict[str, tuple[Shape, ...]] = {
    'hip_pitch_link': (_rod((0.0, 0.018, -0.005), (-0.002, 0.058, -0.028), 0.043, 'joint'),),
    'hip_roll_link': (_rod((0.020, 0.0, -0.010), (0.026, 0.0, -0.100), 0.046, 'shell'),),
    'hip_yaw_link': (_rod((-0.004, 0.0, -0.030), (-0.068, 0.0, -0.160), 0.050, 'shell'),),
    'knee_link': (
        _disc((0.0, -0.036, 0.0), (0.0, 0.036, 0.0), 0.048, 'joint'),
        _rod((0.012, 0.0, -0.050), (0.006, 0.0, -0.240), 0.040, 'shell'),
    ),
    'ankle_pitch_link': (_rod((0.0, 0.0, -0.005), (0.0, 0.0, 0.005), 0.022, 'joint'),),
    'ankle_roll_link': (
        _rod((-0.040, 0.0, -0.015), (0.105, 0.0, -0.022), 0.013, 'dark', solid=False),
        _block((0.037, 0.0, -0.024), (0.100, 0.034, 0.011), 'dark'),
    ),
    'shoulder_pitch_link': (_rod((0.0, 0.022, 0.0), (0.0, 0.040, -0.010), 0.036, 'joint'),),
    'shoulder_roll_link': (_rod((0.0, 0.004, -0.006), (0.0, 0.006, -0.070), 0.036, 'shell'),),
    'shoulder_yaw_link': (_rod((0.003, 0.0, -0.004), (0.014, 0.0, -0.074), 0.034, 'shell'),),
    'elbow_link': (
        _disc((0.0, -0.030, 0.0), (0.0, 0.030, 0.0), 0.033, 'joint'),
        _rod((0.004, 0.001, -0.001), (0.078, 0.001, -0.009), 0.031, 'shell'),
    ),
    'wrist_roll_link': (_rod((0.010, 0.0, 0.0), (0.034, 0.0, 0.0), 0.0285, 'joint'),),
    'wrist_pitch_link': (_rod((0.002, 0.0, 0.0), (0.044, 0.0, 0.0), 0.0275, 'shell'),),
    'wrist_yaw_link': (
        _rod((0.0, 0.0, 0.0), (0.020, 0.0, 0.0), 0.0265, 'joint'),
        _disc((0.020, 0.0, 0.0), (0.043, 0.0, 0.0), 0.027, 'joint'),
    ),
    'hand_palm_link': (_block((0.044, 0.0, 0.0), (0.041, 0.017, 0.041), 'shell'),),
    'hand_thumb_0_link': (_rod((0.0, -0.004, 0.0), (-0.0015, -0.019, 0.0), 0.0125, 'joint'),),
    'hand_thumb_1_link': (_rod((0.0, -0.003, 0.0), (0.0, -0.0440, 0.0), 0.0115, 'joint'),),
    'hand_thumb_2_link': (_rod((0.0, 0.0, 0.0), (0.0, -0.0395, 0.0), 0.0105, 'pad'),),
    'hand_middle_0_link': _FINGER_BASE,
    'hand_middle_1_link': _FINGER_END,
    'hand_index_0_link': _FINGER_BASE,
    'hand_index_1_link': _FINGER_END,
}

FRAME_OF_SITE: dict[str, tuple[str, Vector]] = {
    'left_palm': ('left_hand_palm_link', (0.0, 0.0, 0.0)),
    'left_thumb_tip': ('left_hand_thumb_2_link', (0.0, -0.05, 0.0)),
    'left_index_tip': ('left_hand_index_1_link', (0.05, 0.0, 0.0)),
    'left_middle_tip': ('left_hand_middle_1_link', (0.05, 0.0, 0.0)),
    'right_palm': ('right_hand_palm_link', (0.0, 0.0, 0.0)),
    'right_thumb_tip': ('right_hand_thumb_2_link', (0.0, 0.05, 0.0)),
    'right_index_tip': ('right_hand_index_1_link', (0.05, 0.0, 0.0)),
    'right_middle_tip': ('right_hand_middle_1_link', (0.05, 0.0, 0.0)),
}
"""Palm and fingertip frames: link that carries them and offset in it [m]; axes are the link's."""


def _mirrored(vector: Vector) -> Vector:
    return (vector[0], -vector[1], vector[2])


def shapes_of(link: str) -> tuple[Shape, ...]:
    """Shapes of a link, in its frame; empty for mere frames."""
    if link in _MIDDLE:
        return _MIDDLE[link]
    side, _, part = link.partition('_')
    if part not in _LEFT:
        return ()
    if side == 'left':
        return _LEFT[part]
    return tuple(
        replace(shape, start=_mirrored(shape.start), end=_mirrored(shape.end))
        for shape in _LEFT[part]
    )


def geom_name(link: str, number: int) -> str:
    """Name of a link's shape in the MJCF, e.g. 'left_elbow_link_1'."""
    return f'{link}_{number}'


def solid_geoms(link: str) -> tuple[str, ...]:
    """MJCF names of a link's colliding shapes."""
    return tuple(
        geom_name(link, number) for number, shape in enumerate(shapes_of(link)) if shape.solid
    )
