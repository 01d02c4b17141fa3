# SPDX-License-Identifier: Apache-2.0
"""The card of an episode: what it shows, who showed it, how it ended, and what was recorded."""

from __future__ import annotations

import dataclasses
import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from g1_il import __version__
from g1_il.errors import ConfigError

CARD_NAME = 'episode.yaml'
FORMAT = 1
OUTCOMES = ('success', 'failure', 'unknown')


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCard:
    """What was recorded of one topic.

    Attributes:
        type: Message type, e.g. sensor_msgs/msg/JointState.
        messages: Messages in the file.
        rate_hz: Mean rate between first and last stamp [Hz]; NaN below two messages.
        gaps: Intervals longer than 1.5 times the median interval.
        longest_gap_s: Longest interval between two stamps [s]; NaN below two messages.
        dropped: Messages known to be lost between the publisher and the file.
    """

    type: str
    messages: int
    rate_hz: float
    gaps: int
    longest_gap_s: float
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeCard:
    """The card.

    Attributes:
        episode_id: Never used twice.
        task: Instruction in words.
        operator: Who showed it.
        outcome: success, failure, or unknown (nobody said).
        notes: What the operator remarked.
        recorded_at: Wall clock at the start, ISO 8601 in UTC.
        start_ns: Start on the clock of the stamps [ns].
        end_ns: End on the clock of the stamps [ns]; start_ns while it is being recorded.
        software: Version of this package and its revision.
        recovered: It was rescued from a recorder that was killed.
        warnings: What was wrong while recording.
        topics: By topic name.
    """

    episode_id: str
    task: str
    operator: str
    outcome: str
    notes: str = ''
    recorded_at: str
    start_ns: int
    end_ns: int
    software: dict[str, str]
    recovered: bool = False
    warnings: tuple[str, ...] = ()
    topics: dict[str, TopicCard] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ConfigError(
                f'episode {self.episode_id}: outcome {self.outcome!r}; allowed: '
                f'{", ".join(OUTCOMES)}'
            )

    @property
    def duration_s(self) -> float:
        """From start to end [s]."""
        return (self.end_ns - self.start_ns) / 1e9

    def save(self, folder: Path) -> None:
        """Writes the card into the episode's folder, whole or not at all."""
        content: dict[str, Any] = {'format': FORMAT, **dataclasses.asdict(self)}
        content['warnings'] = list(self.warnings)
        content['duration_s'] = self.duration_s
        path = folder / CARD_NAME
        partial = path.with_suffix('.partial')
        with open(partial, 'w', encoding='utf-8') as stream:
            yaml.safe_dump(content, stream, sort_keys=False, allow_unicode=True)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)


def load_card(folder: Path) -> EpisodeCard:
    """Reads an episode's card.

    Raises:
        ConfigError: There is none, or it is not one that this version reads.
    """
    path = folder / CARD_NAME
    try:
        content = yaml.load(path.read_text(encoding='utf-8'), Loader=_LOADER)
        if not isinstance(content, dict) or 'format' not in content:
            raise ConfigError(
                f'{path} is not an episode card: it has no format; restore it, or leave the '
                'episode out'
            )
        if content.pop('format') != FORMAT:
            raise ConfigError(f'{path} is of another format; this version reads format {FORMAT}')
        content.pop('duration_s', None)
        content['warnings'] = tuple(content['warnings'])
        content['topics'] = {k: TopicCard(**v) for k, v in content['topics'].items()}
        return EpisodeCard(**content)
    except FileNotFoundError as error:
        raise ConfigError(
            f'{folder} has no {CARD_NAME}: it is not an episode of this recorder'
        ) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split()) or repr(error)
        raise ConfigError(
            f'{path} is not an episode card: {reason}; restore it, or leave the episode out'
        ) from error


@functools.cache
def software_version() -> dict[str, str]:
    """Version of this package, and the revision of its checkout when it runs from one."""
    root = Path(__file__).resolve().parents[2]
    version = {'g1_il': __version__}
    if (root / '.git').exists():
        command = ['git', '-C', str(root), 'rev-parse', 'HEAD']
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            return version
        if result.returncode == 0:
            version['revision'] = result.stdout.strip()
    return version


_LOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
