# SPDX-License-Identifier: Apache-2.0
"""`g1-il convert`: recorded episodes to a LeRobotDataset v3.0."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from g1_il.dataset.convert import ConvertConfig, convert
from g1_il.episodes.card import OUTCOMES
from g1_il.errors import ConfigError


def add_convert_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes."""
    parser.add_argument('episodes', type=Path, help='folder of the recorded episodes')
    parser.add_argument('out', type=Path, help='folder that the dataset is made in')
    parser.add_argument('--fps', type=int, default=30, help='declared camera rate (default: 30)')
    parser.add_argument(
        '--outcome',
        action='append',
        choices=OUTCOMES,
        help='outcome of the episodes to take; may be given several times (default: success)',
    )
    parser.add_argument(
        '--reference', default='', help='camera whose frames make the rows (default: the first)'
    )
    parser.add_argument(
        '--trim-idle', action='store_true', help='leave out the stand-still at both ends'
    )
    parser.add_argument('--jobs', type=int, default=2, help='processes (default: 2)')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing dataset')


def run_convert(args: argparse.Namespace) -> int:
    """Converts, with a progress bar; says what was left out and why."""
    if args.fps < 1 or args.jobs < 1:
        raise ConfigError(f'--fps is {args.fps} and --jobs {args.jobs}; both must be at least 1')
    config = ConvertConfig(
        fps=args.fps,
        outcomes=tuple(args.outcome or ('success',)),
        reference=args.reference,
        trim_idle=args.trim_idle,
        jobs=args.jobs,
        overwrite=args.overwrite,
    )
    started_s = time.monotonic()
    progress = Progress(
        TextColumn('convert'),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn('episodes, {task.fields[rows]} rows'),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with progress:
        bar = progress.add_task('convert', total=None, rows=0)

        def show(done: int, total: int, rows: int) -> None:
            progress.update(bar, completed=done, total=total, rows=rows)

        try:
            made = convert(args.episodes, args.out, config, show)
        except BaseException:
            # No bar, and no line for one in a log: what is said next is why it ended.
            progress.live.transient = True
            progress.console.quiet = not progress.console.is_terminal
            raise
    seconds = time.monotonic() - started_s
    for item in made.excluded:
        print(f'left out {item.source}: {item.reason}')
    print(
        f'{made.root}: {made.episodes} episodes, {made.rows} rows at {config.fps} Hz, '
        f'{made.warned} with warnings, {len(made.excluded)} left out; {seconds:.1f} s'
    )
    return 0
