# SPDX-License-Identifier: Apache-2.0
"""The limits that every command keeps, per joint, in COMMAND_JOINTS order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.robot.joints import COMMAND_INDEX, EFFORT, KP, LOWER, UPPER, VELOCITY
from g1_il.safety.config import GateConfig

Array = npt.NDArray[np.float64]

ARM = slice(0, 14)
LEFT_HAND = slice(14, 21)
RIGHT_HAND = slice(21, 28)
HANDS = slice(14, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the 28 commanded joints; arrays of shape (28,) in COMMAND_JOINTS order.

    Attributes:
        lower: Lowest commanded position [rad].
        upper: Highest commanded position [rad].
        velocity: Fastest command [rad/s].
        acceleration: Largest change of the commanded velocity [rad/s^2].
        lead: Most that the command may be away from the measured joint [rad].
    """

    lower: Array
    upper: Array
    velocity: Array
    acceleration: Array
    lead: Array


def _arm_and_hand(arm: float, hand: float) -> Array:
    return np.repeat((arm, hand), 14)


def make_limits(config: GateConfig) -> Limits:
    """Builds the limits from the robot's table and the gate's settings.

    Arms keep a margin from their stops. Fingers do not: at rest they stand at a stop. The lead is
    bounded by an angle and by the torque it asks for, stiffness times lead.
    """
    margin = _arm_and_hand(config.arm_margin_rad, 0.0)
    wanted = _arm_and_hand(config.arm_max_velocity_rad_s, config.hand_max_velocity_rad_s)
    lead = _arm_and_hand(config.arm_max_lead_rad, config.hand_max_lead_rad)
    full_torque_lead = EFFORT[COMMAND_INDEX] / KP[COMMAND_INDEX]
    return Limits(
        lower=LOWER[COMMAND_INDEX] + margin,
        upper=UPPER[COMMAND_INDEX] - margin,
        velocity=np.minimum(wanted, VELOCITY[COMMAND_INDEX]),
        acceleration=_arm_and_hand(
            config.arm_max_acceleration_rad_s2, config.hand_max_acceleration_rad_s2
        ),
        lead=np.minimum(lead, config.effort_share * full_torque_lead),
    )
