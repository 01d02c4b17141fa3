# SPDX-License-Identifier: Apache-2.0
"""A commanded trajectory that keeps its limits whatever it is asked for.

Everything is counted from the last *command*: limits against measured positions would let sensor
noise into the command and turn a speed limit into a torque limit.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """What limits did in one step.

    Attributes:
        tracking_error: The lead over the measured joints was bounded.
        velocity_limit: A joint was wanted faster than it may be.
        acceleration_limit: A joint was wanted to change its speed faster than it may.
        lag_rad: Largest distance to the target of a joint that was held back so.
    """

    tracking_error: bool
    velocity_limit: bool
    acceleration_limit: bool
    lag_rad: float


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
        self._room = np.zeros((5, *limits.lower.shape))
        self.position: Array = np.zeros_like(limits.lower)
        self.velocity: Array = np.zeros_like(limits.lower)

    def start(self, position: Array) -> None:
        """Begins at standstill at a position, which may lie outside the position limits.

        From outside, a joint can only be moved back in.
        """
        self.position = position.copy()
        self.velocity = np.zeros_like(position)

    def advance(
        self,
        target: Array,
        target_velocity: Array,
        *,
        gain_per_s: float,
        measured: Array,
        measured_velocity: Array,
        max_velocity: Array | None = None,
    ) -> HeldBack:
        """Takes one step after a moving target, as far as the limits let it.

        A lag behind the target is made up as fast as the gain says, and never so fast that the
        motion could not stop on the target. The order of precedence is position limit,
        acceleration limit, velocity limit, lead over the measured joint: a lead that is too large
        is pulled back in, by braking and not by a jerk.

        Args:
            target: Where the target is [rad], shape (28,).
            target_velocity: How fast it moves [rad/s], shape (28,).
            gain_per_s: Share of a small lag that is made up per second [1/s].
            measured: Measured positions [rad], shape (28,).
            measured_velocity: Measured velocities [rad/s], shape (28,).
            max_velocity: Speed limit in place of the configured one [rad/s].

        Returns:
            What the limits held back.
        """
        limits, position, room = self._limits, self.position, self._room
        speed_limit = limits.velocity if max_velocity is None else max_velocity
        np.subtract(limits.upper, position, out=room[0])
        np.subtract(position, limits.lower, out=room[1])
        np.subtract(measured, position, out=room[2])
        np.subtract(limits.lead, room[2], out=room[3])
        room[2] += limits.lead
        np.subtract(target, position, out=room[4])
        distance = np.abs(room)
        speed = braking_speed(distance, limits.acceleration, self._period_s)
        np.minimum(speed[4], distance[4] * gain_per_s, out=speed[4])
        np.copysign(speed, room, out=speed)
        stop_up, stop_down, lead_up, lead_down, catch_up = speed
        lead_up += np.maximum(measured_velocity, 0.0)
        lead_down -= np.minimum(measured_velocity, 0.0)
        wanted = target_velocity + catch_up
        bounded = np.minimum(np.maximum(wanted, -lead_down), lead_up)
        slow = np.minimum(np.maximum(bounded, -speed_limit), speed_limit)
        smooth = np.minimum(
            np.maximum(slow, self.velocity - self._change), self.velocity + self._change
        )
        velocity = np.minimum(
            np.maximum(smooth, np.minimum(-stop_down, 0.0)), np.maximum(stop_up, 0.0)
        )
        held_back = HeldBack(
            tracking_error=_differ(bounded, wanted),
            velocity_limit=_differ(slow, bounded),
            acceleration_limit=_differ(smooth, slow),
            lag_rad=float(np.maximum.reduce(distance[4], where=smooth != slow, initial=0.0)),
        )
        self.position = position + velocity * self._period_s
        self.velocity = velocity
        return held_back


def _differ(one: Array, other: Array) -> bool:
    return bool(np.count_nonzero(one != other))
