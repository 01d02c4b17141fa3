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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from g1_il.errors import ConfigError, G1Error
from g1_il.msg import GateStatus, PolicyStatus, SceneState
from g1_il.ros.messages import stamp_to_ns
from g1_il.ros.params import declare
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.ros.run_node import run_node
from g1_il.srv import ResetScene, SelectSource

PATIENCE_S = 30.0
SETTLE_S = 0.3
TRIGGERS = ('gate/arm', 'gate/disarm', 'gate/reset', 'policy/start', 'policy/pause')


class TrialError(G1Error):
    """A trial that could not be made or came to a bad end."""


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

    def __post_init__(self) -> None:
        if self.rollouts < 1:
            raise ConfigError(f'parameter rollouts is {self.rollouts}; it must be at least 1')
        if not -1 <= self.min_success <= self.rollouts:
            raise ConfigError(
                f'parameter min_success is {self.min_success}; allowed: -1 to {self.rollouts}'
            )
        if not self.timeout_s > 0.0:
            raise ConfigError(f'parameter timeout_s is {self.timeout_s}; it must be above 0')
        if self.report and not Path(self.report).absolute().parent.is_dir():
            raise ConfigError(f'parameter report is {self.report}; its folder does not exist')

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
        self._newest: dict[type, Any] = {}
        self._ages: list[float] = []
        for kind, topic, qos in (
            (SceneState, 'sim/scene', SENSOR),
            (GateStatus, 'gate/status', STATUS),
            (PolicyStatus, 'policy/status', STATUS),
            (JointState, 'joint_states', SENSOR),
        ):
            self.create_subscription(kind, topic, self._keep, qos)
        self._callers = {name: self.create_client(Trigger, name) for name in TRIGGERS}
        self._callers['sim/reset'] = self.create_client(ResetScene, 'sim/reset')
        self._callers['gate/select_source'] = self.create_client(
            SelectSource, 'gate/select_source'
        )

    def run(self) -> dict[str, Any]:
        """Makes all trials.

        Returns:
            The report.
        """
        for kind in (SceneState, GateStatus, PolicyStatus, JointState):
            self._wait(lambda kind=kind: kind in self._newest, f'a {kind.__name__}')
        trials = []
        for number in range(self.config.rollouts):
            trials.append(trial := self._trial(self.config.seed + number))
            self.get_logger().info(
                f'trial {number + 1} of {self.config.rollouts}, seed {trial["seed"]}: '
                + ('success' if trial['success'] else f'failed at {trial["stage"]}')
                + f' after {trial["seconds"]:.1f} s {trial["reason"]}'.rstrip()
            )
        self._end_trial()
        gate, policy = self._newest[GateStatus], self._newest[PolicyStatus]
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
        began = time.monotonic()
        reason, reselected = '', 0
        try:
            self._end_trial()
            self._call('sim/reset', ResetScene.Request(seed=seed))
            self._wait(lambda: self._newest[SceneState].seed == seed, 'the new scene')
            self._settle()
            self._call('gate/arm', Trigger.Request())
            self._wait(lambda: self._gate() == GateStatus.HOLD, 'the gate to hold')
            self._select_policy()
            self._call('policy/start', Trigger.Request())
            began = time.monotonic()
            while not self._newest[SceneState].success:
                if self._gate() == GateStatus.FAULT:
                    raise TrialError(f'gate in fault: {self._newest[GateStatus].reason}')
                if time.monotonic() - began > self.config.timeout_s:
                    break
                if self._gate() == GateStatus.HOLD and not self._newest[GateStatus].source:
                    # The policy was silent for long, as on a machine that is too slow.
                    self._select_policy()
                    reselected += 1
                rclpy.spin_once(self, timeout_sec=0.05)
            self._call('policy/pause', Trigger.Request())
        except TrialError as error:
            reason = str(error)
        scene = self._newest[SceneState]
        return {
            'seed': seed,
            'success': bool(scene.success) and scene.seed == seed and not reason,
            'stage': scene.stage,
            'seconds': round(time.monotonic() - began, 3),
            'reselected': reselected,
            'reason': reason,
        }

    def _end_trial(self) -> None:
        """Makes the robot's own controller hold the arms, wherever the last trial ended."""
        self._call('policy/pause', Trigger.Request())
        if self._gate() == GateStatus.FAULT:
            self._call('gate/reset', Trigger.Request())
        elif self._gate() != GateStatus.DISARMED:
            self._call('gate/disarm', Trigger.Request())
        self._wait(lambda: self._gate() == GateStatus.DISARMED, 'the gate to release')

    def _select_policy(self) -> None:
        self._call('gate/select_source', SelectSource.Request(source='policy'))
        self._wait(lambda: self._newest[GateStatus].source == 'policy', 'the gate to say so')

    def _settle(self) -> None:
        """Lets the bridge see the robot after its reset: arming starts from what it has seen."""
        known_ns = self.get_clock().now().nanoseconds + round(SETTLE_S * 1e9)
        self._wait(
            lambda: stamp_to_ns(self._newest[JointState].header.stamp) > known_ns,
            'the joint states after the reset',
        )

    def _gate(self) -> int:
        return int(self._newest[GateStatus].state)

    def _keep(self, msg: Any) -> None:
        self._newest[type(msg)] = msg
        if isinstance(msg, PolicyStatus) and msg.state == PolicyStatus.RUNNING:
            self._ages.append(float(msg.observation_age))

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise TrialError(f'waited {PATIENCE_S:.0f} s for {what}')
            rclpy.spin_once(self, timeout_sec=0.05)

    def _call(self, service: str, request: Any) -> None:
        """Calls a service and refuses a refusal."""
        client = self._callers[service]
        if not client.wait_for_service(timeout_sec=PATIENCE_S):
            raise TrialError(f'nobody offers {service}')
        future = client.call_async(request)
        rclpy.spin_until_future_complete(self, future, timeout_sec=PATIENCE_S)
        if not future.done():
            raise TrialError(f'{service} did not answer in {PATIENCE_S:.0f} s')
        answer = future.result()
        if not answer.success:
            raise TrialError(f'{service} refused: {answer.message}')


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
