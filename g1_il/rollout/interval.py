# SPDX-License-Identifier: Apache-2.0
"""How sure a success rate is."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Confidence interval of a success probability (Wilson, 1927): sane near 0 and 1.

    Args:
        successes: Trials that succeeded.
        trials: All trials, at least 1.
        z: Quantile of the normal distribution; 95 % by default.

    Returns:
        Lower and upper bound, within 0..1.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f'{successes} successes of {trials} trials make no rate')
    p = successes / trials
    centre = p + z * z / (2 * trials)
    spread = z * math.sqrt(p * (1.0 - p) / trials + z * z / (4 * trials * trials))
    scale = 1.0 + z * z / trials
    low = (centre - spread) / scale if successes > 0 else 0.0
    high = (centre + spread) / scale if successes < trials else 1.0
    return low, high
