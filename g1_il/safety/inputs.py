# SPDX-License-Identifier: Apache-2.0
"""Which commands of a source are fit to be followed."""

from __future__ import annotations

import numpy as np

from g1_il.robot.command import JointTargets

JOINTS = 28


def fault_of_targets(targets: JointTargets, last_stamp_ns: int | None) -> str:
    """Kind of fault for which targets are refused as a whole; empty when they are fit.

    Args:
        targets: What a source sent.
        last_stamp_ns: Stamp of the source's last accepted targets [ns]; None for the first.

    Returns:
        wrong_length, not_finite, stamp_backwards, or an empty string.
    """
    for values in (targets.position, targets.velocity):
        if not isinstance(values, np.ndarray) or values.shape != (JOINTS,):
            return 'wrong_length'
        if values.dtype.kind not in 'fiu' or not np.isfinite(values).all():
            return 'not_finite'
    if last_stamp_ns is not None and targets.stamp_ns < last_stamp_ns:
        return 'stamp_backwards'
    return ''
