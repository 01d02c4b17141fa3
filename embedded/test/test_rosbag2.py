# SPDX-License-Identifier: Apache-2.0
"""Bags hold what was written, also when the writer was killed, and others can read them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rosbag2_py
import rosbags.rosbag2
import yaml
from mcap.reader import make_reader
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from rosbag2_py import (
    ConverterOptions,
    MetadataIo,
    StorageFilter,
    StorageOptions,
    TopicMetadata,
)
from rosbag2_py.schema import schema_text
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import JointState
from std_msgs.msg import String

START_NS = 1_700_000_000_000_000_000
PRESETS = ['', 'fastwrite', 'zstd_fast', 'zstd_small']


def open_writer(path, preset='fastwrite', **kwargs) -> rosbag2_py.SequentialWriter:
    writer = rosbag2_py.SequentialWriter()
    options = StorageOptions(
        uri=str(path), storage_id='mcap', storage_preset_profile=preset, **kwargs
    )
    writer.open(options, ConverterOptions('', ''))
    return writer


def write_bag(path, preset='fastwrite', count=100) -> list[tuple[str, bytes, int]]:
    writer = open_writer(path, preset, custom_data={'task': 'a'})
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    writer.create_topic(
        TopicMetadata(
            id=0, name='/joints', type='sensor_msgs/msg/JointState', serialization_format='cdr',
            offered_qos_profiles=[QoSProfile(depth=5), latched],
        )
    )  # fmt: skip
    writer.create_topic(TopicMetadata('/words', 'std_msgs/msg/String', 'cdr'))
    written = []
    for i in range(count):
        message = JointState(name=['a', 'b'], position=[0.1 * i, float(i)])
        written.append(('/joints', serialize_message(message), START_NS + i * 10_000_000))
        if i % 10 == 0:
            word = serialize_message(String(data=f'word {i}'))
            written.append(('/words', word, START_NS + i * 10_000_000 + 1))
    for item in written:
        writer.write(*item)
    writer.close()
    return written


def read_all(reader: rosbag2_py.SequentialReader) -> list[tuple[str, bytes, int]]:
    messages = []
    while reader.has_next():
        messages.append(reader.read_next())
    return messages


def open_reader(path) -> rosbag2_py.SequentialReader:
    reader = rosbag2_py.SequentialReader()
    reader.open(StorageOptions(uri=str(path), storage_id='mcap'), ConverterOptions('cdr', 'cdr'))
    return reader


@pytest.mark.parametrize('preset', PRESETS)
def test_written_is_read(tmp_path, preset):
    written = write_bag(tmp_path / 'bag', preset)
    reader = open_reader(tmp_path / 'bag')
    assert read_all(reader) == written
    with pytest.raises(RuntimeError, match='No next message'):
        reader.read_next()
    types = {topic.name: topic.type for topic in reader.get_all_topics_and_types()}
    assert types == {'/joints': 'sensor_msgs/msg/JointState', '/words': 'std_msgs/msg/String'}
    metadata = reader.get_metadata()
    assert metadata.message_count == len(written)
    assert metadata.duration.nanoseconds == written[-1][2] - START_NS
    assert metadata.custom_data == {'task': 'a'}
    last = deserialize_message(written[-1][1], JointState)
    np.testing.assert_array_equal(last.position, [0.1 * 99, 99.0])


@pytest.mark.parametrize('preset', PRESETS)
def test_another_reader_understands_bag_and_definitions(tmp_path, preset):
    written = write_bag(tmp_path / 'bag', preset)
    with rosbags.rosbag2.Reader(tmp_path / 'bag') as reader:
        found = [(c.topic, bytes(data), stamp) for c, stamp, data in reader.messages()]
        assert found == written
        by_topic = {c.topic: c for c in reader.connections}
        assert {t: c.msgcount for t, c in by_topic.items()} == {'/joints': 100, '/words': 10}
        store = get_typestore(Stores.ROS2_JAZZY)
        for connection in reader.connections:
            assert connection.digest == store.hash_rihs01(connection.msgtype)
            types = get_types_from_msg(connection.msgdef.data, connection.msgtype)
            for name, (_, fields) in types.items():
                assert fields == store.fielddefs[name][1]
        profiles = by_topic['/joints'].ext.offered_qos_profiles
        assert [p.durability.name for p in profiles] == ['VOLATILE', 'TRANSIENT_LOCAL']
        assert [p.depth for p in profiles] == [5, 1]


def test_metadata_is_rosbag2s(tmp_path):
    write_bag(tmp_path / 'bag')
    content = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    content = content['rosbag2_bagfile_information']
    assert content['version'] == 9
    assert content['storage_identifier'] == 'mcap'
    assert content['relative_file_paths'] == ['bag_0.mcap']
    assert content['starting_time'] == {'nanoseconds_since_epoch': START_NS}
    entry = content['topics_with_message_count'][0]
    assert entry['message_count'] == 100
    assert entry['topic_metadata']['offered_qos_profiles'][0]['reliability'] == 'reliable'
    assert entry['topic_metadata']['type_description_hash'].startswith('RIHS01_')
    assert rosbag2_py.Info().read_metadata(str(tmp_path / 'bag'), 'mcap').version == 9


@pytest.mark.parametrize('preset', PRESETS)
def test_file_says_of_itself_what_rosbag2_reads(tmp_path, preset):
    """rosbag2's MCAP plugin opens no file whose record has the root of metadata.yaml."""
    write_bag(tmp_path / 'bag', preset)
    whole = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    with open(tmp_path / 'bag' / 'bag_0.mcap', 'rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        texts = [record.metadata['serialized_metadata'] for record in reader.iter_metadata()]
        first, last = (yaml.safe_load(text) for text in texts)
        assert last == whole['rosbag2_bagfile_information']
        assert (first['version'], first['topics_with_message_count']) == (9, [])
        assert MetadataIo().deserialize_metadata(texts[-1]).message_count == 110
        channels = {c.topic: c.metadata for c in reader.get_summary().channels.values()}
    (profile, latched) = yaml.safe_load(channels['/joints']['offered_qos_profiles'])
    assert list(profile) == [
        'history', 'depth', 'reliability', 'durability', 'deadline', 'lifespan', 'liveliness',
        'liveliness_lease_duration', 'avoid_ros_namespace_conventions',
    ]  # fmt: skip
    assert (profile['history'], profile['depth']) == ('keep_last', 5)
    assert latched['durability'] == 'transient_local'
    assert yaml.safe_load(channels['/words']['offered_qos_profiles']) == []


@pytest.mark.parametrize('preset', ['', 'fastwrite'])
def test_filter_and_seek(tmp_path, preset):
    written = write_bag(tmp_path / 'bag', preset)
    words = [item for item in written if item[0] == '/words']
    reader = open_reader(tmp_path / 'bag')
    for chosen in (
        StorageFilter(topics=['/words']), StorageFilter(regex='wor'),
        StorageFilter(exclude_topics=['/joints']), StorageFilter(regex_to_exclude='^/joints$'),
    ):  # fmt: skip
        reader.seek(0)
        reader.set_filter(chosen)
        assert read_all(reader) == words
    reader.reset_filter()
    reader.seek(written[50][2])
    assert read_all(reader) == written[50:]


def test_a_sqlite3_bag_of_others_is_read(tmp_path):
    written = write_bag(tmp_path / 'bag')
    store = get_typestore(Stores.ROS2_JAZZY)
    writer = rosbags.rosbag2.Writer(
        tmp_path / 'other', version=9, storage_plugin=rosbags.rosbag2.StoragePlugin.SQLITE3
    )
    with writer:
        connections = {
            topic: writer.add_connection(topic, type_name, typestore=store)
            for topic, type_name in (
                ('/joints', 'sensor_msgs/msg/JointState'), ('/words', 'std_msgs/msg/String'),
            )
        }  # fmt: skip
        for topic, data, stamp in written:
            writer.write(connections[topic], stamp, data)
    reader = open_reader(tmp_path / 'other')
    assert read_all(reader) == written
    assert {topic.name for topic in reader.get_all_topics_and_types()} == {'/joints', '/words'}
    (file,) = (tmp_path / 'other').glob('*.db3')
    assert rosbag2_py.Info().read_metadata(str(file), 'sqlite3').message_count == len(written)


KILLED = """
import sys, time
import rosbag2_py
from rosbag2_py import ConverterOptions, StorageOptions, TopicMetadata
writer = rosbag2_py.SequentialWriter()
options = StorageOptions(uri=sys.argv[1], storage_preset_profile=sys.argv[2])
writer.open(options, ConverterOptions())
writer.create_topic(TopicMetadata('/words', 'std_msgs/msg/String', 'cdr'))
count = 0
while True:
    writer.write('/words', count.to_bytes(4, 'little'), time.time_ns())
    print(count, flush=True)
    count += 1
    time.sleep(0.001)
"""


@pytest.mark.parametrize(('preset', 'lost_s'), [('fastwrite', 0.0), ('', 0.5), ('zstd_fast', 0.5)])
def test_a_killed_writer_loses_at_most_half_a_second(tmp_path, preset, lost_s):
    command = [sys.executable, '-c', KILLED, str(tmp_path / 'bag'), preset]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(1.2)
    process.send_signal(signal.SIGKILL)
    reported = [int(line) for line in process.stdout.read().splitlines()]
    with pytest.raises(RuntimeError, match=r'its writer did not end; open its file .*bag_0\.mcap'):
        open_reader(tmp_path / 'bag')
    messages = read_all(open_reader(tmp_path / 'bag' / 'bag_0.mcap'))
    counts = [int.from_bytes(data, 'little') for _, data, _ in messages]
    assert counts == list(range(len(counts)))
    if lost_s == 0.0:
        assert counts[-1] >= reported[-1]
    else:
        # Between two messages lies at least 1 ms.
        assert reported[-1] - counts[-1] <= lost_s / 0.001
        assert counts


def test_the_file_grows_with_each_message(tmp_path):
    writer = open_writer(tmp_path / 'bag')
    writer.create_topic(TopicMetadata('/words', 'std_msgs/msg/String', 'cdr'))
    sizes = []
    for i in range(3):
        writer.write('/words', b'1234', i, send_timestamp=i, sequence_number=i)
        sizes.append(writer.path.stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'storage_id': 'sqlite3'}, "storage_id is 'sqlite3', allowed: '', 'mcap'"),
        ({'storage_preset_profile': 'fast'}, "storage_preset_profile is 'fast', allowed: ''"),
        ({'max_bagfile_size': 100}, 'max_bagfile_size is 100, allowed: 0'),
        ({'snapshot_mode': True}, 'snapshot_mode is True'),
    ],
)
def test_options_not_offered_are_named(tmp_path, options, message):
    writer = rosbag2_py.SequentialWriter()
    with pytest.raises(ValueError, match=message):
        writer.open(StorageOptions(uri=str(tmp_path / 'bag'), **options), ConverterOptions())
    assert not (tmp_path / 'bag').exists()


