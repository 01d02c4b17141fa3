# SPDX-License-Identifier: Apache-2.0
"""The description node as a process: URDF latched, transforms that make the robot's kinematics."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from g1_il.robot.joints import ALL_JOINTS, LOWER, UPPER
from g1_il.robot.kinematics import link_poses, site_pose
from g1_il.robot.urdf import OPTICAL_FRAME, build_urdf
from g1_il.ros.messages import stamp_to_ns
from g1_il.ros.qos import EVENT, SENSOR, STATUS

ROOT = Path(__file__).parents[2]
WAIT_S = 30.0


def matrix(transform) -> np.ndarray:
    x, y, z, w = (getattr(transform.rotation, axis) for axis in 'xyzw')
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = [getattr(transform.translation, axis) for axis in 'xyz']
    return pose


def chain(tree: dict[str, tuple[str, np.ndarray]], link: str) -> np.ndarray:
    pose = np.eye(4)
    while link != 'pelvis':
        link, step = tree[link]
        pose = step @ pose
    return pose


@pytest.mark.usefixtures('ros_domain')
def test_transforms_are_the_kinematics():
    position = np.random.default_rng(5).uniform(LOWER, UPPER)
    child = subprocess.Popen([sys.executable, '-m', 'g1_il.nodes.description'], cwd=ROOT)
    rclpy.init()
    node = Node('watcher')
    try:
        texts: list[str] = []
        tree: dict[str, tuple[str, np.ndarray]] = {}
        stamps: set[int] = set()

        def keep(msg: TFMessage) -> None:
            for entry in msg.transforms:
                tree[entry.child_frame_id] = (
                    entry.header.frame_id,
                    matrix(entry.transform),
                )
                if entry.child_frame_id == 'left_elbow_link':
                    stamps.add(stamp_to_ns(entry.header.stamp))

        node.create_subscription(
            String, 'robot_description', lambda m: texts.append(m.data), STATUS
        )
        node.create_subscription(TFMessage, '/tf_static', keep, STATUS)
        node.create_subscription(TFMessage, '/tf', keep, EVENT)
        publisher = node.create_publisher(JointState, 'joint_states', SENSOR)
        order = np.random.default_rng(6).permutation(43)
        state = JointState(
            name=[ALL_JOINTS[index] for index in order], position=position[order].tolist()
        )

        def send() -> None:
            state.header.stamp = node.get_clock().now().to_msg()
            publisher.publish(state)

        node.create_timer(0.05, send)
        spin_until(node, lambda: bool(texts) and len(tree) == 52 + 10 and len(stamps) >= 3)
        assert texts == [build_urdf()]
        poses = link_poses(position)
        for link, pose in poses.items():
            np.testing.assert_allclose(chain(tree, link), pose, atol=1e-9, err_msg=link)
        np.testing.assert_allclose(
            chain(tree, 'right_index_tip'), site_pose(poses, 'right_index_tip'), atol=1e-9
        )
        np.testing.assert_allclose(
            chain(tree, OPTICAL_FRAME)[:3, 2], poses['d435_link'][:3, 0], atol=1e-9
        )
        child.send_signal(signal.SIGINT)
        assert child.wait(WAIT_S) == 0
    finally:
        child.kill()
        child.wait()
        node.destroy_node()
        rclpy.shutdown()


def spin_until(node: Node, done: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < until, 'waited in vain'
        rclpy.spin_once(node, timeout_sec=0.1)
