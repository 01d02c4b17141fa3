# SPDX-License-Identifier: Apache-2.0
"""Runs a simulator against the clock, as the robot that it is on the wire.

One thread steps the physics and speaks Unitree's wire; nothing slow happens there. Pictures are
another thread's business: it takes the newest `View` and draws from it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError
from g1_il.robot.command import RobotCommand
from g1_il.robot.state import RobotState
from g1_il.sim.scene import Scene
from g1_il.sim.simulator import Simulator, check_seed

MAX_BEHIND_NS = 50_000_000
"""Behind the clock by more than this, time is given up instead of being run after."""

RESET_TIMEOUT_S = 2.0


class Wire(Protocol):
    """The robot's side of the wire, as `g1_il.link.unitree_robot.UnitreeRobot` offers it."""

    @property
    def full_body(self) -> bool:
        """The command in force came by rt/lowcmd."""

    def command(self) -> RobotCommand | None:
        """The command in force; None before the first."""

    def publish_body(self, state: RobotState) -> None:
        """Publishes LowState."""

    def publish_hand(self, side: str, state: RobotState) -> None:
        """Publishes one hand's state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often what is done.

    Attributes:
        lowstate_hz: LowState; at most the physics rate.
        hand_hz: Each hand's state.
        view_hz: Views for camera and scene.
    """

    lowstate_hz: float = 500.0
    hand_hz: float = 100.0
    view_hz: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What there is to see at one instant.

    Attributes:
        stamp_ns: Host time of the physics state (Unix) [ns].
        position: MuJoCo's qpos, for a `SceneRenderer`.
        scene: Ground truth at the same instant.
    """

    stamp_ns: int
    position: npt.NDArray[np.float64]
    scene: Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How well the clock was kept since the last question.

    Attributes:
        rate_hz: Physics steps per second.
        worst_s: Longest delay of a step behind its time [s].
        lost_s: Time given up because the machine was too slow [s].
    """

    rate_hz: float
    worst_s: float
    lost_s: float


class _Every:
    """True at a rate, judged on simulated time; never drifts, never bunches."""

    def __init__(self, rate_hz: float) -> None:
        self._period_ns = 1e9 / rate_hz
        self._count = 1

    def due(self, time_ns: int) -> bool:
        if time_ns + 1 < self._count * self._period_ns:
            return False
        self._count = int((time_ns + 1) // self._period_ns) + 1
        return True


class RealTimeRobot:
    """A simulator that lives in its own thread."""

    def __init__(self, simulator: Simulator, wire: Wire, rates: Rates) -> None:
        """Prepares; `start` lets it live.

        Raises:
            ConfigError: A rate is outside what the physics can give.
        """
        physics_hz = 1e9 / simulator.timestep_ns
        for name in ('lowstate_hz', 'hand_hz', 'view_hz'):
            rate = getattr(rates, name)
            if not 1.0 <= rate <= physics_hz:
                raise ConfigError(f'{name} is {rate}; allowed: 1 to {physics_hz:g}')
        self._simulator = simulator
        self._wire = wire
        self._low = _Every(rates.lowstate_hz)
        self._hand = _Every(rates.hand_hz)
        self._look = _Every(rates.view_hz)
        self._stop = threading.Event()
        self._condition = threading.Condition()
        self._view: View | None = None
        self._reset: tuple[int, Callable[[bool], None]] | None = None
        self._steps, self._worst_ns, self._lost_ns = 0, 0, 0
        self._asked_ns = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='physics', daemon=True)

    def start(self) -> None:
        """Starts the physics thread."""
        self._asked_ns = time.monotonic_ns()
        self._thread.start()

    def stop(self) -> None:
        """Ends the physics thread and wakes whoever waits for a view."""
        self._stop.set()
        with self._condition:
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def stopped(self) -> bool:
        """The physics thread has ended or is about to."""
        return self._stop.is_set()

    @property
    def failure(self) -> BaseException | None:
        """What ended the physics thread, if not `stop`."""
        return self._failure

    def next_view(self, timeout_s: float) -> View | None:
        """Waits for a view not yet taken; None after the time-out or when stopped."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._view is not None or self._stop.is_set(), timeout_s
            )
            view, self._view = self._view, None
            return view

    def reset(self, seed: int) -> bool:
        """Resets the scene to a seed, between two steps; waits until it is done.

        The robot itself is put back to its start only while its own controller has it (weight
        0): a commanded robot does not leap.

        Returns:
            True when the robot was put back, too.

        Raises:
            ConfigError: The seed is negative or the physics thread does not run.
        """
        check_seed(seed)
        done = threading.Event()
        moved: list[bool] = []

        def answer(robot: bool) -> None:
            moved.append(robot)
            done.set()

        with self._condition:
            self._reset = (seed, answer)
        if not done.wait(RESET_TIMEOUT_S):
            raise ConfigError('the simulation does not run; restart the sim node')
        return moved[0]

    def lateness(self) -> Lateness:
        """How the clock was kept since the last call."""
        with self._condition:
            now_ns = time.monotonic_ns()
            report = Lateness(
                rate_hz=self._steps * 1e9 / max(1, now_ns - self._asked_ns),
                worst_s=self._worst_ns / 1e9,
                lost_s=self._lost_ns / 1e9,
            )
            self._asked_ns = now_ns
            self._steps, self._worst_ns, self._lost_ns = 0, 0, 0
        return report

    def _run(self) -> None:
        try:
            due_ns = time.monotonic_ns()
            while not self._stop.is_set():
                due_ns = self._wait(due_ns + self._simulator.timestep_ns)
                self._step()
        except BaseException as error:
            self._failure = error
            self._stop.set()
            with self._condition:
                self._condition.notify_all()

    def _wait(self, due_ns: int) -> int:
        """Sleeps until a step is due; returns when it was due, moved on if time was given up."""
        ahead_ns = due_ns - time.monotonic_ns()
        if ahead_ns > 0:
            time.sleep(ahead_ns / 1e9)
        behind_ns = time.monotonic_ns() - due_ns
        lost_ns = behind_ns if behind_ns > MAX_BEHIND_NS else 0
        with self._condition:
            self._steps += 1
            self._worst_ns = max(self._worst_ns, behind_ns)
            self._lost_ns += lost_ns
        return due_ns + lost_ns

    def _step(self) -> None:
        command, simulator = self._wire.command(), self._simulator
        full_body = self._wire.full_body
        with self._condition:
            wanted, self._reset = self._reset, None
        if wanted is not None:
            robot = command is None or (command.weight == 0.0 and not full_body)
            simulator.reset(wanted[0], robot=robot)
            wanted[1](robot)
        simulator.step(command, full_body=full_body)
        now_ns, stamp_ns = simulator.time_ns, time.time_ns()
        low, hand = self._low.due(now_ns), self._hand.due(now_ns)
        if low or hand:
            state = simulator.state(stamp_ns)
            if low:
                self._wire.publish_body(state)
            if hand:
                self._wire.publish_hand('left', state)
                self._wire.publish_hand('right', state)
        if self._look.due(now_ns):
            view = View(
                stamp_ns=stamp_ns,
                position=simulator.snapshot(),
                scene=simulator.scene(stamp_ns),
            )
            with self._condition:
                self._view = view
                self._condition.notify_all()
