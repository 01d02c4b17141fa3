# SPDX-License-Identifier: Apache-2.0
"""Seeds, confidence intervals and pushes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g1_il.errors import ConfigError
from g1_il.rollout.collect import CollectConfig
from g1_il.rollout.evaluate import DEFAULT_SEED, EvaluateConfig
from g1_il.rollout.interval import wilson_interval
from g1_il.rollout.pushes import Pushes
from g1_il.rollout.seeds import FIRST_EVALUATION_SEED, check_data_seeds


@pytest.mark.parametrize(
    ('successes', 'trials', 'low', 'high'),
    # Agresti and Coull, The American Statistician 52 (1998), and by hand from Wilson's formula
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (90, 100, 0.8256, 0.9448),
    ],
)
def test_wilson_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_rate(trial: tuple[int, int]) -> None:
    successes, trials = trial
    low, high = wilson_interval(successes, trials)
    assert 0.0 <= low <= successes / trials <= high <= 1.0
    assert low < high


def test_no_rate_without_trials() -> None:
    with pytest.raises(ValueError, match='3 successes of 2'):
        wilson_interval(3, 2)


def test_data_and_evaluation_never_share_a_seed(tmp_path) -> None:
    check_data_seeds(0, FIRST_EVALUATION_SEED)
    with pytest.raises(ConfigError, match='evaluation'):
        CollectConfig(out=tmp_path, episodes=5, seed=FIRST_EVALUATION_SEED - 5)
    with pytest.raises(ConfigError, match='seed 12 may have been used for data'):
        EvaluateConfig(policy=tmp_path / 'p.onnx', seed=12)
    assert EvaluateConfig(policy=tmp_path / 'p.onnx').seed == DEFAULT_SEED


@pytest.mark.parametrize(
    ('values', 'told'),
    [
        ({'episodes': 0}, 'episodes is 0'),
        ({'episodes': 1, 'push_rad': 1.0}, 'push is 1.0 rad'),
        ({'episodes': 1, 'width': 4}, '4x480'),
        ({'episodes': 1, 'task': ' '}, 'task is empty'),
        ({'episodes': 1, 'seed': -1}, 'seeds -1 to'),
    ],
)
def test_wrong_wishes_are_refused(tmp_path, values: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        CollectConfig(out=tmp_path, **values)


def test_pushes_are_smooth_of_unit_size_and_repeat() -> None:
    times = np.arange(0.0, 60.0, 0.02)
    values = np.array([Pushes(5, 14).at(t) for t in times])
    assert np.array_equal(values, [Pushes(5, 14).at(t) for t in times])
    assert np.abs(values[0]).max() == 0.0
    assert values[50:].std() == pytest.approx(1.0, abs=0.15)
    assert np.abs(np.diff(values, axis=0)).max() < 0.5
    assert np.abs(values[100] - Pushes(6, 14).at(times[100])).max() > 0.1
