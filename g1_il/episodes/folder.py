# SPDX-License-Identifier: Apache-2.0
"""Where episodes are kept: `<root>/<task>/<episode id>/`, `.active` at its end while recorded.

An episode's folder holds `metadata.yaml` and `<episode id>_0.mcap` (a rosbag2 bag) and its card.
Discarded episodes are moved to `<root>/.trash/`. Names are never used twice, not even for an
episode that was discarded.
"""

from __future__ import annotations

import fcntl
import os
import re
from datetime import datetime, timezone
from pathlib import Path

from g1_il.episodes.card import CARD_NAME
from g1_il.errors import ConfigError
from g1_il.output import FolderKind

ACTIVE = '.active'
TRASH = '.trash'
_IN_AN_EPISODE = (CARD_NAME, 'episode.partial', 'metadata.yaml', '*.mcap', '*.mcap.partial')
EPISODES = FolderKind(
    name='episodes',
    files=tuple(f'{place}*/*/{name}' for place in ('', f'{TRASH}/') for name in _IN_AN_EPISODE),
    each=CARD_NAME,
)


def task_folder(task: str) -> str:
    """A task's text as a folder name: 'put the can in' becomes put_the_can_in."""
    name = re.sub(r'[^a-z0-9]+', '_', task.lower()).strip('_')[:60].strip('_')
    return name or 'untitled'


def new_episode_id(root: Path, now: datetime) -> str:
    """An id from the time, as 20261120T101530123Z, that no episode under root has had."""
    utc = now.astimezone(timezone.utc)
    base = utc.strftime('%Y%m%dT%H%M%S') + f'{utc.microsecond // 1000:03d}Z'
    name, number = base, 1
    while is_used(root, name):
        number += 1
        name = f'{base}-{number}'
    return name


def is_used(root: Path, episode_id: str) -> bool:
    """Whether an episode of this id was recorded, is being recorded, or was discarded."""
    names = (episode_id, episode_id + ACTIVE)
    return any(
        any(root.glob(f'{place}/{name}')) for place in ('*', f'{TRASH}/*') for name in names
    )


def find_episodes(folder: Path) -> list[Path]:
    """Complete episodes at or below a folder, by id.

    Raises:
        ConfigError: The folder does not exist, or holds no episode.
    """
    if not folder.is_dir():
        raise ConfigError(f'{folder} is not a folder; give the folder of the recorded episodes')
    if (folder / CARD_NAME).exists():
        return [folder]
    found = [
        card.parent
        for card in folder.glob(f'**/{CARD_NAME}')
        if not card.parent.name.endswith(ACTIVE) and TRASH not in card.relative_to(folder).parts
    ]
    if not found:
        hint = 'g1-il recover' if find_active(folder) else 'record some, or run g1-il collect'
        raise ConfigError(f'{folder} holds no complete episode; {hint}')
    return sorted(found, key=lambda path: (path.name, str(path)))


def find_active(folder: Path) -> list[Path]:
    """Episodes that are being recorded, or whose recorder was killed."""
    places = folder.glob(f'**/*{ACTIVE}')
    return sorted(place for place in places if place.is_dir() and TRASH not in place.parts)


def move_to_trash(root: Path, folder: Path, episode_id: str) -> Path:
    """Moves an episode's folder to the trash; returns where it is then."""
    target = root / TRASH / folder.parent.name / episode_id
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    return target


def sync_path(path: Path) -> None:
    """Brings what was written to a file, or a folder's entries, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderLock:
    """Says that a recorder is alive: held on the folder while it writes, gone when it dies."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock.

        Raises:
            BlockingIOError: Another process has it.
        """
        self._descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Gives it back."""
        os.close(self._descriptor)
