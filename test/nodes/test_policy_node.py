# SPDX-License-Identifier: Apache-2.0
"""The policy node and the trials as processes on the graph."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, JointState
from std_srvs.srv import Trigger

from g1_il.camera.encode import encode_jpeg
from g1_il.msg import JointCommand, PolicyStatus, SceneState
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX
from g1_il.robot.poses import STANDING
from g1_il.ros.messages import compressed_to_msg, scene_to_msg, stamp_to_ns, targets_from_msg
from g1_il.ros.qos import COMMAND, SENSOR, STATUS
from g1_il.sim.scene import Scene

ROOT = Path(__file__).parents[2]
WAIT_S = 40.0
OBJECTS = ('can', 'bin')
JPEG = encode_jpeg(np.zeros((48, 64, 3), dtype=np.uint8))


@contextmanager
def process(node: str, *parameters: str, code: str = '') -> Iterator[subprocess.Popen[str]]:
    """A node as a process, code running in it before main; killed if still running in the end."""
    program = ['-m', f'g1_il.nodes.{node}']
    if code:
        main = f'import sys\nfrom g1_il.nodes.{node} import main\nsys.exit(main(sys.argv[1:]))'
        program = ['-c', f'{code}\n{main}']
    command = [sys.executable, *program, '--ros-args']
    for parameter in parameters:
        command += ['-p', parameter]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


class Graph(Node):
    """What surrounds the node: joints, scene and camera out, commands and status in."""

    def __init__(self) -> None:
        super().__init__('graph')
        self.silent: set[str] = set()
        self.commands: list[JointCommand] = []
        self.status: PolicyStatus | None = None
        self._joints = self.create_publisher(JointState, 'joint_states', SENSOR)
        self._scene = self.create_publisher(SceneState, 'sim/scene', SENSOR)
        self._camera = self.create_publisher(
            CompressedImage, 'head_camera/color/image_raw/compressed', SENSOR
        )
        self.create_subscription(JointCommand, 'policy/command', self.commands.append, COMMAND)
        self.create_subscription(PolicyStatus, 'policy/status', self._on_status, STATUS)
        self.create_timer(0.01, self._send_joints)
        self.create_timer(1 / 30, self._send_frame)

    def _on_status(self, msg: PolicyStatus) -> None:
        self.status = msg

    def _send_joints(self) -> None:
        if 'joints' not in self.silent:
            msg = JointState()
            msg.header.stamp = self.get_clock().now().to_msg()
            msg.name = list(ALL_JOINTS)
            msg.position = STANDING.tolist()
            self._joints.publish(msg)

    def _send_frame(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        if 'scene' not in self.silent:
            poses = np.tile([0.3, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0], (2, 1))
            scene = Scene(
                stamp_ns=now_ns,
                task='pick_place',
                seed=1,
                names=OBJECTS,
                poses=poses,
                success=False,
                stage='reach',
            )
            self._scene.publish(scene_to_msg(scene))
        if 'camera' not in self.silent:
            self._camera.publish(compressed_to_msg(JPEG, stamp_ns=now_ns, frame_id='camera'))

    def call(self, service: str) -> Trigger.Response:
        client = self.create_client(Trigger, service)
        self.until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.until(future.done)
        self.destroy_client(client)
        return future.result()

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not done():
            assert time.monotonic() < deadline, f'waited in vain; status: {self.status}'
            rclpy.spin_once(self, timeout_sec=0.1)

    def spin_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            rclpy.spin_once(self, timeout_sec=0.02)


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Graph]:
    rclpy.init()
    node = Graph()
    yield node
    node.destroy_node()
    rclpy.shutdown()


def test_speaks_when_started_is_quiet_when_stale_and_ends_cleanly(graph, policy_file):
    with process('policy', f'policy:={policy_file}') as child:
        graph.until(lambda: graph.status is not None)
        assert graph.status.state == PolicyStatus.PAUSED
        assert graph.status.policy == 'stand.onnx'
        graph.spin_for(0.5)
        assert not graph.commands

        answer = graph.call('policy/start')
        assert answer.success
        graph.until(lambda: graph.status.state == PolicyStatus.RUNNING)
        graph.until(lambda: len(graph.commands) > 20)
        targets = targets_from_msg(graph.commands[-1])
        assert targets.source == 'policy'
        np.testing.assert_allclose(targets.position, STANDING[COMMAND_INDEX], atol=0.02)
        stamps = [stamp_to_ns(msg.header.stamp) for msg in graph.commands]
        assert stamps == sorted(stamps)

        graph.silent.add('scene')
        graph.until(lambda: graph.status.state == PolicyStatus.WAITING)
        assert graph.status.reason
        graph.commands.clear()
        graph.spin_for(0.5)
        assert not graph.commands, 'it spoke though it saw nothing new'

        graph.silent.clear()
        graph.until(lambda: graph.status.state == PolicyStatus.RUNNING)
        assert graph.status.steps > 1
        assert graph.status.inference_p50 > 0.0
        assert graph.call('policy/pause').success
        graph.until(lambda: graph.status.state == PolicyStatus.PAUSED)
        graph.spin_for(0.2)
        graph.commands.clear()
        graph.spin_for(0.5)
        assert not graph.commands
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=WAIT_S)
    assert child.returncode == 0, output
    assert 'Traceback' not in output


def test_an_inference_that_fails_is_told_and_the_next_one_made(graph, policy_file):
    code = """
