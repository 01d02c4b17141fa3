# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g1_il.errors import ConfigError
from g1_il.learn.source import Demonstration
from g1_il.learn.windows import load_windows, split_episodes


class Counted:
    """Episodes of given lengths whose action in row k of episode e is 1000 e + k."""

    name = 'counted'

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths

    def demonstration(self, index: int) -> Demonstration:
        count = self.lengths[index]
        values = 1000.0 * index + np.arange(count, dtype=np.float32)
        action = np.repeat(values[:, None], 28, axis=1)
        return Demonstration(
            state=action, environment=np.zeros((count, 0), dtype=np.float32), action=action
        )


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5), chunk=st.integers(1, 15))
def test_future_is_the_rows_actions_and_never_another_episodes(lengths, chunk):
    episodes = list(range(len(lengths)))
    windows = load_windows(Counted(lengths), episodes, chunk)
    assert len(windows) == sum(lengths)
    action, valid = windows.future(np.arange(len(windows)))
    row = 0
    for episode, length in enumerate(lengths):
        for k in range(length):
            left = min(chunk, length - k)
            assert valid[row].tolist() == [True] * left + [False] * (chunk - left)
            wanted = 1000.0 * episode + np.minimum(k + np.arange(chunk), length - 1)
            np.testing.assert_array_equal(action[row, :, 0], wanted)
            row += 1


@given(count=st.integers(1, 80), share=st.floats(0.0, 0.5), seed=st.integers(0, 9))
def test_split_takes_every_episode_once(count, share, seed):
    learn, held = split_episodes(count, share, seed)
    assert sorted(learn + held) == list(range(count))
    assert learn
    assert bool(held) == (count > 1 and share > 0.0)
    assert split_episodes(count, share, seed) == (learn, held)


def test_values_that_are_not_finite_are_refused_by_name():
    class Broken(Counted):
        def demonstration(self, index: int) -> Demonstration:
            good = super().demonstration(index)
            action = good.action.copy()
            action[1, 3] = np.nan
            return Demonstration(state=good.state, environment=good.environment, action=action)

    with pytest.raises(ConfigError, match='episode 0 of counted has values in action'):
        load_windows(Broken([4]), [0], 3)
