# SPDX-License-Identifier: Apache-2.0
"""Seeds to processes: every worker keeps one rig and does one seed after the other."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from g1_il.errors import ConfigError, G1Error

MAX_JOBS = 256
Result = TypeVar('Result')
_work: Callable[[int], Any] | None = None


def default_jobs() -> int:
    """As many as there are cores for this process, at most 8."""
    return min(len(os.sched_getaffinity(0)), 8)


def check_jobs(jobs: int) -> None:
    """Refuses a number of processes that is none.

    Raises:
        ConfigError: It is below 1, or more than any machine for this has cores.
    """
    if not 1 <= jobs <= MAX_JOBS:
        raise ConfigError(f'jobs is {jobs}; allowed: 1 to {MAX_JOBS}')


def run_seeds(
    prepare: Callable[[], Callable[[int], Result]],
    *,
    first: int,
    wanted: int,
    limit: int,
    jobs: int,
    judge: Callable[[Result], bool],
) -> None:
    """Works on seeds first, first + 1, ... until enough results count.

    A seed is only given out while those at work could not be enough without it; so the seeds
    that are done are the same for any number of jobs.

    Args:
        prepare: Makes the function that does one seed; called once in every process, picklable.
        first: First seed.
        wanted: Results that shall count.
        limit: Most seeds to try.
        jobs: Processes; 1 works in this one.
        judge: Told every result in order of completion; says whether it counts.

    Raises:
        ConfigError: jobs is below 1.
        G1Error: A worker died.
    """
    check_jobs(jobs)
    jobs = min(jobs, wanted)
    if jobs <= 1:
        work = prepare()
        counted = 0
        for seed in range(first, first + limit):
            counted += judge(work(seed))
            if counted >= wanted:
                return
        return
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'LP_NUM_THREADS'):
        os.environ.setdefault(name, '1')  # one process per core, not one thread pool per process
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_initialise, initargs=(prepare,)
    )
    running: set[Future[Result]] = set()
    counted, tried = 0, 0
    try:
        while running or (counted < wanted and tried < limit):
            while len(running) < jobs and counted + len(running) < wanted and tried < limit:
                running.add(pool.submit(_do, first + tried))
                tried += 1
            done, running = wait(running, return_when=FIRST_COMPLETED)
            counted += sum(judge(future.result()) for future in done)
    except BrokenProcessPool as error:
        raise G1Error(
            f'a worker process died, of {jobs}; is there memory for them? try fewer --jobs'
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _initialise(prepare: Callable[[], Callable[[int], Any]]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _work = prepare()


def _do(seed: int) -> Any:
    assert _work is not None
    return _work(seed)