def test_misuse_is_explained(tmp_path):
    writer = rosbag2_py.SequentialWriter()
    with pytest.raises(RuntimeError, match='no bag is open'):
        writer.write('/a', b'', 0)
    writer = open_writer(tmp_path / 'bag')
    with pytest.raises(RuntimeError, match="'/a' was not created"):
        writer.write('/a', b'', 0)
    with pytest.raises(RuntimeError, match='exists already'):
        open_writer(tmp_path / 'bag')
    writer.close()
    writer.close()
    assert read_all(open_reader(tmp_path / 'bag')) == []
    with pytest.raises(RuntimeError, match='does not exist'):
        open_reader(tmp_path / 'none')
    (tmp_path / 'x.txt').touch()
    with pytest.raises(RuntimeError, match=r"suffix '\.txt', allowed: \.mcap, \.db3"):
        open_reader(tmp_path / 'x.txt')
    with pytest.raises(ImportError, match=r'rosbag2_py\.Recorder is not offered'):
        from rosbag2_py import Recorder  # noqa: F401


def test_topic_metadata_in_both_signatures():
    humble = TopicMetadata('/a', 'std_msgs/msg/String', 'cdr', '')
    jazzy = TopicMetadata(3, '/a', 'std_msgs/msg/String', 'cdr', [], 'RIHS01_0')
    assert (jazzy.id, jazzy.type_description_hash) == (3, 'RIHS01_0')
    assert humble.equals(jazzy)
    with pytest.raises(TypeError, match='TopicMetadata takes'):
        TopicMetadata(topic='/a')


def test_all_standard_definitions_have_a_schema():
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in (
        'sensor_msgs/msg/Image',
        'diagnostic_msgs/msg/DiagnosticArray',
        'geometry_msgs/msg/PoseWithCovarianceStamped',
        'tf2_msgs/msg/TFMessage',
    ):
        for inner, (_, fields) in get_types_from_msg(schema_text(name), name).items():
            assert fields == store.fielddefs[inner][1]


def test_ros2_bag_info(tmp_path):
    write_bag(tmp_path / 'bag')
    command = [sys.executable, '-m', 'ros2cli.command', 'bag', 'info']
    shown = subprocess.run([*command, tmp_path / 'bag'], capture_output=True, text=True)
    assert shown.returncode == 0
    assert 'Messages:          110' in shown.stdout
    assert 'Topic: /joints | Type: sensor_msgs/msg/JointState | Count: 100' in shown.stdout
    failed = subprocess.run([*command, tmp_path / 'none'], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith('ros2 bag: ')
    assert 'Traceback' not in failed.stderr
