# SPDX-License-Identifier: Apache-2.0
"""The simulated robot as a process: on Unitree's wire on one side, on topics on the other."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage

from g1_il.camera.encode import decode_jpeg
from g1_il.link.unitree_link import UnitreeLink
from g1_il.msg import SceneState
from g1_il.robot.command import RobotCommand
from g1_il.robot.gravity import gravity_torque
from g1_il.robot.joints import JOINT_INDEX, KD, KP, WAIST_JOINTS, indices
from g1_il.robot.poses import STANDING
from g1_il.ros.messages import scene_from_msg, stamp_to_ns
from g1_il.ros.qos import SENSOR
from g1_il.srv import ResetScene

ROOT = Path(__file__).parents[2]
WAIT_S = 30.0
ELBOW = JOINT_INDEX['right_elbow_joint']


@contextmanager
def process(node: str, *parameters: str) -> Iterator[subprocess.Popen]:
    """A node as a process; killed if the test leaves it running."""
    command = [sys.executable, '-m', f'g1_il.nodes.{node}', '--ros-args']
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


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Node]:
    rclpy.init()
    node = Node('watcher')
    yield node
    node.destroy_node()
    rclpy.shutdown()


def spin_until(node: Node, done: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < until, 'waited in vain'
        rclpy.spin_once(node, timeout_sec=0.1)


def reset(node: Node, seed: int) -> ResetScene.Response:
    client = node.create_client(ResetScene, 'sim/reset')
    spin_until(node, client.service_is_ready)
    future = client.call_async(ResetScene.Request(seed=seed))
    spin_until(node, future.done)
    node.destroy_client(client)
    return future.result()


def test_topics_wire_and_reset(graph, robot_domain):
    pictures: dict[int, CompressedImage] = {}
    lenses: dict[int, CameraInfo] = {}
    scenes: dict[int, SceneState] = {}
    keep = (
        (CompressedImage, 'head_camera/color/image_raw/compressed', pictures),
        (CameraInfo, 'head_camera/color/camera_info', lenses),
        (SceneState, 'sim/scene', scenes),
    )
    for kind, topic, store in keep:
        graph.create_subscription(
            kind,
            topic,
            lambda msg, store=store: store.__setitem__(stamp_to_ns(msg.header.stamp), msg),
            SENSOR,
        )
    with process('sim', f'robot_domain:={robot_domain}', 'seed:=3') as child:
        spin_until(graph, lambda: len(pictures.keys() & lenses.keys() & scenes.keys()) >= 5)
        stamp = max(pictures.keys() & lenses.keys() & scenes.keys())
        picture = decode_jpeg(bytes(pictures[stamp].data))
        assert picture.shape == (480, 640, 3)
        assert pictures[stamp].header.frame_id == 'head_camera_color_optical_frame'
        assert lenses[stamp].k[4] == pytest.approx(240 / np.tan(np.radians(29.0)))
        scene = scene_from_msg(scenes[stamp])
        assert (scene.seed, scene.stage, scene.success) == (3, 'reach', False)
        assert abs(time.time_ns() - stamp) < 60e9

        answer = reset(graph, 8)
        assert answer.success and 'robot' in answer.message
        spin_until(graph, lambda: scenes[max(scenes)].seed == 8)
        answer = reset(graph, -2)
        assert not answer.success and '-2' in answer.message

        follow_on_the_wire(robot_domain)
        answer = reset(graph, 9)
        assert answer.success and 'stays where it is' in answer.message
        child.send_signal(signal.SIGINT)
        assert child.wait(WAIT_S) == 0, child.stdout.read()


def follow_on_the_wire(robot_domain: int) -> None:
    """Moves the elbow by arm_sdk and sees it in LowState; a released weight gives it back."""
    link = UnitreeLink(domain=robot_domain, interface='lo', accept_zero_crc=False)
    try:
        until = time.monotonic() + WAIT_S
        while (state := link.latest()) is None or state.left_hand_stamp_ns < 0:
            assert time.monotonic() < until, 'no state on the wire'
            time.sleep(0.01)
        assert state.mode_machine == 5
        np.testing.assert_allclose(state.position[:29], STANDING[:29], atol=5e-3)
        position = STANDING.copy()
        position[ELBOW] = -0.5
        kp, kd, effort = KP.copy(), KD.copy(), gravity_torque(position)
        passive = np.r_[0:12, indices(WAIST_JOINTS)]
        for array in (kp, kd, effort):
            array[passive] = 0.0
        command = RobotCommand(
            position=position,
            velocity=np.zeros(43),
            effort=effort,
            kp=kp,
            kd=kd,
            weight=0.0,
            hands_enabled=True,
        )
        for goal, weight in ((STANDING[ELBOW], 0.0), (-0.5, 1.0)):
            until = time.monotonic() + WAIT_S
            reached = 0
            while reached < 20:
                assert time.monotonic() < until, f'elbow at {link.latest().position[ELBOW]}'
                link.send(replace(command, weight=weight))
                time.sleep(0.01)
                reached += abs(link.latest().position[ELBOW] - goal) < 0.02
        time.sleep(0.3)
        assert link.latest().position[ELBOW] == pytest.approx(-0.5, abs=0.02)
    finally:
        link.close()


def test_without_rendering_the_scene_still_comes(graph, robot_domain):
    scenes: list[SceneState] = []
    graph.create_subscription(SceneState, 'sim/scene', scenes.append, SENSOR)
    with process('sim', f'robot_domain:={robot_domain}', 'render:=false') as child:
        spin_until(graph, lambda: len(scenes) >= 3)
        names = [name for name, _ in graph.get_topic_names_and_types()]
        assert not any('head_camera' in name for name in names)
        child.send_signal(signal.SIGTERM)
        assert child.wait(WAIT_S) == 0, child.stdout.read()


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        ('task:=juggle', ('juggle', 'pick_place')),
        ('seed:=-1', ('seed', '-1')),
        ('lowstate_rate_hz:=900.0', ('lowstate_hz', '900', '500')),
        ('camera_width:=5', ('camera_width', '5', '16')),
        ('robot_domain:={graph}', ('robot_domain', 'ROS_DOMAIN_ID')),
        ('interface:=nonesuch0', ('nonesuch0',)),
    ],
)
def test_bad_parameters_are_one_line(ros_domain, robot_domain, parameter, words):
    parameter = parameter.format(graph=ros_domain)
    others = [] if 'domain' in parameter else [f'robot_domain:={robot_domain}']
    with process('sim', parameter, *others) as child:
        said, _ = child.communicate(timeout=WAIT_S)
    assert child.returncode == 2, said
    lines = [line for line in said.splitlines() if line.startswith('sim: ')]
    assert len(lines) == 1 and 'Traceback' not in said, said
    for word in words:
        assert word in lines[0]
