# SPDX-License-Identifier: Apache-2.0
"""Messages <-> nouns: the one place where ROS messages become numpy and back.

Written against rclpy's own representation, which the embedded runtime shares: sequences of numbers
are `array.array`, fixed arrays of numbers numpy, arrays of messages lists. Arrays are filled from
bytes, since rclpy checks every element of anything else.
"""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose
from sensor_msgs.msg import CompressedImage, Imu, JointState

from g1_il.msg import JointCommand, SceneState
from g1_il.msg import XrFrame as XrFrameMsg
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS
from g1_il.robot.state import RobotState
from g1_il.ros.samples import ExecutedCommand, JointSample, MessageError, in_order, joint_order
from g1_il.sim.scene import Scene
from g1_il.xr.frame import HAND_JOINTS, HandFrame, XrFrame

Array = npt.NDArray[np.float64]

TRACKING_FRAME = 'xr_local_floor'
PELVIS_FRAME = 'pelvis'
_ALL = list(ALL_JOINTS)
_COMMAND = list(COMMAND_JOINTS)
_NS = 1_000_000_000


def stamp_to_ns(stamp: Any) -> int:
    """A builtin_interfaces/Time (or a header's stamp) as nanoseconds."""
    return int(stamp.sec) * _NS + int(stamp.nanosec)


def ns_to_stamp(stamp_ns: int) -> Time:
    """Nanoseconds as a builtin_interfaces/Time."""
    sec, nanosec = divmod(int(stamp_ns), _NS)
    return Time(sec=sec, nanosec=nanosec)


def doubles(values: npt.ArrayLike) -> array.array[float]:
    """Numbers as the `array.array('d')` that a float64[] field takes without checking each."""
    return array.array('d', np.ascontiguousarray(values, dtype=np.float64).tobytes())


def frame_to_msg(frame: XrFrame, *, stamp_uncertainty_s: float = math.nan) -> XrFrameMsg:
    """A frame of headset tracking as a message."""
    msg = XrFrameMsg()
    _fill_header(msg, frame.stamp_ns, TRACKING_FRAME)
    msg.head_tracked = bool(frame.head_tracked)
    msg.head = _pose(frame.head_position, frame.head_orientation_xyzw)
    msg.left_tracked = bool(frame.left.tracked)
    msg.left_hand = _hand_poses(frame.left)
    msg.right_tracked = bool(frame.right.tracked)
    msg.right_hand = _hand_poses(frame.right)
    msg.stamp_uncertainty = float(stamp_uncertainty_s)
    return msg


def frame_from_msg(msg: XrFrameMsg) -> XrFrame:
    """A message of headset tracking as a frame."""
    head = _pose_row(msg.head)
    return XrFrame(
        stamp_ns=stamp_to_ns(msg.header.stamp),
        head_tracked=bool(msg.head_tracked),
        head_position=np.array(head[:3]),
        head_orientation_xyzw=np.array(head[3:]),
        left=_hand_frame(msg.left_tracked, msg.left_hand),
        right=_hand_frame(msg.right_tracked, msg.right_hand),
    )


def targets_to_msg(targets: JointTargets) -> JointCommand:
    """Wanted targets as a message (teleop/command, policy/command)."""
    msg = JointCommand()
    _fill_header(msg, targets.stamp_ns, '')
    msg.source = targets.source
    msg.name = _COMMAND
    msg.position = doubles(targets.position)
    msg.velocity = doubles(targets.velocity)
    msg.weight = math.nan
    return msg


def targets_from_msg(msg: JointCommand) -> JointTargets:
    """A wanted command as targets in COMMAND_JOINTS order, whatever order it names them in.

    Raises:
        MessageError: It does not name exactly the COMMAND_JOINTS, or its arrays are of another
            length. NaN passes: refusing it is the gate's work.
    """
    order = joint_order(msg.name, _COMMAND, 'joint command', exact=True)
    return JointTargets(
        stamp_ns=stamp_to_ns(msg.header.stamp),
        source=str(msg.source),
        position=in_order(msg.position, msg.name, order, 'position'),
        velocity=in_order(msg.velocity, msg.name, order, 'velocity', missing=0.0),
    )


def executed_to_msg(command: RobotCommand, *, stamp_ns: int, source: str) -> JointCommand:
    """What was really sent, as a message: the COMMAND_JOINTS, which are what sources may move."""
    msg = JointCommand()
    _fill_header(msg, stamp_ns, '')
    msg.source = source
    msg.name = _COMMAND
    msg.position = doubles(command.position[COMMAND_INDEX])
    msg.velocity = doubles(command.velocity[COMMAND_INDEX])
    msg.effort = doubles(command.effort[COMMAND_INDEX])
    msg.weight = float(command.weight)
    return msg


def executed_from_msg(msg: JointCommand) -> ExecutedCommand:
    """An executed command in COMMAND_JOINTS order.

    Raises:
        MessageError: As `targets_from_msg`.
    """
    order = joint_order(msg.name, _COMMAND, 'executed command', exact=True)
    return ExecutedCommand(
        stamp_ns=stamp_to_ns(msg.header.stamp),
        source=str(msg.source),
        position=in_order(msg.position, msg.name, order, 'position'),
        velocity=in_order(msg.velocity, msg.name, order, 'velocity', missing=0.0),
        effort=in_order(msg.effort, msg.name, order, 'effort', missing=0.0),
        weight=float(msg.weight),
    )


