# SPDX-License-Identifier: Apache-2.0
"""metadata.yaml of a bag, in the form of rosbag2's version 9 (Jazzy); older ones are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from rclpy.clock import ClockType
from rclpy.duration import Duration
from rclpy.time import Time

from .files import open_file
from .options import BagMetadata, FileInformation, TopicInformation, TopicMetadata, qos_to_dicts

FILE_NAME = 'metadata.yaml'
_ROOT = 'rosbag2_bagfile_information'


def metadata_to_yaml(metadata: BagMetadata) -> str:
    """Returns the text of metadata.yaml."""
    return yaml.safe_dump({_ROOT: _content(metadata)}, sort_keys=False)


def serialize_metadata(metadata: BagMetadata) -> str:
    """Returns what an MCAP file holds of it: the content of metadata.yaml, without its root."""
    return yaml.safe_dump(_content(metadata), sort_keys=False)


def _content(metadata: BagMetadata) -> dict[str, Any]:

    def span(starting_time: Time, duration: Duration) -> dict[str, Any]:
        return {
            'duration': {'nanoseconds': duration.nanoseconds},
            'starting_time': {'nanoseconds_since_epoch': starting_time.nanoseconds},
        }

    topics = []
    for information in metadata.topics_with_message_count:
        topic = information.topic_metadata
        entry = {
            'name': topic.name,
            'type': topic.type,
            'serialization_format': topic.serialization_format,
            'offered_qos_profiles': qos_to_dicts(topic.offered_qos_profiles),
            'type_description_hash': topic.type_description_hash,
        }
        topics.append({'topic_metadata': entry, 'message_count': information.message_count})
    return {
        'version': 9,
        'storage_identifier': metadata.storage_identifier,
        **span(metadata.starting_time, metadata.duration),
        'message_count': metadata.message_count,
        'topics_with_message_count': topics,
        'compression_format': metadata.compression_format,
        'compression_mode': metadata.compression_mode,
        'relative_file_paths': metadata.relative_file_paths,
        'files': [
            {
                'path': file.path,
                **span(file.starting_time, file.duration),
                'message_count': file.message_count,
            }
            for file in metadata.files
        ],
        'custom_data': metadata.custom_data or None,
        'ros_distro': metadata.ros_distro,
    }


def metadata_from_yaml(text: str) -> BagMetadata:
    """Reads the text of metadata.yaml, or what `serialize_metadata` returns.

    Raises:
        RuntimeError: It is not metadata of a bag.
    """
    try:
        content = yaml.safe_load(text)
        content = content.get(_ROOT, content)

        def span(entry: dict[str, Any]) -> dict[str, Any]:
            start_ns = entry['starting_time']['nanoseconds_since_epoch']
            return {
                'starting_time': Time(nanoseconds=start_ns, clock_type=ClockType.ROS_TIME),
                'duration': Duration(nanoseconds=entry['duration']['nanoseconds']),
            }

        topics = [
            TopicInformation(TopicMetadata(**entry['topic_metadata']), entry['message_count'])
            for entry in content['topics_with_message_count']
        ]
        files = [
            FileInformation(
                path=entry['path'], message_count=entry['message_count'], **span(entry)
            )
            for entry in content.get('files', [])
        ]
        return BagMetadata(
            version=content['version'],
            storage_identifier=content['storage_identifier'],
            relative_file_paths=content['relative_file_paths'],
            files=files,
            message_count=content['message_count'],
            topics_with_message_count=topics,
            compression_format=content.get('compression_format', ''),
            compression_mode=content.get('compression_mode', ''),
            custom_data=content.get('custom_data') or {},
            ros_distro=content.get('ros_distro', ''),
            **span(content),
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f'{error} is missing' if isinstance(error, KeyError) else str(error)
        reason = ' '.join(reason.split())
        raise RuntimeError(f'metadata of a bag cannot be read: {reason}') from error


def read_metadata(uri: str) -> BagMetadata:
    """Returns the metadata of a bag's folder, or what a single bag file tells of itself.

    Raises:
        RuntimeError: There is no bag.
    """
    path = Path(uri)
    if (path / FILE_NAME).is_file():
        text = (path / FILE_NAME).read_text(encoding='utf-8', errors='replace')
        metadata = metadata_from_yaml(text)
        files = [path / name for name in metadata.relative_file_paths]
        metadata.bag_size = sum(file.stat().st_size for file in files if file.is_file())
        return metadata
    if path.is_dir():
        raise RuntimeError(
            f"bag '{uri}' has no {FILE_NAME}: its writer did not end; open its file instead: "
            f'{", ".join(str(file) for file in sorted(path.glob("*.mcap"))) or "there is none"}'
        )
    file = open_file(path)
    metadata = describe(path.name, file.topics, file.counts, file.start_ns, file.end_ns)
    metadata.storage_identifier, metadata.bag_size = file.storage_id, path.stat().st_size
    return metadata


def describe(
    path: str, topics: list[TopicMetadata], counts: dict[str, int], start_ns: int, end_ns: int
) -> BagMetadata:
    """Makes the metadata of a bag of one file.

    Args:
        path: Name of the file.
        topics: Its topics.
        counts: Messages per topic name.
        start_ns: Time of the first message.
        end_ns: Time of the last message.
    """
    span = {
        'starting_time': Time(nanoseconds=start_ns, clock_type=ClockType.ROS_TIME),
        'duration': Duration(nanoseconds=end_ns - start_ns),
    }
    total = sum(counts.values())
    return BagMetadata(
        relative_file_paths=[path],
        files=[FileInformation(path=path, message_count=total, **span)],
        message_count=total,
        topics_with_message_count=[TopicInformation(t, counts.get(t.name, 0)) for t in topics],
        **span,
    )


class Info:
    """Tells what a bag holds."""

    def read_metadata(self, uri: str, storage_id: str = '') -> BagMetadata:
        """Returns the metadata of a bag's folder or file."""
        return read_metadata(uri)


class MetadataIo:
    """Reads and writes metadata.yaml in a bag's folder."""

    def metadata_file_exists(self, uri: str) -> bool:
        """Returns whether the folder holds metadata.yaml."""
        return (Path(uri) / FILE_NAME).is_file()

    def read_metadata(self, uri: str) -> BagMetadata:
        """Returns the metadata of a bag's folder."""
        return read_metadata(uri)

    def write_metadata(self, uri: str, metadata: BagMetadata) -> None:
        """Writes metadata.yaml."""
        (Path(uri) / FILE_NAME).write_text(metadata_to_yaml(metadata), encoding='utf-8')

    serialize_metadata = staticmethod(serialize_metadata)
    deserialize_metadata = staticmethod(metadata_from_yaml)
