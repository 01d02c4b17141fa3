# SPDX-License-Identifier: Apache-2.0
"""Episodes of the scripted operator, faster than real time, by several processes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from g1_il.camera.capture import intrinsics_from_fovy
from g1_il.errors import ConfigError
from g1_il.retarget.retargeter import Retargeter
from g1_il.robot.mjcf import HEAD_CAMERA_FOVY_DEG
from g1_il.rollout.rig import Rig
from g1_il.rollout.seeds import check_data_seeds
from g1_il.rollout.teleop import TeleopResult, teleoperate
from g1_il.rollout.workers import check_jobs, run_seeds
from g1_il.ros.rollout_writer import RolloutWriter

SCENE = 'pick_place'
TASK = 'put the can into the bin'
OPERATOR = 'scripted'


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """What to collect.

    Attributes:
        out: Folder of the episodes.
        episodes: Episodes to keep.
        seed: First seed; attempt k starts from seed + k.
        task: Instruction in words, for the cards.
        images: Whether the head camera is rendered and recorded.
        width: Picture width [px].
        height: Picture height [px].
        push_rad: Smooth random pushes on the arms, see `Rig`.
        keep_failures: Whether failed episodes are kept (and count), too.
        jobs: Processes.
    """

    out: Path
    episodes: int
    seed: int = 0
    task: str = TASK
    images: bool = True
    width: int = 640
    height: int = 480
    push_rad: float = 0.0
    keep_failures: bool = False
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise ConfigError(f'episodes is {self.episodes}; give 1 or more')
        check_jobs(self.jobs)
        if not 0.0 <= self.push_rad <= 0.2:
            raise ConfigError(f'push is {self.push_rad} rad; it must lie between 0 and 0.2')
        if not (16 <= self.width <= 1920 and 16 <= self.height <= 1920):
            raise ConfigError(f'picture size is {self.width}x{self.height}; sides: 16 to 1920 px')
        if not self.task.strip():
            raise ConfigError('task is empty; say in words what is done')
        check_data_seeds(self.seed, self.attempt_limit)

    @property
    def attempt_limit(self) -> int:
        """Most seeds to try: a few failures are life, many are a defect."""
        return 2 * self.episodes + 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, and what it cost.

    Attributes:
        result: How it went.
        folder: Where the episode is; empty when it was not kept.
        cpu_s: Processor time of its process [s].
    """

    result: TeleopResult
    folder: str
    cpu_s: float


class Collector:
    """Does one seed after the other; lives in a worker."""

    def __init__(self, config: CollectConfig) -> None:
        """Builds rig and retargeting, which are used again and again."""
        self._config = config
        self._rig = Rig(task=SCENE, push_rad=config.push_rad)
        self._retargeter = Retargeter()
        self._intrinsics = None
        if config.images:
            self._intrinsics = intrinsics_from_fovy(
                width=config.width, height=config.height, fovy_deg=HEAD_CAMERA_FOVY_DEG
            )

    def __call__(self, seed: int) -> Attempt:
        """Records the episode of a seed, and keeps it if it succeeded."""
        config = self._config
        began_s = time.process_time()
        writers: list[RolloutWriter] = []

        def record(start_ns: int) -> RolloutWriter:
            writers.append(
                RolloutWriter(
                    config.out,
                    task=config.task,
                    operator=OPERATOR,
                    start_ns=start_ns,
                    episode_id=f'seed{seed:08d}',
                    intrinsics=self._intrinsics,
                    notes=f'seed {seed}',
                )
            )
            return writers[0]

        size = (config.width, config.height) if config.images else None
        try:
            result = teleoperate(
                self._rig, self._retargeter, seed=seed, recorder=record, images=size
            )
        except BaseException:
            for writer in writers:
                writer.discard()
            raise
        folder = ''
        if result.success or config.keep_failures:
            outcome = 'success' if result.success else 'failure'
            notes = '' if result.success else f'got as far as: {result.stage}'
            folder = str(writers[0].close(outcome, result.end_ns, notes))
        else:
            writers[0].discard()
        return Attempt(result=result, folder=folder, cpu_s=time.process_time() - began_s)


def collect(
    config: CollectConfig, progress: Callable[[Attempt], None] | None = None
) -> dict[str, Any]:
    """Collects episodes.

    Args:
        config: What to collect.
        progress: Told every attempt.

    Returns:
        The report: numbers of attempts and successes, per failure its seed and stage, and the
        real-time factor (virtual over wall time, and per core over processor time).
    """
    attempts: list[Attempt] = []

    def judge(attempt: Attempt) -> bool:
        attempts.append(attempt)
        if progress is not None:
            progress(attempt)
        return attempt.folder != ''

    began_s = time.monotonic()
    run_seeds(
        partial(Collector, config),
        first=config.seed,
        wanted=config.episodes,
        limit=config.attempt_limit,
        jobs=config.jobs,
        judge=judge,
    )
    wall_s = time.monotonic() - began_s
    attempts.sort(key=lambda attempt: attempt.result.seed)
    results = [attempt.result for attempt in attempts]
    virtual_s = sum(result.duration_s for result in results)
    failures = [result for result in results if not result.success]
    interventions: Counter[str] = Counter()
    for result in results:
        interventions.update(result.interventions)
    return {
        'task': config.task,
        'seed': config.seed,
        'attempts': len(attempts),
        'successes': len(attempts) - len(failures),
        'episodes': sum(attempt.folder != '' for attempt in attempts),
        'grasps_tried': sum(result.attempts for result in results),
        'failed_at': dict(Counter(result.stage for result in failures)),
        'failures': [
            {key: asdict(result)[key] for key in ('seed', 'stage', 'attempts', 'duration_s')}
            for result in failures
        ],
        'interventions': dict(interventions),
        'images': config.images,
        'virtual_s': virtual_s,
        'wall_s': wall_s,
        'jobs': config.jobs,
        'real_time_factor': virtual_s / wall_s,
        'real_time_factor_per_core': virtual_s / sum(a.cpu_s for a in attempts),
    }