from g1_il.policy.onnx_policy import OnnxPolicy
infer, rows = OnnxPolicy.infer, []
def burst(self, row):
    rows.append(row)
    if len(rows) < 4: raise RuntimeError('burst')
    return infer(self, row)
OnnxPolicy.infer = burst
"""
    with process('policy', f'policy:={policy_file}', code=code) as child:
        graph.until(lambda: graph.status is not None)
        assert graph.call('policy/start').success
        graph.until(lambda: graph.status.state == PolicyStatus.RUNNING)
        assert graph.status.refused >= 3
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=WAIT_S)
    assert child.returncode == 0, output
    assert 'RuntimeError: burst' in output


@pytest.mark.parametrize(
    'parameters, words',
    [
        ((), 'parameter policy is empty'),
        (('policy:=/nowhere/p.onnx',), 'no policy file /nowhere/p.onnx'),
        (('policy:=FILE', 'robot:=unreal'), "robot is 'unreal'; allowed: sim, real"),
        (('policy:=FILE', 'fps:=15'), 'the graph gives 15'),
        (('policy:=FILE', 'robot:=real'), 'needs scene, which is not there'),
    ],
)
def test_refuses_in_one_line(ros_domain, policy_file, parameters, words):
    given = [parameter.replace('FILE', str(policy_file)) for parameter in parameters]
    with process('policy', *given) as child:
        output, _ = child.communicate(timeout=WAIT_S)
    assert child.returncode == 2, output
    lines = [line for line in output.splitlines() if line.startswith('policy: ')]
    assert len(lines) == 1, output
    assert words in lines[0]
    assert 'Traceback' not in output


def test_real_robot_is_fine_when_something_publishes_the_scene(graph, policy_file):
    with process('policy', f'policy:={policy_file}', 'robot:=real'):
        graph.until(lambda: graph.status is not None)
        assert graph.call('policy/start').success
        graph.until(lambda: len(graph.commands) > 3)


def test_trials_score_a_policy_that_only_stands(ros_domain, robot_domain, policy_file, tmp_path):
    report = tmp_path / 'report.json'
    wire = (f'robot_domain:={robot_domain}', 'interface:=lo')
    with (
        process('sim', *wire, 'lowstate_rate_hz:=200.0'),
        process('bridge', *wire),
        process('policy', f'policy:={policy_file}'),
        process(
            'trials', 'rollouts:=2', 'seed:=77', 'timeout_s:=1.5', 'min_success:=1',
            f'report:={report}',
        ) as trials,
    ):  # fmt: skip
        output, _ = trials.communicate(timeout=120)
    assert trials.returncode == 1, output
    found = json.loads(report.read_text())
    assert found['policy'] == 'stand.onnx'
    assert (found['successes'], found['rollouts'], found['needed']) == (0, 2, 1)
    assert [trial['seed'] for trial in found['trials']] == [77, 78]
    assert [trial['reason'] for trial in found['trials']] == ['', '']
    assert all(trial['stage'] == 'reach' for trial in found['trials'])
    assert all(1.5 <= trial['seconds'] < 20.0 for trial in found['trials'])
    assert found['inference_p50'] > 0.0
    assert found['observation_age'] > 0.0


def test_trials_refuse_in_one_line(ros_domain, tmp_path):
    for parameter, words in (
        ('rollouts:=0', 'rollouts is 0'),
        (f'report:={tmp_path}/none/r.json', 'does not exist'),
    ):
        with process('trials', parameter) as child:
            output, _ = child.communicate(timeout=WAIT_S)
        assert child.returncode == 2, output
        assert words in output
        assert 'Traceback' not in output
