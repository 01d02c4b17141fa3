# SPDX-License-Identifier: Apache-2.0
"""The headset's clock seen from the host: offset and how sure we are of it.

The host asks, the headset answers with its own time. The answer was given somewhere between
asking and hearing it, so each round trip bounds the offset to half its duration. The shortest
recent one bounds it best (Cristian 1989, https://doi.org/10.1007/BF01784024).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConfig:
    """How round trips are weighed.

    Attributes:
        window_s: Round trips older than this are forgotten [s].
        drift_ppm: How fast the two clocks may part [1e-6].
        max_round_trip_s: Longer round trips tell nothing and are left out [s].
    """

    window_s: float = 60.0
    drift_ppm: float = 100.0
    max_round_trip_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _RoundTrip:
    at_ns: int
    offset_ns: int
    half_ns: int


class HeadsetClock:
    """Maps the headset's milliseconds to the host's nanoseconds."""

    def __init__(self, config: ClockConfig | None = None) -> None:
        self._config = config or ClockConfig()
        self._trips: deque[_RoundTrip] = deque(maxlen=256)
        self.restarts = 0

    def add_round_trip(self, *, asked_ns: int, headset_ms: float, answered_ns: int) -> bool:
        """Take one round trip.

        Args:
            asked_ns: Host time of asking [ns].
            headset_ms: What the headset's clock said [ms].
            answered_ns: Host time of hearing the answer [ns].

        Returns:
            False when the round trip was too long, or ran backwards, and was left out.
        """
        duration = answered_ns - asked_ns
        if not 0 <= duration <= self._config.max_round_trip_s * 1e9:
            return False
        middle = asked_ns + duration // 2
        trip = _RoundTrip(
            at_ns=answered_ns,
            offset_ns=middle - round(headset_ms * 1e6),
            half_ns=(duration + 1) // 2,
        )
        best = self._best(answered_ns)
        if best is not None:
            apart = abs(best.offset_ns - trip.offset_ns)
            if apart > self._half_width(best, answered_ns) + trip.half_ns:
                # Both cannot be true: one of the clocks was set. Start anew with the newest.
                self._trips.clear()
                self.restarts += 1
        self._trips.append(trip)
        return True

    def to_host_ns(self, headset_ms: float, now_ns: int) -> tuple[int, float] | None:
        """Host time of a moment on the headset's clock, or None before the first round trip.

        Args:
            headset_ms: The moment [ms, headset's clock].
            now_ns: Host time of asking [ns]; a moment later than it is taken as now, since
                nothing is measured in the future.

        Returns:
            Host time [ns] and half the width of the interval it surely lies in [s].
        """
        best = self._best(now_ns)
        if best is None:
            return None
        stamp = round(headset_ms * 1e6) + best.offset_ns
        return min(stamp, now_ns), self._half_width(best, now_ns) * 1e-9

    def _half_width(self, trip: _RoundTrip, now_ns: int) -> float:
        return trip.half_ns + abs(now_ns - trip.at_ns) * self._config.drift_ppm * 1e-6

    def _best(self, now_ns: int) -> _RoundTrip | None:
        """The round trip that bounds the offset best now; the newest one never expires."""
        oldest = now_ns - round(self._config.window_s * 1e9)
        while len(self._trips) > 1 and self._trips[0].at_ns < oldest:
            self._trips.popleft()
        if not self._trips:
            return None
        return min(self._trips, key=lambda trip: self._half_width(trip, now_ns))
