# SPDX-License-Identifier: Apache-2.0
"""Files of bags, for reading: MCAP (complete, or torn by a kill) and sqlite3."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Channel, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader

from .options import TopicMetadata

# topic, serialized message, time it was received at [ns]
BagMessage = tuple[str, bytes, int]


class BagFile:
    """What a file of a bag tells: topics, counts and times, and its messages in order."""

    storage_id = ''

    def __init__(self, path: Path) -> None:
        self.path = path
        self.topics: list[TopicMetadata] = []
        self.counts: dict[str, int] = {}
        self.start_ns = self.end_ns = 0

    def messages(self, topics: Collection[str], start_ns: int) -> Iterator[BagMessage]:
        """Yields the messages of these topics, from a time on."""
        raise NotImplementedError


_MAGIC = b'\x89MCAP0\r\n'
# What mcap raises where the bytes are not what they should be.
_DAMAGE = (McapError, struct.error, KeyError, IndexError, OverflowError, ValueError)


class McapFile(BagFile):
    """An MCAP file. With an index it is read in order of time, else from begin to end."""

    storage_id = 'mcap'

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._indexed = False
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}
        try:
            with path.open('rb') as stream:
                summary = make_reader(stream).get_summary()
        except _DAMAGE:
            summary = None
        if summary is not None and summary.statistics is not None:
            statistics = summary.statistics
            schemas, channels = summary.schemas, summary.channels
            self._indexed = bool(summary.chunk_indexes)
            self.start_ns, self.end_ns = statistics.message_start_time, statistics.message_end_time
            counts = statistics.channel_message_counts
        else:
            counts, times = {}, []
            for record in self._records():
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message):
                    counts[record.channel_id] = counts.get(record.channel_id, 0) + 1
                    times.append(record.log_time)
            self.start_ns, self.end_ns = min(times, default=0), max(times, default=0)
        self._channels = channels
        self.counts = {channel.topic: counts.get(id_, 0) for id_, channel in channels.items()}
        self.topics = [
            TopicMetadata(
                id=channel.id,
                name=channel.topic,
                type=schemas[channel.schema_id].name,
                serialization_format=channel.message_encoding,
                offered_qos_profiles=channel.metadata.get('offered_qos_profiles', ''),
                type_description_hash=channel.metadata.get('topic_type_hash', ''),
            )
            for channel in channels.values()
        ]

    def messages(self, topics: Collection[str], start_ns: int) -> Iterator[BagMessage]:
        if self._indexed:
            try:
                with self.path.open('rb') as stream:
                    found = make_reader(stream).iter_messages(
                        topics=list(topics), starting_at=start_ns
                    )
                    for _, channel, message in found:
                        yield channel.topic, message.data, message.log_time
            except _DAMAGE as error:
                raise RuntimeError(f"bag file '{self.path}' is damaged: {error!r}") from error
            return
        names = {id_: channel.topic for id_, channel in self._channels.items()}
        for record in self._records():
            if isinstance(record, Message) and record.log_time >= start_ns:
                topic = names[record.channel_id]
                if topic in topics:
                    yield topic, record.data, record.log_time

    def _records(self) -> Iterator[McapRecord]:
        # The tail of a file whose writer was killed is torn: what comes before it counts.
        with self.path.open('rb') as stream, contextlib.suppress(*_DAMAGE):
            yield from StreamReader(stream, record_size_limit=self.path.stat().st_size).records


class Sqlite3File(BagFile):
    """A bag file of ROS 2's sqlite3 storage."""

    storage_id = 'sqlite3'

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._open() as database:
            rows = database.execute('SELECT id, name, type, serialization_format FROM topics')
            self.topics = [TopicMetadata(*row) for row in rows]
            self.counts = dict(
                database.execute(
                    'SELECT name, COUNT(messages.id) FROM topics LEFT JOIN messages '
                    'ON messages.topic_id = topics.id GROUP BY topics.id'
                )
            )
            span = database.execute('SELECT MIN(timestamp), MAX(timestamp) FROM messages')
            self.start_ns, self.end_ns = (value or 0 for value in span.fetchone())

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(
            sqlite3.connect(f'file:{self.path}?mode=ro', uri=True)
        ) as database:
            yield database

    def messages(self, topics: Collection[str], start_ns: int) -> Iterator[BagMessage]:
        with self._open() as database:
            for name, data, time_ns in database.execute(
                'SELECT name, data, timestamp FROM messages JOIN topics '
                'ON messages.topic_id = topics.id WHERE timestamp >= ? ORDER BY timestamp',
                (start_ns,),
            ):
                if name in topics:
                    yield name, data, time_ns


_KINDS: dict[str, type[BagFile]] = {'.mcap': McapFile, '.db3': Sqlite3File}


def open_file(path: Path) -> BagFile:
    """Opens a file of a bag.

    Raises:
        RuntimeError: It does not exist, or is no bag file.
    """
    if not path.is_file():
        raise RuntimeError(f"bag file '{path}' does not exist")
    kind = _KINDS.get(path.suffix)
    if kind is None:
        raise RuntimeError(f"bag file '{path}' has suffix {path.suffix!r}, allowed: .mcap, .db3")
    if kind is McapFile and path.stat().st_size:
        with path.open('rb') as stream:
            if not _MAGIC.startswith(stream.read(len(_MAGIC))):
                raise RuntimeError(f"bag file '{path}' is no MCAP file")
    try:
        return kind(path)
    except (sqlite3.Error, KeyError) as error:
        raise RuntimeError(f"bag file '{path}' cannot be read: {error}") from error
