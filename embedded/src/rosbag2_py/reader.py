# SPDX-License-Identifier: Apache-2.0
"""SequentialReader: gives the messages of a bag one by one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from .files import BagFile, BagMessage, open_file
from .metadata import read_metadata
from .options import BagMetadata, ConverterOptions, StorageFilter, StorageOptions, TopicMetadata


class SequentialReader:
    """Reads a bag: a folder with metadata.yaml, or one file of it."""

    def __init__(self) -> None:
        self._files: list[BagFile] = []
        self._topics: list[TopicMetadata] = []
        self._metadata: BagMetadata | None = None
        self._filter = StorageFilter()
        self._start_ns = 0
        self._messages: Iterator[BagMessage] | None = None
        self._next: BagMessage | None = None

    def open(
        self, storage_options: StorageOptions, converter_options: ConverterOptions | None = None
    ) -> None:
        """Opens a bag.

        Raises:
            RuntimeError: There is no bag, or it cannot be read.
        """
        path = Path(storage_options.uri)
        self._metadata = read_metadata(storage_options.uri)
        names = self._metadata.relative_file_paths
        self._files = [open_file(path / name if path.is_dir() else path) for name in names]
        topics = {topic.name: topic for file in self._files for topic in file.topics}
        self._topics = list(topics.values())
        self._start_ns = 0
        self.reset_filter()

    def open_uri(self, uri: str) -> None:
        """Opens a bag by its path."""
        self.open(StorageOptions(uri=uri))

    def close(self) -> None:
        """Ends reading."""
        self._files, self._messages, self._next = [], None, None

    def get_all_topics_and_types(self) -> list[TopicMetadata]:
        """Returns the topics of the bag."""
        return list(self._topics)

    def get_metadata(self) -> BagMetadata:
        """Returns what metadata.yaml says."""
        if self._metadata is None:
            raise RuntimeError('no bag is open: call open() first')
        return self._metadata

    def set_filter(self, storage_filter: StorageFilter) -> None:
        """Reads the topics of this filter only, from the next message on."""
        self._filter = storage_filter
        self._restart()

    def reset_filter(self) -> None:
        """Reads all topics."""
        self.set_filter(StorageFilter())

    def seek(self, timestamp: int) -> None:
        """Continues with the first message at or after this time [ns]."""
        self._start_ns = timestamp
        self._restart()

    def has_next(self) -> bool:
        """Returns whether there is another message."""
        if self._next is None and self._messages is not None:
            self._next = next(self._messages, None)
        return self._next is not None

    def read_next(self) -> BagMessage:
        """Returns (topic, serialized message, time received [ns]).

        Raises:
            RuntimeError: There is none.
        """
        if not self.has_next():
            raise RuntimeError('Bag is at end. No next message.')
        message, self._next = self._next, None
        self._start_ns = message[2]
        return message

    def _restart(self) -> None:
        wanted = {topic.name for topic in self._topics if self._is_wanted(topic.name)}
        start_ns = self._start_ns
        self._next = None
        self._messages = itertools.chain.from_iterable(
            file.messages(wanted, start_ns) for file in self._files
        )

    def _is_wanted(self, name: str) -> bool:
        chosen = self._filter
        excluded = name in chosen.exclude_topics or (
            chosen.regex_to_exclude and re.search(chosen.regex_to_exclude, name)
        )
        if excluded:
            return False
        if not chosen.topics and not chosen.regex:
            return True
        return name in chosen.topics or bool(chosen.regex and re.search(chosen.regex, name))
