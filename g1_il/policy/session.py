# SPDX-License-Identifier: Apache-2.0
"""A policy at work on live streams: samples in, joint targets and a report out; no ROS, no clock.

One session is what the policy node wraps. It is not thread-safe: the node holds a lock.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from g1_il.policy.policy import ActionChunk, Policy
from g1_il.policy.runner import PolicyRunner, RunnerConfig
from g1_il.robot.command import JointTargets
from g1_il.rows.assembler import FrameAssembler
from g1_il.rows.row import Row
from g1_il.rows.streams import standard_config

LATENCIES = 100


class SessionState(IntEnum):
    """Numbers as in PolicyStatus.msg."""

    PAUSED = 0
    RUNNING = 1
    WAITING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """What PolicyStatus says.

    Attributes:
        state: Paused, running, or started but quiet.
        reason: Why it is quiet; empty unless waiting.
        inference_p50_s: Median of the last hundred inferences [s]; NaN before the first.
        inference_p99_s: Their 99 % quantile [s].
        observation_age_s: From capture to the last targets [s]; NaN before the first.
        steps: Observations answered.
        refused: Observations that could not be answered.
    """

    state: SessionState
    reason: str
    inference_p50_s: float
    inference_p99_s: float
    observation_age_s: float
    steps: int
    refused: int


class PolicySession:
    """Assembles rows, says which to infer on, and what the joints should do now."""

    def __init__(self, policy: Policy, camera: str, config: RunnerConfig) -> None:
        """Starts paused.

        Args:
            policy: What to run.
            camera: The reference stream: its frames make the rows.
            config: How to run it.
        """
        self._runner = PolicyRunner(policy, config)
        others = [name for name in policy.streams if name != camera]
        self._assembler = FrameAssembler(standard_config(camera, others, fps=policy.fps))
        self._state = SessionState.PAUSED
        self._age_s = math.nan
        self._seconds: deque[float] = deque(maxlen=LATENCIES)

    @property
    def state(self) -> SessionState:
        """Paused, running, or started but quiet."""
        return self._state

    def start(self) -> bool:
        """Begins as from nothing; False when it runs already."""
        if self._state is not SessionState.PAUSED:
            return False
        self._runner.reset()
        self._state = SessionState.WAITING
        return True

    def pause(self) -> None:
        """Goes quiet until started again."""
        self._state = SessionState.PAUSED

    def push(self, stream: str, stamp_ns: int, value: Any) -> Row | None:
        """Takes one sample.

        Args:
            stream: joint_states, scene, or a camera.
            stamp_ns: Capture time [ns].
            value: As rows hold it.

        Returns:
            A row to infer on now, or None.
        """
        self._assembler.push(stream, stamp_ns, value)
        for refusal in self._assembler.refusals():
            self.refuse(str(refusal))
        due = None
        for row in self._assembler.rows():
            if self._state is not SessionState.PAUSED and self._runner.notice(row):
                due = row
        return due

    def accept(self, chunk: ActionChunk, seconds: float) -> None:
        """Takes the answer to a row, and how long it took [s]."""
        self._seconds.append(seconds)
        self._runner.accept(chunk)

    def refuse(self, reason: str) -> None:
        """Counts an observation that could not be answered."""
        if self._state is not SessionState.PAUSED:
            self._runner.refuse(reason)

    def targets(self, now_ns: int) -> JointTargets | None:
        """What the joints should do now [ns]; None while paused or without anything to say."""
        if self._state is SessionState.PAUSED:
            return None
        targets = self._runner.targets(now_ns)
        if targets is None:
            self._state = SessionState.WAITING
        else:
            self._state = SessionState.RUNNING
            self._age_s = (now_ns - targets.stamp_ns) / 1e9
        return targets

    def report(self) -> SessionReport:
        """What it does and how well."""
        waits = self._state is SessionState.WAITING
        p50, p99 = (
            map(float, np.quantile(list(self._seconds), (0.5, 0.99)))
            if self._seconds
            else (math.nan, math.nan)
        )
        return SessionReport(
            state=self._state,
            reason=self._runner.reason if waits else '',
            inference_p50_s=p50,
            inference_p99_s=p99,
            observation_age_s=self._age_s,
            steps=self._runner.steps,
            refused=self._runner.refused,
        )
