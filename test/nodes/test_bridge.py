# SPDX-License-Identifier: Apache-2.0
"""The bridge as a process, between the graph and a small G1 on the real wire."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from g1_il.msg import GateStatus, HandTouch, JointCommand, RobotHealth
from g1_il.robot.command import JointTargets
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS
from g1_il.robot.poses import STANDING
from g1_il.ros import messages
from g1_il.ros.qos import COMMAND, EVENT, SENSOR, STATUS
from g1_il.safety.hold_note import note_path
from g1_il.srv import SelectSource

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'test' / 'link'))
from g1_wire import G1Process, wait_for  # noqa: E402

REST = STANDING[COMMAND_INDEX]
RAISED = REST + np.where(np.arange(28) < 14, 0.15, 0.0)
TYPES = {
    'joint_states': (JointState, SENSOR),
    'imu': (Imu, SENSOR),
    'executed_command': (JointCommand, EVENT),
    'dex3/left/touch': (HandTouch, SENSOR),
    'dex3/right/touch': (HandTouch, SENSOR),
    'robot/health': (RobotHealth, SENSOR),
    'gate/status': (GateStatus, STATUS),
    '/diagnostics': (DiagnosticArray, EVENT),
}


class Operator:
    """A node in this process that hears and asks the bridge; spins on a thread."""

    def __init__(self) -> None:
        rclpy.init()
        self.node = rclpy.create_node('operator')
        self.heard: dict[str, list] = {topic: [] for topic in TYPES}
        for topic, (kind, qos) in TYPES.items():
            self.node.create_subscription(kind, topic, self.heard[topic].append, qos)
        self.commands = self.node.create_publisher(JointCommand, 'teleop/command', COMMAND)
        self.stop_button = self.node.create_publisher(Empty, 'gate/estop', EVENT)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin)
        self._thread.start()

    @property
    def status(self) -> GateStatus:
        return self.heard['gate/status'][-1] if self.heard['gate/status'] else GateStatus()

    def ask(self, service: str, request=None) -> tuple[bool, str]:
        kind = Trigger if request is None else SelectSource
        client = self.node.create_client(kind, service)
        assert client.wait_for_service(timeout_sec=15.0)
        future = client.call_async(request or Trigger.Request())
        wait_for(future.done)
        return future.result().success, future.result().message

    def send(self, position: np.ndarray) -> None:
        targets = JointTargets(
            stamp_ns=time.time_ns(),
            source='teleop',
            position=position,
            velocity=np.zeros(28),
        )
        self.commands.publish(messages.targets_to_msg(targets))

    def teleoperate(self, position: np.ndarray, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.send(position)
            time.sleep(1.0 / 60.0)

    def arm(self) -> None:
        wait_for(lambda: self.heard['joint_states'])
        wait_for(lambda: self.ask('gate/arm')[0])
        wait_for(lambda: self.status.state == GateStatus.HOLD)
        assert self.status.weight == 1.0

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        rclpy.try_shutdown()


@contextmanager
def bridge(robot_domain: int, *arguments: str, code: str = '') -> Iterator[subprocess.Popen]:
    """The bridge's process; code runs in it before main."""
    program = ['-m', 'g1_il.nodes.bridge']
    if code:
        program = [
            '-c',
            f'import sys\nfrom g1_il.nodes import bridge\n{code}\nsys.exit('
            'bridge.main(sys.argv[1:]))',
        ]
    process = subprocess.Popen(
        [
            sys.executable,
            *program,
            '--ros-args',
            '--params-file',
            str(ROOT / 'config' / 'bridge.yaml'),
            *('-p', 'interface:=lo', '-p', f'robot_domain:={robot_domain}', '-p', 'arming_s:=0.5'),
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture
def operator(ros_domain: int) -> Iterator[Operator]:
    person = Operator()
    yield person
    person.close()


def assert_released(trace: list, since: float) -> None:
    """From a time on: arms to rest at weight 1, then the weight to 0 without a leap, in 4 s."""
    after = [entry for entry in trace if entry[0] >= since]
    stamps, weights, shoulder = (np.array(column) for column in zip(*after, strict=True))
    assert weights[0] == 1.0 and weights[-1] == 0.0
    assert stamps[np.flatnonzero(weights == 0.0)[0]] - since < 4.0
    falling = np.flatnonzero(weights < 1.0)[0]
    assert abs(shoulder[falling] - STANDING[15]) < 0.02
    ramp = weights[(weights > 0.0) & (weights < 1.0)]
    assert len(ramp) > 20 and (np.diff(ramp) <= 0.0).all(), 'a ramp, not a leap'
    assert ramp[0] > 0.8 and ramp[-1] < 0.2


def test_teleoperation_estop_and_topics(robot_domain: int, operator: Operator):
    with G1Process(robot_domain) as g1, bridge(robot_domain) as process:
        operator.arm()
        for topic in TYPES:
            wait_for(lambda topic=topic: operator.heard[topic])
        joints = operator.heard['joint_states'][-1]
        assert list(joints.name) == list(ALL_JOINTS)
        np.testing.assert_allclose(joints.position, STANDING, atol=1e-3)
        assert operator.heard['imu'][-1].linear_acceleration.z == pytest.approx(9.8, abs=1e-5)
        touch = operator.heard['dex3/left/touch'][-1]
        np.testing.assert_allclose(touch.pressure, np.arange(108) + 10.0, rtol=1e-6)
        health = operator.heard['robot/health'][-1]
        assert health.mode_machine == 5 and health.crc_errors == 0
        assert health.winding_temperature_max == 58.0 and health.tilt == pytest.approx(0.0)
        names = [status.name for status in operator.heard['/diagnostics'][-1].status]
        assert names == ['bridge: gate', 'bridge: link']

        assert not operator.ask('gate/select_source', SelectSource.Request(source='nobody'))[0]
        assert operator.ask('gate/select_source', SelectSource.Request(source='teleop'))[0]
        operator.teleoperate(RAISED, 1.5)
        assert operator.status.state == GateStatus.ACTIVE
        assert operator.status.source == 'teleop'
        sent = operator.heard['executed_command'][-1]
        assert list(sent.name) == list(COMMAND_JOINTS) and sent.source == 'teleop'
        np.testing.assert_allclose(sent.position, RAISED, atol=2e-3)
        assert sent.weight == 1.0
        np.testing.assert_allclose(np.array(g1.ask('position'))[COMMAND_INDEX], RAISED, atol=3e-3)

        broken = messages.targets_to_msg(
            JointTargets(stamp_ns=1, source='teleop', position=RAISED, velocity=RAISED)
        )
        broken.name = broken.name[:-1]
        for _ in range(6):
            operator.send(np.full(28, np.nan))
            time.sleep(0.02)
            operator.commands.publish(broken)
            time.sleep(0.02)
        wait_for(lambda: operator.status.state == GateStatus.HOLD)

        operator.stop_button.publish(Empty())
        wait_for(lambda: operator.status.state == GateStatus.FAULT)
        assert operator.status.reason == 'e-stop'
        counts = dict(
            zip(operator.status.intervention_name, operator.status.intervention_count, strict=True)
        )
        assert counts['not_finite'] > 0 and counts['wrong_length'] > 0 and counts['fault'] == 1
        # The robot's process reads the command a moment after the bridge has told its state.
        wait_for(lambda: g1.ask('last')['kp'] == 0.0)
        damped = g1.ask('last')
        assert damped['weight'] == 1.0 and damped['kp'] == 0.0 and damped['kd'] > 0.0
        assert not any(damped['hand_kp'])
        assert not operator.ask('gate/arm')[0]
        assert operator.ask('gate/reset')[0]
        wait_for(lambda: operator.status.state == GateStatus.DISARMED)
        wait_for(lambda: g1.ask('last')['weight'] == 0.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert 'Traceback' not in process.stderr.read()


def test_ctrl_c_at_weight_one_releases_in_spite_of_more_signals(
    robot_domain: int, operator: Operator
):
    with G1Process(robot_domain) as g1, bridge(robot_domain) as process:
        operator.arm()
        operator.ask('gate/select_source', SelectSource.Request(source='teleop'))
        operator.teleoperate(RAISED, 1.2)
        assert operator.status.state == GateStatus.ACTIVE
        began = time.time()
        process.send_signal(signal.SIGINT)
        for repeat in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) * 4:
            operator.teleoperate(RAISED, 0.05)
            process.send_signal(repeat)
        assert process.wait(timeout=12) == 0
        assert 'Traceback' not in process.stderr.read()
        assert_released(g1.ask('trace'), began)
        last = g1.ask('last')
        assert last['weight'] == 0.0 and not any(last['hand_kp'])


def test_an_exception_in_the_ros_thread_releases(robot_domain: int, operator: Operator):
    code = """
from g1_il.ros.bridge_topics import BridgeTopics
def burst(self):
    if self._loop.report.state == 3: raise RuntimeError('burst')
BridgeTopics._publish_touch = burst
"""
    with G1Process(robot_domain) as g1, bridge(robot_domain, code=code) as process:
        operator.arm()
        operator.ask('gate/select_source', SelectSource.Request(source='teleop'))
        began = time.time()
        operator.teleoperate(RAISED, 0.3)
        assert process.wait(timeout=12) == 1
        assert 'the ROS thread has died' in process.stderr.read()
        assert_released(g1.ask('trace'), began)


def test_an_exception_in_the_control_thread_releases(robot_domain: int, operator: Operator):
    code = """
from g1_il.safety.gate import Gate
step, steps = Gate._step_active, []
def burst(self, now_ns):
    steps.append(now_ns)
    if len(steps) == 100: raise RuntimeError('burst')
    return step(self, now_ns)
Gate._step_active = burst
"""
    with G1Process(robot_domain) as g1, bridge(robot_domain, code=code) as process:
        operator.arm()
        operator.ask('gate/select_source', SelectSource.Request(source='teleop'))
        began = time.time()
        operator.teleoperate(RAISED, 1.0)
        assert process.wait(timeout=12) == 1
        assert 'RuntimeError: burst' in process.stderr.read()
        assert_released(g1.ask('trace'), began)


def test_after_a_kill_the_next_bridge_gives_the_arms_back_in_a_ramp(
    robot_domain: int, operator: Operator
):
    with G1Process(robot_domain) as g1:
        with bridge(robot_domain) as killed:
            operator.arm()
            operator.ask('gate/select_source', SelectSource.Request(source='teleop'))
            operator.teleoperate(RAISED, 1.0)
            killed.kill()
            killed.wait()
        assert g1.ask('last')['weight'] == 1.0, 'the robot holds the last command'
        operator.heard['gate/status'].clear()
        with bridge(robot_domain) as process:
            wait_for(lambda: operator.status.state == GateStatus.FAULT)
            assert operator.status.weight == 1.0 and 'died' in operator.status.reason
            wait_for(lambda: not operator.ask('gate/arm')[0])
            assert g1.ask('last')['kp'] > 0.0, 'nothing has been sent'
            began = time.time()
            wait_for(lambda: operator.ask('gate/reset')[0])
            wait_for(lambda: operator.status.state == GateStatus.DISARMED)
            weights = np.array([entry[1] for entry in g1.ask('trace') if entry[0] >= began])
            assert weights[-1] == 0.0 and len(weights) > 100
            assert np.diff(weights, prepend=1.0).min() > -0.1, 'a ramp, not a leap'
            operator.heard['gate/status'].clear()
            operator.arm()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=12) == 0
    assert not note_path(robot_domain).exists()


def test_a_silent_robot_is_no_reason_to_hang(robot_domain: int, operator: Operator):
    with G1Process(robot_domain) as g1, bridge(robot_domain) as process:
        operator.arm()
        g1.ask('silence', 'body')
        wait_for(lambda: operator.status.state == GateStatus.FAULT)
        assert 'no robot state' in operator.status.reason
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=12) == 0
        weights = [entry[1] for entry in g1.ask('trace')]
        assert weights[-1] == 0.0 and len(set(weights)) > 20


def test_a_robot_that_is_not_there_is_told(robot_domain: int, operator: Operator):
    with bridge(robot_domain) as process:
        said = next(line for line in process.stderr if 'robot' in line)
        assert f'hears no robot in domain {robot_domain} on lo' in said
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=12) == 0


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['-p', 'robot_domain:=7'], ['share DDS domain 7', 'ROS_DOMAIN_ID=42']),
        (['-p', 'interface:=eth77'], ["'eth77' does not exist", 'lo']),
        (['-p', 'state_rate_hz:=0.0'], ['state_rate_hz is 0.0', '1 to 500']),
        (['-p', 'release_move_s:=9.0'], ['release_move_s', '3.8 s']),
        (['-p', 'hands:=3'], ['hands', 'true or false']),
    ],
)
def test_bad_settings_end_with_one_line(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
):
    monkeypatch.setenv('ROS_DOMAIN_ID', '7')
    with bridge(8, *arguments) as process:
        assert process.wait(timeout=20) == 2
        said = process.stderr.read()
    assert all(word in said for word in words), said
    assert 'Traceback' not in said and said.startswith('bridge: ') and said.count('\n') == 1
