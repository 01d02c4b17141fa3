# SPDX-License-Identifier: Apache-2.0
"""From targets at 30-100 Hz to a smooth reference at the control rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.safety.limits import ARM

Array = npt.NDArray[np.float64]

SHORTEST_INTERVAL_NS = 4_000_000
LONGEST_INTERVAL_NS = 60_000_000
FIRST_INTERVAL_NS = 33_000_000
SPARE = 1.2
"""A reference that takes a little longer than one interval rides over jitter without stopping."""


class Follower:
    """Reference that moves in a straight line to each target, and blends in when it is new.

    A target is reached one sending interval after its receipt, where the next one is due: the
    delay of one interval buys motion without steps. A source that gives velocities gets that
    delay back, because its target is then carried forward by one interval.
    """

    def __init__(self, blend_ns: int, blend_velocity: float) -> None:
        """Makes an empty follower; call `start` before use.

        Args:
            blend_ns: Least time over which a new source takes over from where the command
                stands [ns].
            blend_velocity: Fastest arm joint on the way to a source's first target [rad/s]; one
                that is far away is blended in for longer.
        """
        self._least_blend_ns = blend_ns
        self._blend_velocity = blend_velocity
        self._blend_ns = float(blend_ns)
        self._interval_ns = float(FIRST_INTERVAL_NS)
        self._offered_ns = -1
        self._arrival_ns = 0
        self._started_ns = 0
        self._anchor: Array = np.zeros(0)
        self._goal: Array = np.zeros(0)
        self._reference: Array = np.zeros(0)
        self._reference_ns = 0

    def start(self, position: Array, now_ns: int) -> None:
        """Begins to blend from a commanded position, shape (28,), to targets offered later."""
        self._anchor = position.copy()
        self._started_ns = now_ns
        self._offered_ns = -1
        self._interval_ns = float(FIRST_INTERVAL_NS)

    def offer(self, position: Array, velocity: Array, now_ns: int) -> None:
        """Takes the next target.

        Args:
            position: Target [rad], shape (28,), limited already.
            velocity: Its velocity [rad/s], shape (28,); zeros when unknown.
            now_ns: Time of receipt [ns].
        """
        if self._offered_ns < 0:
            self._reference = position.copy()
            self._reference_ns = now_ns
            self._blend_ns = self._blend_time_ns(position)
        else:
            interval_ns = now_ns - self._offered_ns
            interval_ns = min(max(interval_ns, SHORTEST_INTERVAL_NS), LONGEST_INTERVAL_NS)
            self._interval_ns += 0.2 * (interval_ns - self._interval_ns)
        self._offered_ns = now_ns
        self._arrival_ns = now_ns + round(SPARE * self._interval_ns)
        self._goal = position + velocity * (SPARE * self._interval_ns * 1e-9)

    def step(self, now_ns: int) -> tuple[Array, Array]:
        """Reference position [rad] and velocity [rad/s], each of shape (28,), at a time."""
        passed_ns = now_ns - self._reference_ns
        left_ns = self._arrival_ns - self._reference_ns
        if left_ns <= 0 or passed_ns < 0:
            velocity = np.zeros_like(self._reference)
        elif passed_ns >= left_ns:
            velocity = (self._goal - self._reference) * (1e9 / max(passed_ns, 1))
            self._reference = self._goal
        else:
            velocity = (self._goal - self._reference) * (1e9 / left_ns)
            self._reference = self._reference + velocity * (passed_ns * 1e-9)
        self._reference_ns = now_ns
        return self._blend(velocity, now_ns)

    def _blend_time_ns(self, position: Array) -> float:
        """How long to blend to a first target: the eased way is 1.5 times as fast half-way."""
        way = float(np.abs(position[ARM] - self._anchor[ARM]).max())
        return max(self._least_blend_ns, 1.5e9 * way / self._blend_velocity)

    def _blend(self, velocity: Array, now_ns: int) -> tuple[Array, Array]:
        share = (now_ns - self._started_ns) / self._blend_ns
        if share >= 1.0:
            return self._reference, velocity
        share = max(share, 0.0)
        eased = share * share * (3.0 - 2.0 * share)
        rate = 6.0 * share * (1.0 - share) * 1e9 / self._blend_ns
        way = self._reference - self._anchor
        return self._anchor + eased * way, eased * velocity + rate * way
