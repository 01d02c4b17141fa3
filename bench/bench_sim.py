# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot costs: physics, pictures, kinematics."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np

from g1_il.robot.collision import clearance
from g1_il.robot.command import RobotCommand
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import ALL_JOINTS, KD, KP
from g1_il.robot.kinematics import link_poses
from g1_il.robot.mjcf import HEAD_CAMERA, build_mjcf
from g1_il.robot.poses import STANDING
from g1_il.sim.renderer import FAST, FINE, SceneRenderer
from g1_il.sim.simulator import Simulator


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    simulator = Simulator()
    try:
        return [*_physics(simulator), _picture(simulator), *_kinematics()]
    finally:
        simulator.close()


def _physics(simulator: Simulator) -> list[dict[str, Any]]:
    command = RobotCommand(
        position=STANDING,
        velocity=np.zeros(43),
        effort=gravity_torque(STANDING),
        kp=KP,
        kd=KD,
        weight=1.0,
        hands_enabled=True,
    )

    def ten_steps() -> None:
        fresh = replace(command)
        for _ in range(10):
            simulator.step(fresh)

    step_s = _median_s(ten_steps, 200) / 10
    bare_s = _median_s(lambda: mujoco.mj_step(simulator.model, simulator.data), 2000)
    return [
        _row('sim: one step with its command', step_s, 'mj_step alone', bare_s),
        {
            'name': 'sim: times real time, physics and commands on one core',
            'value': simulator.timestep_ns / 1e9 / step_s,
            'unit': 'x',
            'baseline': 'the robot itself',
            'baseline_value': 1.0,
            'ratio': simulator.timestep_ns / 1e9 / step_s,
        },
    ]


def _picture(simulator: Simulator) -> dict[str, Any]:
    cost = {}
    for quality in (FAST, replace(FINE, samples=0)):
        renderer = SceneRenderer(simulator.model, width=640, height=480, quality=quality)
        try:
            renderer.open()
            position = simulator.snapshot()
            cost[quality] = _median_s(
                lambda renderer=renderer, position=position: renderer.render(
                    position, HEAD_CAMERA
                ),
                30,
            )
        finally:
            renderer.close()
    fast, fine = cost.values()
    return _row('sim: head camera picture 640x480', fast, 'with shadows and textures', fine)


def _kinematics() -> list[dict[str, Any]]:
    model = mujoco.MjModel.from_xml_string(build_mjcf())
    data = mujoco.MjData(model)
    qpos = [model.joint(name).qposadr[0] for name in ALL_JOINTS]

    def native() -> None:
        data.qpos[qpos] = STANDING
        mujoco.mj_kinematics(model, data)

    def native_with_contacts() -> None:
        data.qpos[qpos] = STANDING
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)

    return [
        _row(
            'robot: poses of all links, numpy',
            _median_s(lambda: link_poses(STANDING), 500),
            'mj_kinematics',
            _median_s(native, 500),
        ),
        _row(
            'robot: closest of the watched pairs, numpy',
            _median_s(lambda: clearance(STANDING), 500),
            'mj_kinematics and mj_collision (contacts only)',
            _median_s(native_with_contacts, 500),
        ),
    ]


def _median_s(work: Callable[[], object], times: int) -> float:
    work()
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return float(np.median(durations))


def _row(name: str, value_s: float, baseline: str, baseline_s: float) -> dict[str, Any]:
    return {
        'name': name,
        'value': value_s * 1e6,
        'unit': 'us',
        'baseline': baseline,
        'baseline_value': baseline_s * 1e6,
        'ratio': value_s / baseline_s,
    }
