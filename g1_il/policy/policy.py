# SPDX-License-Identifier: Apache-2.0
"""What the runner needs of a policy, whichever framework runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from g1_il.rows.row import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChunk:
    """A stretch of future joint targets.

    Attributes:
        stamp_ns: Capture time of the observation it answers to [ns].
        period_ns: Time between two actions [ns].
        position: Joint targets [rad], shape (T, 28), in COMMAND_JOINTS order; action k is for
            stamp_ns + k * period_ns.
    """

    stamp_ns: int
    period_ns: int
    position: npt.NDArray[np.float64]


class Policy(Protocol):
    """Rows in, chunks of actions out."""

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams of a Row that the policy reads."""

    @property
    def fps(self) -> int:
        """Rows per second it was trained at."""

    @property
    def execute(self) -> int:
        """Rows after which to infer again; at most as many as a chunk has actions."""

    def infer(self, row: Row) -> ActionChunk:
        """Actions for the row's instant and what follows."""
