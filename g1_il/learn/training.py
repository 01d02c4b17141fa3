# SPDX-License-Identifier: Apache-2.0
"""Behaviour cloning: the loop, and nothing about files or screens."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from g1_il.errors import ConfigError
from g1_il.learn.network import ChunkNetwork, Moments, NetworkConfig
from g1_il.learn.vision import shift_randomly
from g1_il.learn.windows import Windows
from g1_il.policy.observation import IMAGE_PREFIX

Pictures = Mapping[str, npt.NDArray[np.uint8]]
MAX_THREADS = 256
WARM_UP_STEPS = 100
EMA_POWER = 0.75
EMA_LIMIT = 0.999
CHECK_BATCH = 512
MAX_NOISE_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes:
        epochs: Passes over the data.
        minutes: Train for this long instead; 0 means by epochs. The result then depends on the
            machine's speed, so only training by epochs is repeatable.
        batch: Rows per step.
        learning_rate: Peak of the cosine schedule.
        weight_decay: AdamW's.
        state_noise_rad: Deviation of the noise on the measured joints [rad]: the network learns
            to come back from places that the demonstrations never visit. At most a tenth of what
            the joint moves by itself, since noise on a still joint only hides the others.
        held_out: Share of the episodes that is only checked with.
        seed: Of everything random.
        threads: Threads of torch; results are repeatable for equal threads. One is best for small
            networks, and much the best where other processes want the cores too.
    """

    epochs: int = 60
    minutes: float = 0.0
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    state_noise_rad: float = 0.01
    held_out: float = 0.05
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        allowed = {
            'epochs': (self.epochs >= 1, 'at least 1'),
            'minutes': (self.minutes >= 0.0, '0 or more'),
            'batch': (self.batch >= 2, 'at least 2'),
            'learning_rate': (0.0 < self.learning_rate < 1.0, 'above 0 and below 1'),
            'held_out': (0.0 <= self.held_out < 1.0, 'at least 0 and below 1'),
            'seed': (0 <= self.seed < 2**32, 'at least 0 and below 2**32'),
            'threads': (1 <= self.threads <= MAX_THREADS, f'at least 1 and at most {MAX_THREADS}'),
        }
        for name, (good, words) in allowed.items():
            if not good:
                raise ConfigError(f'{name} is {getattr(self, name)}; it must be {words}')


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Losses after one epoch.

    Attributes:
        epoch: How many are done.
        seconds: Since the start [s].
        train: Mean loss of the epoch, normalised.
        held_out: Loss of the averaged weights on held-out episodes, normalised; NaN without any.
        held_out_rad: Their mean absolute error [rad]; NaN without any.
    """

    epoch: int
    seconds: float
    train: float
    held_out: float
    held_out_rad: float


def seed_everything(seed: int, threads: int) -> None:
    """Makes torch repeatable."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


def make_network(config: NetworkConfig, windows: Windows, seed: int = 0) -> ChunkNetwork:
    """A fresh network that normalises by the moments of the training rows."""
    torch.manual_seed(seed)
    network = ChunkNetwork(config)
    moments = {'state': Moments.of(windows.state), 'action': Moments.of(windows.action)}
    if 'environment_state' in config.inputs:
        moments['environment'] = Moments.of(windows.environment)
    network.normalise_by(**moments)
    network.stay_within(windows.action)
    return network


def train(
    network: ChunkNetwork,
    windows: Windows,
    held_out: Windows | None,
    config: TrainConfig,
    *,
    pictures: Pictures | None = None,
    held_out_pictures: Pictures | None = None,
    report: Callable[[float, str], None] = lambda share, words: None,
) -> tuple[ChunkNetwork, list[CurvePoint]]:
    """Trains, and returns the running average of the weights, which is better than the last.

    Args:
        network: From make_network; changed in place.
        windows: Rows to learn from.
        held_out: Rows to check with.
        config: How.
        pictures: Per camera the rows' pictures, shape (N, H, W, 3), uint8.
        held_out_pictures: The same for held_out.
        report: Told the share done (0..1) and a few words, every few steps.

    Returns:
        The averaged network and the losses per epoch.
    """
    generator = torch.Generator().manual_seed(config.seed)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )
    averaged = copy.deepcopy(network)
    moves_rad = torch.from_numpy(windows.state.std(axis=0))
    noise_rad = (MAX_NOISE_SHARE * moves_rad).clamp(max=config.state_noise_rad)
    steps_per_epoch = max(1, math.ceil(len(windows) / config.batch))
    total_steps = steps_per_epoch * config.epochs
    began = time.monotonic()
    curve: list[CurvePoint] = []
    step = 0
    share = 0.0
    while share < 1.0:
        order = torch.randperm(len(windows), generator=generator).numpy()
        sums = np.zeros(2)
        for first in range(0, len(order), config.batch):
            rows = np.sort(order[first : first + config.batch])
            for group in optimiser.param_groups:
                group['lr'] = config.learning_rate * _schedule(step, share)
            inputs = _inputs(network, windows, pictures, rows)
            _augment(inputs, noise_rad, generator)
            loss = _loss(network, inputs, *windows.future(rows))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
            _average(averaged, network, step)
            sums += (float(loss.detach()) * len(rows), len(rows))
            elapsed = time.monotonic() - began
            share = elapsed / (60.0 * config.minutes) if config.minutes else step / total_steps
            share = min(1.0, share)
            if step % 10 == 0:
                report(share, _words(sums, curve))
            if share >= 1.0:
                break
        held_loss, held_rad = (
            (math.nan, math.nan)
            if held_out is None
            else check(averaged, held_out, held_out_pictures)
        )
        curve.append(
            CurvePoint(
                epoch=len(curve) + 1,
                seconds=time.monotonic() - began,
                train=float(sums[0] / sums[1]),
                held_out=held_loss,
                held_out_rad=held_rad,
            )
        )
        report(share, _words(sums, curve))
    return averaged.eval(), curve


