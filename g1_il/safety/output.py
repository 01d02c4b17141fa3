# SPDX-License-Identifier: Apache-2.0
"""From the 28 commanded joints to the command of all 43."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.arm_gravity import arm_gravity_torque
from g1_il.robot.command import RobotCommand
from g1_il.robot.joints import COMMAND_INDEX, KD, KP, WAIST_JOINTS, indices
from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig

Array = npt.NDArray[np.float64]

DAMPING_FACTOR = 2.0
"""A fault damps with this multiple of the usual kd: 6 Nm s/rad at the shoulder, 3 at the wrist."""

_ARMS = COMMAND_INDEX[:14]
_HANDS = COMMAND_INDEX[14:]
_WAIST = indices(WAIST_JOINTS)


def _frozen(values: Array) -> Array:
    values.flags.writeable = False
    return values


class Output:
    """Builds commands. The legs get no gains: they stay with the robot's own controller.

    So does the waist unless it is asked for.
    """

    def __init__(self, config: GateConfig) -> None:
        """Prepares the gains."""
        self._hands = config.hands
        self._gravity = config.gravity_compensation
        chosen = _ARMS
        if config.hands:
            chosen = np.concatenate((chosen, _HANDS))
        self._held = _WAIST if config.hold_waist else _WAIST[:0]
        chosen = np.concatenate((chosen, self._held))
        kp, kd, damping = np.zeros(43), np.zeros(43), np.zeros(43)
        kp[chosen], kd[chosen] = KP[chosen], KD[chosen]
        damping[_ARMS] = DAMPING_FACTOR * KD[_ARMS]
        damping[self._held] = DAMPING_FACTOR * KD[self._held]
        self._kp, self._kd, self._damping = _frozen(kp), _frozen(kd), _frozen(damping)
        self._nothing = _frozen(np.zeros(43))
        self._held_position = np.zeros(len(self._held))

    def start(self, state: RobotState) -> None:
        """Takes note of where the waist is when the arms are taken over."""
        self._held_position = state.position[self._held]

    def follow(
        self,
        state: RobotState,
        position: Array,
        velocity: Array,
        weight: float,
        *,
        hands_enabled: bool,
    ) -> RobotCommand:
        """Command that follows a trajectory.

        Args:
            state: Newest state, finite in the body.
            position: [rad], shape (28,).
            velocity: [rad/s], shape (28,).
            weight: arm_sdk weight.
            hands_enabled: False lets the hands go.
        """
        all_positions = state.position.copy()
        all_positions[COMMAND_INDEX] = position
        all_positions[self._held] = self._held_position
        all_velocities = np.zeros(43)
        all_velocities[COMMAND_INDEX] = velocity
        effort = self._nothing
        if self._gravity:
            effort = np.zeros(43)
            effort[_ARMS] = arm_gravity_torque(all_positions, state.orientation_wxyz)
        return RobotCommand(
            position=all_positions,
            velocity=all_velocities,
            effort=effort,
            kp=self._kp,
            kd=self._kd,
            weight=weight,
            hands_enabled=hands_enabled and self._hands,
        )

    def damp(self, position: Array, weight: float) -> RobotCommand:
        """Command that brakes the arms and lets the hands go; position (28,) is for record."""
        all_positions = np.zeros(43)
        all_positions[COMMAND_INDEX] = position
        return RobotCommand(
            position=all_positions,
            velocity=self._nothing,
            effort=self._nothing,
            kp=self._nothing,
            kd=self._damping,
            weight=weight,
            hands_enabled=False,
        )
