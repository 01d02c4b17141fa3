# SPDX-License-Identifier: Apache-2.0
"""What retargeting costs, and how much faster than real time the graph in one process is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from scipy.optimize import minimize

from g1_il.retarget.arm_ik import ARM_JOINTS, ArmIk
from g1_il.retarget.hand_qp import HAND_JOINT_NAMES, HandQp, HandQpConfig
from g1_il.retarget.model import reduced_model
from g1_il.retarget.retargeter import RetargetConfig, Retargeter
from g1_il.retarget.wrist import END_EFFECTOR_OFFSET, SIDES, points_in_palm, wrist_target
from g1_il.robot.poses import STANDING
from g1_il.rollout.collect import CollectConfig, collect
from g1_il.rollout.rig import Rig
from g1_il.rollout.teleop import teleoperate
from g1_il.xr.frame import INDEX_TIP, MIDDLE_TIP, THUMB_TIP, XrFrame

OFFSET = np.array(RetargetConfig().head_offset_m)
TIPS = ('thumb_tip', 'index_tip', 'middle_tip')
HUMAN_TIPS = (THUMB_TIP, INDEX_TIP, MIDDLE_TIP)
EVERY = 10
"""The slow baselines are only given every tenth frame."""


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
    whole_ms = _times_ms(tape.frames, retargeter.step)
    retargeter.engage(STANDING)
    arms_ms = _times_ms(tape.frames, lambda frame: _follow(retargeter.arms, frame))
    hand = HandQp(HandQpConfig(), 'right', 1 / 60)
    hand.start(np.zeros(7))
    hand_ms = _times_ms(tape.frames, lambda frame: hand.step(frame.right))
    optimiser = 'the same poses by SLSQP (scipy), joint limits only'
    rows = [
        _row(
            'retarget: both arms, collisions avoided, p50',
            np.quantile(arms_ms, 0.5),
            'ms',
            optimiser,
            np.median(_arms_by_slsqp_ms(tape.frames)),
        ),
        _row(
            'retarget: one hand, p50',
            np.quantile(hand_ms, 0.5),
            'ms',
            'its fingertips by SLSQP (scipy)',
            np.median(_hand_by_slsqp_ms(tape.frames)),
        ),
    ]
    rows += [
        _row(
            f'retarget: arms and hands, p{percent}, at most 1.5 ms',
            np.percentile(whole_ms, percent),
            'ms',
            'one frame of the headset',
            1e3 / 60,
        )
        for percent in (50, 99)
    ]
    rows.append(
        _row('collect: no recording, per core', bare, 'x real time', 'real time', 1.0),
    )
    for images in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            report = collect(CollectConfig(out=Path(folder), episodes=2, images=images))
        name = '640x480 images' if images else 'no images'
        factor = report['real_time_factor_per_core']
        rows.append(_row(f'collect: {name}, per core', factor, 'x real time', 'real time', 1.0))
    return rows


def _wrists(frame: XrFrame) -> dict[str, np.ndarray]:
    """Where both end effectors should be."""
    return {
        side: wrist_target(frame.head_position, hand, side, OFFSET)
        for side, hand in zip(SIDES, (frame.left, frame.right), strict=True)
    }


def _follow(arms: ArmIk, frame: XrFrame) -> None:
    for side, pose in _wrists(frame).items():
        arms.set_target(side, pose)
    arms.step()


def _arms_by_slsqp_ms(frames: list[XrFrame]) -> np.ndarray:
    """Wrist poses of both arms as a nonlinear programme: how other stacks do their IK."""
    model = reduced_model(ARM_JOINTS)
    data = mujoco.MjData(model)
    bodies = [model.body(f'{side}_wrist_yaw_link').id for side in SIDES]
    q = np.zeros(model.nq)

    def solve(frame: XrFrame) -> None:
        nonlocal q
        targets = list(_wrists(frame).values())
        last = q

        def cost(x: np.ndarray) -> float:
            data.qpos[:] = x
            mujoco.mj_kinematics(model, data)
            total = 1e-3 * float(np.sum((x - last) ** 2))
            for body, target in zip(bodies, targets, strict=True):
                rotation = data.xmat[body].reshape(3, 3)
                place = data.xpos[body] + rotation @ END_EFFECTOR_OFFSET
                total += 50.0 * float(np.sum((place - target[:3, 3]) ** 2))
                total += float(np.sum((rotation - target[:3, :3]) ** 2))
            return total

        q = minimize(cost, last, method='SLSQP', bounds=model.jnt_range).x

    return _times_ms(frames[::EVERY], solve)


def _hand_by_slsqp_ms(frames: list[XrFrame]) -> np.ndarray:
    """Fingertips of the right hand as a nonlinear programme."""
    model = reduced_model(HAND_JOINT_NAMES['right'])
    data = mujoco.MjData(model)
    sites = [model.site(f'right_{name}').id for name in TIPS]
    mujoco.mj_kinematics(model, data)
    palm = data.site('right_palm')
    place, rotation = palm.xpos.copy(), palm.xmat.reshape(3, 3).copy()
    q = np.zeros(model.nq)

    def solve(frame: XrFrame) -> None:
        nonlocal q
        human = 1.1 * points_in_palm(frame.right, 'right', HUMAN_TIPS)
        last = q

        def cost(x: np.ndarray) -> float:
            data.qpos[:] = x
            mujoco.mj_kinematics(model, data)
            tips = (data.site_xpos[sites] - place) @ rotation
            return 1e2 * float(np.sum((tips - human) ** 2)) + 1e-3 * float(np.sum((x - last) ** 2))

        q = minimize(cost, last, method='SLSQP', bounds=model.jnt_range).x

    return _times_ms(frames[::EVERY], solve)


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
