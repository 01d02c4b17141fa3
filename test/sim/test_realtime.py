# SPDX-License-Identifier: Apache-2.0
"""The simulator in its own thread, on a wire that only listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from g1_il.errors import ConfigError
from g1_il.robot.command import RobotCommand
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import KD, KP
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState
from g1_il.sim.realtime import Rates, RealTimeRobot
from g1_il.sim.simulator import Simulator

WAIT_S = 20.0


class Listener:
    """A wire without a network: keeps what is published, gives what it was told to."""

    def __init__(self) -> None:
        self.full_body = False
        self.wanted: RobotCommand | None = None
        self.bodies: list[RobotState] = []
        self.hands: list[str] = []
        self.enough = threading.Event()

    def command(self) -> RobotCommand | None:
        return self.wanted

    def publish_body(self, state: RobotState) -> None:
        self.bodies.append(state)
        if len(self.bodies) >= 100:
            self.enough.set()

    def publish_hand(self, side: str, state: RobotState) -> None:
        self.hands.append(side)


def hold(weight: float) -> RobotCommand:
    return RobotCommand(
        position=STANDING + 0.05,
        velocity=np.zeros(43),
        effort=gravity_torque(STANDING),
        kp=KP,
        kd=KD,
        weight=weight,
        hands_enabled=True,
    )


@pytest.fixture
def wire() -> Listener:
    return Listener()


@pytest.fixture
def robot(wire: Listener) -> Iterator[RealTimeRobot]:
    robot = RealTimeRobot(Simulator(), wire, Rates(lowstate_hz=250.0))
    yield robot
    robot.stop()
    assert robot.failure is None


def test_states_come_at_their_rates_of_simulated_time(robot, wire):
    robot.start()
    assert wire.enough.wait(WAIT_S)
    robot.stop()
    ticks = np.array([state.tick for state in wire.bodies])
    np.testing.assert_array_equal(np.diff(ticks), 4)
    stamps = np.array([state.stamp_ns for state in wire.bodies])
    assert np.all(np.diff(stamps) > 0)
    assert wire.hands.count('left') == wire.hands.count('right')
    assert len(wire.hands) / 2 == pytest.approx(len(wire.bodies) * 100 / 250, abs=1.5)
    report = robot.lateness()
    assert report.rate_hz > 0.0 and report.worst_s >= 0.0
    assert robot.lateness().rate_hz == 0.0


def test_views_hold_picture_and_truth_of_one_instant(robot, wire):
    robot.start()
    views = [robot.next_view(WAIT_S) for _ in range(5)]
    stamps = [view.stamp_ns for view in views]
    assert stamps == sorted(set(stamps))
    for view in views:
        assert view.scene.stamp_ns == view.stamp_ns
        can = robot._simulator.model.joint('can').qposadr[0]
        np.testing.assert_array_equal(view.position[can : can + 2], view.scene.poses[0, :2])


def test_reset_puts_the_robot_back_only_while_nobody_commands_it(robot, wire):
    robot.start()
    assert robot.reset(4) is True
    assert wire.enough.wait(WAIT_S)
    wire.wanted = hold(1.0)
    wire.bodies.clear()
    wire.enough.clear()
    assert wire.enough.wait(WAIT_S)
    assert robot.reset(6) is False
    wire.wanted = hold(0.0)
    assert robot.reset(8) is True
    while robot.next_view(WAIT_S).scene.seed != 8:
        pass
    with pytest.raises(ConfigError, match='-3'):
        robot.reset(-3)


def test_a_stopped_robot_says_that_it_does_not_run(wire, monkeypatch):
    monkeypatch.setattr('g1_il.sim.realtime.RESET_TIMEOUT_S', 0.05)
    robot = RealTimeRobot(Simulator(), wire, Rates())
    with pytest.raises(ConfigError, match='restart the sim node'):
        robot.reset(1)
    robot.stop()
    assert robot.next_view(0.01) is None


def test_a_failure_in_the_physics_thread_is_kept(wire):
    robot = RealTimeRobot(Simulator(), wire, Rates())
    wire.wanted = 'not a command'
    robot.start()
    robot._thread.join(WAIT_S)
    assert isinstance(robot.failure, AttributeError)
    assert robot.stopped


def test_rates_beyond_the_physics_are_refused(wire):
    with pytest.raises(ConfigError, match='lowstate_hz is 600'):
        RealTimeRobot(Simulator(), wire, Rates(lowstate_hz=600.0))
