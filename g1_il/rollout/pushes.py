# SPDX-License-Identifier: Apache-2.0
"""Smooth random pushes: the robot strays, the operator's commands show the way back.

Demonstrations recorded under them teach a policy to recover (the idea of DART, Laskey et al.
2017), while the recorded actions stay what the operator wanted.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_WAVES = 4
_SLOWEST_HZ, _FASTEST_HZ = 0.2, 1.2


class Pushes:
    """Sums of slow sine waves of random frequency and phase: unit variance, zero at the start."""

    def __init__(self, seed: int, channels: int) -> None:
        """Draws the waves.

        Args:
            seed: Determines them.
            channels: Independent values.
        """
        rng = np.random.default_rng((seed, 0x7075))
        shape = (channels, _WAVES)
        self._omega = 2.0 * math.pi * rng.uniform(_SLOWEST_HZ, _FASTEST_HZ, shape)
        self._phase = rng.uniform(0.0, 2.0 * math.pi, shape)

    def at(self, time_s: float) -> npt.NDArray[np.float64]:
        """Values at a time [s], shape (channels,); they swell during the first half second."""
        waves = np.sin(self._omega * time_s + self._phase).sum(axis=1)
        return min(time_s / 0.5, 1.0) * math.sqrt(2.0 / _WAVES) * waves
