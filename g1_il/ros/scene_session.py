# SPDX-License-Identifier: Apache-2.0
"""What the scripted operator and the trials share: put the simulated robot at a start, arm it."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from g1_il.msg import GateStatus, SceneState
from g1_il.ros.graph_client import GraphClient
from g1_il.ros.messages import scene_from_msg, stamp_to_ns
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.sim.scene import Scene
from g1_il.srv import ResetScene, SelectSource

TRIGGERS = ('gate/arm', 'gate/disarm', 'gate/reset')
START_PATIENCE_S = 120.0
SEEN_AFTER_RESET_S = 0.3


class SceneSession:
    """Knows scene, gate and joints of a graph, and conducts them between attempts."""

    def __init__(self, node: Node, services: dict[str, Any]) -> None:
        """Subscribes and makes the clients.

        Args:
            node: It is spun while waiting; nobody else spins it.
            services: Further services that the node calls through `graph`, type by name.
        """
        self.scene: Scene | None = None
        self.gate: GateStatus | None = None
        self._node = node
        self._joints_ns = -1
        own = {'sim/reset': ResetScene, 'gate/select_source': SelectSource}
        self.graph = GraphClient(node, own | dict.fromkeys(TRIGGERS, Trigger) | services)
        node.create_subscription(SceneState, 'sim/scene', self._on_scene, SENSOR)
        node.create_subscription(GateStatus, 'gate/status', self._on_gate, STATUS)
        node.create_subscription(JointState, 'joint_states', self._on_joints, SENSOR)

    def wait_for_graph(self) -> None:
        """Waits until simulated robot and bridge are up.

        Raises:
            GraphError: They did not come up in two minutes.
        """
        self.graph.wait(
            lambda: self.scene is not None and self.gate is not None and self._joints_ns >= 0,
            'sim/scene, gate/status and joint_states',
            patience_s=START_PATIENCE_S,
        )

    def start(self, seed: int) -> None:
        """Gives the arms back, resets robot and scene, arms, and waits until the gate holds.

        Raises:
            GraphError: Something refused or did not come true.
        """
        self.let_stand()
        self.graph.call('sim/reset', ResetScene.Request(seed=seed))
        self.graph.wait(lambda: self.scene.seed == seed, 'the new scene')
        # Arming starts from what the bridge has seen: it must have seen the reset, hands and all.
        seen_ns = self._node.get_clock().now().nanoseconds + round(SEEN_AFTER_RESET_S * 1e9)
        self.graph.wait(lambda: self._joints_ns > seen_ns, 'the joint states after the reset')
        self.graph.call('gate/arm', Trigger.Request())
        self.graph.wait(lambda: self.gate.state == GateStatus.HOLD, 'the gate to hold')

    def select(self, source: str) -> None:
        """Has the gate follow a source, and waits until it says so."""
        self.graph.call('gate/select_source', SelectSource.Request(source=source))
        self.graph.wait(lambda: self.gate.source == source, 'the gate to say so')

    def let_stand(self) -> None:
        """Gives the arms back to the robot's own controller, from whatever state."""
        if self.gate.state == GateStatus.FAULT:
            self.graph.call('gate/reset', Trigger.Request())
        elif self.gate.state != GateStatus.DISARMED:
            self.graph.call('gate/disarm', Trigger.Request())
        self.graph.wait(lambda: self.gate.state == GateStatus.DISARMED, 'the gate to release')

    def _on_scene(self, msg: SceneState) -> None:
        self.scene = scene_from_msg(msg)

    def _on_gate(self, msg: GateStatus) -> None:
        self.gate = msg

    def _on_joints(self, msg: JointState) -> None:
        self._joints_ns = stamp_to_ns(msg.header.stamp)
