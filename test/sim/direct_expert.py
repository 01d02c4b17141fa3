# SPDX-License-Identifier: Apache-2.0
"""A small expert for tests: own IK and direct finger synergies, no human hand in between.

It shows that the physics can do the task at all, so that a failure elsewhere is not blamed on it.
"""

from __future__ import annotations

import mujoco
import numpy as np

from g1_il.robot.command import RobotCommand
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import KD, KP, LOWER, RIGHT_ARM_JOINTS, RIGHT_HAND_JOINTS, UPPER, indices
from g1_il.robot.mjcf import build_mjcf
from g1_il.robot.poses import STANDING

ARM = indices(RIGHT_ARM_JOINTS)
HAND = indices(RIGHT_HAND_JOINTS)
# thumb 0 1 2, middle 0 1, index 0 1
OPEN = np.array([0.0, 0.45, -0.25, 1.10, 0.25, 1.10, 0.25])
CLOSED = np.array([0.0, -0.55, -0.35, 1.57, 0.75, 1.57, 0.75])
# Palm down, fingers forward: the palm's y (out of the right palm) looks to the floor.
PALM_DOWN = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
GRASP_IN_PALM = np.array([0.052, 0.075, 0.0])
PERIOD_S = 1.0 / 30.0
MAX_STEP_RAD = 0.08


def wanted_rotation(target: np.ndarray) -> np.ndarray:
    """Palm down; turned inwards by up to 25 degrees on the left, as a human would."""
    yaw = np.radians(25.0) * np.clip((target[1] + 0.30) / 0.35, 0.0, 1.0)
    turn = np.array(
        [[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]]
    )
    return turn @ PALM_DOWN


class DirectExpert:
    """Plays reach, grasp, lift, carry, lower, open on a simulator."""

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(build_mjcf())
        self.data = mujoco.MjData(self.model)
        joints = [self.model.joint(name) for name in RIGHT_ARM_JOINTS]
        self.qpos = np.array([joint.qposadr[0] for joint in joints])
        self.dof = np.array([joint.dofadr[0] for joint in joints])
        self.palm = self.model.body('right_hand_palm_link').id
        self.low, self.high = LOWER[ARM].copy(), UPPER[ARM].copy()
        self.high[1] = 0.05  # keeps the upper arm out of the torso
        self.arm = STANDING[ARM].copy()
        self.hand = np.zeros(7)

    def solve(self, target: np.ndarray) -> np.ndarray:
        """Arm joints that bring the palm's grasp point to a target in the pelvis frame."""
        arm = self.arm.copy()
        for _ in range(8):
            self.data.qpos[self.qpos] = arm
            mujoco.mj_kinematics(self.model, self.data)
            mujoco.mj_comPos(self.model, self.data)
            rotation = self.data.xmat[self.palm].reshape(3, 3)
            point = self.data.xpos[self.palm] + rotation @ GRASP_IN_PALM
            jacobian = np.zeros((6, self.model.nv))
            mujoco.mj_jac(self.model, self.data, jacobian[:3], jacobian[3:], point, self.palm)
            turn = wanted_rotation(target) @ rotation.T
            axis = 0.5 * np.array(
                [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
            )
            error = np.concatenate([target - point, 0.5 * axis])
            j = jacobian[:, self.dof]
            delta = j.T @ np.linalg.solve(j @ j.T + 1e-3 * np.eye(6), error)
            arm = np.clip(arm + np.clip(delta, -0.2, 0.2), self.low, self.high)
        return np.clip(arm, self.arm - MAX_STEP_RAD, self.arm + MAX_STEP_RAD)

    def command(self, arm: np.ndarray, hand: np.ndarray) -> RobotCommand:
        position = STANDING.copy()
        position[ARM], position[HAND] = arm, hand
        return RobotCommand(
            position=position,
            velocity=np.zeros(43),
            effort=gravity_torque(position),
            kp=KP.copy(),
            kd=KD.copy(),
            weight=1.0,
            hands_enabled=True,
        )

    def play(self, simulator, way) -> None:
        """Follows (seconds, target or None to stay, hand) entries, ramped to the physics rate."""
        for seconds, target, hand in way:
            ticks = max(1, round(seconds / PERIOD_S))
            start_hand = self.hand.copy()
            start = self.point.copy()
            for tick in range(1, ticks + 1):
                share = tick / ticks
                smooth = share * share * (3.0 - 2.0 * share)
                if target is not None:
                    self.point = start + smooth * (np.asarray(target) - start)
                before_arm, before_hand = self.arm.copy(), self.hand.copy()
                self.arm = self.solve(self.point)
                self.hand = start_hand + share * (hand - start_hand)
                steps = round(PERIOD_S * 1e9 / simulator.timestep_ns)
                effort_of = self.command(self.arm, self.hand)
                for step in range(1, steps + 1):
                    part = step / steps
                    position = effort_of.position.copy()
                    position[ARM] = before_arm + part * (self.arm - before_arm)
                    position[HAND] = before_hand + part * (self.hand - before_hand)
                    simulator.step(
                        RobotCommand(
                            position=position,
                            velocity=effort_of.velocity,
                            effort=effort_of.effort,
                            kp=effort_of.kp,
                            kd=effort_of.kd,
                            weight=1.0,
                            hands_enabled=True,
                        )
                    )

    def pick_and_place(self, simulator, *, release: bool = True) -> None:
        """Does the whole task from the simulator's start."""
        scene = simulator.scene(0)
        can, bin_ = scene.poses[0, :3], scene.poses[1, :3]
        self.arm = STANDING[ARM].copy()
        self.hand = np.zeros(7)
        self.point = np.array([0.22, -0.22, 0.30])
        up = np.array([0.0, 0.0, 0.14])
        over = np.array([bin_[0], bin_[1], can[2]])
        way = [
            (1.2, can + up, OPEN),
            (0.9, can, OPEN),
            (0.6, None, CLOSED),
            (0.2, None, CLOSED),
            (0.9, can + up, CLOSED),
            (1.4, over + up, CLOSED),
            (1.2, over + (0.0, 0.0, 0.012), CLOSED),
            (0.6, None, OPEN),
            (0.8, over + up, OPEN),
            (0.4, None, OPEN),
        ]
        self.play(simulator, way if release else way[:7])
