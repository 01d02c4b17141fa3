# SPDX-License-Identifier: Apache-2.0
"""A commanded trajectory that keeps its limits whatever it is asked for.

Everything is counted from the last *command*: limits against measured positions would let sensor
noise into the command and turn a speed limit into a torque limit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.safety.limits import Limits

Array = npt.NDArray[np.float64]


def braking_speed(distance: Array, acceleration: Array, period_s: float) -> Array:
    """Fastest speed from which a sampled motion can still stop within a distance.

    A step at speed v moves v T; the next may be slower by a T. From v = (k + f) a T, k whole and
    0 <= f < 1, the way to standstill is a T^2 (k + 1) (k / 2 + f), piecewise linear in v; this is
    its exact inverse. Exactness is what makes the limits of position and acceleration compatible:
    whoever obeyed this speed in one step can obey it in the next without braking harder than a.

    Args:
        distance: Room to stop in [rad], not negative, any shape.
        acceleration: Largest deceleration [rad/s^2].
        period_s: Time from step to step [s].

    Returns:
        Speeds [rad/s], in the shape of the arguments.
    """
    unit = acceleration * period_s
    room = distance / (unit * period_s)
    whole = np.floor((np.sqrt(1.0 + 8.0 * room) - 1.0) * 0.5)
    return (whole * 0.5 + room / (whole + 1.0)) * unit


class Trajectory:
    """Position and velocity of the last command, and the rule for the next one.

    Attributes:
        position: Last commanded positions [rad], shape (28,).
        velocity: Last commanded velocities [rad/s], shape (28,): the position's change per step.
    """

    def __init__(self, limits: Limits, period_s: float) -> None:
        """Starts at standstill at zero; call `start` before use.

        Args:
            limits: What every command keeps.
            period_s: Time from step to step [s].
        """
        self._limits = limits
        self._period_s = period_s
        self._change = limits.acceleration * period_s
        self.position: Array = np.zeros_like(limits.lower)
        self.velocity: Array = np.zeros_like(limits.lower)

    def start(self, position: Array) -> None:
        """Begins at standstill at a position, which may lie outside the position limits.

        From outside, a joint can only be moved back in.
        """
        self.position = position.copy()
        self.velocity = np.zeros_like(position)

    def approach(self, target: Array, target_velocity: Array, gain_per_s: float) -> Array:
        """Velocity that makes up the lag behind a moving target without overshooting it.

        Args:
            target: Where the target is [rad], shape (28,).
            target_velocity: How fast it moves [rad/s], shape (28,).
            gain_per_s: Share of a small lag made up per second [1/s].

        Returns:
            Wanted velocities [rad/s], shape (28,), not limited yet.
        """
        lag = target - self.position
        distance = np.abs(lag)
        speed = braking_speed(distance, self._limits.acceleration, self._period_s)
        return target_velocity + np.copysign(np.minimum(speed, distance * gain_per_s), lag)

    def advance(
        self,
        wanted: Array,
        *,
        measured: Array,
        measured_velocity: Array,
        max_velocity: Array | None = None,
    ) -> dict[str, npt.NDArray[np.bool_]]:
        """Takes one step towards a wanted velocity, as far as the limits let it.

        The order of precedence is position limit, acceleration limit, velocity limit, lead over
        the measured joint: the lead is brought down by braking, never by a jerk.

        A lead that is too large is pulled back in: its bound is a speed of the other sign then.

        Args:
            wanted: Wanted velocities [rad/s], shape (28,).
            measured: Measured positions [rad], shape (28,).
            measured_velocity: Measured velocities [rad/s], shape (28,).
            max_velocity: Speed limit in place of the configured one [rad/s].

        Returns:
            Which joints each kind of limit held back, by the kind's name.
        """
        limits = self._limits
        speed_limit = limits.velocity if max_velocity is None else max_velocity
        room = np.stack(
            (
                limits.upper - self.position,
                self.position - limits.lower,
                measured + limits.lead - self.position,
                self.position - measured + limits.lead,
            )
        )
        stop_up, stop_down, lead_up, lead_down = np.copysign(
            braking_speed(np.abs(room), limits.acceleration, self._period_s), room
        )
        lead_up = lead_up + np.maximum(measured_velocity, 0.0)
        lead_down = lead_down - np.minimum(measured_velocity, 0.0)
        bounded = np.minimum(np.maximum(wanted, -lead_down), lead_up)
        slow = np.minimum(np.maximum(bounded, -speed_limit), speed_limit)
        smooth = np.minimum(
            np.maximum(slow, self.velocity - self._change), self.velocity + self._change
        )
        velocity = np.minimum(
            np.maximum(smooth, np.minimum(-stop_down, 0.0)), np.maximum(stop_up, 0.0)
        )
        self.position = self.position + velocity * self._period_s
        self.velocity = velocity
        return {
            'tracking_error': bounded != wanted,
            'velocity_limit': slow != bounded,
            'acceleration_limit': smooth != slow,
        }
