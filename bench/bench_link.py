# SPDX-License-Identifier: Apache-2.0
"""What the gate and Unitree's wire cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from g1_il.link import layout, sdk
from g1_il.link.crc import crc_of_struct
from g1_il.link.state_codec import decode_state, encode_state
from g1_il.link.unitree_link import UnitreeLink
from g1_il.robot.arm_gravity import arm_gravity_torque
from g1_il.robot.command import JointTargets
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import COMMAND_INDEX
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig
from g1_il.safety.control_loop import ControlLoop
from g1_il.safety.gate import Gate
from g1_il.safety.report import GateState

DOMAIN = 96
ROBOT = """
import sys, time
from bench.bench_link import standing
from g1_il.link.unitree_robot import UnitreeRobot
robot, count, began = UnitreeRobot(domain=int(sys.argv[1]), interface='lo'), 0, time.monotonic()
while time.monotonic() - began < 30.0:
    robot.publish_body(standing(0))
    if count % 5 == 0:
        robot.publish_hand('left', standing(0))
        robot.publish_hand('right', standing(0))
    count += 1
    time.sleep(max(0.0, began + count * 0.002 - time.monotonic()))
robot.close()
"""
"""A robot that sends LowState at 500 Hz and hands at 100 Hz."""


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    return [*_gate(), *_messages(), _control_loop()]


def standing(stamp_ns: int) -> RobotState:
    """A healthy robot that stands."""
    return RobotState(
        stamp_ns=stamp_ns,
        left_hand_stamp_ns=stamp_ns,
        right_hand_stamp_ns=stamp_ns,
        position=STANDING,
        velocity=np.zeros(43),
        effort=np.zeros(43),
        orientation_wxyz=np.array([1.0, 0.0, 0.0, 0.0]),
        angular_velocity=np.zeros(3),
        linear_acceleration=np.array([0.0, 0.0, 9.81]),
        mode_machine=5,
        mode_pr=0,
        tick=0,
        casing_temperature=np.full(29, 35.0),
        winding_temperature=np.full(29, 45.0),
        wireless_remote=b'',
    )


def _gate() -> list[dict[str, Any]]:
    """A step of the gate that follows targets of 60 Hz, and its most expensive part."""
    gate, now_ns = Gate(GateConfig(arming_s=0.1)), 1
    gate.step(now_ns, standing(now_ns))
    gate.arm(now_ns)
    durations = []
    for index in range(2100):
        now_ns += 4_000_000
        if index == 50:
            gate.select_source('teleop', now_ns)
        if index > 50 and index % 4 == 0:
            position = STANDING[COMMAND_INDEX] + 0.1 * np.sin(index * 0.02)
            gate.offer(
                JointTargets(
                    stamp_ns=now_ns, source='teleop', position=position, velocity=np.zeros(28)
                ),
                now_ns,
            )
        state = standing(now_ns)
        began = time.perf_counter()
        gate.step(now_ns, state)
        if gate.status.state is GateState.ACTIVE:
            durations.append(time.perf_counter() - began)
    upright = standing(0).orientation_wxyz
    return [
        _row(
            'gate: a step that follows, p50',
            float(np.median(durations)) * 1e6,
            'us',
            'its share of a control period of 4 ms',
            4000.0,
        ),
        _row(
            'gate: gravity torques of the arms',
            _median_us(lambda: arm_gravity_torque(STANDING, upright)),
            'us',
            'those of the whole robot',
            _median_us(lambda: gravity_torque(STANDING)),
        ),
    ]


def _messages() -> list[dict[str, Any]]:
    """One LowState read and checked, one LowCmd made, against the SDK's own codec."""
    types = sdk._load()[1]
    struct = layout.zeros(layout.LOW_STATE)
    encode_state(struct, standing(0), mode_machine=5, tick=1)
    struct['crc'] = crc_of_struct(struct)
    data = layout.low_to_cdr(struct)

    def read() -> None:
        low = layout.low_from_cdr(data, layout.LOW_STATE)
        assert crc_of_struct(low) == low['crc'][0]
        decode_state(low, 1, None, None)

    command = layout.zeros(layout.LOW_CMD)

    def make() -> None:
        command['crc'] = crc_of_struct(command)
        layout.low_to_cdr(command)

    their_command = types.LowCmd_.deserialize(layout.low_to_cdr(command))
    return [
        _row(
            'link: LowState from the wire to a RobotState, checksum checked',
            _median_us(read),
            'us',
            "the SDK's deserialiser alone, no checksum",
            _median_us(lambda: types.LowState_.deserialize(data), 100),
        ),
        _row(
            'link: LowCmd to the wire, checksum made',
            _median_us(make),
            'us',
            "the SDK's serialiser alone, no checksum",
            _median_us(their_command.serialize, 100),
        ),
    ]


def _control_loop() -> dict[str, Any]:
    """CPU of link and gate in a process of their own: 500 Hz in, 250 Hz out."""
    root = str(Path(__file__).parents[1])
    robot = subprocess.Popen(
        [sys.executable, '-c', ROBOT, str(DOMAIN)], env={**os.environ, 'PYTHONPATH': root}
    )
    link = UnitreeLink(domain=DOMAIN, interface='lo', accept_zero_crc=False)
    loop = ControlLoop(GateConfig(arming_s=0.2), link, executed_rate_hz=100.0)
    loop.start()
    try:
        deadline = time.monotonic() + 10.0
        while not loop.arm()[0] and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        cpu, wall = time.process_time(), time.monotonic()
        time.sleep(5.0)
        share = (time.process_time() - cpu) / (time.monotonic() - wall)
        rate_hz = link.health().lowstate_rate_hz
        assert loop.report.state is GateState.HOLD, loop.report
    finally:
        loop.release()
        link.close()
        robot.kill()
        robot.wait()
    return _row(
        f'link + gate: control loop at 250 Hz, LowState at {rate_hz:.0f} Hz',
        share * 100.0,
        '% of a core',
        'one core',
        100.0,
    )


def _median_us(work: Callable[[], object], count: int = 1000) -> float:
    durations = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return float(np.median(durations)) * 1e6


def _row(
    name: str, value: float, unit: str, baseline: str, baseline_value: float
) -> dict[str, Any]:
    return {
        'name': name,
        'value': value,
        'unit': unit,
        'baseline': baseline,
        'baseline_value': baseline_value,
        'ratio': value / baseline_value,
    }
