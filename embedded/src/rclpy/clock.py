# SPDX-License-Identifier: Apache-2.0
"""Clocks. ROS time is system time: simulated time is not offered by the embedded runtime."""

from __future__ import annotations

import threading
import time
from typing import Any

from .clock_type import ClockType
from .duration import Duration
from .exceptions import NotInitializedException
from .time import Time

__all__ = ['Clock', 'ClockType', 'ROSClock']


class Clock:
    """Tells the time of one kind."""

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        if not isinstance(clock_type, ClockType):
            raise TypeError('Clock type must be a ClockType enum')
        self._clock_type = clock_type

    @property
    def clock_type(self) -> ClockType:
        """Kind of the clock."""
        return self._clock_type

    @property
    def ros_time_is_active(self) -> bool:
        """Whether simulated time is followed: never."""
        return False

    def now(self) -> Time:
        """The current time."""
        return Time(nanoseconds=self._now_ns(), clock_type=self._clock_type)

    def _now_ns(self) -> int:
        steady = self._clock_type == ClockType.STEADY_TIME
        return time.monotonic_ns() if steady else time.time_ns()

    def sleep_until(self, until: Time, context: Any = None) -> bool:
        """Sleeps until a time of this clock; False when the context was shut down meanwhile."""
        if until.clock_type != self._clock_type:
            raise ValueError("until's clock type does not match this clock's type")
        return self.sleep_for(Duration(nanoseconds=until.nanoseconds - self._now_ns()), context)

    def sleep_for(self, rel_time: Duration, context: Any = None) -> bool:
        """Sleeps for a while; False when the context was shut down meanwhile."""
        from .utilities import get_default_context

        context = context or get_default_context()
        if not context.ok():
            raise NotInitializedException()
        if rel_time.nanoseconds <= 0:
            return True
        ended = threading.Event()
        context.on_shutdown(ended.set)
        try:
            ended.wait(rel_time.nanoseconds / 1e9)
        finally:
            context.remove_shutdown_callback(ended.set)
        return bool(context.ok())

    def __repr__(self) -> str:
        return f'Clock(clock_type={self._clock_type.name})'


class ROSClock(Clock):
    """The clock of nodes."""

    def __init__(self) -> None:
        super().__init__(clock_type=ClockType.ROS_TIME)
