# SPDX-License-Identifier: Apache-2.0
"""Tells rviz what the robot looks like and where its links are, where ROS's own node is absent.

Does what robot_state_publisher does with our URDF; the launch files start that one where ROS 2
has it, and this one elsewhere.

Subscribes:
    joint_states (sensor_msgs/JointState), 100 Hz
Publishes:
    robot_description (std_msgs/String), once, latched: the URDF
    /tf_static (tf2_msgs/TFMessage), once, latched: fixed links, camera, palms, fingertips
    /tf (tf2_msgs/TFMessage), at most rate_hz: the 43 joints, stamped as the joint states

    ros2 run g1_il description
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Header, String
from tf2_msgs.msg import TFMessage

from g1_il.errors import ConfigError
from g1_il.robot.joints import FIXED_JOINTS, JOINTS, FixedJoint, Joint
from g1_il.robot.kinematics import joint_transforms, quaternion_xyzw, transform
from g1_il.robot.urdf import EXTRA_FRAMES, build_urdf
from g1_il.ros.messages import joint_state_from_msg, ns_to_stamp
from g1_il.ros.params import declare
from g1_il.ros.qos import EVENT, SENSOR, STATUS
from g1_il.ros.run_node import run_node


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionConfig:
    """Parameters of the node."""

    rate_hz: float = field(default=30.0, metadata={'description': 'highest rate of /tf [Hz]'})

    def __post_init__(self) -> None:
        if not 0.1 <= self.rate_hz <= 500.0:
            raise ConfigError(f'parameter rate_hz is {self.rate_hz}; allowed: 0.1 to 500')


def transforms(
    stamp: Time,
    joints: Iterable[Joint | FixedJoint],
    poses: Iterable[npt.NDArray[np.float64]],
) -> TFMessage:
    """Poses of child links in their parents; those that are not known (NaN) are left out."""
    return TFMessage(
        transforms=[
            TransformStamped(
                header=Header(stamp=stamp, frame_id=joint.parent),
                child_frame_id=joint.child,
                transform=Transform(
                    translation=Vector3(**dict(zip('xyz', pose[:3, 3].tolist(), strict=True))),
                    rotation=Quaternion(
                        **dict(zip('xyzw', quaternion_xyzw(pose[:3, :3]), strict=True))
                    ),
                ),
            )
            for joint, pose in zip(joints, poses, strict=True)
            if np.isfinite(pose).all()
        ]
    )


class DescriptionNode(Node):
    """Publishes the URDF once and the transforms as the joints move."""

    def __init__(self) -> None:
        """Publishes what does not change."""
        super().__init__('description')
        self._period_ns = round(1e9 / declare(self, DescriptionConfig).rate_hz)
        self._last_ns: int | None = None
        self._description = self.create_publisher(String, 'robot_description', STATUS)
        self._static = self.create_publisher(TFMessage, '/tf_static', STATUS)
        self._moving = self.create_publisher(TFMessage, '/tf', EVENT)
        self._description.publish(String(data=build_urdf()))
        fixed = (*FIXED_JOINTS, *EXTRA_FRAMES)
        poses = [transform(joint.xyz, joint.rpy) for joint in fixed]
        self._static.publish(transforms(self.get_clock().now().to_msg(), fixed, poses))
        self.create_subscription(JointState, 'joint_states', self._on_joints, SENSOR)

    def _on_joints(self, msg: JointState) -> None:
        sample = joint_state_from_msg(msg)
        last_ns = self._last_ns
        if last_ns is not None and 0 <= sample.stamp_ns - last_ns < self._period_ns:
            return
        self._last_ns = sample.stamp_ns
        poses = joint_transforms(sample.position)
        self._moving.publish(transforms(ns_to_stamp(sample.stamp_ns), JOINTS, poses))


def main(args: list[str] | None = None) -> int:
    """Runs the node until SIGINT or SIGTERM."""
    return run_node('description', DescriptionNode, args)


if __name__ == '__main__':
    sys.exit(main())
