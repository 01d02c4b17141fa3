# SPDX-License-Identifier: Apache-2.0
"""Counts the pictures that a camera took and nobody got."""

from __future__ import annotations

from collections import deque

_USUAL_OF = 31


class Gaps:
    """Counts by the device's frame numbers; by the stamps where a device does not number.

    Attributes:
        pictures: Got since start.
        missed: Not got since start.
        longest: Most that were missed in a row.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self.missed = 0
        self.longest = 0
        self._number = -1
        self._stamp_ns = 0
        self._steps: deque[int] = deque(maxlen=_USUAL_OF)

    def restart(self) -> None:
        """The device starts anew: what lies between is no gap."""
        self._number = -1
        self._stamp_ns = 0

    def add(self, number: int, stamp_ns: int) -> int:
        """Take one picture.

        Args:
            number: The device's count, -1 when it has none.
            stamp_ns: Capture time [ns].

        Returns:
            How many were missed just before it.
        """
        missed = 0
        if number >= 0 and self._number >= 0:
            missed = max(0, number - self._number - 1)
        elif number < 0 and self._stamp_ns:
            step = stamp_ns - self._stamp_ns
            if len(self._steps) == _USUAL_OF:
                usual = sorted(self._steps)[_USUAL_OF // 2]
                missed = max(0, round(step / max(1, usual)) - 1)
            self._steps.append(step)
        self._number, self._stamp_ns = number, stamp_ns
        self.pictures += 1
        self.missed += missed
        self.longest = max(self.longest, missed)
        return missed
