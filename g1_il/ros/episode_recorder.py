# SPDX-License-Identifier: Apache-2.0
"""Starts and ends recordings of what a set of topics brings, and says how it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from g1_il.episodes.recorder_config import RecorderConfig
from g1_il.errors import ConfigError
from g1_il.msg import EpisodeStatus
from g1_il.ros.bag import EpisodeWriter
from g1_il.ros.messages import ns_to_stamp
from g1_il.ros.raw_topics import RawTopic
from g1_il.ros.recording import Recording

OUTCOMES = ('success', 'failure', 'discard')
_SILENCE_S = 1.0


class EpisodeRecorder:
    """At most one recording at a time.

    Args:
        root: Folder of the episodes.
        config: What the recorder was told.
        on_change: Called with a state of EpisodeStatus when it changes.

    Attributes:
        topics: What is listened to; given by the node when it has subscribed.
        saved: Episodes completed.
    """

    def __init__(
        self, root: Path, config: RecorderConfig, on_change: Callable[[int], None]
    ) -> None:
        self.topics: list[RawTopic] = []
        self.saved = 0
        self._root = root
        self._config = config
        self._on_change = on_change
        self._recording: Recording | None = None
        self._declared: set[str] = set()
        self._task, self._start_ns, self._warning = '', 0, ''

    @property
    def is_recording(self) -> bool:
        """Whether an episode is being recorded."""
        return self._recording is not None

    @property
    def failure(self) -> str:
        """Why the recording in progress cannot go on; empty when it can."""
        return self._recording.failure if self._recording else ''

    def take(self, topic: RawTopic, data: bytes, receive_ns: int) -> None:
        """Records a message, if an episode is being recorded."""
        if self._recording is None:
            return
        if topic.resolved not in self._declared:
            self._recording.declare(topic.resolved, topic.type)
            self._declared.add(topic.resolved)
        self._recording.offer(topic.resolved, data, receive_ns)

    def note_lost(self, topic: RawTopic, count: int) -> None:
        """Counts messages that did not arrive, if an episode is being recorded."""
        if self._recording is not None:
            self._recording.note_lost(topic.resolved, count)

    def start(self, task: str, operator: str, notes: str, now_ns: int) -> tuple[bool, str, str]:
        """Starts an episode.

        Args:
            task: Instruction in words; empty: the configured one.
            operator: Who shows it.
            notes: Remarks.
            now_ns: The time on the clock of the stamps [ns].

        Returns:
            Whether it began, a sentence, and the episode's id.
        """
        task = task.strip() or self._config.task.strip()
        refusal = self._refusal(task, now_ns)
        if refusal:
            return False, refusal, ''
        known = [topic for topic in self.topics if topic.type]
        try:
            writer = EpisodeWriter(
                self._root,
                task=task,
                operator=operator,
                notes=notes,
                start_ns=now_ns,
                topics={topic.resolved: topic.type for topic in known},
                fsync_period_s=self._config.fsync_period_s,
            )
        except ConfigError as error:
            return False, str(error), ''
        self._recording = Recording(
            writer,
            queue_bytes=round(self._config.queue_mb * 1e6),
            min_free_bytes=round(self._config.min_free_mb * 1e6),
        )
        self._declared = {topic.resolved for topic in known}
        self._task, self._start_ns, self._warning = task, now_ns, ''
        for topic in known:
            if topic.latched is not None:
                self._recording.offer(topic.resolved, topic.latched, now_ns)
        self._on_change(EpisodeStatus.RECORDING)
        return True, f'recording {writer.episode_id}', writer.episode_id

    def stop(self, outcome: str, notes: str, now_ns: int) -> tuple[bool, str, str]:
        """Ends the episode as the operator says.

        Returns:
            Whether it is saved (or discarded), a sentence, and its folder.
        """
        if self._recording is None:
            return False, 'no episode is being recorded', ''
        if outcome not in OUTCOMES:
            allowed = ', '.join(OUTCOMES)
            return False, f'outcome {outcome!r}; allowed: {allowed}; recording goes on', ''
        return self.save(outcome, notes, now_ns)

    def save(
        self, outcome: str, notes: str, now_ns: int, *, warning: str = ''
    ) -> tuple[bool, str, str]:
        """Ends the episode with any outcome, also unknown; see `stop`."""
        recording, self._recording = self._recording, None
        assert recording is not None
        self._warning = warning or recording.failure
        if warning:
            recording.warn(warning)
        self._on_change(EpisodeStatus.SAVING)
        try:
            if outcome == 'discard':
                path, done = str(recording.discard()), True
            else:
                path = str(recording.close(outcome, end_ns=now_ns, notes=notes))
                done = True
                self.saved += 1
        except (OSError, RuntimeError, ConfigError) as error:
            path, done = '', False
            folder = recording.writer.folder
            self._warning = f'{folder} is not complete: {error}; g1-il recover completes it'
        self._task = ''
        self._on_change(EpisodeStatus.IDLE)
        return done, self._warning or f'{outcome}: {path}', path

    def status(self, state: int, now_ns: int) -> EpisodeStatus:
        """What the recorder does, as a message."""
        msg = EpisodeStatus(state=state, task=self._task, episodes_saved=self.saved)
        msg.header.stamp = ns_to_stamp(now_ns)
        msg.topic = [topic.name for topic in self.topics]
        msg.rate = [float(topic.rate.rate_hz(now_ns)) for topic in self.topics]
        msg.warning = '; '.join(self._warnings(now_ns))
        if self._recording is not None:
            msg.episode_id = self._recording.writer.episode_id
            msg.duration = (now_ns - self._start_ns) / 1e9
            msg.messages = self._recording.messages
            msg.dropped = sum(self._recording.dropped.values())
        return msg

    def _refusal(self, task: str, now_ns: int) -> str:
        if self._recording is not None:
            return f'episode {self._recording.writer.episode_id} is being recorded; stop it first'
        if not task:
            return 'an episode needs a task in words: parameter task of the keyboard or recorder'
        silent = self._silent(now_ns)
        if silent:
            return f'nothing arrives on {", ".join(silent)}; start what publishes it'
        return ''

    def _silent(self, now_ns: int) -> list[str]:
        """Required topics that bring nothing."""
        return [
            topic.name
            for topic in self.topics
            if topic.name in self._config.required
            and not topic.rate.silence_s(now_ns) < _SILENCE_S
        ]

    def _warnings(self, now_ns: int) -> list[str]:
        found = [topic.problem for topic in self.topics if topic.problem]
        found += [f'{name}: nothing arrives' for name in self._silent(now_ns)]
        if self._recording is not None and self._recording.dropped:
            found.append(f'{sum(self._recording.dropped.values())} messages lost')
        return found + ([self._warning] if self._warning else [])
