# SPDX-License-Identifier: Apache-2.0
"""SequentialWriter: writes a bag of one MCAP file."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import yaml
from embedded_ros.definitions import DefinitionError
from embedded_ros.type_hash import type_hash
from mcap.writer import CompressionType, Writer

from .metadata import FILE_NAME, describe, metadata_to_yaml, serialize_metadata
from .options import (
    BagMetadata,
    ConverterOptions,
    StorageOptions,
    TopicMetadata,
    qos_to_dicts,
)
from .schema import schema_text

_MIB = 1024 * 1024
_CHUNKS = {'use_chunking': True, 'chunk_size': 3 * _MIB // 4, 'compression': CompressionType.NONE}
_PRESETS: dict[str, dict[str, Any]] = {
    '': _CHUNKS,
    'none': _CHUNKS,
    'fastwrite': {
        'use_chunking': False, 'compression': CompressionType.NONE, 'enable_crcs': False,
    },
    'zstd_fast': {**_CHUNKS, 'compression': CompressionType.ZSTD, 'enable_crcs': False},
    'zstd_small': {**_CHUNKS, 'compression': CompressionType.ZSTD, 'chunk_size': 4 * _MIB},
}  # fmt: skip
# A chunk is written at the latest this long after its first message, so that a killed process
# loses no more than that.
_LONGEST_CHUNK_S = 0.4


class SequentialWriter:
    """Writes `<uri>/<name>_0.mcap`, and on close `<uri>/metadata.yaml`."""

    def __init__(self) -> None:
        self._writer: Writer | None = None

    def open(
        self, storage_options: StorageOptions, converter_options: ConverterOptions | None = None
    ) -> None:
        """Makes the bag's folder and file.

        Raises:
            RuntimeError: The folder exists.
            ValueError: An option has a value that is not offered.
        """
        self._check(storage_options, converter_options or ConverterOptions())
        self._folder = Path(storage_options.uri)
        try:
            self._folder.mkdir(parents=True)
        except FileExistsError:
            raise RuntimeError(
                f"bag '{self._folder}' exists already and is not overwritten: choose another uri"
            ) from None
        self.path = self._folder / f'{self._folder.name}_0.mcap'
        self._stream = self.path.open('wb')
        preset = _PRESETS[storage_options.storage_preset_profile]
        self._chunked = preset['use_chunking']
        self._custom_data = storage_options.custom_data
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._topics: list[TopicMetadata] = []
        self._counts: dict[str, int] = {}
        self._start_ns, self._end_ns = 2**63 - 1, 0
        self._last_flush_s = time.monotonic()
        self._writer = Writer(self._stream, **preset)
        self._writer.start(profile='ros2', library='g1-il-embedded-ros')
        # As rosbag2 does: a file that was not closed still says which version's QoS it holds.
        self._add_metadata(self._writer)
        self._stream.flush()

    @staticmethod
    def _check(storage: StorageOptions, converter: ConverterOptions) -> None:
        not_offered: dict[str, tuple[Any, tuple[Any, ...]]] = {
            'storage_id': (storage.storage_id, ('', 'mcap')),
            'storage_preset_profile': (storage.storage_preset_profile, tuple(_PRESETS)),
            'storage_config_uri': (storage.storage_config_uri, ('',)),
            'max_bagfile_size': (storage.max_bagfile_size, (0,)),
            'max_bagfile_duration': (storage.max_bagfile_duration, (0,)),
            'snapshot_mode': (storage.snapshot_mode, (False,)),
            'output_serialization_format': (converter.output_serialization_format, ('', 'cdr')),
        }
        for name, (value, allowed) in not_offered.items():
            if value not in allowed:
                raise ValueError(
                    f'rosbag2_py of the embedded ROS runtime: {name} is {value!r}, '
                    f'allowed: {", ".join(repr(i) for i in allowed)}'
                )

    def create_topic(self, topic: TopicMetadata) -> None:
        """Adds a topic; its definition and type hash are looked up when they are not given.

        Raises:
            RuntimeError: No bag is open.
        """
        writer = self._open_writer()
        if topic.name in self._channels:
            return
        text, known_hash = '', ''
        with contextlib.suppress(DefinitionError, ValueError):
            text, known_hash = schema_text(topic.type), type_hash(topic.type)
        topic.type_description_hash = topic.type_description_hash or known_hash
        if topic.type not in self._schemas:
            encoding = 'ros2msg' if text else ''
            self._schemas[topic.type] = writer.register_schema(
                name=topic.type, encoding=encoding, data=text.encode()
            )
        self._channels[topic.name] = writer.register_channel(
            topic=topic.name,
            message_encoding='cdr',
            schema_id=self._schemas[topic.type],
            metadata={
                'offered_qos_profiles': yaml.safe_dump(
                    qos_to_dicts(topic.offered_qos_profiles), sort_keys=False
                ),
                'topic_type_hash': topic.type_description_hash,
            },
        )
        self._topics.append(topic)
        self._counts[topic.name] = 0
        writer.flush()

    def remove_topic(self, topic: TopicMetadata) -> None:
        """Is not offered: a topic stays in the file."""
        raise NotImplementedError(
            'SequentialWriter.remove_topic is not offered by the embedded ROS runtime'
        )

    def write(
        self,
        topic_name: str,
        message: bytes,
        time_stamp: int,
        send_timestamp: int | None = None,
        sequence_number: int = 0,
    ) -> None:
        """Writes a serialized message to the file; it survives this process being killed.

        With chunks that holds after at most 0.4 s of further messages.

        Args:
            topic_name: A topic made by `create_topic`.
            message: CDR bytes with their header, as raw subscriptions give them.
            time_stamp: When it was received [ns].
            send_timestamp: When it was sent [ns], if known.
            sequence_number: The sender's count, if known.

        Raises:
            RuntimeError: No bag is open, or the topic was not created.
        """
        writer = self._open_writer()
        channel = self._channels.get(topic_name)
        if channel is None:
            raise RuntimeError(f"topic '{topic_name}' was not created: call create_topic() first")
        writer.add_message(
            channel_id=channel,
            log_time=time_stamp,
            data=message if isinstance(message, bytes) else bytes(message),
            publish_time=time_stamp if send_timestamp is None else send_timestamp,
            sequence=sequence_number,
        )
        self._counts[topic_name] += 1
        self._start_ns = min(self._start_ns, time_stamp)
        self._end_ns = max(self._end_ns, time_stamp)
        if not self._chunked:
            self._stream.flush()
        elif time.monotonic() - self._last_flush_s > _LONGEST_CHUNK_S:
            writer.flush()
            self._last_flush_s = time.monotonic()

    def close(self) -> None:
        """Writes the index and metadata.yaml; a second call does nothing."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.flush()
        metadata = self._add_metadata(writer)
        writer.finish()
        self._stream.close()
        (self._folder / FILE_NAME).write_text(metadata_to_yaml(metadata), encoding='utf-8')

    def _add_metadata(self, writer: Writer) -> BagMetadata:
        """Puts what is known of the bag so far into the file, too, and returns it."""
        start_ns = min(self._start_ns, self._end_ns)
        metadata = describe(self.path.name, self._topics, self._counts, start_ns, self._end_ns)
        metadata.custom_data = self._custom_data
        metadata.ros_distro = os.environ.get('ROS_DISTRO', 'jazzy')
        writer.add_metadata('rosbag2', {'serialized_metadata': serialize_metadata(metadata)})
        return metadata

    def __del__(self) -> None:
        self.close()

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise RuntimeError('no bag is open: call open() first')
        return self._writer
