# SPDX-License-Identifier: Apache-2.0
"""Rows of many episodes as one table, with the stretch of actions that follows each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError
from g1_il.learn.source import Demonstrations

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """All rows of some episodes, and for each row the chunk of actions from it on.

    Attributes:
        episodes: Which episodes of the dataset, in this order.
        state: Joint positions [rad], shape (N, 28).
        environment: Environment state, shape (N, E).
        action: Targets [rad], shape (N, 28).
        begin: First row of each episode, and N at the end, shape (episodes + 1,).
        until: For each row the first row after its episode, shape (N,).
        chunk: Actions per chunk, T.
    """

    episodes: tuple[int, ...]
    state: Floats
    environment: Floats
    action: Floats
    begin: npt.NDArray[np.int64]
    until: npt.NDArray[np.int64]
    chunk: int

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.state)

    def future(self, rows: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """The actions that follow some rows.

        Args:
            rows: Row numbers, shape (B,).

        Returns:
            Actions [rad], shape (B, T, 28), and whether each belongs to the row's episode, shape
            (B, T); beyond the episode's end its last action is repeated.
        """
        wanted = rows[:, None] + np.arange(self.chunk)
        until = self.until[rows][:, None]
        return self.action[np.minimum(wanted, until - 1)], wanted < until


def load_windows(source: Demonstrations, episodes: Sequence[int], chunk: int) -> Windows:
    """Reads episodes into one table.

    Args:
        source: The dataset.
        episodes: Which of its episodes.
        chunk: Actions per chunk.

    Raises:
        ConfigError: If an episode has values that are not finite, or none is given.
    """
    if not episodes:
        raise ConfigError(f'{source.name} gives no episode to learn from')
    parts = [source.demonstration(index) for index in episodes]
    for index, part in zip(episodes, parts, strict=True):
        for name in ('state', 'environment', 'action'):
            if not np.isfinite(getattr(part, name)).all():
                raise ConfigError(
                    f'episode {index} of {source.name} has values in {name} that are not finite; '
                    'convert it again without that episode'
                )
    lengths = np.array([len(part.state) for part in parts])
    begin = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Windows(
        episodes=tuple(episodes),
        state=np.concatenate([part.state for part in parts]).astype(np.float32),
        environment=np.concatenate([part.environment for part in parts]).astype(np.float32),
        action=np.concatenate([part.action for part in parts]).astype(np.float32),
        begin=begin,
        until=np.repeat(begin[1:], lengths),
        chunk=chunk,
    )


def split_episodes(
    count: int, held_out: float, seed: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Divides episodes, never rows, into those to learn from and those to check with.

    Args:
        count: Number of episodes.
        held_out: Share to hold out; at least one episode is held out when there are two.
        seed: Which ones.

    Returns:
        Episodes to learn from, and held-out episodes, each sorted.
    """
    held = 0 if count < 2 or held_out == 0.0 else max(1, round(count * held_out))
    order = np.random.default_rng(seed).permutation(count)
    return tuple(sorted(map(int, order[held:]))), tuple(sorted(map(int, order[:held])))
