# SPDX-License-Identifier: Apache-2.0
"""Simulated robot and gate under one virtual clock: what every rollout stands on."""

from __future__ import annotations

import numpy as np

from g1_il.errors import G1Error
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.state import RobotState
from g1_il.rollout.schedule import Activity
from g1_il.safety.config import GateConfig
from g1_il.safety.gate import Gate
from g1_il.safety.report import GateReport, GateState
from g1_il.sim.scene import Scene
from g1_il.sim.simulator import Simulator

ARMING_S = 0.2
"""The weight's ramp here: the robot stands in the pose that its own controller holds."""


class Rig:
    """A simulator that obeys a gate, as the simulated robot obeys the bridge."""

    def __init__(self, *, task: str, gate: GateConfig | None = None) -> None:
        """Builds the simulator; `reset` before use.

        Args:
            task: Scene of the simulator.
            gate: Limits and time-outs; default: the bridge's, with a short arming ramp.
        """
        self.simulator = Simulator(task=task)
        self._gate_config = gate or GateConfig(arming_s=ARMING_S)
        self.gate = Gate(self._gate_config)
        self.command: RobotCommand | None = None
        self.now_ns = self.simulator.time_ns

    def reset(self, seed: int, source: str) -> None:
        """Robot and objects at the start that a seed determines, gate armed for a source."""
        self.simulator.reset(seed)
        self.gate = Gate(self._gate_config)
        self.command = None
        self.now_ns = self.simulator.time_ns
        self._gate_step(self.now_ns)
        self._demand(*self.gate.arm(self.now_ns))
        period_ns = self._gate_config.period_ns
        deadline_ns = self.now_ns + round((self._gate_config.arming_s + 1.0) * 1e9)
        while self.gate.status.state is not GateState.HOLD:
            if self.now_ns > deadline_ns:
                raise G1Error(f'the gate does not arm: {self.gate.status.reason}')
            self._gate_step(self.now_ns)
            for _ in range(period_ns // self.simulator.timestep_ns):
                self.simulator.step(self.command)
            self.now_ns = self.simulator.time_ns
        self._demand(*self.gate.select_source(source, self.now_ns))

    @staticmethod
    def _demand(done: bool, message: str) -> None:
        if not done:
            raise G1Error(f'the gate refused: {message}')

    def activities(self) -> list[Activity]:
        """Gate and physics, to be scheduled from `now_ns` on; first the gate, then the robot."""
        physics_hz = 1e9 / self.simulator.timestep_ns
        return [
            Activity(name='gate', rate_hz=self._gate_config.control_rate_hz, action=self._gate_step),
            Activity(name='physics', rate_hz=physics_hz, action=self._physics_step),
        ]

    def _gate_step(self, now_ns: int) -> None:
        self.command = self.gate.step(now_ns, self.simulator.state(now_ns))

    def _physics_step(self, now_ns: int) -> None:
        self.simulator.step(self.command)
        self.now_ns = self.simulator.time_ns

    def offer(self, targets: JointTargets, now_ns: int) -> None:
        """Hands a source's targets to the gate."""
        self.gate.offer(targets, now_ns)

    def state(self, now_ns: int) -> RobotState:
        """The robot's state now."""
        return self.simulator.state(now_ns)

    def scene(self, now_ns: int) -> Scene:
        """Ground truth now."""
        return self.simulator.scene(now_ns)

    @property
    def report(self) -> GateReport:
        """The gate's status."""
        return self.gate.status

    def positions(self) -> np.ndarray:
        """Measured joint positions [rad], shape (43,)."""
        return self.simulator.state(self.now_ns).position

    def close(self) -> None:
        """Frees the renderers."""
        self.simulator.close()
