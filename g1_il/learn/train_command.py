# SPDX-License-Identifier: Apache-2.0
"""`g1-il train`: from a dataset to a checkpoint."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import progress
from rich.console import Console

from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CHECKPOINT
from g1_il.learn.lerobot_source import LeRobotDemonstrations
from g1_il.learn.run import Report, train_checkpoint
from g1_il.learn.training import TrainConfig
from g1_il.output import new_folder
from g1_il.policy.contract import INPUTS

MAX_THREADS = 8


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    defaults = TrainConfig()
    add = parser.add_argument
    add('--policy', choices=['bc'], default='bc', help='kind of policy (default: %(default)s)')
    add('--dataset', type=Path, required=True, help='LeRobot v3 dataset, made by g1-il convert')
    add('--out', type=Path, required=True, help='folder that receives the checkpoint')
    add('--overwrite', action='store_true', help='replace an existing checkpoint')
    add(
        '--inputs',
        default='state,environment_state',
        help=f'what the policy sees: some of {",".join(INPUTS)} (default: %(default)s)',
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        '--epochs',
        type=int,
        default=defaults.epochs,
        help='passes over the data; gives the same policy every time (default: %(default)s)',
    )
    length.add_argument(
        '--minutes',
        type=float,
        default=0.0,
        help='train for this long instead; how far that gets depends on the machine',
    )
    add('--seed', type=int, default=0, help='of everything random (default: %(default)s)')
    add('--batch', type=int, default=defaults.batch, help='rows per step (default: %(default)s)')
    add(
        '--image-size',
        default='128x96',
        help='width x height that pictures are scaled to (default: %(default)s)',
    )
    add(
        '--threads',
        type=int,
        default=0,
        help='0: one without pictures, all cores (at most 8) with them (default)',
    )


def run_train(args: argparse.Namespace) -> int:
    """Trains and writes the checkpoint; 0 when it is there."""
    inputs = _inputs(args.inputs)
    cores = min(MAX_THREADS, len(os.sched_getaffinity(0)))
    config = TrainConfig(
        epochs=args.epochs,
        minutes=args.minutes,
        batch=args.batch,
        seed=args.seed,
        threads=args.threads or (cores if 'images' in inputs else 1),
    )
    image_size = _image_size(args.image_size)
    with (
        new_folder(args.out, CHECKPOINT, overwrite=args.overwrite) as folder,
        _display() as report,
    ):
        source = LeRobotDemonstrations(args.dataset)
        run = train_checkpoint(
            source,
            folder,
            inputs,
            config,
            image_size=image_size,
            report=report,
        )
    last = run.curve[-1]
    held = 'too few episodes to hold any out'
    if math.isfinite(last.held_out_rad):
        held = f'held-out error {last.held_out_rad:.4f} rad'
    print(
        f'{args.out}: {len(source)} episodes, {run.card["rows"]} rows, {last.epoch} epochs in '
        f'{last.seconds:.0f} s, {held}'
    )
    if 'environment_state' in inputs:
        print(
            'note: it reads the simulated scene (environment_state) and is refused on a robot; '
            'for one, train with --inputs state,images'
        )
    return 0


@contextmanager
def _display() -> Iterator[Report]:
    """A bar with its remaining time on a terminal; elsewhere a line for every tenth."""
    console = Console(stderr=True)
    tasks: dict[str, progress.TaskID] = {}
    tenths: dict[str, int] = {}
    columns = (
        progress.TextColumn('{task.description}'),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn('ETA'),
        progress.TimeRemainingColumn(),
        progress.TextColumn('{task.fields[words]}'),
    )
    with progress.Progress(*columns, console=console, disable=not console.is_terminal) as bar:

        def report(phase: str, share: float, words: str) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=1.0, words='')
            bar.update(tasks[phase], completed=share, words=words)
            if not console.is_terminal and int(10 * share) != tenths.get(phase):
                tenths[phase] = int(10 * share)
                print(f'{phase} {share:.0%}, {words}', file=sys.stderr, flush=True)

        yield report


def _inputs(text: str) -> tuple[str, ...]:
    """The inputs in their fixed order."""
    names = [name.strip() for name in text.split(',') if name.strip()]
    if not names or any(name not in INPUTS for name in names):
        raise ConfigError(f'--inputs is {text!r}; allowed: some of {",".join(INPUTS)}')
    return tuple(name for name in INPUTS if name in names)


def _image_size(text: str) -> tuple[int, int]:
    """Width and height [px]."""
    parts = text.lower().split('x')
    if len(parts) != 2 or not all(part.isdigit() and 32 <= int(part) <= 640 for part in parts):
        raise ConfigError(f'--image-size is {text!r}; it must be like 128x96, each 32 to 640')
    return int(parts[0]), int(parts[1])