@torch.no_grad()
def check(
    network: ChunkNetwork, windows: Windows, pictures: Pictures | None = None
) -> tuple[float, float]:
    """Loss (normalised) and mean absolute error [rad] over all rows, without noise."""
    sums = np.zeros(3)
    for first in range(0, len(windows), CHECK_BATCH):
        rows = np.arange(first, min(first + CHECK_BATCH, len(windows)))
        inputs = _inputs(network, windows, pictures, rows)
        action, valid = windows.future(rows)
        weight = torch.from_numpy(valid).float()[..., None]
        normalised = network.normalised(inputs)
        wanted = network.normalised_action(torch.from_numpy(action))
        error = (normalised - wanted).abs() * weight
        radians = error * network.action_std
        sums += (float(error.sum()), float(radians.sum()), float(weight.sum()))
    joints = network.config.joints
    return float(sums[0] / sums[2] / joints), float(sums[1] / sums[2] / joints)


def _inputs(
    network: ChunkNetwork,
    windows: Windows,
    pictures: Pictures | None,
    rows: npt.NDArray[np.int64],
) -> dict[str, Tensor]:
    """The network's inputs for some rows."""
    inputs: dict[str, Tensor] = {}
    if 'state' in network.config.inputs:
        inputs['state'] = torch.from_numpy(windows.state[rows])
    if 'environment_state' in network.config.inputs:
        inputs['environment_state'] = torch.from_numpy(windows.environment[rows])
    for camera in network.config.cameras:
        if pictures is None:
            raise ValueError(f'the network looks at {camera.name}, but there are no pictures')
        inputs[IMAGE_PREFIX + camera.name] = torch.from_numpy(pictures[camera.name][rows])
    return inputs


def _augment(inputs: dict[str, Tensor], noise_rad: Tensor, generator: torch.Generator) -> None:
    """Shakes the joints and shifts the pictures, in place."""
    for name, values in inputs.items():
        if name == 'state':
            inputs[name] = values + noise_rad * torch.randn(values.shape, generator=generator)
        elif name.startswith(IMAGE_PREFIX):
            inputs[name] = shift_randomly(values, generator)


def _loss(
    network: ChunkNetwork,
    inputs: dict[str, Tensor],
    action: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
) -> Tensor:
    """Mean absolute error of the normalised actions that lie within their episode."""
    weight = torch.from_numpy(valid).float()[..., None]
    wanted = network.normalised_action(torch.from_numpy(action))
    error = (network.normalised(inputs) - wanted).abs() * weight
    return error.sum() / (weight.sum() * network.config.joints)


def _schedule(step: int, share: float) -> float:
    """Linear warm-up, then a cosine down to nothing."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1.0 + math.cos(math.pi * share))


@torch.no_grad()
def _average(averaged: ChunkNetwork, network: ChunkNetwork, step: int) -> None:
    """One step of the running average, as in Diffusion Policy (Chi et al. 2023)."""
    decay = min(EMA_LIMIT, 1.0 - (1.0 + step) ** -EMA_POWER)
    old: list[Any] = list(averaged.parameters())
    torch._foreach_lerp_(old, list(network.parameters()), 1.0 - decay)


def _words(sums: npt.NDArray[np.float64], curve: list[CurvePoint]) -> str:
    """What the display says."""
    words = f'epoch {len(curve)}, loss {sums[0] / max(sums[1], 1):.4f}'
    if curve and math.isfinite(curve[-1].held_out):
        words += f', held out {curve[-1].held_out:.4f}'
    return words
