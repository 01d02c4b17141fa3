# SPDX-License-Identifier: Apache-2.0
"""Episode write <-> read through rosbag2_py, and the streams that come out of a bag."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Empty

from g1_il.episodes import folder as folders
from g1_il.episodes.card import load_card
from g1_il.episodes.finish import recover
from g1_il.errors import ConfigError
from g1_il.robot.command import RobotCommand
from g1_il.robot.joints import ALL_JOINTS
from g1_il.ros import cdr
from g1_il.ros.bag import EpisodeWriter, has_header, message_class, read_bag
from g1_il.ros.streams import episode_streams, samples, stream_name, streams_of
from g1_il.sim.scene import Scene

START = 1_700_000_000_000_000_000
MS = 1_000_000
TOPICS = {
    '/joint_states': 'sensor_msgs/msg/JointState',
    '/executed_command': 'g1_il/msg/JointCommand',
    '/sim/scene': 'g1_il/msg/SceneState',
    '/head_camera/color/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
    '/gate/estop': 'std_msgs/msg/Empty',
}


def joint_state(stamp_ns: int, value: float) -> bytes:
    msg = JointState()
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    msg.name = list(ALL_JOINTS)
    msg.position = [float(value)] * 43
    return bytes(serialize_message(msg))


def executed(stamp_ns: int, value: float) -> bytes:
    array = np.full(43, value)
    command = RobotCommand(
        position=array,
        velocity=array,
        effort=array,
        kp=array,
        kd=array,
        weight=1.0,
        hands_enabled=True,
    )
    return cdr.encode_executed(command, stamp_ns=stamp_ns, source='teleop')


def scene(stamp_ns: int, success: bool) -> bytes:
    return cdr.encode_scene(
        Scene(
            stamp_ns=stamp_ns,
            task='pick_place',
            seed=3,
            names=('can', 'bin'),
            poses=np.arange(14.0).reshape(2, 7),
            success=success,
            stage='reach',
        )
    )


def write_episode(root: Path, **options: object) -> EpisodeWriter:
    writer = EpisodeWriter(
        root, task='Put it in', operator='test', start_ns=START, topics=TOPICS, **options
    )
    for k in range(30):
        now = START + k * 10 * MS
        writer.write('joint_states', joint_state(now, k), now + MS)
        writer.write('/executed_command', executed(now, -k), now + MS)
        if k % 3 == 0:
            writer.write('sim/scene', scene(now, k == 27), now + 2 * MS)
            image = cdr.encode_compressed(bytes([k] * 9), stamp_ns=now, frame_id='camera')
            writer.write('/head_camera/color/image_raw/compressed', image, now + 25 * MS)
    writer.write('/gate/estop', bytes(serialize_message(Empty())), START + 7 * MS)
    return writer


def test_episode_round_trip(tmp_path: Path) -> None:
    writer = write_episode(tmp_path)
    assert writer.folder == tmp_path / 'put_it_in' / (writer.episode_id + '.active')
    assert writer.messages == 81 and writer.size > 30_000
    writer.note_dropped('joint_states', 2)
    writer.warn('it rained')
    folder = writer.close('success', end_ns=START + 300 * MS, notes='fine')
    assert folder == tmp_path / 'put_it_in' / writer.episode_id
    assert folders.find_episodes(tmp_path) == [folder]
    card = load_card(folder)
    assert (card.outcome, card.notes, card.warnings) == ('success', 'fine', ('it rained',))
    assert card.duration_s == 0.3
    assert card.topics['/joint_states'].messages == 30
    assert card.topics['/joint_states'].dropped == 2
    assert card.topics['/joint_states'].rate_hz == pytest.approx(100)

    bag = read_bag(folder)
    assert {name: topic.type for name, topic in bag.items()} == TOPICS
    joints = bag['/joint_states']
    assert joints.stamp_ns.tolist() == [START + k * 10 * MS for k in range(30)]
    assert joints.receive_ns.tolist() == [START + k * 10 * MS + MS for k in range(30)]
    assert deserialize_message(joints.data[7], JointState).position[42] == 7
    assert bag['/gate/estop'].stamp_ns.tolist() == [START + 7 * MS], 'no header: receipt'


def test_bag_is_one_that_others_read(tmp_path: Path) -> None:
    rosbags = pytest.importorskip('rosbags.rosbag2')
    folder = write_episode(tmp_path).close('success', end_ns=START + 300 * MS)
    with rosbags.Reader(folder) as reader:
        assert reader.message_count == 81
        assert len(list(reader.messages())) == 81


def test_streams_and_samples_come_in_the_order_of_receipt(tmp_path: Path) -> None:
    bag = read_bag(write_episode(tmp_path).close('success', end_ns=START + 300 * MS))
    assert set(streams_of(bag)) == {'joint_states', 'executed_command', 'scene', 'head_camera'}
    pushed = list(samples(bag, ('joint_states', 'scene', 'head_camera'), ('bin',)))
    assert len(pushed) == 30 + 10 + 10
    names = [name for name, _, _ in pushed[:6]]
    assert names == ['joint_states', 'scene', *['joint_states'] * 2, 'head_camera', 'joint_states']
    assert pushed[0][2].tolist() == [0.0] * 43
    assert pushed[1][2].tolist() == list(range(7, 14))
    assert pushed[4][1:] == (START, bytes(9))


def test_episode_as_arrays(tmp_path: Path) -> None:
    writer = write_episode(tmp_path)
    writer.write('joint_states', joint_state(START + 400 * MS, 1)[:100], START + 400 * MS)
    streams = episode_streams(read_bag(writer.close('success', end_ns=START + 300 * MS)))
    assert streams.joints is not None and streams.commands is not None
    assert streams.joints.values.shape == (30, 43)
    assert streams.commands.values[:, 5].tolist() == [-k for k in range(30)]
    assert streams.images['head_camera'][1] == bytes([3] * 9)
    assert streams.scene_success is True
    count, why = streams.unreadable['/joint_states']
    assert count == 1 and 'ends where' in why


def test_discard_goes_to_the_trash_and_keeps_its_id(tmp_path: Path) -> None:
    writer = write_episode(tmp_path, episode_id='mine')
    trash = writer.discard()
    assert trash == tmp_path / '.trash' / 'put_it_in' / 'mine'
    assert (trash / 'episode.yaml').exists()
    with pytest.raises(ConfigError, match='mine was used before'):
        write_episode(tmp_path, episode_id='mine')


def test_topic_that_was_not_declared_is_refused(tmp_path: Path) -> None:
    writer = write_episode(tmp_path)
    with pytest.raises(ConfigError, match='topic /other is not declared'):
        writer.write('other', b'', START)
    writer.add_topic('other', 'std_msgs/msg/Empty')
    writer.write('other', b'\x00\x01\x00\x00\x00', START)
    folder = writer.close('failure', end_ns=START)
    assert load_card(folder).topics['/other'].messages == 1


def test_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='episodes cannot be written to'):
        write_episode(tmp_path / 'file')


@pytest.mark.parametrize('damage', ['none', 'missing', 'metadata', 'torn'])
def test_what_is_no_bag_is_one_clear_line(tmp_path: Path, damage: str) -> None:
    folder = write_episode(tmp_path).close('success', end_ns=START)
    (file,) = folder.glob('*.mcap')
    if damage == 'none':
        folder = tmp_path / 'nothing'
    elif damage == 'missing':
        file.unlink()
    elif damage == 'metadata':
        (folder / 'metadata.yaml').write_text('{')
    else:
        file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ConfigError, match='cannot be read as a bag'):
        read_bag(folder)


def test_killed_writer_loses_nothing_that_was_written(tmp_path: Path) -> None:
    """A process writes, says how much, and is killed; recovery finds that much."""
    code = f"""
