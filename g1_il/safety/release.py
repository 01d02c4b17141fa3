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
LONGEST_STEP_S = 0.05
"""However long a step was missing, the weight leaps by no more than the ramp has in this time."""


class Release:
    """Progress of one release."""

    gain_per_s = 10.0
    """How fast the remaining way to the rest pose is made up [1/s]; gentler than following."""

    def __init__(self, config: GateConfig) -> None:
        """Prepares the ramps; `begin` starts one."""
        self._move_ns = round(config.release_move_s * 1e9)
        self._ramp_ns = config.release_ramp_s * 1e9
        self._longest_step_ns = LONGEST_STEP_S * 1e9
        self.max_velocity: Array = np.full(28, config.release_velocity_rad_s)
        self._started_ns = 0
        self._moves = False
        self._stepped_ns = 0
        self._out_ns: int | None = None
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
        self._stepped_ns = now_ns
        self._out_ns = None
        self.damped = damped

    def wants_to_move(self, trajectory: Trajectory, rest: Array, now_ns: int) -> bool:
        """True until the arms are at rest or their time is up; then False for good."""
        if self._moves:
            way = np.abs(rest[ARM] - trajectory.position[ARM]).max()
            arrived = way < ARRIVED_RAD and np.abs(trajectory.velocity[ARM]).max() < ARRIVED_RAD
            if arrived or now_ns - self._started_ns >= self._move_ns:
                self._moves = False
            else:
                self._stepped_ns = now_ns
        return self._moves

    def next_weight(self, weight: float, now_ns: int) -> float:
        """The weight further down its ramp, by the time since the last step.

        By time and not by steps: on a machine that misses steps the release ends in time, too.
        """
        passed_ns = min(now_ns - self._stepped_ns, self._longest_step_ns)
        self._stepped_ns = now_ns
        weight = max(0.0, weight - passed_ns / self._ramp_ns)
        if weight == 0.0 and self._out_ns is None:
            self._out_ns = now_ns
        return weight

    def has_ended(self, now_ns: int) -> bool:
        """True when the weight is out and the last command has been repeated for long enough."""
        return self._out_ns is not None and now_ns - self._out_ns >= REPEAT_S * 1e9
