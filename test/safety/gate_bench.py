# SPDX-License-Identifier: Apache-2.0
"""A small robot for the gate's tests: joints that follow commands with a lag, and a clock."""

from __future__ import annotations

import numpy as np

from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import COMMAND_INDEX
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig
from g1_il.safety.gate import Gate
from g1_il.safety.report import GateState


def robot_state(stamp_ns: int = 1, position: np.ndarray | None = None, **changes) -> RobotState:
    """A healthy state."""
    fields = dict(
        stamp_ns=stamp_ns,
        left_hand_stamp_ns=stamp_ns,
        right_hand_stamp_ns=stamp_ns,
        position=STANDING.copy() if position is None else position,
        velocity=np.zeros(43),
        effort=np.zeros(43),
        orientation_wxyz=np.array([1.0, 0.0, 0.0, 0.0]),
        angular_velocity=np.zeros(3),
        linear_acceleration=np.array([0.0, 0.0, 9.81]),
        mode_machine=5,
        mode_pr=0,
        tick=stamp_ns // 1_000_000,
        casing_temperature=np.full(29, 35.0),
        winding_temperature=np.full(29, 45.0),
        wireless_remote=b'',
    )
    return RobotState(**(fields | changes))


class Bench:
    """A gate, a robot that follows it with a lag of two steps, and their time."""

    def __init__(self, config: GateConfig | None = None) -> None:
        self.config = config or GateConfig(arming_s=0.2)
        self.gate = Gate(self.config)
        self.now_ns = 1_000_000_000
        self.position = STANDING.copy()
        self.velocity = np.zeros(43)
        self.commands: list[RobotCommand | None] = []
        self.frozen = False
        self.step()

    def step(self, *, fresh: bool = True, **changes) -> RobotCommand | None:
        """One control step; fresh False: the robot says nothing new."""
        self.now_ns += self.config.period_ns
        state = None
        if fresh:
            state = robot_state(
                position=self.position.copy(),
                **({'stamp_ns': self.now_ns, 'velocity': self.velocity} | changes),
            )
        command = self.gate.step(self.now_ns, state)
        self.commands.append(command)
        if command is not None and not self.frozen:
            old = self.position.copy()
            way = command.weight * (command.kp > 0.0) * (command.position - self.position)
            self.position = self.position + 0.5 * way
            self.velocity = (self.position - old) / (self.config.period_ns * 1e-9)
        return command

    def run(self, seconds: float, **changes) -> None:
        """Steps for a time."""
        for _ in range(round(seconds * 1e9 / self.config.period_ns)):
            self.step(**changes)

    def arm(self, source: str = '') -> None:
        """Arms, and selects a source."""
        done, message = self.gate.arm(self.now_ns)
        assert done, message
        self.run(self.config.arming_s + 0.02)
        assert self.state is GateState.HOLD
        if source:
            assert self.gate.select_source(source, self.now_ns)[0]

    def targets(self, position: np.ndarray, **changes) -> JointTargets:
        """Targets of teleop, now."""
        fields = dict(
            stamp_ns=self.now_ns, source='teleop', position=position, velocity=np.zeros(28)
        )
        return JointTargets(**(fields | changes))

    def follow(self, position: np.ndarray, seconds: float, every: int = 4, **changes) -> None:
        """Offers the same targets at a source's rate for a time."""
        for index in range(round(seconds * 1e9 / self.config.period_ns)):
            if index % every == 0:
                self.gate.offer(self.targets(position, **changes), self.now_ns)
            self.step()

    @property
    def state(self) -> GateState:
        return self.gate.status.state

    @property
    def commanded(self) -> np.ndarray:
        """Last command of the 28 joints."""
        assert self.commands[-1] is not None
        return self.commands[-1].position[COMMAND_INDEX]

    @property
    def counts(self) -> dict[str, int]:
        return self.gate.status.interventions


REST = STANDING[COMMAND_INDEX]
