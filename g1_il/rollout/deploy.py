# SPDX-License-Identifier: Apache-2.0
"""One rollout of a policy in virtual time: the same rows, runner and gate as in the graph."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from g1_il.camera.encode import encode_jpeg
from g1_il.policy.contract import SCENE_STREAM, STATE_STREAM
from g1_il.policy.onnx_policy import OnnxPolicy
from g1_il.policy.runner import PolicyRunner, RunnerConfig
from g1_il.rollout.rig import Rig
from g1_il.rollout.schedule import Activity, Schedule
from g1_il.rollout.video import VideoFile
from g1_il.rows.assembler import FrameAssembler
from g1_il.rows.streams import scene_vector, standard_config

STATE_HZ = 100.0
COMMAND_HZ = 60.0
VIEW_HZ = 30
CAMERA = 'head_camera'
CAMERA_SIZE = (640, 480)
VIDEO_SIZE = (640, 480)
HELD_S = 0.5
_TICK = b'not rendered'


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutResult:
    """How a rollout went.

    Attributes:
        seed: Of the start.
        success: The task's rule held for a while.
        stage: Furthest stage reached.
        duration_s: Virtual time until success, or the limit.
        refused: Observations that the policy could not answer.
        inference_s: Times of all inferences [s].
        interventions: What the gate did against the policy, by kind.
    """

    seed: int
    success: bool
    stage: str
    duration_s: float
    refused: int
    inference_s: tuple[float, ...]
    interventions: dict[str, int]


class Deployment:
    """A policy with everything that it needs around it; does one seed after the other."""

    def __init__(self, policy: OnnxPolicy, rig: Rig, *, limit_s: float) -> None:
        """Checks that the policy fits what there is here.

        Args:
            policy: What to run.
            rig: Simulator and gate.
            limit_s: Virtual time for a rollout [s].
        """
        self._contract = policy.contract
        streams = (STATE_STREAM, SCENE_STREAM, CAMERA)
        self._contract.check_live(policy.path, fps=VIEW_HZ, streams=streams)
        self._policy = _Timed(policy)
        self._rig = rig
        self._limit_s = limit_s
        self._looks = CAMERA in policy.streams
        self._others = [name for name in policy.streams if name != CAMERA]
        policy.warm_up()

    def run(self, seed: int, video: VideoFile | None = None) -> RolloutResult:
        """Runs one rollout.

        Args:
            seed: Of the start.
            video: Gets a picture of the overview camera for every row.
        """
        rig = self._rig
        rig.reset(seed, 'policy')
        self._policy.times_s.clear()
        runner = PolicyRunner(self._policy, RunnerConfig())
        rows = _Rows(rig, runner, self._others, self._contract.objects, self._looks, video)
        start_ns = rig.now_ns
        activities = [
            Activity(name='state', rate_hz=STATE_HZ, action=rows.state),
            Activity(name='view', rate_hz=VIEW_HZ, action=rows.view),
            Activity(name='command', rate_hz=COMMAND_HZ, action=rows.command),
            *rig.activities(),
        ]
        schedule = Schedule(activities, start_ns)
        schedule.run(start_ns + round(self._limit_s * 1e9), rows.is_over)
        return RolloutResult(
            seed=seed,
            success=rows.succeeded_ns is not None,
            stage=rig.scene(rig.now_ns).stage,
            duration_s=((rows.succeeded_ns or rig.now_ns) - start_ns) * 1e-9,
            refused=runner.refused,
            inference_s=tuple(self._policy.times_s),
            interventions={kind: n for kind, n in rig.report.interventions.items() if n},
        )


class _Timed:
    """A policy that notes how long its inferences take; it is a Policy."""

    def __init__(self, policy: OnnxPolicy) -> None:
        self._policy = policy
        self.streams, self.fps, self.execute = policy.streams, policy.fps, policy.execute
        self.times_s: list[float] = []

    def infer(self, row: Any) -> Any:
        began_s = time.perf_counter()
        chunk = self._policy.infer(row)
        self.times_s.append(time.perf_counter() - began_s)
        return chunk


class _Rows:
    """Streams to rows to runner to gate, as the policy node does it."""

    def __init__(
        self,
        rig: Rig,
        runner: PolicyRunner,
        others: list[str],
        objects: tuple[str, ...],
        looks: bool,
        video: VideoFile | None,
    ) -> None:
        self._rig = rig
        self._runner = runner
        self._others = others
        self._objects = objects
        self._looks = looks
        self._video = video
        self._assembler = FrameAssembler(standard_config(CAMERA, others, fps=VIEW_HZ))
        self._since_ns: int | None = None
        self.succeeded_ns: int | None = None

    def state(self, now_ns: int) -> None:
        """joint_states."""
        if STATE_STREAM in self._others:
            self._push(STATE_STREAM, now_ns, self._rig.state(now_ns).position)

    def view(self, now_ns: int) -> None:
        """sim/scene and the camera's tick, with a picture only if the policy looks at it."""
        scene = self._rig.scene(now_ns)
        if SCENE_STREAM in self._others:
            vector = scene_vector(scene.names, scene.poses, self._objects)
            self._push(SCENE_STREAM, now_ns, vector)
        picture = _TICK
        if self._looks:
            picture = encode_jpeg(self._rig.simulator.render(*CAMERA_SIZE))
        self._push(CAMERA, now_ns, picture)
        if self._video is not None:
            self._video.write(self._rig.simulator.render(*VIDEO_SIZE, camera='overview'))
        self._judge(scene.success, now_ns)

    def command(self, now_ns: int) -> None:
        """policy/command."""
        targets = self._runner.targets(now_ns)
        if targets is not None:
            self._rig.offer(targets, now_ns)

    def is_over(self) -> bool:
        """Whether the task is done and stays done."""
        return self.succeeded_ns is not None

    def _push(self, stream: str, now_ns: int, value: npt.NDArray[np.float64] | bytes) -> None:
        self._assembler.push(stream, now_ns, value)
        for refusal in self._assembler.refusals():
            self._runner.refuse(str(refusal))
        for row in self._assembler.rows():
            self._runner.observe(row)

    def _judge(self, success: bool, now_ns: int) -> None:
        if not success:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = now_ns
        elif now_ns - self._since_ns >= HELD_S * 1e9:
            self.succeeded_ns = self._since_ns
