# SPDX-License-Identifier: Apache-2.0
"""A virtual clock that calls periodic activities in order of time, in whole nanoseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

Action = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that happens again and again.

    Attributes:
        name: What it is, for people.
        rate_hz: How often. The k-th call is due at round(k / rate), so that no rate drifts.
        action: Called with the virtual time [ns].
        first_s: When it is first due, after the schedule's start [s].
    """

    name: str
    rate_hz: float
    action: Action
    first_s: float = 0.0


class Schedule:
    """Runs activities as fast as they can be computed; those due together run in given order."""

    def __init__(self, activities: list[Activity], start_ns: int = 0) -> None:
        """Prepares the first calls.

        Args:
            activities: In order of precedence at equal times.
            start_ns: Virtual time of the start.
        """
        for activity in activities:
            if not activity.rate_hz > 0.0:
                raise ValueError(f'activity {activity.name}: rate_hz is {activity.rate_hz}')
        self._activities = activities
        self._firsts_ns = [start_ns + round(a.first_s * 1e9) for a in activities]
        self._calls = [0] * len(activities)
        self._heap = [(first_ns, order) for order, first_ns in enumerate(self._firsts_ns)]
        heapq.heapify(self._heap)
        self._now_ns = start_ns

    @property
    def now_ns(self) -> int:
        """Virtual time of the last call [ns]."""
        return self._now_ns

    def run(self, until_ns: int, stop: Callable[[], bool] | None = None) -> bool:
        """Calls what is due before a time.

        Args:
            until_ns: Virtual time at which to pause; what is due then is not called yet.
            stop: Asked after every instant; True ends the run early.

        Returns:
            Whether `stop` ended the run.
        """
        while self._heap[0][0] < until_ns:
            due_ns = self._heap[0][0]
            self._now_ns = due_ns
            while self._heap[0][0] == due_ns:
                order = self._heap[0][1]
                activity = self._activities[order]
                activity.action(due_ns)
                self._calls[order] += 1
                offset_ns = round(self._calls[order] * 1_000_000_000 / activity.rate_hz)
                heapq.heapreplace(self._heap, (self._firsts_ns[order] + offset_ns, order))
            if stop is not None and stop():
                return True
        self._now_ns = until_ns
        return False
