# SPDX-License-Identifier: Apache-2.0
"""Nouns <-> messages <-> bytes: nothing is lost, and the fast path says what rclpy says."""

from __future__ import annotations

import array
import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, JointState

from g1_il.msg import JointCommand, SceneState
from g1_il.msg import XrFrame as XrFrameMsg
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS
from g1_il.robot.state import RobotState
from g1_il.ros import cdr, messages
from g1_il.ros.samples import MessageError
from g1_il.sim.scene import Scene
from g1_il.xr.frame import HandFrame, XrFrame

STAMP = 1_700_000_000_123_456_789
RANDOM = np.random.default_rng(7)


def make_hand(tracked: bool) -> HandFrame:
    return HandFrame(
        tracked=tracked,
        position=RANDOM.normal(size=(25, 3)),
        orientation_xyzw=RANDOM.normal(size=(25, 4)),
    )


def make_frame() -> XrFrame:
    return XrFrame(
        stamp_ns=STAMP,
        head_tracked=True,
        head_position=RANDOM.normal(size=3),
        head_orientation_xyzw=RANDOM.normal(size=4),
        left=make_hand(True),
        right=make_hand(False),
    )


def make_targets() -> JointTargets:
    return JointTargets(
        stamp_ns=STAMP,
        source='teleop',
        position=RANDOM.normal(size=28),
        velocity=RANDOM.normal(size=28),
    )


def make_command() -> RobotCommand:
    return RobotCommand(
        position=RANDOM.normal(size=43),
        velocity=RANDOM.normal(size=43),
        effort=RANDOM.normal(size=43),
        kp=np.ones(43),
        kd=np.ones(43),
        weight=0.75,
        hands_enabled=True,
    )


def make_state() -> RobotState:
    return RobotState(
        stamp_ns=STAMP,
        left_hand_stamp_ns=STAMP,
        right_hand_stamp_ns=-1,
        position=RANDOM.normal(size=43),
        velocity=RANDOM.normal(size=43),
        effort=RANDOM.normal(size=43),
        orientation_wxyz=np.array([0.5, -0.5, 0.1, 0.7]),
        angular_velocity=np.array([1.0, 2.0, 3.0]),
        linear_acceleration=np.array([4.0, 5.0, 6.0]),
        mode_machine=5,
        mode_pr=0,
        tick=1,
        casing_temperature=np.zeros(29),
        winding_temperature=np.zeros(29),
        wireless_remote=bytes(40),
    )


def make_scene(names: tuple[str, ...] = ('can', 'bin')) -> Scene:
    return Scene(
        stamp_ns=STAMP,
        task='pick_place',
        seed=-12,
        names=names,
        poses=RANDOM.normal(size=(len(names), 7)),
        success=True,
        stage='lift',
    )


def assert_equal(one: Any, other: Any) -> None:
    """Field by field, arrays to the last bit."""
    assert type(one) is type(other)
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(ours, HandFrame):
            assert_equal(ours, theirs)
        elif isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, err_msg=field.name)
        else:
            assert ours == theirs, field.name


def test_stamps_keep_every_nanosecond() -> None:
    stamp = messages.ns_to_stamp(STAMP)
    assert (stamp.sec, stamp.nanosec) == (1_700_000_000, 123_456_789)
    assert messages.stamp_to_ns(stamp) == STAMP
    assert messages.stamp_to_ns(Time()) == 0


def test_frame_round_trip() -> None:
    frame = make_frame()
    msg = messages.frame_to_msg(frame, stamp_uncertainty_s=0.002)
    assert msg.header.frame_id == 'xr_local_floor'
    assert msg.stamp_uncertainty == 0.002
    back = deserialize_message(serialize_message(msg), XrFrameMsg)
    assert_equal(messages.frame_from_msg(back), frame)


def test_targets_round_trip() -> None:
    targets = make_targets()
    msg = messages.targets_to_msg(targets)
    assert math.isnan(msg.weight) and len(msg.effort) == 0
    back = deserialize_message(serialize_message(msg), JointCommand)
    assert_equal(messages.targets_from_msg(back), targets)


def test_targets_in_another_order_are_put_in_ours() -> None:
    targets = make_targets()
    msg = messages.targets_to_msg(targets)
    msg.name = list(reversed(COMMAND_JOINTS))
    msg.position = messages.doubles(targets.position[::-1])
    msg.velocity = array.array('d')
    back = messages.targets_from_msg(msg)
    np.testing.assert_array_equal(back.position, targets.position)
    np.testing.assert_array_equal(back.velocity, np.zeros(28))


def test_wrong_joints_and_lengths_are_refused_with_their_names() -> None:
    msg = messages.targets_to_msg(make_targets())
    msg.name = list(COMMAND_JOINTS[1:])
    with pytest.raises(MessageError, match=f'missing: {COMMAND_JOINTS[0]}; unknown: none'):
        messages.targets_from_msg(msg)
    msg.name = ['nose', *COMMAND_JOINTS[1:]]
    with pytest.raises(MessageError, match='unknown: nose'):
        messages.targets_from_msg(msg)
    msg.name = [COMMAND_JOINTS[1], *COMMAND_JOINTS[1:]]
    with pytest.raises(MessageError, match=f'names {COMMAND_JOINTS[1]} more than once'):
        messages.targets_from_msg(msg)
    msg.name = list(COMMAND_JOINTS)
    msg.position = messages.doubles(np.zeros(27))
    with pytest.raises(MessageError, match='position has 27 values for 28 joint names'):
        messages.targets_from_msg(msg)


