# SPDX-License-Identifier: Apache-2.0
"""Points in time of a clock."""

from __future__ import annotations

import functools
from typing import Any

from .clock_type import INT64, S_TO_NS, ClockType
from .duration import Duration


@functools.cache
def _message_class() -> Any:
    from builtin_interfaces.msg import Time as Message

    return Message


class Time:
    """A point in time; only points of the same kind of clock compare."""

    __slots__ = ('_clock_type', '_ns')

    def __init__(
        self,
        *,
        seconds: float = 0,
        nanoseconds: float = 0,
        clock_type: ClockType = ClockType.SYSTEM_TIME,
    ) -> None:
        if not isinstance(clock_type, ClockType):
            raise TypeError('Clock type must be a ClockType enum')
        if seconds < 0:
            raise ValueError('Seconds value must not be negative')
        if nanoseconds < 0:
            raise ValueError('Nanoseconds value must not be negative')
        total = int(seconds * S_TO_NS) + int(nanoseconds)
        if total > INT64[1]:
            raise OverflowError('Total nanoseconds value is too large to store in C time point.')
        self._ns, self._clock_type = total, clock_type

    @property
    def nanoseconds(self) -> int:
        """Since the clock's origin [ns]."""
        return self._ns

    def seconds_nanoseconds(self) -> tuple[int, int]:
        """Whole seconds and the rest in nanoseconds."""
        return divmod(self._ns, S_TO_NS)

    @property
    def clock_type(self) -> ClockType:
        """Kind of clock the point belongs to."""
        return self._clock_type

    def to_msg(self) -> Any:
        """The point as builtin_interfaces/msg/Time."""
        seconds, nanoseconds = divmod(self._ns, S_TO_NS)
        return _message_class()(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: Any, clock_type: ClockType = ClockType.ROS_TIME) -> Time:
        """The point that a message holds."""
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec, clock_type=clock_type)

    def __repr__(self) -> str:
        return f'Time(nanoseconds={self._ns}, clock_type={self._clock_type.name})'

    def __hash__(self) -> int:
        return hash((self._ns, self._clock_type))

    def __add__(self, other: Duration) -> Time:
        if not isinstance(other, Duration):
            return NotImplemented
        return Time(nanoseconds=self._ns + other.nanoseconds, clock_type=self._clock_type)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Time):
            self._same_clock(other, 'subtract times')
            return Duration(nanoseconds=self._ns - other._ns)
        if isinstance(other, Duration):
            return Time(nanoseconds=self._ns - other.nanoseconds, clock_type=self._clock_type)
        return NotImplemented

    def _same_clock(self, other: Time, verb: str = 'compare times') -> bool:
        if self._clock_type != other._clock_type:
            raise TypeError(f"Can't {verb} with different clock types")
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        return self._same_clock(other) and self._ns == other._ns

    def __lt__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        return self._same_clock(other) and self._ns < other._ns

    def __le__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        return self._same_clock(other) and self._ns <= other._ns

    def __gt__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        return self._same_clock(other) and self._ns > other._ns

    def __ge__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        return self._same_clock(other) and self._ns >= other._ns
