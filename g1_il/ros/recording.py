# SPDX-License-Identifier: Apache-2.0
"""One episode being recorded: a bounded queue, and the thread that empties it into the file.

Writing may stall for as long as a disk does; the callbacks never wait for it. What does not fit
into the queue is dropped and counted per topic.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

from g1_il.ros.bag import EpisodeWriter

_SPACE_CHECK_S = 1.0
# Stands for the time of receipt of what is not a message but the type of a topic.
_DECLARATION = -1


class Recording:
    """Takes messages from callbacks and writes them on a thread of its own.

    Attributes:
        writer: The episode's writer; not to be used by others before `end`.
        dropped: Messages lost, by topic.
        failure: Why nothing is written any more; empty while all is well.
    """

    def __init__(self, writer: EpisodeWriter, *, queue_bytes: int, min_free_bytes: int) -> None:
        """Starts the thread.

        Args:
            writer: The episode's writer.
            queue_bytes: Messages beyond this are dropped [bytes].
            min_free_bytes: Writing ends when less than this, and as much as the file has (the
                room to index it), is free on the disk [bytes].
        """
        self.writer = writer
        self.dropped: Counter[str] = Counter()
        self.failure = ''
        self._queue_bytes = queue_bytes
        self._min_free_bytes = min_free_bytes
        self._queue: deque[tuple[str, Any, int]] = deque()
        self._waiting_bytes = 0
        self._ready = threading.Condition()
        self._ending = False
        self._warnings: list[str] = []
        self._space_checked_s = 0.0
        self._thread = threading.Thread(target=self._run, name='episode-writer', daemon=True)
        self._thread.start()

    @property
    def messages(self) -> int:
        """Messages written so far."""
        return self.writer.messages

    def offer(self, topic: str, data: bytes, receive_ns: int) -> bool:
        """Hands over a message; False when it was dropped."""
        with self._ready:
            full = self._waiting_bytes + len(data) > self._queue_bytes
            if full or self.failure or self._ending:
                self.dropped[topic] += 1
                return False
            self._queue.append((topic, data, receive_ns))
            self._waiting_bytes += len(data)
            self._ready.notify()
        return True

    def declare(self, topic: str, type_name: str) -> None:
        """Announces a topic that appeared while recording; before its first message."""
        with self._ready:
            self._queue.append((topic, type_name, _DECLARATION))
            self._ready.notify()

    def note_lost(self, topic: str, count: int) -> None:
        """Counts messages that never reached the callback."""
        with self._ready:
            self.dropped[topic] += count

    def warn(self, warning: str) -> None:
        """Puts a warning on the card, once."""
        self._warnings.append(warning)

    def close(self, outcome: str, *, end_ns: int, notes: str = '') -> Path:
        """Writes what waits, completes the episode, returns its folder."""
        self._end()
        for topic, count in self.dropped.items():
            self.writer.note_dropped(topic, count)
        for warning in dict.fromkeys([*self._warnings, *([self.failure] if self.failure else [])]):
            self.writer.warn(warning)
        return self.writer.close(outcome, end_ns=end_ns, notes=notes)

    def discard(self) -> Path:
        """Moves the episode to the trash; returns where it is there."""
        self._end()
        return self.writer.discard()

    def _end(self) -> None:
        with self._ready:
            self._ending = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._queue and not self._ending:
                    self._ready.wait()
                if not self._queue:
                    return
                batch = list(self._queue)
                self._queue.clear()
            for place, (topic, data, receive_ns) in enumerate(batch):
                try:
                    if receive_ns == _DECLARATION:
                        self.writer.add_topic(topic, data)
                        continue
                    self._check_space()
                    self.writer.write(topic, data, receive_ns)
                except (OSError, RuntimeError, ValueError) as error:
                    self._fail(f'recording ended early: {error}', batch[place:])
                    return
                with self._ready:
                    self._waiting_bytes -= len(data)

    def _check_space(self) -> None:
        now_s = time.monotonic()
        if now_s - self._space_checked_s < _SPACE_CHECK_S:
            return
        self._space_checked_s = now_s
        free = shutil.disk_usage(self.writer.folder).free
        if free < self._min_free_bytes + self.writer.size:
            raise OSError(f'the disk is nearly full, {free / 1e6:.0f} MB are free')

    def _fail(self, reason: str, lost: list[tuple[str, Any, int]]) -> None:
        with self._ready:
            self.failure = reason
            both = [*lost, *self._queue]
            self.dropped.update(topic for topic, _, kind in both if kind != _DECLARATION)
            self._queue.clear()
