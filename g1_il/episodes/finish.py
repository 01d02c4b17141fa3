# SPDX-License-Identifier: Apache-2.0
"""Ends an episode: what a recorder wrote, alive or dead, becomes a folder that is complete."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from g1_il.episodes import folder as folders
from g1_il.episodes.card import EpisodeCard, load_card
from g1_il.episodes.mcap_file import METADATA_NAME, rewrite, summarize, write_metadata
from g1_il.episodes.timing import topic_card
from g1_il.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of a folder that a killed recorder left.

    Attributes:
        folder: The folder as it was found.
        kept: Where the episode is now; None when it was left alone.
        messages: Messages that could be read.
        note: What was found.
    """

    folder: Path
    kept: Path | None
    messages: int
    note: str


def finish(
    active: Path, card: EpisodeCard, *, dropped: Mapping[str, int] | None = None
) -> tuple[Path, EpisodeCard]:
    """Makes a closed recording complete: chunked, indexed, with its card, under its final name.

    When the disk is too full for the copy that this takes, the file stays as it was recorded:
    readable, but without an index, and the card says so.

    Args:
        active: The folder, its bag closed or torn.
        card: What is known of the episode; the topics are filled in here.
        dropped: Messages known to be lost, by topic.

    Returns:
        The complete folder, and its card.

    Raises:
        ConfigError: There is no bag file in the folder.
    """
    sources = sorted(active.glob(f'*{folders.ACTIVE}_*.mcap')) or sorted(active.glob('*.mcap'))
    if not sources:
        raise ConfigError(f'{active} holds no .mcap file: there is nothing to keep')
    source, target = sources[0], active / f'{card.episode_id}_0.mcap'
    warnings = list(card.warnings)
    try:
        summary = rewrite(source, target)
        if source != target:
            source.unlink()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        summary = summarize(source)
        source.rename(target)
        warnings.append('the disk was too full to index the file; it is as it was recorded')
    metadata = active / METADATA_NAME
    if summary.damage:
        warnings.append(summary.damage)
    if metadata.exists() and not summary.damage:
        text = metadata.read_text(encoding='utf-8')
        metadata.write_text(text.replace(source.name, target.name), encoding='utf-8')
    else:
        write_metadata(active, target.name, summary)
    dropped = dropped or {}
    card = dataclasses.replace(
        card,
        warnings=tuple(warnings),
        topics={
            name: topic_card(topic.type, topic.stamp_ns, dropped=dropped.get(name, 0))
            for name, topic in sorted(summary.topics.items())
        },
    )
    if card.end_ns <= card.start_ns:
        card = dataclasses.replace(card, end_ns=max(summary.span_ns[1], card.start_ns))
    card.save(active)
    complete = active.with_name(card.episode_id)
    active.rename(complete)
    folders.sync_path(complete.parent)
    return complete, card


def recover(root: Path) -> list[Recovery]:
    """Completes every episode at or below a folder whose recorder is dead.

    Recordings in progress are left alone: their recorder holds a lock that dies with it. Those
    without a single message go to the trash.
    """
    found = [root] if root.name.endswith(folders.ACTIVE) else folders.find_active(root)
    return [_recover_one(root, active) for active in found]


def _recover_one(root: Path, active: Path) -> Recovery:
    try:
        lock = folders.FolderLock(active)
    except BlockingIOError:
        return Recovery(folder=active, kept=None, messages=0, note='is being recorded')
    try:
        try:
            card = load_card(active)
        except ConfigError as error:
            return Recovery(folder=active, kept=None, messages=0, note=str(error))
        bags = sorted(active.glob('*.mcap'))
        if not bags or summarize(bags[0]).messages == 0:
            trash = folders.move_to_trash(active.parent.parent, active, card.episode_id)
            return Recovery(folder=active, kept=trash, messages=0, note='empty: put in the trash')
        note = 'the recorder was killed'
        card = dataclasses.replace(card, recovered=True, warnings=(*card.warnings, note))
        complete, card = finish(active, card)
    finally:
        lock.release()
    count = sum(topic.messages for topic in card.topics.values())
    return Recovery(folder=active, kept=complete, messages=count, note='; '.join(card.warnings))
