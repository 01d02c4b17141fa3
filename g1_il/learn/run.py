# SPDX-License-Identifier: Apache-2.0
"""One training run: demonstrations in, a checkpoint's files out."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CURVE_PLOT, Checkpoint, write_checkpoint
from g1_il.learn.curve import plot_curve
from g1_il.learn.network import NetworkConfig
from g1_il.learn.observations import pick_observations, write_observations
from g1_il.learn.pictures import decode_pictures
from g1_il.learn.revision import git_revision
from g1_il.learn.source import Demonstrations
from g1_il.learn.training import (
    CurvePoint,
    TrainConfig,
    make_network,
    seed_everything,
    train,
)
from g1_il.learn.windows import load_windows, split_episodes
from g1_il.policy.contract import CameraInput, PolicyContract

CHUNK_S = 1.0
EXECUTE_S = 0.5
Report = Callable[[str, float, str], None]
"""Told a phase (decode, train), the share of it that is done (0..1) and a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a training run was, beside its network.

    Attributes:
        card: What the checkpoint's card says.
        curve: Losses per epoch.
    """

    card: dict[str, Any]
    curve: list[CurvePoint]


def train_checkpoint(
    source: Demonstrations,
    folder: Path,
    inputs: tuple[str, ...],
    config: TrainConfig,
    *,
    image_size: tuple[int, int] = (128, 96),
    report: Report = lambda phase, share, words: None,
) -> Run:
    """Trains on a dataset and writes a checkpoint into an existing, empty folder.

    Args:
        source: The demonstrations.
        folder: Where to write.
        inputs: What the policy sees, of g1_il.policy.contract.INPUTS in that order.
        config: How to train.
        image_size: Width and height of scaled pictures [px].
        report: Told about the progress.

    Raises:
        ConfigError: If the dataset lacks an input.
    """
    _check_inputs(source, inputs)
    names = source.cameras if 'images' in inputs else ()
    cameras = tuple(
        CameraInput(name=name, width=image_size[0], height=image_size[1]) for name in names
    )
    environment = source.environment_names if 'environment_state' in inputs else ()
    chunk = max(1, round(CHUNK_S * source.fps))
    seed_everything(config.seed, config.threads)
    learn, held = split_episodes(len(source), config.held_out, config.seed)
    tables = [load_windows(source, part, chunk) for part in (learn, held) if part]
    windows, held_windows = tables[0], tables[1] if held else None
    network = make_network(
        NetworkConfig(
            inputs=inputs,
            joints=len(source.joints),
            environment=len(environment),
            cameras=cameras,
            chunk=chunk,
        ),
        windows,
        config.seed,
    )
    contract = PolicyContract(
        joints=source.joints,
        fps=source.fps,
        chunk=chunk,
        execute=max(1, min(chunk, round(EXECUTE_S * source.fps))),
        inputs=inputs,
        environment_names=environment,
        cameras=cameras,
        task=source.task,
        dataset=source.name,
        dataset_sha256=source.sha256,
        git_revision=git_revision(),
        seed=config.seed,
    )
    began = time.time()
    with TemporaryDirectory(dir=folder, prefix='pictures-') as cache:
        count = max(1, sum(len(table) for table in tables) * len(cameras))
        pictures: list[Any] = [None, None]
        done = 0
        for place, table in enumerate(tables if cameras else ()):
            pictures[place] = decode_pictures(
                source,
                table,
                cameras,
                Path(cache),
                partial(_report_decoding, report, done, count),
            )
            done += len(table) * len(cameras)
        averaged, curve = train(
            network,
            windows,
            held_windows,
            config,
            pictures=pictures[0],
            held_out_pictures=pictures[1],
            report=lambda share, words: report('train', share, words),
        )
        observations = pick_observations(tables[-1], pictures[len(tables) - 1], contract)
    card = {
        'dataset': source.name,
        'dataset_sha256': source.sha256,
        'git_revision': contract.git_revision,
        'seed': config.seed,
        'repeatable': config.minutes == 0.0,
        'began': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(began)),
        'episodes': len(source),
        'held_out_episodes': list(held),
        'rows': sum(len(table) for table in tables),
        'parameters': sum(values.numel() for values in averaged.parameters()),
        'training': asdict(config),
        'torch': torch.__version__,
        'python': platform.python_version(),
        'curve': [asdict(point) for point in curve],
    }
    write_checkpoint(folder, Checkpoint(contract=contract, network=averaged), card)
    write_observations(folder, observations)
    plot_curve(curve, folder / CURVE_PLOT)
    return Run(card=card, curve=curve)


def _report_decoding(report: Report, before: int, count: int, now: int) -> None:
    report('decode', (before + now) / count, 'pictures')


def _check_inputs(source: Demonstrations, inputs: tuple[str, ...]) -> None:
    """Refuses inputs that the dataset does not have."""
    if 'environment_state' in inputs and not source.environment_names:
        raise ConfigError(
            f'{source.name} has no observation.environment_state; train with '
            '--inputs state,images, or record where something publishes sim/scene'
        )
    if 'images' in inputs and not source.cameras:
        raise ConfigError(f'{source.name} has no camera; train without images in --inputs')
