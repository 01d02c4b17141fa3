# SPDX-License-Identifier: Apache-2.0
"""From the 28 commanded joints to the command of all 43."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from g1_il.robot.command import RobotCommand
from g1_il.robot.joints import COMMAND_INDEX, KD, KP
from g1_il.robot.state import RobotState

Array = npt.NDArray[np.float64]

GravityTorque = Callable[[Array, Array], Array]
"""(position (43,) [rad], orientation_wxyz (4,)) -> holding torque of both arms (14,) [Nm]."""

DAMPING_FACTOR = 2.0
"""A fault damps with this multiple of the usual kd: 6 Nm s/rad at the shoulder, 3 at the wrist."""

_ARMS = COMMAND_INDEX[:14]
_HANDS = COMMAND_INDEX[14:]


def _gains(values: Array, hands: bool) -> Array:
    chosen = COMMAND_INDEX if hands else _ARMS
    gains = np.zeros(43)
    gains[chosen] = values[chosen]
    gains.flags.writeable = False
    return gains


class Output:
    """Builds commands. Legs and waist get no gains: they stay with the robot's own controller."""

    def __init__(self, *, hands: bool, gravity: GravityTorque | None) -> None:
        """Prepares the gains.

        Args:
            hands: Whether hands are fitted.
            gravity: Holding torque to feed forward; None feeds nothing.
        """
        self._hands = hands
        self._gravity = gravity
        self._kp, self._kd = _gains(KP, hands), _gains(KD, hands)
        self._nothing = np.zeros(43)
        self._nothing.flags.writeable = False
        damping = np.zeros(43)
        damping[_ARMS] = DAMPING_FACTOR * KD[_ARMS]
        damping.flags.writeable = False
        self._damping = damping

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
        all_velocities = np.zeros(43)
        all_velocities[COMMAND_INDEX] = velocity
        effort = self._nothing
        if self._gravity is not None:
            effort = np.zeros(43)
            effort[_ARMS] = self._gravity(all_positions, state.orientation_wxyz)
        if not self._hands:
            all_positions[_HANDS] = 0.0
            all_velocities[_HANDS] = 0.0
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
        """Command that only brakes the arms and lets the hands go; position (28,) is for record."""
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
