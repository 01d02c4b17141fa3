# SPDX-License-Identifier: Apache-2.0
"""The robot's model with only some joints free: what IK needs of MuJoCo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from g1_il.robot.joints import ALL_JOINTS
from g1_il.robot.mjcf import build_mjcf


def reduced_model(
    joints: Sequence[str], bounds: Mapping[str, tuple[float, float]] | None = None
) -> mujoco.MjModel:
    """The robot alone, pelvis at the origin, every joint but the named ones frozen at zero.

    Args:
        joints: Joints that stay.
        bounds: Narrower ranges [rad] of some of them.
    """
    spec = mujoco.MjSpec.from_string(build_mjcf())
    for actuator in list(spec.actuators):
        spec.delete(actuator)
    for joint in list(spec.joints):
        if joint.name not in joints:
            spec.delete(joint)
        elif bounds and joint.name in bounds:
            joint.range = np.array(bounds[joint.name])
    return spec.compile()


def positions_in_all_joints(model: mujoco.MjModel) -> np.ndarray:
    """Place in ALL_JOINTS of each of the model's joints, in the model's order, shape (nq,)."""
    names = [model.joint(k).name for k in range(model.njnt)]
    return np.array([ALL_JOINTS.index(name) for name in names])
