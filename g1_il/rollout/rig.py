# SPDX-License-Identifier: Apache-2.0
"""Simulated robot and gate under one virtual clock: what every rollout stands on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.errors import G1Error
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS, KP
from g1_il.robot.state import RobotState
from g1_il.rollout.pushes import Pushes
from g1_il.rollout.schedule import Activity
from g1_il.safety.config import GateConfig
from g1_il.safety.gate import Gate
from g1_il.safety.report import GateReport, GateState
from g1_il.sim.scene import Scene
from g1_il.sim.simulator import Simulator

ARMING_S = 0.2
"""The weight's ramp here: the robot stands in the pose that its own controller holds."""

START_NS = 1_000_000_000
"""Virtual time of every reset: the same seed gives the same stamps, whatever ran before."""

PUSH_HZ = 50.0


class Rig:
    """A simulator that obeys a gate, as the simulated robot obeys the bridge."""

    def __init__(
        self, *, task: str, gate: GateConfig | None = None, push_rad: float = 0.0
    ) -> None:
        """Builds the simulator; `reset` before use.

        Args:
            task: Scene of the simulator.
            gate: Limits and time-outs; default: the bridge's, with a short arming ramp.
            push_rad: How far smooth random torques push the arm joints from where they are
                commanded to be, RMS [rad]; 0: none.
        """
        self.task = task
        self.simulator = Simulator(task=task)
        self.command: RobotCommand | None = None
        self._gate_config = gate or GateConfig(arming_s=ARMING_S)
        self._gate = Gate(self._gate_config)
        self._base_ns = 0
        self._push_rad = push_rad
        self._pushes: Pushes | None = None
        arms = COMMAND_JOINTS[:14]
        model = self.simulator.model
        self._arm_dof = np.array([model.joint(name).dofadr[0] for name in arms])
        self._push_nm = push_rad * KP[COMMAND_INDEX[:14]]

    @property
    def now_ns(self) -> int:
        """Virtual time of the physics [ns]."""
        return self.simulator.time_ns - self._base_ns

    @property
    def report(self) -> GateReport:
        """The gate's status."""
        return self._gate.status

    @property
    def source_followed(self) -> str:
        """Whose commands are in force; 'gate' when nobody's."""
        return self._gate.source_followed or 'gate'

    def reset(self, seed: int, source: str) -> None:
        """Robot and objects at the start that a seed determines, gate armed for a source."""
        self.simulator.reset(seed)
        self._base_ns = self.simulator.time_ns - START_NS
        self._gate = Gate(self._gate_config)
        self._pushes = Pushes(seed, len(self._arm_dof)) if self._push_rad else None
        self.command = None
        self._gate_step(self.now_ns)
        self._demand(*self._gate.arm(self.now_ns))
        steps = self._gate_config.period_ns // self.simulator.timestep_ns
        for _ in range(
            round((self._gate_config.arming_s + 1.0) * 1e9) // self._gate_config.period_ns
        ):
            self._gate_step(self.now_ns)
            for _ in range(steps):
                self.simulator.step(self.command)
            if self.report.state is GateState.HOLD:
                break
        else:
            raise G1Error(f'the gate does not arm: {self.report.reason}')
        self._demand(*self._gate.select_source(source, self.now_ns))

    @staticmethod
    def _demand(done: bool, message: str) -> None:
        if not done:
            raise G1Error(f'the gate refused: {message}')

    def activities(self) -> list[Activity]:
        """Gate, then robot, to be scheduled from `now_ns` on; the robot comes last."""
        listed = [
            Activity(
                name='gate', rate_hz=self._gate_config.control_rate_hz, action=self._gate_step
            ),
            Activity(
                name='physics', rate_hz=1e9 / self.simulator.timestep_ns, action=self._physics_step
            ),
        ]
        if self._pushes is not None:
            listed.insert(0, Activity(name='pushes', rate_hz=PUSH_HZ, action=self._push))
        return listed

    def _gate_step(self, now_ns: int) -> None:
        self.command = self._gate.step(now_ns, self.state(now_ns))

    def _physics_step(self, now_ns: int) -> None:
        self.simulator.step(self.command)

    def _push(self, now_ns: int) -> None:
        assert self._pushes is not None
        torque = self._push_nm * self._pushes.at((now_ns - START_NS) * 1e-9)
        self.simulator.data.qfrc_applied[self._arm_dof] = torque

    def offer(self, targets: JointTargets, now_ns: int) -> None:
        """Hands a source's targets to the gate."""
        self._gate.offer(targets, now_ns)

    def state(self, now_ns: int) -> RobotState:
        """The robot's state now."""
        return self.simulator.state(now_ns)

    def scene(self, now_ns: int) -> Scene:
        """Ground truth now."""
        return self.simulator.scene(now_ns)

    def positions(self) -> npt.NDArray[np.float64]:
        """Measured joint positions [rad], shape (43,)."""
        position = self.state(self.now_ns).position
        assert position.shape == (len(ALL_JOINTS),)
        return position

    def close(self) -> None:
        """Frees the renderers."""
        self.simulator.close()
