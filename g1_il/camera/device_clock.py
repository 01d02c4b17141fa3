# SPDX-License-Identifier: Apache-2.0
"""A device's own clock on the host's: what arrives earliest bounds the offset best."""

from __future__ import annotations

from collections import deque


class DeviceClock:
    """Maps device times to host times by the shortest delay seen lately.

    Arrival minus device time is the clocks' offset plus a delay that is never negative, so the
    smallest difference is the best estimate; jitter of USB and scheduling drops out.

    Args:
        window_s: Differences older than this are forgotten, which follows drift [s].
        jump_s: A picture more than this off its expected arrival means a set clock [s].
    """

    def __init__(self, *, window_s: float = 20.0, jump_s: float = 1.0) -> None:
        self._window_ns = round(window_s * 1e9)
        self._jump_ns = round(jump_s * 1e9)
        self._lowest: deque[tuple[int, int]] = deque()  # Arrival, difference; both rising.
        self._last_ns: int | None = None
        self.restarts = 0

    def to_host_ns(self, device_ns: int, arrival_ns: int) -> int:
        """Host time of a device time, never later than the arrival.

        Args:
            device_ns: Time of the device's clock [ns].
            arrival_ns: When the host had the picture [ns].
        """
        difference = arrival_ns - device_ns
        backwards = self._last_ns is not None and device_ns < self._last_ns
        off = bool(self._lowest) and abs(difference - self._lowest[0][1]) > self._jump_ns
        if backwards or off:
            self._lowest.clear()
            self.restarts += 1
        self._last_ns = device_ns
        while self._lowest and self._lowest[-1][1] >= difference:
            self._lowest.pop()
        self._lowest.append((arrival_ns, difference))
        while self._lowest[0][0] < arrival_ns - self._window_ns:
            self._lowest.popleft()
        return device_ns + self._lowest[0][1]
