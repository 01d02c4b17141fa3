# SPDX-License-Identifier: Apache-2.0
"""What retargeting costs, and how much faster than real time the graph in one process is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from g1_il.retarget.hand_qp import HandQp, HandQpConfig
from g1_il.retarget.retargeter import Retargeter
from g1_il.robot.poses import STANDING
from g1_il.rollout.collect import CollectConfig, collect
from g1_il.rollout.rig import Rig
from g1_il.rollout.teleop import teleoperate
from g1_il.xr.frame import XrFrame

MEASURED_ON_THE_ROBOT_MS = 32.0
"""IK of xr_teleoperate on the G1's own computer, its users' lowest figure (issue 120)."""

DEXPILOT_MS = 4.9
"""One Dex3 hand by dex-retargeting's DexPilot, p50, measured on an EPYC core."""


class _Frames:
    """Keeps the frames of an episode."""

    def __init__(self) -> None:
        self.frames: list[XrFrame] = []

    def frame(self, frame: XrFrame, now_ns: int) -> None:
        self.frames.append(frame)

    def _ignore(self, *_: object) -> None: ...

    targets = state = executed = gate = scene = image = _ignore


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    rig, retargeter, tape = Rig(task='pick_place'), Retargeter(), _Frames()
    began_s = time.process_time()
    result = teleoperate(rig, retargeter, seed=1)
    bare = result.duration_s / (time.process_time() - began_s)
    teleoperate(rig, retargeter, seed=1, recorder=lambda _: tape)
    rig.close()
    retargeter.engage(STANDING)
    arms = retargeter.arms
    whole_ms = _times_ms(tape.frames, retargeter.step)
    arms_ms = _times_ms(tape.frames, lambda _: arms.step())
    hand = HandQp(HandQpConfig(), 'right', 1 / 60)
    hand.start(np.zeros(7))
    hand_ms = _times_ms(tape.frames, lambda frame: hand.step(frame.right))
    robot = ("xr_teleoperate's arm IK on the robot", MEASURED_ON_THE_ROBOT_MS)
    dexpilot = ('DexPilot of dex-retargeting', DEXPILOT_MS)
    rows = [
        _row('retarget: both arms, p50', np.quantile(arms_ms, 0.5), 'ms', *robot),
        _row('retarget: one hand, p50', np.quantile(hand_ms, 0.5), 'ms', *dexpilot),
        _row('retarget: arms and hands, p50', np.quantile(whole_ms, 0.5), 'ms', 'goal', 1.5),
        _row('retarget: arms and hands, p99', np.quantile(whole_ms, 0.99), 'ms', 'goal', 1.5),
        _row('collect: no recording, per core', bare, 'x real time', 'goal', 10.0),
    ]
    for images, goal in ((False, 10.0), (True, 4.0)):
        with tempfile.TemporaryDirectory() as folder:
            report = collect(CollectConfig(out=Path(folder), episodes=2, images=images))
        name = '640x480 images' if images else 'no images'
        factor = report['real_time_factor_per_core']
        rows.append(_row(f'collect: {name}, per core', factor, 'x real time', 'goal', goal))
    return rows


def _times_ms(frames: list[XrFrame], work: Callable[[XrFrame], object]) -> np.ndarray:
    """Processor time of each call [ms]."""
    times = []
    for frame in frames:
        began_ns = time.process_time_ns()
        work(frame)
        times.append((time.process_time_ns() - began_ns) * 1e-6)
    return np.array(times)


def _row(name: str, value: float, unit: str, baseline: str, baseline_value: float) -> dict:
    return {
        'name': name,
        'value': float(value),
        'unit': unit,
        'baseline': baseline,
        'baseline_value': baseline_value,
        'ratio': float(value) / baseline_value,
    }


if __name__ == '__main__':
    for row in run():
        print(row)
