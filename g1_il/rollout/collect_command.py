# SPDX-License-Identifier: Apache-2.0
"""`g1-il collect`: record scripted episodes in the simulator, faster than real time."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from g1_il.episodes.folder import EPISODES, FolderLock, find_active
from g1_il.errors import ConfigError
from g1_il.output import check_file, emptied_folder
from g1_il.rollout.collect import TASK, Attempt, CollectConfig, collect
from g1_il.rollout.progress import progress_bar
from g1_il.rollout.workers import default_jobs


def add_collect_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('--episodes', type=int, default=50, help='successful episodes (50)')
    parser.add_argument('--out', type=Path, required=True, help='folder that receives them')
    parser.add_argument('--seed', type=int, default=0, help='first scene (0)')
    parser.add_argument('--task', default=TASK, help=f'instruction in words ({TASK!r})')
    parser.add_argument(
        '--images',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='record the head camera (yes)',
    )
    parser.add_argument('--size', default='640x480', help='picture size in pixels (640x480)')
    parser.add_argument(
        '--push',
        type=float,
        default=0.0,
        metavar='RAD',
        help='push the arms about while the operator works, RMS at each joint (0)',
    )
    parser.add_argument('--keep-failures', action='store_true', help='keep failed episodes, too')
    parser.add_argument('--jobs', type=int, default=default_jobs(), help='processes (one a core)')
    parser.add_argument('--report', type=Path, help='JSON file for the report')
    parser.add_argument('--overwrite', action='store_true', help='replace what OUT holds')


def run_collect(args: argparse.Namespace) -> int:
    """Runs the command; 1 when fewer episodes succeeded than were asked for."""
    width, height = _size(args.size)
    config = CollectConfig(
        out=args.out,
        episodes=args.episodes,
        seed=args.seed,
        task=args.task,
        images=args.images,
        width=width,
        height=height,
        push_rad=args.push,
        keep_failures=args.keep_failures,
        jobs=args.jobs,
    )
    check_file(args.report, option='--report', overwrite=args.overwrite)
    _refuse_recording(args.out)
    console = Console()
    with (
        emptied_folder(args.out, EPISODES, overwrite=args.overwrite),
        progress_bar(console, 'collecting', args.episodes) as advance,
    ):

        def show(attempt: Attempt) -> None:
            advance(attempt.folder != '')

        report = collect(config, show)
    if args.report is not None:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(json.dumps(report, indent=2) + '\n')
    console.print(
        f'{report["episodes"]} episodes in {args.out}: {report["successes"]} of '
        f'{report["attempts"]} attempts succeeded, {report["real_time_factor"]:.1f} x real time '
        f'({report["real_time_factor_per_core"]:.1f} x per core)',
        soft_wrap=True,
    )
    for failure in report['failures']:
        console.print(f'  seed {failure["seed"]} failed; it got as far as: {failure["stage"]}')
    if report['episodes'] < args.episodes:
        print(
            f'g1-il collect: only {report["episodes"]} of {args.episodes} episodes after '
            f'{report["attempts"]} attempts',
            file=sys.stderr,
        )
        return 1
    return 0


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f'--size is {text!r}; give it as WIDTHxHEIGHT, e.g. 640x480')
    return int(width), int(height)


def _refuse_recording(out: Path) -> None:
    """Refuses to set aside what a recorder is writing to."""
    for active in find_active(out):
        try:
            FolderLock(active).release()
        except BlockingIOError as error:
            raise ConfigError(
                f'--out {out}: {active.name} is being recorded; end that, or name another folder'
            ) from error
