# SPDX-License-Identifier: Apache-2.0
"""The fast torques of the arms against the exact ones of the whole robot."""

from __future__ import annotations

import numpy as np

from g1_il.robot.arm_gravity import arm_gravity_torque
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import LOWER, UPPER

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
ARMS = slice(15, 29)


def tilted(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A pelvis orientation, w x y z, and the direction of gravity that it sees."""
    w, x, y, z = quaternion = (q := random.normal(size=4)) / np.linalg.norm(q)
    up = np.array([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)])
    return quaternion, -up


def test_equals_the_exact_torques_with_straight_fingers():
    random = np.random.default_rng(0)
    for _ in range(30):
        position = random.uniform(LOWER, UPPER)
        position[29:] = 0.0
        quaternion, down = tilted(random)
        np.testing.assert_allclose(
            arm_gravity_torque(position, quaternion),
            gravity_torque(position, down)[ARMS],
            atol=1e-12,
        )


def test_bent_fingers_hardly_matter():
    random = np.random.default_rng(1)
    errors = []
    for _ in range(100):
        position = random.uniform(LOWER, UPPER)
        exact = gravity_torque(position)[ARMS]
        errors.append(np.abs(arm_gravity_torque(position, UPRIGHT) - exact).max())
    assert max(errors) < 0.1


def test_known_torques_at_zero():
    """Holding torques at q = 0 with hands, from the URDF's masses [Nm]."""
    torque = arm_gravity_torque(np.zeros(43), UPRIGHT)
    np.testing.assert_allclose(torque[[0, 3, 7, 10]], [-3.643, -3.412] * 2, atol=2e-3)
