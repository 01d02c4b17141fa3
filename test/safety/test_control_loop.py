# SPDX-License-Identifier: Apache-2.0
"""The control thread between a robot that does what it is told and callers on other threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from gate_bench import robot_state

from g1_il.robot.command import RobotCommand
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig
from g1_il.safety.control_loop import ControlLoop
from g1_il.safety.report import GateState

CONFIG = GateConfig(arming_s=0.2)


class Robot:
    """Stands still, says so, and remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[RobotCommand] = []

    def latest(self) -> RobotState:
        return robot_state(stamp_ns=time.monotonic_ns(), position=STANDING.copy())

    def send(self, command: RobotCommand) -> None:
        self.sent.append(command)

    def close(self) -> None: ...


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, 'waited in vain'
        time.sleep(0.005)


def test_an_estop_is_obeyed_during_the_last_release():
    robot = Robot()
    loop = ControlLoop(CONFIG, robot, executed_rate_hz=100.0)
    loop.start()
    wait_for(lambda: loop.state is not None and loop.arm()[0])
    wait_for(lambda: loop.report.state is GateState.HOLD)
    released: list[bool] = []
    ending = threading.Thread(target=lambda: released.append(loop.release()))
    ending.start()
    wait_for(lambda: loop.report.state is GateState.RELEASING)
    before = len(robot.sent)
    assert loop.estop()[0]
    assert not loop.arm()[0], 'nothing else is taken any more'
    ending.join(timeout=10.0)
    assert released == [True] and loop.report.state is GateState.DISARMED
    after = robot.sent[before + 2 :]
    assert after and not any(command.kp.any() for command in after), 'damped to the end'
    assert not any(command.hands_enabled for command in after)
    weights = np.array([command.weight for command in after])
    assert weights[-1] == 0.0 and len(set(weights)) > 20
