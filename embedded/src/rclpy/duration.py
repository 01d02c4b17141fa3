# SPDX-License-Identifier: Apache-2.0
"""Spans of time."""

from __future__ import annotations

from typing import Any

from .clock_type import INT64, S_TO_NS


class Duration:
    """A span of time in nanoseconds, may be negative."""

    __slots__ = ('_ns',)

    def __init__(self, *, seconds: float = 0, nanoseconds: float = 0) -> None:
        total = int(seconds * S_TO_NS) + int(nanoseconds)
        if not INT64[0] <= total <= INT64[1]:
            raise OverflowError('Total nanoseconds value is too large to store in C duration.')
        self._ns = total

    @property
    def nanoseconds(self) -> int:
        """The span [ns]."""
        return self._ns

    def to_msg(self) -> Any:
        """The span as builtin_interfaces/msg/Duration."""
        from builtin_interfaces.msg import Duration as Message

        seconds, nanoseconds = divmod(self._ns, S_TO_NS)
        return Message(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: Any) -> Duration:
        """The span that a message holds."""
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec)

    def __repr__(self) -> str:
        return f'Duration(nanoseconds={self._ns})'

    def __str__(self) -> str:
        return 'Infinite' if self._ns == INT64[1] else f'{self._ns} nanoseconds'

    def __hash__(self) -> int:
        return hash(self._ns)

    def __eq__(self, other: object) -> bool:
        return self._ns == other._ns if isinstance(other, Duration) else NotImplemented

    def __lt__(self, other: Duration) -> bool:
        return self._ns < other._ns if isinstance(other, Duration) else NotImplemented

    def __le__(self, other: Duration) -> bool:
        return self._ns <= other._ns if isinstance(other, Duration) else NotImplemented

    def __gt__(self, other: Duration) -> bool:
        return self._ns > other._ns if isinstance(other, Duration) else NotImplemented

    def __ge__(self, other: Duration) -> bool:
        return self._ns >= other._ns if isinstance(other, Duration) else NotImplemented


Infinite = Duration(nanoseconds=INT64[1])
