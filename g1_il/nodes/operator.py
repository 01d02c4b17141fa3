# SPDX-License-Identifier: Apache-2.0
"""Plays a human who teaches: conducts a session and streams what a headset would see.

For each episode: lets the robot stand, resets the scene, arms the gate, starts the recording,
engages retargeting, does the task, stops the recording with the outcome. Exits 0 if every episode
succeeded, 1 if not.

Subscribes:
    sim/scene (g1_il/SceneState), 30 Hz: what the operator sees
    gate/status (g1_il/GateStatus)
Publishes:
    xr/frame (g1_il/XrFrame), 60 Hz during an episode
Calls:
    sim/reset, gate/arm, gate/disarm, gate/reset, gate/select_source, retarget/engage,
    retarget/disengage, episode/start, episode/stop

    ros2 run g1_il operator --ros-args -p episodes:=2 -p seed:=0
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from rclpy.node import Node
from std_srvs.srv import Trigger

from g1_il.errors import ConfigError
from g1_il.msg import XrFrame
from g1_il.rollout.seeds import check_data_seeds
from g1_il.ros import messages
from g1_il.ros.graph_client import GraphError
from g1_il.ros.params import declare
from g1_il.ros.qos import SENSOR
from g1_il.ros.run_node import run_node
from g1_il.ros.scene_session import SceneSession
from g1_il.sim.operator import ScriptedOperator
from g1_il.srv import StartEpisode, StopEpisode

HEADSET_HZ = 60.0
LIMIT_S = 60.0
SETTLE_S = 1.7
SERVICES = {
    'episode/start': StartEpisode,
    'episode/stop': StopEpisode,
    'retarget/engage': Trigger,
    'retarget/disengage': Trigger,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig:
    """Parameters of the node."""

    task: str = field(
        default='put the can into the bin',
        metadata={'description': 'the task in words, for the cards'},
    )
    episodes: int = field(default=2, metadata={'description': 'episodes to show'})
    seed: int = field(default=0, metadata={'description': 'first scene'})
    robot: str = field(
        default='sim', metadata={'description': 'sim; it needs the simulator to see the scene'}
    )

    def __post_init__(self) -> None:
        if self.robot != 'sim':
            raise ConfigError(
                f'parameter robot is {self.robot}, but the scripted operator sees only the '
                'simulated scene; allowed: sim. On a robot use operator:=headset'
            )
        if not self.task.strip():
            raise ConfigError('parameter task is empty; say in words what is done')
        if self.episodes < 1:
            raise ConfigError(f'parameter episodes is {self.episodes}; it must be at least 1')
        check_data_seeds(self.seed, self.episodes)


class OperatorNode(Node):
    """Conducts the session; `run` does the work."""

    def __init__(self) -> None:
        """Subscribes and prepares the clients."""
        super().__init__('operator')
        self.config = declare(self, OperatorConfig)
        self._operator: ScriptedOperator | None = None
        self._session = SceneSession(self, SERVICES)
        self._graph = self._session.graph
        self._frames = self.create_publisher(XrFrame, 'xr/frame', SENSOR)
        self.create_timer(1.0 / HEADSET_HZ, self._stream)

    def run(self) -> int:
        """Shows all episodes; the exit code is 0 if all succeeded."""
        self._session.wait_for_graph()
        succeeded = 0
        for number in range(self.config.episodes):
            seed = self.config.seed + number
            success, told = self._episode(seed)
            succeeded += success
            self.get_logger().info(
                f'episode {number + 1} of {self.config.episodes}, seed {seed}: {told}'
            )
        self._session.let_stand()
        return 0 if succeeded == self.config.episodes else 1

    def _episode(self, seed: int) -> tuple[bool, str]:
        self._session.start(seed)
        self._session.select('teleop')
        request = StartEpisode.Request(
            task=self.config.task, operator='scripted', notes=f'seed {seed}'
        )
        self._graph.call('episode/start', request)
        try:
            self._graph.call('retarget/engage', Trigger.Request())
            operator = ScriptedOperator(self._session.scene.task, seed)
            self._operator = operator
            self._graph.wait(lambda: operator.done, 'the operator', patience_s=LIMIT_S)
            settled_ns = self.get_clock().now().nanoseconds + round(SETTLE_S * 1e9)
            self._graph.wait(
                lambda: (
                    self._session.scene.success or self.get_clock().now().nanoseconds > settled_ns
                ),
                'the can to settle',
            )
        except GraphError as error:
            self._operator = None
            self._graph.call(
                'episode/stop', StopEpisode.Request(outcome='failure', notes=str(error))
            )
            raise
        scene = self._session.scene
        stop = StopEpisode.Request(
            outcome='success' if scene.success else 'failure',
            notes='' if scene.success else f'got as far as: {scene.stage}',
        )
        path = self._graph.call('episode/stop', stop).path
        self._operator = None
        self._graph.call('retarget/disengage', Trigger.Request())
        told = 'success' if scene.success else f'failed, got as far as {scene.stage}'
        return scene.success, f'{told}; {operator.attempts} grasp(s); {path}'

    def _stream(self) -> None:
        if self._operator is not None and self._session.scene is not None:
            now_ns = self.get_clock().now().nanoseconds
            frame = self._operator.step(now_ns, self._session.scene)
            self._frames.publish(messages.frame_to_msg(frame))


def main(args: list[str] | None = None) -> int:
    """Shows the episodes."""
    return run_node('operator', OperatorNode, args, work=OperatorNode.run)


if __name__ == '__main__':
    sys.exit(main())
