# SPDX-License-Identifier: Apache-2.0
"""The streams that rows are made of: their names, how often they come, how old they may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError

JOINT_STATES = 'joint_states'
EXECUTED_COMMAND = 'executed_command'
SCENE = 'scene'

POSE_PARTS = ('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw')
_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRule:
    """How one stream is taken into rows.

    Attributes:
        name: Stream name: joint_states, executed_command, scene, or a camera's name.
        period_ns: Usual time between two samples [ns]. A row waits for a sample that is due.
        tolerance_ns: Older samples are used and flagged as held [ns].
        limit_ns: Older samples refuse the row [ns].
    """

    name: str
    period_ns: int
    tolerance_ns: int
    limit_ns: int

    def __post_init__(self) -> None:
        if not 0 < self.period_ns <= self.tolerance_ns <= self.limit_ns:
            raise ConfigError(
                f'stream {self.name}: period {self.period_ns}, tolerance {self.tolerance_ns}, '
                f'limit {self.limit_ns} ns; they must be positive and in this order'
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblerConfig:
    """What a FrameAssembler makes rows of.

    Attributes:
        reference: The stream whose samples make the rows, usually the head camera. Its limit is
            the longest gap that is bridged with held rows.
        others: The streams that are looked up as of the reference's stamps.
        reset_ns: A stamp this much before its stream's newest is a clock that was set back [ns].
    """

    reference: StreamRule
    others: tuple[StreamRule, ...]
    reset_ns: int = 1_000 * _MS

    def __post_init__(self) -> None:
        names = [rule.name for rule in (self.reference, *self.others)]
        if len(set(names)) != len(names):
            raise ConfigError(f'streams {names} name one twice; each may be there once')

    @property
    def names(self) -> tuple[str, ...]:
        """All streams, the reference first."""
        return (self.reference.name, *(rule.name for rule in self.others))


def standard_config(
    reference: str, others: Sequence[str], *, fps: int = 30, joint_rate_hz: float = 100.0
) -> AssemblerConfig:
    """The rules of this graph: the same for training data and for the running policy.

    Args:
        reference: Reference stream, e.g. 'head_camera'.
        others: Streams looked up as of it, e.g. ('joint_states', 'executed_command', 'scene').
        fps: Rate of the reference and of every camera and scene [Hz].
        joint_rate_hz: Rate of joint_states and executed_command [Hz].

    Returns:
        Camera and scene may be 2.5 periods late and are refused beyond 300 ms; joints may be
        50 ms late and are refused beyond 200 ms.
    """
    if fps < 1 or joint_rate_hz < fps:
        raise ConfigError(
            f'fps is {fps} and joint_rate_hz {joint_rate_hz}; fps must be at least 1, and the '
            'joints at least as fast'
        )
    frame_ns = 1_000_000_000 // fps
    frame_limit_ns = max(300 * _MS, 4 * frame_ns)
    joint_ns = round(1e9 / joint_rate_hz)

    def rule(name: str) -> StreamRule:
        if name in (JOINT_STATES, EXECUTED_COMMAND):
            tolerance_ns = max(50 * _MS, 2 * joint_ns)
            limit_ns = max(200 * _MS, 2 * tolerance_ns)
            return StreamRule(
                name=name, period_ns=joint_ns, tolerance_ns=tolerance_ns, limit_ns=limit_ns
            )
        return StreamRule(
            name=name,
            period_ns=frame_ns,
            tolerance_ns=5 * frame_ns // 2,
            limit_ns=frame_limit_ns,
        )

    return AssemblerConfig(reference=rule(reference), others=tuple(rule(name) for name in others))


def scene_names(objects: Sequence[str]) -> tuple[str, ...]:
    """Names of a flattened scene's values: can.x, can.y, ... bin.qw."""
    return tuple(f'{name}.{part}' for name in objects for part in POSE_PARTS)


def scene_vector(
    names: Sequence[str], poses: npt.NDArray[np.float64], objects: Sequence[str]
) -> npt.NDArray[np.float64]:
    """A scene's poses as one vector, in the order of `objects`.

    Args:
        names: Objects of the scene, N of them.
        poses: Their poses in the pelvis frame, shape (N, 7): x y z [m], quaternion x y z w.
        objects: The objects wanted, in order.

    Returns:
        Shape (7 * len(objects),).

    Raises:
        ConfigError: The scene lacks one of them.
    """
    missing = [name for name in objects if name not in names]
    if missing:
        raise ConfigError(
            f'the scene has no {", ".join(missing)}; it has {", ".join(names) or "nothing"}'
        )
    if tuple(names) == tuple(objects):
        return np.array(poses, dtype=np.float64).reshape(-1)
    order = [list(names).index(name) for name in objects]
    return np.asarray(poses, dtype=np.float64)[order].reshape(-1)
