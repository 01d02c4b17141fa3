# SPDX-License-Identifier: Apache-2.0
"""What the gate tells about itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class GateState(IntEnum):
    """States of the gate; the numbers are those of GateStatus.msg."""

    DISARMED = 0
    ARMING = 1
    HOLD = 2
    ACTIVE = 3
    RELEASING = 4
    FAULT = 5


KINDS = (
    'position_limit',
    'velocity_limit',
    'acceleration_limit',
    'tracking_error',
    'stale_input',
    'disengaged',
    'not_finite',
    'wrong_length',
    'stamp_backwards',
    'stale_state',
    'stale_hand',
    'fault',
)
"""What the gate does against its inputs' will; each is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The gate's state after a step.

    Attributes:
        state: Where the state machine stands.
        source: Source that is followed, or selected and waited for; empty: nobody.
        reason: Why this state, one sentence; empty when nothing is wrong.
        weight: arm_sdk weight of the last command, 0..1.
        interventions: Control steps (for refused inputs: messages) in which each kind acted,
            since the gate was made.
    """

    state: GateState
    source: str
    reason: str
    weight: float
    interventions: dict[str, int]
