# SPDX-License-Identifier: Apache-2.0
"""What a task of the simulator offers: a scene, a random start and a judgement."""

from __future__ import annotations

from typing import Protocol

import mujoco
import numpy as np

STAGES = ('reach', 'grasp', 'lift', 'carry', 'place', 'done')


class Task(Protocol):
    """A scene around the robot and the rules by which it is judged."""

    name: str
    objects: tuple[str, ...]
    assets: str
    world: str

    def bind(self, model: mujoco.MjModel) -> None:
        """Looks up what it needs in the compiled model."""

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Puts the objects at a random start and forgets what was achieved."""

    def update(self, data: mujoco.MjData) -> None:
        """Looks at the scene; called every 10 ms of simulated time."""

    @property
    def success(self) -> bool:
        """The success rule holds now."""

    @property
    def stage(self) -> str:
        """Furthest stage reached since the reset, one of STAGES."""
