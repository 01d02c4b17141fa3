# SPDX-License-Identifier: Apache-2.0
"""How regularly a topic comes: from its stamps, live and afterwards."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from g1_il.episodes.card import TopicCard

GAP_FACTOR = 1.5


def topic_card(
    type_name: str, stamps_ns: Sequence[int] | npt.NDArray[np.int64], *, dropped: int = 0
) -> TopicCard:
    """Counts, rate and gaps of one topic.

    Args:
        type_name: Message type.
        stamps_ns: Capture times in the order of receipt [ns], shape (N,).
        dropped: Messages known to be lost.
    """
    stamps = np.asarray(stamps_ns, dtype=np.int64)
    if len(stamps) < 2:
        return TopicCard(
            type=type_name,
            messages=len(stamps),
            rate_hz=math.nan,
            gaps=0,
            longest_gap_s=math.nan,
            dropped=dropped,
        )
    steps = np.diff(stamps)
    span_ns = int(stamps.max() - stamps.min())
    return TopicCard(
        type=type_name,
        messages=len(stamps),
        rate_hz=round((len(stamps) - 1) / span_ns * 1e9, 3) if span_ns else math.nan,
        gaps=int((steps > GAP_FACTOR * np.median(steps)).sum()),
        longest_gap_s=round(float(steps.max()) / 1e9, 6),
        dropped=dropped,
    )


class LiveRate:
    """Rate of a topic over the last second, from the times of receipt."""

    def __init__(self, window_ns: int = 1_000_000_000) -> None:
        self._window_ns = window_ns
        self._times: deque[int] = deque()
        self.last_ns: int | None = None

    def tick(self, now_ns: int) -> None:
        """Notes a message."""
        self.last_ns = now_ns
        self._times.append(now_ns)
        self._forget(now_ns)

    def rate_hz(self, now_ns: int) -> float:
        """Messages per second; NaN before the first message [Hz]."""
        if self.last_ns is None:
            return math.nan
        self._forget(now_ns)
        return len(self._times) / (self._window_ns / 1e9)

    def silence_s(self, now_ns: int) -> float:
        """Time since the last message [s]; NaN before the first."""
        return math.nan if self.last_ns is None else (now_ns - self.last_ns) / 1e9

    def _forget(self, now_ns: int) -> None:
        while self._times and self._times[0] <= now_ns - self._window_ns:
            self._times.popleft()