def joint_state_to_msg(state: RobotState) -> JointState:
    """Measured joints as a JointState of all 43 joints."""
    msg = JointState()
    _fill_header(msg, state.stamp_ns, '')
    msg.name = _ALL
    msg.position = doubles(state.position)
    msg.velocity = doubles(state.velocity)
    msg.effort = doubles(state.effort)
    return msg


def joint_state_from_msg(msg: JointState) -> JointSample:
    """A JointState in ALL_JOINTS order; joints that it does not name are NaN.

    Raises:
        MessageError: Its arrays are of another length than its names.
    """
    order = joint_order(msg.name, _ALL, 'joint state', exact=False)
    return JointSample(
        stamp_ns=stamp_to_ns(msg.header.stamp),
        position=in_order(msg.position, msg.name, order, 'position', missing=math.nan),
        velocity=in_order(msg.velocity, msg.name, order, 'velocity', missing=math.nan),
        effort=in_order(msg.effort, msg.name, order, 'effort', missing=math.nan),
    )


def imu_to_msg(state: RobotState) -> Imu:
    """The pelvis IMU as a message; covariances zero, which ROS reads as unknown."""
    msg = Imu()
    _fill_header(msg, state.stamp_ns, PELVIS_FRAME)
    w, x, y, z = (float(v) for v in state.orientation_wxyz)
    msg.orientation.w, msg.orientation.x, msg.orientation.y, msg.orientation.z = w, x, y, z
    _fill_vector(msg.angular_velocity, state.angular_velocity)
    _fill_vector(msg.linear_acceleration, state.linear_acceleration)
    return msg


def scene_to_msg(scene: Scene) -> SceneState:
    """The simulated scene as a message."""
    msg = SceneState()
    _fill_header(msg, scene.stamp_ns, PELVIS_FRAME)
    msg.task = scene.task
    msg.seed = int(scene.seed)
    msg.name = list(scene.names)
    msg.pose = [_pose(row[:3], row[3:]) for row in np.asarray(scene.poses, dtype=np.float64)]
    msg.success = bool(scene.success)
    msg.stage = scene.stage
    return msg


def scene_from_msg(msg: SceneState) -> Scene:
    """A message of the simulated scene as a noun.

    Raises:
        MessageError: There are not as many poses as names.
    """
    if len(msg.name) != len(msg.pose):
        raise MessageError(f'scene names {len(msg.name)} objects but has {len(msg.pose)} poses')
    poses = np.array([_pose_row(pose) for pose in msg.pose], dtype=np.float64).reshape(-1, 7)
    return Scene(
        stamp_ns=stamp_to_ns(msg.header.stamp),
        task=str(msg.task),
        seed=int(msg.seed),
        names=tuple(msg.name),
        poses=poses,
        success=bool(msg.success),
        stage=str(msg.stage),
    )


def compressed_to_msg(
    data: bytes, *, stamp_ns: int, frame_id: str, image_format: str = 'jpeg'
) -> CompressedImage:
    """Encoded image bytes as a message."""
    msg = CompressedImage()
    _fill_header(msg, stamp_ns, frame_id)
    msg.format = image_format
    msg.data = array.array('B', data)
    return msg


def compressed_from_msg(msg: CompressedImage) -> tuple[int, bytes]:
    """Capture time [ns] and encoded bytes of an image."""
    return stamp_to_ns(msg.header.stamp), bytes(msg.data)


def _fill_header(msg: Any, stamp_ns: int, frame_id: str) -> None:
    sec, nanosec = divmod(int(stamp_ns), _NS)
    header = msg.header
    header.stamp.sec = sec
    header.stamp.nanosec = nanosec
    header.frame_id = frame_id


def _fill_vector(vector: Any, values: npt.ArrayLike) -> None:
    vector.x, vector.y, vector.z = (float(v) for v in np.asarray(values))


def _pose(position: npt.ArrayLike, xyzw: npt.ArrayLike) -> Pose:
    pose = Pose()
    point, quaternion = pose.position, pose.orientation
    point.x, point.y, point.z = np.asarray(position, dtype=np.float64).tolist()
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = np.asarray(
        xyzw, dtype=np.float64
    ).tolist()
    return pose


def _pose_row(pose: Any) -> tuple[float, ...]:
    p, q = pose.position, pose.orientation
    return (p.x, p.y, p.z, q.x, q.y, q.z, q.w)


def _hand_poses(hand: HandFrame) -> list[Pose]:
    if len(hand.position) != HAND_JOINTS:
        raise MessageError(f'a hand has {HAND_JOINTS} joints, not {len(hand.position)}')
    return [_pose(p, q) for p, q in zip(hand.position, hand.orientation_xyzw, strict=True)]


def _hand_frame(tracked: bool, poses: Sequence[Any]) -> HandFrame:
    rows = np.array([_pose_row(pose) for pose in poses], dtype=np.float64)
    return HandFrame(
        tracked=bool(tracked), position=rows[:, :3].copy(), orientation_xyzw=rows[:, 3:].copy()
    )
