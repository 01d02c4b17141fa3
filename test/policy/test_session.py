# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np

from g1_il.policy.policy import ActionChunk
from g1_il.policy.runner import RunnerConfig
from g1_il.policy.session import PolicySession, SessionState
from g1_il.rows.row import Row

FRAME_NS = 33_333_333
JOINTS_NS = 10_000_000
BEGIN_NS = 10**9


class Stand:
    """Wants what it sees: joints at the scene's first value."""

    streams = ('joint_states', 'scene')
    fps = 30
    execute = 10

    def infer(self, row: Row) -> ActionChunk:
        position = np.full((30, 28), row.values['scene'][0])
        return ActionChunk(stamp_ns=row.stamp_ns, period_ns=FRAME_NS, position=position)


class Graph:
    """Feeds a session what the graph would, and can let a stream die."""

    def __init__(self) -> None:
        self.policy = Stand()
        self.session = PolicySession(self.policy, 'head_camera', RunnerConfig())
        self.now_ns = BEGIN_NS
        self.inferred = 0

    def run(self, seconds: float, without: tuple[str, ...] = ()) -> list[bool]:
        """Lets time pass; returns for every 10 ms whether there were targets."""
        spoke = []
        for _ in range(round(seconds * 100)):
            self.now_ns += JOINTS_NS
            self._push('joint_states', np.zeros(43), without)
            if self.now_ns // FRAME_NS != (self.now_ns - JOINTS_NS) // FRAME_NS:
                self._push('scene', np.array([0.5, 1.0]), without)
                self._push('head_camera', b'jpeg', without)
            spoke.append(self.session.targets(self.now_ns) is not None)
        return spoke

    def _push(self, stream: str, value: object, without: tuple[str, ...]) -> None:
        if stream in without:
            return
        row = self.session.push(stream, self.now_ns, value)
        if row is not None:
            self.inferred += 1
            self.session.accept(self.policy.infer(row), 0.004)


def test_is_quiet_until_started_and_after_pause():
    graph = Graph()
    assert not any(graph.run(0.5))
    assert graph.session.report().state is SessionState.PAUSED
    assert graph.session.start()
    assert not graph.session.start()
    assert all(graph.run(1.0)[20:])
    report = graph.session.report()
    assert report.state is SessionState.RUNNING
    assert report.reason == ''
    assert report.steps == graph.inferred == 3
    assert report.inference_p50_s == report.inference_p99_s == 0.004
    assert 0.0 <= report.observation_age_s < 0.06
    graph.session.pause()
    assert not any(graph.run(0.2))


def test_any_dead_stream_makes_it_quiet_with_the_reason():
    for stream, word in (('head_camera', 'old'), ('scene', 'scene'), ('joint_states', 'joint')):
        graph = Graph()
        graph.session.start()
        assert graph.run(0.5)[-1]
        spoke = graph.run(2.0, without=(stream,))
        assert not any(spoke[70:]), stream
        report = graph.session.report()
        assert report.state is SessionState.WAITING
        assert word in report.reason or 'old' in report.reason
        assert graph.run(1.0)[-1], stream  # and speaks again when the stream is back


def test_report_before_anything():
    report = Graph().session.report()
    assert math.isnan(report.inference_p50_s)
    assert math.isnan(report.observation_age_s)
    assert report.steps == report.refused == 0