def test_executed_command_names_what_sources_may_move() -> None:
    command = make_command()
    msg = messages.executed_to_msg(command, stamp_ns=STAMP, source='gate')
    assert list(msg.name) == list(COMMAND_JOINTS)
    back = messages.executed_from_msg(deserialize_message(serialize_message(msg), JointCommand))
    np.testing.assert_array_equal(back.position, command.position[COMMAND_INDEX])
    np.testing.assert_array_equal(back.effort, command.effort[COMMAND_INDEX])
    assert (back.stamp_ns, back.source, back.weight) == (STAMP, 'gate', 0.75)


def test_joint_state_round_trip_and_joints_not_named() -> None:
    state = make_state()
    msg = messages.joint_state_to_msg(state)
    sample = messages.joint_state_from_msg(deserialize_message(serialize_message(msg), JointState))
    np.testing.assert_array_equal(sample.position, state.position)
    np.testing.assert_array_equal(sample.effort, state.effort)
    msg.name = list(ALL_JOINTS[1:])
    for name in ('position', 'velocity'):
        setattr(msg, name, messages.doubles(getattr(state, name)[1:]))
    msg.effort = array.array('d')
    sample = messages.joint_state_from_msg(msg)
    assert math.isnan(sample.position[0]) and np.isnan(sample.effort).all()
    np.testing.assert_array_equal(sample.velocity[1:], state.velocity[1:])


def test_imu_is_in_ros_order() -> None:
    msg = messages.imu_to_msg(make_state())
    q = msg.orientation
    assert (q.w, q.x, q.y, q.z) == (0.5, -0.5, 0.1, 0.7)
    assert (msg.angular_velocity.x, msg.linear_acceleration.z) == (1.0, 6.0)
    assert msg.header.frame_id == 'pelvis'


@pytest.mark.parametrize('names', [('can', 'bin'), ('a',), ()])
def test_scene_round_trip(names: tuple[str, ...]) -> None:
    scene = make_scene(names)
    msg = messages.scene_to_msg(scene)
    back = deserialize_message(serialize_message(msg), SceneState)
    assert_equal(messages.scene_from_msg(back), scene)
    msg.name = [*msg.name, 'one_more']
    with pytest.raises(MessageError, match=r'names \d objects but has \d poses'):
        messages.scene_from_msg(msg)


def test_compressed_round_trip() -> None:
    data = bytes(RANDOM.integers(0, 256, 5001, dtype=np.uint8))
    msg = messages.compressed_to_msg(data, stamp_ns=STAMP, frame_id='camera')
    back = deserialize_message(serialize_message(msg), CompressedImage)
    assert messages.compressed_from_msg(back) == (STAMP, data)
    assert back.format == 'jpeg'


def test_bytes_equal_what_rclpy_serializes() -> None:
    frame, targets, command, state = make_frame(), make_targets(), make_command(), make_state()
    pairs = [
        (cdr.encode_frame(frame), messages.frame_to_msg(frame)),
        (cdr.encode_targets(targets), messages.targets_to_msg(targets)),
        (
            cdr.encode_executed(command, stamp_ns=STAMP, source='policy'),
            messages.executed_to_msg(command, stamp_ns=STAMP, source='policy'),
        ),
        (cdr.encode_joint_state(state), messages.joint_state_to_msg(state)),
    ]
    pairs += [
        (cdr.encode_scene(scene), messages.scene_to_msg(scene))
        for scene in (make_scene(), make_scene(('a', 'bcd', 'ef')), make_scene(()))
    ]
    pairs += [
        (
            cdr.encode_compressed(bytes(n), stamp_ns=STAMP, frame_id='c' * n),
            messages.compressed_to_msg(bytes(n), stamp_ns=STAMP, frame_id='c' * n),
        )
        for n in range(9)
    ]
    for ours, msg in pairs:
        assert ours == bytes(serialize_message(msg)), type(msg).__name__


def test_reading_bytes_equals_reading_messages() -> None:
    frame, scene, state, command = make_frame(), make_scene(), make_state(), make_command()
    assert_equal(cdr.decode_frame(cdr.encode_frame(frame)), frame)
    assert_equal(cdr.decode_scene(cdr.encode_scene(scene)), scene)
    assert_equal(
        cdr.decode_joint_state(cdr.encode_joint_state(state)),
        messages.joint_state_from_msg(messages.joint_state_to_msg(state)),
    )
    data = cdr.encode_executed(command, stamp_ns=STAMP, source='gate')
    assert_equal(
        cdr.decode_command(data),
        messages.executed_from_msg(deserialize_message(data, JointCommand)),
    )
    assert cdr.header_stamp_ns(data) == STAMP
    image = cdr.encode_compressed(b'abc', stamp_ns=STAMP, frame_id='camera')
    assert cdr.decode_compressed(image) == (STAMP, b'abc')


def test_reading_bytes_of_other_senders() -> None:
    """Other names, another order, empty fields: not the path that is recognised as a whole."""
    msg = JointState(name=['extra', *reversed(ALL_JOINTS)])
    msg.header.frame_id = 'world'
    msg.position = messages.doubles(np.arange(44.0))
    sample = cdr.decode_joint_state(bytes(serialize_message(msg)))
    np.testing.assert_array_equal(sample.position, np.arange(43, 0, -1.0))
    assert np.isnan(sample.velocity).all()


@pytest.mark.parametrize('length', [0, 3, 8, 11, 40, 200, 1000])
def test_message_cut_short_is_an_error(length: int) -> None:
    data = cdr.encode_joint_state(make_state())[:length]
    with pytest.raises(MessageError):
        cdr.decode_joint_state(data)


def test_big_endian_is_refused_rather_than_misread() -> None:
    data = b'\x00\x00' + cdr.encode_scene(make_scene())[2:]
    with pytest.raises(MessageError, match='little-endian'):
        cdr.decode_scene(data)
