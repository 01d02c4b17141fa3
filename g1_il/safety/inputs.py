# SPDX-License-Identifier: Apache-2.0
"""The source that is followed: what of it is accepted, and when it was last heard."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.command import JointTargets
from g1_il.safety.config import GateConfig
from g1_il.safety.follower import Follower
from g1_il.safety.limits import Limits

Array = npt.NDArray[np.float64]

JOINTS = 28
NOTICEABLE_CLIP_RAD = 1e-6


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


class SelectedSource:
    """One source at a time, and the reference that its targets make.

    Attributes:
        name: Source that is followed or waited for; empty: nobody's.
        clipped: The newest target was outside the position limits.
    """

    def __init__(self, config: GateConfig, limits: Limits) -> None:
        """Starts with nobody selected."""
        self._limits = limits
        self._follower = Follower(round(config.blend_s * 1e9), config.blend_max_velocity_rad_s)
        self._accepted_ns: int | None = None
        self._stamp_ns: int | None = None
        self.name = ''
        self.clipped = False

    def select(self, name: str) -> None:
        """Waits for a source from now on; what was heard before is forgotten."""
        self.name = name
        self._accepted_ns = None
        self._stamp_ns = None
        self.clipped = False

    def fault_of(self, targets: JointTargets) -> str:
        """Kind of fault for which the selected source's targets are refused; or empty."""
        return fault_of_targets(targets, self._stamp_ns)

    def begin(self, position: Array, now_ns: int) -> None:
        """Blends in from a commanded position, shape (28,)."""
        self._follower.start(position, now_ns)

    def accept(self, targets: JointTargets, now_ns: int) -> None:
        """Takes fit targets, limited to where the robot may go."""
        limits = self._limits
        position = np.clip(targets.position, limits.lower, limits.upper)
        beyond = np.abs(position - targets.position).max()
        self.clipped = bool(beyond > NOTICEABLE_CLIP_RAD)
        velocity = np.clip(targets.velocity, -limits.velocity, limits.velocity)
        self._follower.offer(position, velocity, now_ns)
        self._accepted_ns = now_ns
        self._stamp_ns = targets.stamp_ns

    def silence_s(self, now_ns: int) -> float:
        """Time since the last accepted targets [s]; 0 while the first are waited for."""
        return 0.0 if self._accepted_ns is None else (now_ns - self._accepted_ns) * 1e-9

    def reference(self, now_ns: int) -> tuple[Array, Array]:
        """Where the source wants the joints now [rad], and how fast [rad/s], shape (28,) each."""
        target, velocity = self._follower.step(now_ns)
        limited = np.minimum(np.maximum(target, self._limits.lower), self._limits.upper)
        return limited, velocity
