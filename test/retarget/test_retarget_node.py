# SPDX-License-Identifier: Apache-2.0
"""The node answers the same frames as the retargeter does in one process."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from g1_il.msg import GateStatus, JointCommand, XrFrame
from g1_il.nodes.retarget import RetargetNode
from g1_il.retarget.retargeter import Retargeter
from g1_il.robot.command import JointTargets
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState
from g1_il.rollout.rig import Rig
from g1_il.rollout.teleop import teleoperate
from g1_il.ros import messages
from g1_il.ros.qos import COMMAND, SENSOR, STATUS
from g1_il.xr.frame import XrFrame as Frame

PATIENCE_S = 20.0


class Tape:
    """Remembers frames and answers of an episode in one process."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.answers: list[JointTargets] = []

    def frame(self, frame: Frame, now_ns: int) -> None:
        self.frames.append(frame)

    def targets(self, targets: JointTargets, now_ns: int) -> None:
        self.answers.append(targets)

    def state(self, *_: object) -> None: ...

    executed = gate = scene = image = state


class Graph:
    """The node, and a node that plays headset, bridge and user around it."""

    def __init__(self) -> None:
        self.node = RetargetNode()
        self.peer = Node('peer')
        self.answers: list[JointCommand] = []
        self.frames = self.peer.create_publisher(XrFrame, 'xr/frame', SENSOR)
        self.joints = self.peer.create_publisher(JointState, 'joint_states', SENSOR)
        self.gate = self.peer.create_publisher(GateStatus, 'gate/status', STATUS)
        self.peer.create_subscription(JointCommand, 'teleop/command', self.answers.append, COMMAND)
        self.engage = self.peer.create_client(Trigger, 'retarget/engage')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._executor.add_node(self.peer)
        self.until(
            lambda: (
                self.engage.service_is_ready()
                and self.frames.get_subscription_count() == 1
                and self.joints.get_subscription_count() == 1
                and self.gate.get_subscription_count() == 1
                and self.peer.count_publishers('teleop/command') == 1
            )
        )

    def until(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline, 'waited in vain'
            self._executor.spin_once(timeout_sec=0.02)

    def measure(self, position: np.ndarray) -> None:
        """Publishes joint states of now until the node has one."""
        before = self.node._measured
        while self.node._measured is before:
            state = robot_state(position, self.peer.get_clock().now().nanoseconds)
            self.joints.publish(messages.joint_state_to_msg(state))
            self._executor.spin_once(timeout_sec=0.02)

    def call(self) -> Trigger.Response:
        future = self.engage.call_async(Trigger.Request())
        self.until(future.done)
        return future.result()

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self.peer.destroy_node()


def robot_state(position: np.ndarray, stamp_ns: int) -> RobotState:
    return RobotState(
        stamp_ns=stamp_ns,
        left_hand_stamp_ns=stamp_ns,
        right_hand_stamp_ns=stamp_ns,
        position=position,
        velocity=np.zeros(43),
        effort=np.zeros(43),
        orientation_wxyz=np.array([1.0, 0.0, 0.0, 0.0]),
        angular_velocity=np.zeros(3),
        linear_acceleration=np.array([0.0, 0.0, 9.81]),
        mode_machine=5,
        mode_pr=0,
        tick=0,
        casing_temperature=np.full(29, 25.0),
        winding_temperature=np.full(29, 25.0),
        wireless_remote=bytes(40),
    )


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Graph]:
    rclpy.init()
    made = Graph()
    yield made
    made.close()
    rclpy.try_shutdown()


def test_refuses_to_engage_without_a_robot(graph: Graph) -> None:
    answer = graph.call()
    assert not answer.success
    assert 'joint_states' in answer.message


def test_refuses_to_engage_while_the_gate_has_not_got_the_arms(graph: Graph) -> None:
    graph.gate.publish(GateStatus(state=GateStatus.DISARMED))
    graph.until(lambda: graph.node._gate == GateStatus.DISARMED)
    graph.measure(STANDING)
    answer = graph.call()
    assert not answer.success and 'gate/arm' in answer.message


def test_refuses_to_engage_at_an_old_pose_whatever_the_stamps_say(graph: Graph) -> None:
    graph.measure(STANDING)
    sample = graph.node._measured
    future = replace(sample, stamp_ns=sample.stamp_ns + 3_600_000_000_000)  # clock set back
    graph.node._measured = future
    graph.node._measured_s -= 1.0
    answer = graph.call()
    assert not answer.success and 'old' in answer.message


def test_lets_go_when_the_gate_turns_to_another_source(graph: Graph) -> None:
    graph.gate.publish(GateStatus(state=GateStatus.HOLD))
    graph.until(lambda: graph.node._gate == GateStatus.HOLD)
    graph.measure(STANDING)
    assert graph.call().success
    graph.gate.publish(GateStatus(state=GateStatus.ACTIVE, source='teleop'))
    graph.until(lambda: graph.node._source == 'teleop')
    assert graph.node._retargeter.engaged, 'engaging before selecting is allowed'
    graph.gate.publish(GateStatus(state=GateStatus.HOLD, reason='teleop was silent'))
    graph.until(lambda: graph.node._source == '')
    assert not graph.node._retargeter.engaged


def test_node_and_process_give_the_same_commands(graph: Graph) -> None:
    tape = Tape()
    rig = Rig(task='pick_place')
    retargeter = Retargeter()
    engaged_at: list[np.ndarray] = []
    engage = retargeter.engage
    retargeter.engage = lambda position: (engaged_at.append(position), engage(position))[1]
    assert teleoperate(rig, retargeter, seed=11, recorder=lambda _: tape).success
    rig.close()

    graph.measure(engaged_at[0])
    assert graph.call().success
    for number, frame in enumerate(tape.frames):
        graph.frames.publish(messages.frame_to_msg(frame))
        graph.until(lambda wanted=number + 1: len(graph.answers) >= wanted)
    assert len(graph.answers) == len(tape.answers) > 300
    for got, wanted in zip(graph.answers, tape.answers, strict=True):
        targets = messages.targets_from_msg(got)
        assert targets.stamp_ns == wanted.stamp_ns
        assert targets.position == pytest.approx(wanted.position, abs=1e-6)


def test_lets_go_when_the_gate_does_and_stays_quiet(graph: Graph) -> None:
    tape = Tape()
    rig = Rig(task='pick_place')
    teleoperate(rig, Retargeter(), seed=0, recorder=lambda _: tape)
    rig.close()
    frame = messages.frame_to_msg(tape.frames[0])
    graph.gate.publish(GateStatus(state=GateStatus.ACTIVE))
    graph.measure(STANDING)
    assert graph.call().success
    graph.until(lambda: graph.node._gate == GateStatus.ACTIVE)
    graph.frames.publish(frame)
    graph.until(lambda: len(graph.answers) == 1)
    graph.gate.publish(GateStatus(state=GateStatus.FAULT, reason='e-stop'))
    graph.until(lambda: graph.node._gate == GateStatus.FAULT)
    for _ in range(5):
        graph.frames.publish(frame)
        graph._executor.spin_once(timeout_sec=0.05)
    assert len(graph.answers) == 1
