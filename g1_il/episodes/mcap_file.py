# SPDX-License-Identifier: Apache-2.0
"""MCAP files as files: made whole, chunked and indexed, from whatever a recorder left.

While recording, messages are written one after the other without chunks, since then a kill costs
the last few; afterwards the file gets chunks and an index, since then readers can seek.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mcap.exceptions import McapError
from mcap.records import Channel, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer

from g1_il import __version__

METADATA_NAME = 'metadata.yaml'
_CHUNK_BYTES = 1 << 20
_RECORD_LIMIT = 1 << 28
# 5 is what Humble writes; later rosbag2 read it too.
_METADATA_VERSION = 5
_TORN = (McapError, struct.error, ValueError, EOFError, OverflowError)


@dataclass(slots=True, kw_only=True)
class TopicSummary:
    """What a bag holds of one topic.

    Attributes:
        type: Message type, e.g. sensor_msgs/msg/JointState.
        qos: Offered QoS profiles, as rosbag2 wrote them.
        has_header: The messages begin with a header.
        receive_ns: Times of receipt [ns].
        stamp_ns: The headers' stamps, or the times of receipt where there is no header [ns].
    """

    type: str
    qos: str = ''
    has_header: bool = False
    receive_ns: list[int] = field(default_factory=list)
    stamp_ns: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class BagSummary:
    """What a bag holds.

    Attributes:
        topics: By topic name.
        damage: Where and why reading ended before the end; empty for a whole file.
    """

    topics: dict[str, TopicSummary] = field(default_factory=dict)
    damage: str = ''

    @property
    def messages(self) -> int:
        """Messages of all topics."""
        return sum(len(topic.receive_ns) for topic in self.topics.values())

    @property
    def span_ns(self) -> tuple[int, int]:
        """Receipt of the first and the last message [ns]; zeros when there is none."""
        stamps = [ns for t in self.topics.values() if t.receive_ns for ns in t.receive_ns]
        return (min(stamps), max(stamps)) if stamps else (0, 0)


def rewrite(source: Path, target: Path) -> BagSummary:
    """Copies a bag into a chunked and indexed one, as far as it can be read.

    Chunks are not compressed: images do not get smaller. The target appears whole or not at all,
    and is on the disk when this returns.

    Raises:
        OSError: The disk is full or the files are not accessible; the source is untouched.
    """
    summary = BagSummary()
    partial = target.with_name(target.name + '.partial')
    try:
        with open(partial, 'wb') as stream:
            writer = Writer(stream, chunk_size=_CHUNK_BYTES, compression=CompressionType.NONE)
            writer.start(profile='ros2', library=f'g1_il {__version__}')
            _copy(source, writer, summary)
            writer.finish()
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return summary


def summarize(source: Path) -> BagSummary:
    """What a bag holds, without writing anything."""
    summary = BagSummary()
    with open(os.devnull, 'wb') as stream:
        writer = Writer(stream, chunk_size=_CHUNK_BYTES, compression=CompressionType.NONE)
        writer.start(profile='ros2', library=f'g1_il {__version__}')
        _copy(source, writer, summary)
    return summary


def _copy(source: Path, writer: Writer, summary: BagSummary) -> None:
    schemas: dict[int, tuple[int, str, bool]] = {}
    channels: dict[int, tuple[int, TopicSummary]] = {}
    for record in _records(source, summary):
        if isinstance(record, Message):
            if record.channel_id not in channels:
                summary.damage = f'message of channel {record.channel_id}, which is not described'
                return
            channel_id, topic = channels[record.channel_id]
            writer.add_message(
                channel_id,
                log_time=record.log_time,
                publish_time=record.publish_time,
                sequence=record.sequence,
                data=record.data,
            )
            topic.receive_ns.append(record.log_time)
            topic.stamp_ns.append(_stamp_ns(record.data) if topic.has_header else record.log_time)
        elif isinstance(record, Schema):
            if record.id not in schemas:
                new_id = writer.register_schema(record.name, record.encoding, record.data)
                schemas[record.id] = (new_id, record.name, _has_header(record.data))
        elif isinstance(record, Channel):
            if record.id not in channels:
                schema_id, type_name, has_header = schemas.get(record.schema_id, (0, '', False))
                new_id = writer.register_channel(
                    record.topic, record.message_encoding, schema_id, dict(record.metadata)
                )
                qos = record.metadata.get('offered_qos_profiles', '')
                topic = summary.topics.setdefault(
                    record.topic, TopicSummary(type=type_name, qos=qos, has_header=has_header)
                )
                channels[record.id] = (new_id, topic)
        elif isinstance(record, Metadata):
            writer.add_metadata(record.name, dict(record.metadata))


def _records(source: Path, summary: BagSummary) -> Iterator[McapRecord]:
    """Records up to the end or to the first that cannot be read, which the summary then says."""
    with open(source, 'rb') as stream:
        try:
            yield from StreamReader(stream, record_size_limit=_RECORD_LIMIT).records
        except _TORN as error:
            what = str(error) or type(error).__name__
            summary.damage = f'{source.name} ends at byte {stream.tell()}: {what}'


def _has_header(definition: bytes) -> bool:
    """Whether the first field of a message definition is a header."""
    for line in definition.decode(errors='replace').splitlines():
        words = line.partition('#')[0].split()
        if words and '=' not in line.partition('#')[0]:
            return words[0] in ('std_msgs/Header', 'std_msgs/msg/Header', 'Header')
    return False


def _stamp_ns(data: bytes) -> int:
    """Stamp of a serialized message whose first field is a header [ns]."""
    layout = '<iI' if data[1] & 1 else '>iI'
    sec, nanosec = struct.unpack_from(layout, data, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)


def write_metadata(folder: Path, bag_file: str, summary: BagSummary) -> None:
    """Writes the metadata.yaml that makes a folder with one MCAP file a rosbag2 bag."""
    start_ns, end_ns = summary.span_ns

    def span() -> dict[str, Any]:
        # New every time: YAML would write a second mention of the same object as an alias.
        return {
            'duration': {'nanoseconds': end_ns - start_ns},
            'starting_time': {'nanoseconds_since_epoch': start_ns},
            'message_count': summary.messages,
        }

    topics = [
        {
            'topic_metadata': {
                'name': name,
                'type': topic.type,
                'serialization_format': 'cdr',
                'offered_qos_profiles': _numbered_qos(topic.qos),
            },
            'message_count': len(topic.receive_ns),
        }
        for name, topic in summary.topics.items()
    ]
    content = {
        'rosbag2_bagfile_information': {
            'version': _METADATA_VERSION,
            'storage_identifier': 'mcap',
            **span(),
            'topics_with_message_count': topics,
            'compression_format': '',
            'compression_mode': '',
            'relative_file_paths': [bag_file],
            'files': [{'path': bag_file, **span()}],
        }
    }
    path = folder / METADATA_NAME
    partial = path.with_suffix('.partial')
    partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding='utf-8')
    partial.replace(path)


def _numbered_qos(text: str) -> str:
    """Offered QoS profiles as this version of metadata has them: policies are numbers.

    Profiles with the words of later versions are left out, since no reader takes them here.
    """
    try:
        profiles = yaml.safe_load(text) or []
        return text if all(type(profile['reliability']) is int for profile in profiles) else ''
    except (yaml.YAMLError, KeyError, TypeError):
        return ''


def promised_messages(folder: Path) -> int:
    """How many messages a bag's metadata.yaml says that it holds.

    Raises:
        ValueError: There is no such file, or it says something else.
    """
    path = folder / METADATA_NAME
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        return int(content['rosbag2_bagfile_information']['message_count'])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ValueError(f'{path} is not the metadata of a bag: {reason}') from error
