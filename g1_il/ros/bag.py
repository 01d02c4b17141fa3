# SPDX-License-Identifier: Apache-2.0
"""Episodes as rosbag2 bags: written message by message, read back as stamped streams."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rosbag2_py

from g1_il.episodes import folder as folders
from g1_il.episodes.card import EpisodeCard, software_version
from g1_il.episodes.finish import finish
from g1_il.episodes.mcap_file import promised_messages
from g1_il.errors import ConfigError
from g1_il.ros import cdr


@dataclass(frozen=True, slots=True, kw_only=True)
class BagTopic:
    """A topic of a bag and its serialized messages, in the order of receipt.

    Attributes:
        name: Topic name, with its leading slash.
        type: Message type, e.g. sensor_msgs/msg/JointState.
        stamp_ns: The headers' stamps, or the times of receipt where there is no header [ns],
            shape (N,).
        receive_ns: Times of receipt [ns], shape (N,).
        data: The messages.
    """

    name: str
    type: str
    stamp_ns: npt.NDArray[np.int64]
    receive_ns: npt.NDArray[np.int64]
    data: tuple[bytes, ...]


class EpisodeWriter:
    """Writes one episode into `<root>/<task>/<episode id>.active/` and completes it on close.

    Every message is written at once, without chunks, and the file is brought onto the disk
    every `fsync_period_s`: a kill costs nothing that was written, a power cut the last period.
    Not for several threads at a time.

    Attributes:
        episode_id: The episode's id.
        folder: Where it is while it is recorded.
        messages: Messages written.
    """

    def __init__(
        self,
        root: Path,
        *,
        task: str,
        operator: str,
        start_ns: int,
        notes: str = '',
        topics: Mapping[str, str] | None = None,
        episode_id: str | None = None,
        fsync_period_s: float = 2.0,
    ) -> None:
        """Opens the episode.

        Args:
            root: Folder of all episodes; made if need be.
            task: Instruction in words.
            operator: Who shows it.
            start_ns: Start, on the clock of the stamps [ns].
            notes: Remarks.
            topics: Message type by topic name; more can come with add_topic.
            episode_id: Its id; made from the wall clock when None.
            fsync_period_s: Longest time between two syncs of the file [s]; 0: only at the end.

        Raises:
            ConfigError: The id was used before, or the folder cannot be written.
        """
        now = datetime.now(timezone.utc)
        self.episode_id = episode_id or folders.new_episode_id(root, now)
        if episode_id is not None and folders.is_used(root, episode_id):
            raise ConfigError(f'episode id {episode_id} was used before in {root}; choose another')
        self.root = root
        self.folder = root / folders.task_folder(task) / (self.episode_id + folders.ACTIVE)
        self.messages = 0
        self._dropped: dict[str, int] = {}
        self._topics: dict[str, str] = {}
        self._card = EpisodeCard(
            episode_id=self.episode_id,
            task=task,
            operator=operator,
            outcome='unknown',
            notes=notes,
            recorded_at=now.isoformat(timespec='milliseconds'),
            start_ns=start_ns,
            end_ns=start_ns,
            software=software_version(),
        )
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._writer: Any = _open_writer(self.folder)
            self._lock = folders.FolderLock(self.folder)
            self._card.save(self.folder)
        except (OSError, RuntimeError) as error:
            raise ConfigError(f'episodes cannot be written to {root}: {error}') from error
        self._fsync_period_s = fsync_period_s
        self._synced_s = time.monotonic()
        for name, type_name in (topics or {}).items():
            self.add_topic(name, type_name)

    def add_topic(self, name: str, type_name: str) -> None:
        """Declares a topic; one that is declared already stays."""
        name = '/' + name.lstrip('/')
        if name not in self._topics:
            self._writer.create_topic(_topic_metadata(name, type_name))
            self._topics[name] = type_name

    def write(self, topic: str, data: bytes, receive_ns: int) -> None:
        """Writes one serialized message.

        Args:
            topic: A topic that was declared.
            data: The message, serialized as CDR.
            receive_ns: Time of receipt [ns].

        Raises:
            ConfigError: The topic was not declared.
        """
        name = topic if topic.startswith('/') else '/' + topic
        if name not in self._topics:
            raise ConfigError(f'topic {name} is not declared; declared: {sorted(self._topics)}')
        self._writer.write(name, data, receive_ns)
        self.messages += 1
        if self._fsync_period_s and time.monotonic() - self._synced_s >= self._fsync_period_s:
            self.sync()

    def note_dropped(self, topic: str, count: int) -> None:
        """Says how many messages of a topic were lost so far."""
        self._dropped['/' + topic.lstrip('/')] = count

    def warn(self, warning: str) -> None:
        """Puts a warning on the card."""
        self._card = replace(self._card, warnings=(*self._card.warnings, warning))

    def sync(self) -> None:
        """Brings what is in the file onto the disk."""
        for file in self.folder.glob('*.mcap'):
            folders.sync_path(file)
        self._synced_s = time.monotonic()

    @property
    def size(self) -> int:
        """Bytes in the file so far."""
        return sum(file.stat().st_size for file in self.folder.glob('*.mcap'))

    def close(self, outcome: str, *, end_ns: int, notes: str = '') -> Path:
        """Ends and completes the episode.

        Args:
            outcome: success, failure, or unknown.
            end_ns: End, on the clock of the stamps [ns].
            notes: Further remarks.

        Returns:
            The folder under its final name.
        """
        self._end()
        both = '; '.join(text for text in (self._card.notes, notes) if text)
        card = replace(self._card, outcome=outcome, end_ns=end_ns, notes=both)
        try:
            complete, _ = finish(self.folder, card, dropped=self._dropped)
        finally:
            self._lock.release()
        return complete

    def discard(self) -> Path:
        """Ends the episode and moves it to the trash; returns where it is there."""
        self._end()
        try:
            return folders.move_to_trash(self.root, self.folder, self.episode_id)
        finally:
            self._lock.release()

    def _end(self) -> None:
        close = getattr(self._writer, 'close', None)
        if close is not None:
            close()
        # Humble's writer has no close(): it ends with its last reference.
        self._writer = None


def read_bag(folder: Path) -> dict[str, BagTopic]:
    """Reads an episode's messages, undecoded, by topic.

    Raises:
        ConfigError: It is not a bag that can be read.
    """
    names: dict[str, str] = {}
    stamps: dict[str, list[int]] = {}
    data: dict[str, list[bytes]] = {}
    try:
        for name, type_name, message, receive_ns in _messages(folder):
            names.setdefault(name, type_name)
            stamps.setdefault(name, []).append(receive_ns)
            data.setdefault(name, []).append(message)
        return {
            name: _bag_topic(name, type_name, stamps[name], data[name])
            for name, type_name in names.items()
        }
    except (OSError, RuntimeError, ValueError, KeyError, OverflowError) as error:
        raise ConfigError(
            f'{folder} cannot be read as a bag: {error}; restore it from a copy, or leave it out'
        ) from error


def has_header(type_name: str) -> bool:
    """Whether messages of a type begin with a header."""
    fields = message_class(type_name).get_fields_and_field_types()
    return next(iter(fields.values()), '') == 'std_msgs/Header'


def message_class(type_name: str) -> Any:
    """The class of a message type such as sensor_msgs/msg/JointState.

    Raises:
        ConfigError: There is no such type here.
    """
    package, _, name = type_name.replace('/msg/', '/').partition('/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f'message type {type_name} is not known here; install or build {package}'
        ) from error


def _bag_topic(name: str, type_name: str, receive_ns: list[int], data: list[bytes]) -> BagTopic:
    received = np.array(receive_ns, dtype=np.int64)
    stamp_ns = received
    if has_header(type_name):
        stamp_ns = np.array([cdr.header_stamp_ns(item) for item in data], dtype=np.int64)
    return BagTopic(
        name=name, type=type_name, stamp_ns=stamp_ns, receive_ns=received, data=tuple(data)
    )


def _messages(folder: Path) -> Iterator[tuple[str, str, bytes, int]]:
    reader = rosbag2_py.SequentialReader()
    reader.open(
        rosbag2_py.StorageOptions(uri=os.fspath(folder), storage_id='mcap'), _converter_options()
    )
    types = {topic.name: topic.type for topic in reader.get_all_topics_and_types()}
    promised, count = promised_messages(folder), 0
    while reader.has_next():
        name, message, receive_ns = reader.read_next()
        count += 1
        yield name, types[name], bytes(message), int(receive_ns)
    if count != promised:
        raise ValueError(f'it has {count} messages where its metadata promise {promised}')


def _open_writer(folder: Path) -> Any:
    writer = rosbag2_py.SequentialWriter()
    options = rosbag2_py.StorageOptions(
        uri=os.fspath(folder), storage_id='mcap', storage_preset_profile='fastwrite'
    )
    writer.open(options, _converter_options())
    return writer


def _converter_options() -> Any:
    return rosbag2_py.ConverterOptions(
        input_serialization_format='cdr', output_serialization_format='cdr'
    )


def _topic_metadata(name: str, type_name: str) -> Any:
    values = {'name': name, 'type': type_name, 'serialization_format': 'cdr'}
    try:
        return rosbag2_py.TopicMetadata(id=0, **values)
    except TypeError:  # Humble's has no id
        return rosbag2_py.TopicMetadata(**values)
