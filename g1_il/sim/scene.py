# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a simulated scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Objects of the scene at one instant.

    Attributes:
        stamp_ns: Time of the physics state [ns].
        task: Task name, e.g. pick_place.
        seed: Seed of the reset that started the scene; -1 before the first.
        names: Objects, e.g. ('can', 'bin').
        poses: Poses in the pelvis frame, shape (N, 7): x y z [m], quaternion x y z w.
        success: The task's success rule holds.
        stage: Furthest stage reached since the reset: reach, grasp, lift, carry, place, done.
    """

    stamp_ns: int
    task: str
    seed: int
    names: tuple[str, ...]
    poses: npt.NDArray[np.float64]
    success: bool
    stage: str
