# SPDX-License-Identifier: Apache-2.0
"""One scripted episode in virtual time: operator, retargeting, gate, simulator, recorder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from g1_il.retarget.retargeter import Retargeter
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.state import RobotState
from g1_il.rollout.rig import Rig
from g1_il.rollout.schedule import Activity, Schedule
from g1_il.safety.report import GateReport
from g1_il.sim.operator import ScriptedOperator
from g1_il.sim.scene import Scene
from g1_il.xr.frame import XrFrame

HEADSET_HZ = 60.0
STATE_HZ = 100.0
VIEW_HZ = 30.0
STATUS_HZ = 5.0
LIMIT_S = 30.0
SETTLE_S = 0.2
PATIENCE_S = 1.5  # a can that was set down may rock for a while


class Recorder(Protocol):
    """What receives everything that happens; every call with its virtual time [ns]."""

    def frame(self, frame: XrFrame, now_ns: int) -> None:
        """The headset's frame."""

    def targets(self, targets: JointTargets, now_ns: int) -> None:
        """Retargeting's answer."""

    def state(self, state: RobotState, now_ns: int) -> None:
        """The robot's state."""

    def executed(self, command: RobotCommand, source: str, now_ns: int) -> None:
        """The command in force."""

    def gate(self, report: GateReport, now_ns: int) -> None:
        """The gate's status."""

    def scene(self, scene: Scene, now_ns: int) -> None:
        """Ground truth."""

    def image(self, rgb: object, now_ns: int) -> None:
        """The head camera's picture, RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeleopResult:
    """How an episode went.

    Attributes:
        seed: Of the start.
        success: The task's rule held at the end.
        stage: Furthest stage reached.
        attempts: Grasps that the operator tried.
        duration_s: Virtual time.
        end_ns: Virtual time of the end.
        interventions: What the gate did against its input, by kind.
    """

    seed: int
    success: bool
    stage: str
    attempts: int
    duration_s: float
    end_ns: int
    interventions: dict[str, int]


def teleoperate(
    rig: Rig,
    retargeter: Retargeter,
    *,
    seed: int,
    recorder: Callable[[int], Recorder] | None = None,
    images: tuple[int, int] | None = None,
) -> TeleopResult:
    """Runs one episode from a random start.

    Args:
        rig: Simulator and gate.
        retargeter: Used from a fresh engage.
        seed: Of the start and of the operator's small differences.
        recorder: Opens the recording, given the virtual time of its start; None: no recording.
        images: Width and height of the head camera's pictures; None: not rendered.
    """
    rig.reset(seed, 'teleop')
    retargeter.engage(rig.positions())
    start_ns = rig.now_ns
    session = _Session(rig, retargeter, ScriptedOperator(rig.task, seed))
    if recorder is not None:
        session.recorder = recorder(start_ns)
        session.images = images
    schedule = Schedule(session.activities(), start_ns)
    schedule.run(start_ns + round(LIMIT_S * 1e9), session.is_over)
    schedule.run(schedule.now_ns + round(SETTLE_S * 1e9))
    deadline_ns = schedule.now_ns + round(PATIENCE_S * 1e9)
    schedule.run(deadline_ns, lambda: rig.scene(rig.now_ns).success)
    scene = rig.scene(rig.now_ns)
    return TeleopResult(
        seed=seed,
        success=scene.success,
        stage=scene.stage,
        attempts=session.operator.attempts,
        duration_s=(rig.now_ns - start_ns) * 1e-9,
        end_ns=rig.now_ns,
        interventions={kind: n for kind, n in rig.report.interventions.items() if n},
    )


class _Session:
    """The activities of one episode, in the order in which they follow from each other."""

    def __init__(self, rig: Rig, retargeter: Retargeter, operator: ScriptedOperator) -> None:
        self.operator = operator
        self.recorder: Recorder | None = None
        self.images: tuple[int, int] | None = None
        self._rig = rig
        self._retargeter = retargeter
        self._scene: Scene | None = None
        self._report: GateReport | None = None

    def activities(self) -> list[Activity]:
        """Views first: the operator sees the scene as of now; then headset, gate, robot."""
        listed = [
            Activity(name='view', rate_hz=VIEW_HZ, action=self._view),
            Activity(name='headset', rate_hz=HEADSET_HZ, action=self._headset),
            *self._rig.activities(),
        ]
        if self.recorder is not None:
            # After the gate's step, before the robot's: a command is recorded as it goes out.
            listed[-1:-1] = [
                Activity(name='state', rate_hz=STATE_HZ, action=self._record_state),
                Activity(name='status', rate_hz=STATUS_HZ, action=self._record_status),
            ]
        return listed

    def is_over(self) -> bool:
        """Whether the operator has finished."""
        return self.operator.done

    def _view(self, now_ns: int) -> None:
        self._scene = self._rig.scene(now_ns)
        if self.recorder is None:
            return
        self.recorder.scene(self._scene, now_ns)
        if self.images is not None:
            self.recorder.image(self._rig.simulator.render(*self.images), now_ns)

    def _headset(self, now_ns: int) -> None:
        assert self._scene is not None
        frame = self.operator.step(now_ns, self._scene)
        targets = self._retargeter.step(frame)
        if self.recorder is not None:
            self.recorder.frame(frame, now_ns)
        if targets is None:
            return
        if self.recorder is not None:
            self.recorder.targets(targets, now_ns)
        self._rig.offer(targets, now_ns)

    def _record_state(self, now_ns: int) -> None:
        assert self.recorder is not None
        self.recorder.state(self._rig.state(now_ns), now_ns)
        if self._rig.command is not None:
            self.recorder.executed(self._rig.command, self._rig.source_followed, now_ns)

    def _record_status(self, now_ns: int) -> None:
        assert self.recorder is not None
        self.recorder.gate(self._rig.report, now_ns)