import sys, time
sys.path.insert(0, {os.fspath(Path(__file__).parent)!r})
from pathlib import Path
import test_bag
writer = test_bag.write_episode(Path({os.fspath(tmp_path)!r}), fsync_period_s=0.001)
print(writer.messages, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == '81\n'
        (held,) = recover(tmp_path)
        assert held.kept is None, 'its recorder lives'
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(0.1)
    (recovery,) = recover(tmp_path)
    assert recovery.kept is not None
    assert recovery.messages >= 80, 'at most the last one was in a buffer'
    bag = read_bag(recovery.kept)
    assert len(bag['/joint_states'].data) == 30
    assert load_card(recovery.kept).recovered
    info = yaml.safe_load((recovery.kept / 'metadata.yaml').read_text())
    assert info['rosbag2_bagfile_information']['message_count'] == recovery.messages


@pytest.mark.parametrize(
    ('topic', 'type_name', 'stream'),
    [
        ('/joint_states', TOPICS['/joint_states'], 'joint_states'),
        ('/g1/joint_states', TOPICS['/joint_states'], 'joint_states'),
        ('/g1/executed_command', TOPICS['/executed_command'], 'executed_command'),
        ('/teleop/command', TOPICS['/executed_command'], None),
        ('/ns/wrist/color/image_raw/compressed', 'sensor_msgs/msg/CompressedImage', 'wrist'),
        ('/wrist/depth/compressedDepth', 'sensor_msgs/msg/CompressedImage', None),
        ('/imu', 'sensor_msgs/msg/Imu', None),
    ],
)
def test_stream_names(topic: str, type_name: str, stream: str | None) -> None:
    assert stream_name(topic, type_name) == stream


def test_message_types_by_name() -> None:
    assert message_class('sensor_msgs/msg/JointState') is JointState
    assert has_header('g1_il/msg/XrFrame') and not has_header('std_msgs/msg/Empty')
    with pytest.raises(ConfigError, match='type nose/msg/Nose is not known here'):
        message_class('nose/msg/Nose')
