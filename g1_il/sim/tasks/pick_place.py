# SPDX-License-Identifier: Apache-2.0
"""Pick the can from the table and put it into the bin, with the right hand."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from g1_il.robot.mjcf import SCENE
from g1_il.sim.task import STAGES

TABLE_TOP_M = 0.85
TABLE_EDGE_M = 0.18
CAN_RADIUS_M = 0.028
CAN_HEIGHT_M = 0.090
CAN_MASS_KG = 0.150
CAN_X_M = (0.22, 0.42)
CAN_Y_M = (-0.30, -0.10)
BIN_XY_M = (0.32, 0.05)
BIN_INNER_M = 0.080
BIN_WALL_M = 0.050

INSIDE_M = 0.07
LOW_M = 0.06
SLOW_M_S = 0.1
LIFTED_M = 0.10
OFF_TABLE_M = 0.01

_SOLID = f'contype="{SCENE}" conaffinity="{SCENE}"'

_ASSETS = """
<texture name="sky" type="skybox" builtin="gradient" rgb1="0.86 0.90 0.95" rgb2="0.55 0.62 0.70"
 width="64" height="384"/>
<texture name="tiles" type="2d" builtin="checker" rgb1="1 1 1" rgb2="0.92 0.92 0.92"
 width="128" height="128"/>
<material name="floor" texture="tiles" texrepeat="10 10" rgba="0.60 0.63 0.67 1" specular="0.1"/>
<material name="wood" rgba="0.80 0.66 0.48 1" specular="0.15" shininess="0.2"/>
<material name="steel" rgba="0.42 0.44 0.47 1" specular="0.5"/>
<material name="can" rgba="0.82 0.12 0.13 1" specular="0.6" shininess="0.7"/>
<material name="tin" rgba="0.86 0.87 0.89 1" specular="0.8" shininess="0.8"/>
<material name="bin" rgba="0.13 0.38 0.66 1" specular="0.2"/>
"""


def _table() -> str:
    depth, width, thick = 0.52, 1.10, 0.03
    x = TABLE_EDGE_M + depth / 2
    legs = ''.join(
        f'<geom type="box" material="steel" contype="0" conaffinity="0"'
        f' pos="{x + sx * (depth / 2 - 0.04)} {sy * (width / 2 - 0.04)}'
        f' {(TABLE_TOP_M - thick) / 2}" size="0.02 0.02 {(TABLE_TOP_M - thick) / 2}"/>'
        for sx in (-1, 1)
        for sy in (-1, 1)
    )
    return (
        f'<geom name="table" type="box" material="wood" {_SOLID}'
        f' pos="{x} 0 {TABLE_TOP_M - thick / 2}"'
        f' size="{depth / 2} {width / 2} {thick / 2}"/>{legs}'
    )


def _bin() -> str:
    wall, inner, half = 0.004, BIN_INNER_M, BIN_WALL_M / 2
    sides = ''.join(
        f'<geom type="box" material="bin" {_SOLID}'
        f' pos="{x * (inner + wall)} {y * (inner + wall)} {half}"'
        f' size="{wall if x else inner + 2 * wall} {wall if y else inner + 2 * wall} {half}"/>'
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
    )
    floor = (
        f'<geom type="box" material="bin" {_SOLID} pos="0 0 0.002" size="{inner} {inner} 0.002"/>'
    )
    return (
        f'<body name="bin" pos="{BIN_XY_M[0]} {BIN_XY_M[1]} {TABLE_TOP_M}">{floor}{sides}</body>'
    )


def _can() -> str:
    half = CAN_HEIGHT_M / 2
    rims = ''.join(
        f'<geom type="cylinder" material="tin" contype="0" conaffinity="0" mass="0"'
        f' pos="0 0 {sign * (half - 0.0035)}" size="{CAN_RADIUS_M + 0.0003} 0.0038"/>'
        for sign in (-1, 1)
    )
    return (
        f'<body name="can" pos="0.32 -0.2 {TABLE_TOP_M + half}"><freejoint name="can"/>'
        f'<geom name="can" type="cylinder" material="can" {_SOLID}'
        f' size="{CAN_RADIUS_M} {half}" mass="{CAN_MASS_KG}"/>{rims}</body>'
    )


_WORLD = f"""
<light name="sun" pos="1.5 -1.2 3.0" dir="-0.45 0.35 -1" directional="true"
 diffuse="0.55 0.55 0.53" specular="0.3 0.3 0.3" castshadow="true"/>
