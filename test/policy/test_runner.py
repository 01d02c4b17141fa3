# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g1_il.errors import ConfigError, G1Error
from g1_il.policy.policy import ActionChunk
from g1_il.policy.runner import PolicyRunner, RunnerConfig, end_ns, sample, splice
from g1_il.rows.row import Row

PERIOD_NS = 33_333_333
CHUNK = 30


def chunk_of(stamp_ns: int, first: float, slope: float, count: int = CHUNK) -> ActionChunk:
    """A chunk whose joints all move along one line."""
    values = first + slope * np.arange(count)
    return ActionChunk(
        stamp_ns=stamp_ns, period_ns=PERIOD_NS, position=np.repeat(values[:, None], 28, axis=1)
    )


def row_at(stamp_ns: int, **values: object) -> Row:
    return Row(
        stamp_ns=stamp_ns, values={'joint_states': np.zeros(43), **values}, ages_ns={}, held=()
    )


class LinePolicy:
    """Answers every row with the line value = stamp [s], which a clock can be checked against."""

    streams = ('joint_states',)
    fps = 30
    execute = 15

    def __init__(self) -> None:
        self.answered: list[int] = []
        self.error: G1Error | None = None

    def infer(self, row: Row) -> ActionChunk:
        if self.error is not None:
            raise self.error
        self.answered.append(row.stamp_ns)
        return chunk_of(row.stamp_ns, row.stamp_ns / 1e9, PERIOD_NS / 1e9)


def test_infers_every_execute_rows_and_follows_time():
    policy = LinePolicy()
    runner = PolicyRunner(policy)
    for number in range(61):
        runner.observe(row_at(10**9 + number * PERIOD_NS))
    begin = 10**9
    assert policy.answered == [begin + k * 15 * PERIOD_NS for k in range(5)]
    now = begin + 60 * PERIOD_NS + 12_345_678
    targets = runner.targets(now)
    assert targets.source == 'policy'
    assert targets.stamp_ns == begin + 60 * PERIOD_NS
    np.testing.assert_allclose(targets.position, now / 1e9, atol=1e-9)
    np.testing.assert_allclose(targets.velocity, 1.0, atol=1e-9)


def test_execute_of_the_config_wins():
    policy = LinePolicy()
    runner = PolicyRunner(policy, RunnerConfig(execute=4))
    for number in range(9):
        runner.observe(row_at(10**9 + number * PERIOD_NS))
    assert len(policy.answered) == 3


def test_goes_quiet_when_observations_stop_and_says_so():
    runner = PolicyRunner(LinePolicy(), RunnerConfig(max_observation_age_s=0.25))
    assert runner.targets(10**9) is None
    assert runner.reason == 'no observation yet'
    runner.observe(row_at(10**9))
    assert runner.targets(10**9 + 250_000_000) is not None
    assert runner.reason == ''
    assert runner.targets(10**9 + 250_000_001) is None
    assert 'old' in runner.reason


def test_never_acts_beyond_a_chunk_though_observations_come():
    policy = LinePolicy()
    runner = PolicyRunner(policy, RunnerConfig(max_observation_age_s=0.25))
    runner.observe(row_at(10**9))
    policy.error = G1Error('the network broke')
    last = 0
    for number in range(1, 60):
        stamp = 10**9 + number * PERIOD_NS
        runner.observe(row_at(stamp))
        if runner.targets(stamp) is not None:
            last = number
    assert last == CHUNK - 1
    assert 'run out' in runner.reason
    assert runner.refused == 59 - 14  # every row from the fifteenth on asks again


def test_refuses_a_row_without_a_stream_and_does_not_take_it_for_fresh():
    runner = PolicyRunner(LinePolicy())
    runner.observe(row_at(10**9))
    runner.observe(Row(stamp_ns=10**9 + 300_000_000, values={}, ages_ns={}, held=()))
    assert runner.refused == 1
    assert runner.targets(10**9 + 300_000_000) is None


def test_time_that_goes_back_starts_as_from_nothing():
    policy = LinePolicy()
    runner = PolicyRunner(policy)
    runner.observe(row_at(10 * 10**9))
    runner.observe(row_at(5 * 10**9))
    assert policy.answered == [10 * 10**9, 5 * 10**9]
    assert runner.refused == 1
    np.testing.assert_allclose(runner.targets(5 * 10**9).position, 5.0)


def test_late_answer_is_entered_at_its_own_time():
    policy = LinePolicy()
    runner = PolicyRunner(policy)
    assert runner.notice(row_at(10**9))
    for number in range(1, 8):
        runner.notice(row_at(10**9 + number * PERIOD_NS))
    runner.accept(policy.infer(row_at(10**9)))  # 7 rows late
    now = 10**9 + 7 * PERIOD_NS
    np.testing.assert_allclose(runner.targets(now).position, now / 1e9)
    due = [runner.notice(row_at(10**9 + n * PERIOD_NS)) for n in range(8, 16)]
    assert due == [False] * 7 + [True]


def test_answer_to_an_observation_from_before_a_reset_is_dropped():
    policy = LinePolicy()
    runner = PolicyRunner(policy)
    runner.notice(row_at(10**9))
    answer = policy.infer(row_at(10**9))
    runner.reset()
    runner.accept(answer)
    assert runner.targets(10**9) is None


@given(
    first=st.floats(-1, 1),
    offset=st.floats(-0.5, 0.5),
    blend_ms=st.integers(0, 500),
    shift=st.integers(1, 20),
)
def test_splice_begins_in_the_old_and_ends_in_the_new(first, offset, blend_ms, shift):
    old = chunk_of(0, first, 0.01)
    new = chunk_of(shift * PERIOD_NS, first + offset, 0.02)
    start = (shift + 2) * PERIOD_NS
    merged = splice(old, new, start, blend_ms * 1_000_000)
    np.testing.assert_allclose(sample(merged, start)[0], sample(old, start)[0], atol=1e-9)
    np.testing.assert_allclose(sample(merged, end_ns(new))[0], new.position[-1], atol=1e-9)


@given(offset=st.floats(-0.5, 0.5))
def test_targets_do_not_jump_when_chunks_disagree(offset):
    policy = LinePolicy()
    runner = PolicyRunner(policy, RunnerConfig(blend_s=0.1))
    shift = [0.0]
    infer = policy.infer

    def disagree(row: Row) -> ActionChunk:
        answer = infer(row)
        shift[0] += offset
        return ActionChunk(
            stamp_ns=answer.stamp_ns,
            period_ns=answer.period_ns,
            position=answer.position + shift[0],
        )

    policy.infer = disagree
    values = []
    for tick in range(400):
        now = 10**9 + tick * 10_000_000
        if tick % 4 == 0:
            runner.observe(row_at(now))
        values.append(runner.targets(now).position[0])
    # In 10 ms: what the line moves, and a tenth of the disagreement (a linear blend of 100 ms).
    assert np.abs(np.diff(values)).max() <= 0.01 + abs(offset) * 0.12 + 1e-9


@pytest.mark.parametrize(
    'values', [{'execute': -1}, {'blend_s': 3.0}, {'max_observation_age_s': 0.0}]
)
def test_config_refuses(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        RunnerConfig(**values)
