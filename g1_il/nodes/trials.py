# SPDX-License-Identifier: Apache-2.0
"""Scores a policy through the whole graph: resets the scene, lets it try, judges, repeats.

Each trial: release the arms, reset the simulated scene with the next seed, arm the gate, select
the source `policy`, call policy/start, wait for the scene's success or the timeout, call
policy/pause. Writes a JSON report and exits 0 when enough trials succeeded, 1 otherwise.

Subscribes:
    sim/scene (g1_il/SceneState), joint_states (sensor_msgs/JointState), gate/status
    (g1_il/GateStatus), policy/status (g1_il/PolicyStatus)
Calls:
    sim/reset, gate/arm, gate/disarm, gate/reset, gate/select_source, policy/start, policy/pause

    ros2 run g1_il trials --ros-args -p rollouts:=5 -p seed:=900000 -p report:=trials.json
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from std_srvs.srv import Trigger

from g1_il.errors import ConfigError
from g1_il.msg import GateStatus, PolicyStatus
from g1_il.ros.graph_client import GraphError
from g1_il.ros.params import declare
from g1_il.ros.qos import STATUS
from g1_il.ros.run_node import run_node
from g1_il.ros.scene_session import SceneSession

SERVICES = {'policy/start': Trigger, 'policy/pause': Trigger}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsConfig:
    """Parameters of the node."""

    rollouts: int = field(default=5, metadata={'description': 'trials to make'})
    seed: int = field(default=900000, metadata={'description': 'seed of the first scene'})
    min_success: int = field(
        default=-1, metadata={'description': 'successes to exit 0; -1: four fifths of the trials'}
    )
    timeout_s: float = field(default=20.0, metadata={'description': 'time for each trial [s]'})
    report: str = field(default='', metadata={'description': 'JSON file to write; empty: none'})
    overwrite: bool = field(default=False, metadata={'description': 'replace an existing report'})

    def __post_init__(self) -> None:
        if self.rollouts < 1:
            raise ConfigError(f'parameter rollouts is {self.rollouts}; it must be at least 1')
        if not -1 <= self.min_success <= self.rollouts:
            raise ConfigError(
                f'parameter min_success is {self.min_success}; allowed: -1 to {self.rollouts}'
            )
        if not self.timeout_s > 0.0:
            raise ConfigError(f'parameter timeout_s is {self.timeout_s}; it must be above 0')
        if self.seed < 0:
            raise ConfigError(f'parameter seed is {self.seed}; it must be 0 or more')
        if self.report and not Path(self.report).absolute().parent.is_dir():
            raise ConfigError(f'parameter report is {self.report}; its folder does not exist')
        if self.report and Path(self.report).is_dir():
            raise ConfigError(f'parameter report is {self.report}, a folder; name a file')
        if self.report and Path(self.report).exists() and not self.overwrite:
            raise ConfigError(
                f'parameter report is {self.report}, which exists; name another file, or set '
                'overwrite:=true'
            )

    @property
    def needed(self) -> int:
        """Successes that make the whole a success."""
        return math.ceil(0.8 * self.rollouts) if self.min_success < 0 else self.min_success


class TrialsNode(Node):
    """Plays the experimenter."""

    def __init__(self) -> None:
        """Subscribes; `run` does the work."""
        super().__init__('trials')
        self.config = declare(self, TrialsConfig)
        self._policy: PolicyStatus | None = None
        self._ages: list[float] = []
        self._session = SceneSession(self, SERVICES)
        self._graph = self._session.graph
        self.create_subscription(PolicyStatus, 'policy/status', self._on_policy, STATUS)

    def run(self) -> dict[str, Any]:
        """Makes all trials.

        Returns:
            The report.
        """
        self._session.wait_for_graph()
        self._graph.wait(lambda: self._policy is not None, 'policy/status')
        trials = []
        for number in range(self.config.rollouts):
            trials.append(trial := self._trial(self.config.seed + number))
            self.get_logger().info(
                f'trial {number + 1} of {self.config.rollouts}, seed {trial["seed"]}: '
                + ('success' if trial['success'] else f'failed at {trial["stage"]}')
                + f' after {trial["seconds"]:.1f} s'
                + (f': {trial["reason"]}' if trial['reason'] else '')
            )
        self._graph.call('policy/pause', Trigger.Request())
        self._session.let_stand()
        gate, policy = self._session.gate, self._policy
        counts = zip(gate.intervention_name, gate.intervention_count, strict=True)
        return {
            'policy': policy.policy,
            'rollouts': len(trials),
            'successes': sum(trial['success'] for trial in trials),
            'needed': self.config.needed,
            'inference_p50': _number(policy.inference_p50),
            'inference_p99': _number(policy.inference_p99),
            'observation_age': statistics.median(self._ages) if self._ages else None,
            'refused': int(policy.refused),
            'interventions': {str(name): int(count) for name, count in counts},
            'trials': trials,
        }

    def _trial(self, seed: int) -> dict[str, Any]:
        """One trial; whatever goes wrong becomes its reason."""
        session, began = self._session, time.monotonic()
        reason, reselected = '', 0
        try:
            self._graph.call('policy/pause', Trigger.Request())
            session.start(seed)
            session.select('policy')
            self._graph.call('policy/start', Trigger.Request())
            began = time.monotonic()
            while not session.scene.success:
                if session.gate.state == GateStatus.FAULT:
                    raise GraphError(f'gate in fault: {session.gate.reason}')
                if time.monotonic() - began > self.config.timeout_s:
                    break
                if session.gate.state == GateStatus.HOLD and not session.gate.source:
                    # The policy was silent for long, as on a machine that is too slow.
                    session.select('policy')
                    reselected += 1
                rclpy.spin_once(self, timeout_sec=0.05)
            self._graph.call('policy/pause', Trigger.Request())
        except GraphError as error:
            reason = str(error)
        scene = session.scene
        return {
            'seed': seed,
            'success': bool(scene.success) and scene.seed == seed and not reason,
            'stage': scene.stage,
            'seconds': round(time.monotonic() - began, 3),
            'reselected': reselected,
            'reason': reason,
        }

    def _on_policy(self, msg: PolicyStatus) -> None:
        self._policy = msg
        if msg.state == PolicyStatus.RUNNING:
            self._ages.append(float(msg.observation_age))


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Writes the report whole or not at all."""
    partial = path.with_name(path.name + '.partial')
    partial.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    os.replace(partial, path)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def judge(node: TrialsNode) -> int:
    """Makes the trials and writes the report; 0 when enough succeeded."""
    report = node.run()
    if node.config.report:
        write_report(Path(node.config.report), report)
    node.get_logger().info(
        f'{report["successes"]} of {report["rollouts"]} succeeded; {report["needed"]} needed'
    )
    return 0 if report['successes'] >= report['needed'] else 1


def main(args: list[str] | None = None) -> int:
    """Makes the trials; 0 when enough succeeded, or after a signal."""
    return run_node('trials', TrialsNode, args, work=judge)


if __name__ == '__main__':
    sys.exit(main())