<light name="fill" pos="1.5 2.0 2.5" dir="-0.4 -0.6 -0.7" directional="true"
 diffuse="0.22 0.23 0.26" specular="0 0 0" castshadow="false"/>
<geom name="floor" type="plane" size="5 5 0.1" material="floor" {_SOLID}/>
<camera name="overview" pos="1.45 -1.19 1.47" xyaxes="0.6856 0.728 0 -0.2036 0.1917 0.9601"
 fovy="33"/>
{_table()}{_bin()}{_can()}
"""


class PickPlace:
    """The can starts anywhere in 20 x 20 cm; it has to stand or lie still in the bin.

    Stages: reach (from the start on), grasp (thumb and a finger of one hand touch the can), lift
    (1 cm off the table), carry (lifted by 10 cm), place (then above or in the bin's middle),
    done (success). Success: within 7 cm of the bin's centre in x and in y, its centre less than
    6 cm above the table, slower than 0.1 m/s, no finger on it, after a lift by 10 cm.
    """

    name = 'pick_place'
    objects = ('can', 'bin')
    assets = _ASSETS
    world = _WORLD

    def bind(self, model: mujoco.MjModel) -> None:
        """Looks up the can and the fingers."""
        joint = model.joint('can')
        self._position = int(joint.qposadr[0])
        self._velocity = int(joint.dofadr[0])
        self._can = model.geom('can').id
        geoms = [model.geom(number).name for number in range(model.ngeom)]
        self._digits = {
            (side, digit): frozenset(
                number
                for number, name in enumerate(geoms)
                if name.startswith(f'{side}_hand_')
                and ('_thumb_' in name) == (digit == 'thumb')
                and '_palm_' not in name
            )
            for side in ('left', 'right')
            for digit in ('thumb', 'finger')
        }
        self._stage = 0
        self._success = False

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Stands the can somewhere in its area."""
        at = self._position
        data.qpos[at : at + 3] = (
            rng.uniform(*CAN_X_M),
            rng.uniform(*CAN_Y_M),
            TABLE_TOP_M + CAN_HEIGHT_M / 2,
        )
        data.qpos[at + 3 : at + 7] = (1.0, 0.0, 0.0, 0.0)
        data.qvel[self._velocity : self._velocity + 6] = 0.0
        self._stage = 0
        self._success = False

    def update(self, data: mujoco.MjData) -> None:
        """Judges stage and success."""
        x, y, z = data.qpos[self._position : self._position + 3].tolist()
        speed = math.hypot(*data.qvel[self._velocity : self._velocity + 3].tolist())
        lifted = z - (TABLE_TOP_M + CAN_HEIGHT_M / 2)
        inside = max(abs(x - BIN_XY_M[0]), abs(y - BIN_XY_M[1])) <= INSIDE_M
        if self._stage == 0 and self._held(data):
            self._stage = 1
        if self._stage >= 1 and lifted >= OFF_TABLE_M:
            self._stage = max(self._stage, 2)
        if self._stage >= 2 and lifted >= LIFTED_M:
            self._stage = max(self._stage, 3)
        if self._stage >= 3 and inside:
            self._stage = max(self._stage, 4)
        rests = self._stage >= 3 and inside and z < TABLE_TOP_M + LOW_M and speed < SLOW_M_S
        self._success = bool(rests and self._released(data))
        if self._success:
            self._stage = 5

    def _touching(self, data: mujoco.MjData) -> set[int]:
        """Shapes that touch the can."""
        pairs = data.contact.geom.tolist()
        return {shape for pair in pairs if self._can in pair for shape in pair}

    def _held(self, data: mujoco.MjData) -> bool:
        touching = self._touching(data)
        return any(
            touching & self._digits[side, 'thumb'] and touching & self._digits[side, 'finger']
            for side in ('left', 'right')
        )

    def _released(self, data: mujoco.MjData) -> bool:
        touching = self._touching(data)
        return not any(touching & digits for digits in self._digits.values())

    @property
    def success(self) -> bool:
        """The rule holds now."""
        return self._success

    @property
    def stage(self) -> str:
        """Furthest stage reached."""
        return STAGES[self._stage]
