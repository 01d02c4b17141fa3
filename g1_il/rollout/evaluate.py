# SPDX-License-Identifier: Apache-2.0
"""Closed-loop success of a policy over many random starts, by several processes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from g1_il.errors import ConfigError
from g1_il.policy.onnx_policy import OnnxPolicy
from g1_il.rollout.collect import SCENE
from g1_il.rollout.deploy import VIDEO_SIZE, VIEW_HZ, Deployment, RolloutResult
from g1_il.rollout.interval import wilson_interval
from g1_il.rollout.rig import Rig
from g1_il.rollout.seeds import check_evaluation_seeds
from g1_il.rollout.video import VideoFile
from g1_il.rollout.workers import check_jobs, run_seeds

DEFAULT_SEED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """What to evaluate.

    Attributes:
        policy: The ONNX file.
        rollouts: How many.
        seed: First seed; none of them is ever used for data.
        limit_s: Virtual time for each [s].
        video: File for a video of the first rollout; None: none.
        jobs: Processes.
    """

    policy: Path
    rollouts: int = 100
    seed: int = DEFAULT_SEED
    limit_s: float = 15.0
    video: Path | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.rollouts < 1:
            raise ConfigError(f'rollouts is {self.rollouts}; give 1 or more')
        if not 1.0 <= self.limit_s <= 600.0:
            raise ConfigError(f'limit is {self.limit_s} s; it must lie between 1 and 600')
        check_jobs(self.jobs)
        check_evaluation_seeds(self.seed)


class Evaluator:
    """Does one seed after the other; lives in a worker."""

    def __init__(self, config: EvaluateConfig) -> None:
        """Loads the policy and builds the rig, which are used again and again."""
        self._config = config
        self._deployment = Deployment(
            OnnxPolicy(config.policy), Rig(task=SCENE), limit_s=config.limit_s
        )

    def __call__(self, seed: int) -> RolloutResult:
        """Runs the rollout of a seed; the first is filmed, if a video is wanted."""
        if self._config.video is None or seed != self._config.seed:
            return self._deployment.run(seed)
        width, height = VIDEO_SIZE
        video = VideoFile(self._config.video, width=width, height=height, fps=VIEW_HZ)
        try:
            return self._deployment.run(seed, video)
        finally:
            video.close()


def evaluate(
    config: EvaluateConfig, progress: Callable[[RolloutResult], None] | None = None
) -> dict[str, Any]:
    """Evaluates a policy.

    Args:
        config: What to evaluate.
        progress: Told every rollout.

    Returns:
        The report: successes, rate, its 95 % interval (Wilson), where the failures stopped,
        latencies, gate interventions and the real-time factor.
    """
    policy = OnnxPolicy(config.policy)  # refuses a wrong file before any process starts
    results: list[RolloutResult] = []

    def judge(result: RolloutResult) -> bool:
        results.append(result)
        if progress is not None:
            progress(result)
        return True

    began_s = time.monotonic()
    run_seeds(
        partial(Evaluator, config),
        first=config.seed,
        wanted=config.rollouts,
        limit=config.rollouts,
        jobs=config.jobs,
        judge=judge,
    )
    wall_s = time.monotonic() - began_s
    results.sort(key=lambda result: result.seed)
    successes = sum(result.success for result in results)
    inference_s = np.array([t for result in results for t in result.inference_s] or [np.nan])
    interventions: Counter[str] = Counter()
    for result in results:
        interventions.update(result.interventions)
    virtual_s = sum(result.duration_s for result in results)
    return {
        'policy': str(config.policy),
        'task': policy.contract.task,
        'inputs': list(policy.contract.inputs),
        'seed': config.seed,
        'rollouts': len(results),
        'successes': successes,
        'rate': successes / len(results),
        'interval': list(wilson_interval(successes, len(results))),
        'failed_at': dict(Counter(result.stage for result in results if not result.success)),
        'failures': [
            {'seed': result.seed, 'stage': result.stage}
            for result in results
            if not result.success
        ],
        'success_s_median': _median([r.duration_s for r in results if r.success]),
        'inference_p50': _number(np.quantile(inference_s, 0.5)),
        'inference_p99': _number(np.quantile(inference_s, 0.99)),
        'refused': sum(result.refused for result in results),
        'interventions': dict(interventions),
        'virtual_s': virtual_s,
        'wall_s': wall_s,
        'jobs': config.jobs,
        'real_time_factor': virtual_s / wall_s,
    }


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(value) if np.isfinite(value) else None
