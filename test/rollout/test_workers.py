# SPDX-License-Identifier: Apache-2.0
"""Seeds to processes: the same seeds whatever the number of processes."""

import os
from functools import partial

import pytest

from g1_il.errors import ConfigError, G1Error
from g1_il.rollout.workers import run_seeds

# A worker's process must be able to import what it is given: nothing of this file.


def work_that_fails_for(fails: set[int]) -> partial:
    """Makes seed -> (seed, whether it succeeded)."""
    return partial(getattr, {seed: (seed, seed not in fails) for seed in range(100)}, 'get')


@pytest.mark.parametrize('jobs', [1, 3])
def test_failures_are_made_up_for_in_order(jobs: int) -> None:
    fails = {12, 13, 17}
    done: list[tuple[int, bool]] = []

    def judge(result: tuple[int, bool]) -> bool:
        done.append(result)
        return result[1]

    run_seeds(work_that_fails_for(fails), first=10, wanted=6, limit=50, jobs=jobs, judge=judge)
    assert sorted(done) == [(seed, seed not in fails) for seed in range(10, 19)]


@pytest.mark.parametrize('jobs', [1, 2])
def test_there_is_a_limit(jobs: int) -> None:
    done: list[tuple[int, bool]] = []

    def judge(result: tuple[int, bool]) -> bool:
        done.append(result)
        return result[1]

    never = work_that_fails_for(set(range(100)))
    run_seeds(never, first=0, wanted=2, limit=7, jobs=jobs, judge=judge)
    assert sorted(done) == [(seed, False) for seed in range(7)]


def test_a_dying_worker_is_told() -> None:
    with pytest.raises(G1Error, match='worker process died'):
        run_seeds(partial(partial, os._exit), first=3, wanted=2, limit=2, jobs=2, judge=bool)


def test_an_error_in_a_worker_comes_here() -> None:
    broken = partial(getattr, {}, '__getitem__')
    with pytest.raises(KeyError):
        run_seeds(broken, first=0, wanted=4, limit=4, jobs=2, judge=bool)


def test_no_jobs_is_refused() -> None:
    with pytest.raises(ConfigError, match='jobs is 0'):
        run_seeds(work_that_fails_for(set()), first=0, wanted=1, limit=1, jobs=0, judge=bool)
