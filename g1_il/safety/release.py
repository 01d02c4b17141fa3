# SPDX-License-Identifier: Apache-2.0
"""The way out: to the rest pose, then the weight to zero, then a few commands to be sure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.safety.config import GateConfig
from g1_il.safety.limits import ARM
from g1_il.safety.trajectory import Trajectory

Array = npt.NDArray[np.float64]

ARRIVED_RAD = 0.01
REPEAT_S = 0.1
"""How long the last command, weight 0 and hands let go, is repeated in case one gets lost."""


class Release:
    """Progress of one release."""

    gain_per_s = 10.0
    """How fast the remaining way to the rest pose is made up [1/s]; gentler than following."""

    def __init__(self, config: GateConfig) -> None:
        """Prepares the ramps; `begin` starts one."""
        self._move_ns = round(config.release_move_s * 1e9)
        self._weight_step = config.period_ns * 1e-9 / config.release_ramp_s
        self._repeats = round(REPEAT_S * config.control_rate_hz)
        self.max_velocity: Array = np.full(28, config.release_velocity_rad_s)
        self._started_ns = 0
        self._moves = False
        self._repeated = 0
        self.damped = False

    def begin(self, now_ns: int, *, move: bool, damped: bool) -> None:
        """Starts a release.

        Args:
            now_ns: Time [ns].
            move: Go to the rest pose before the weight ramps out.
            damped: Command damping only on the way, as after a fault.
        """
        self._started_ns = now_ns
        self._moves = move
        self._repeated = 0
        self.damped = damped

    def wants_to_move(self, trajectory: Trajectory, rest: Array, now_ns: int) -> bool:
        """True until the arms are at rest or their time is up; then False for good."""
        if self._moves:
            way = np.abs(rest[ARM] - trajectory.position[ARM]).max()
            arrived = way < ARRIVED_RAD and np.abs(trajectory.velocity[ARM]).max() < ARRIVED_RAD
            if arrived or now_ns - self._started_ns >= self._move_ns:
                self._moves = False
        return self._moves

    def next_weight(self, weight: float) -> float:
        """The weight one step further down its ramp."""
        if weight == 0.0:
            self._repeated += 1
        return max(0.0, weight - self._weight_step)

    def has_ended(self, weight: float) -> bool:
        """True when the last command has been repeated often enough."""
        return weight == 0.0 and self._repeated >= self._repeats
