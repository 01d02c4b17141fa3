# SPDX-License-Identifier: Apache-2.0
"""`g1-il evaluate`: closed-loop success of a policy in the simulator."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console

from g1_il.output import check_file
from g1_il.rollout.deploy import RolloutResult
from g1_il.rollout.evaluate import DEFAULT_SEED, EvaluateConfig, evaluate
from g1_il.rollout.progress import progress_bar
from g1_il.rollout.workers import default_jobs


def add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('policy', type=Path, help='ONNX file made by g1-il export')
    parser.add_argument('--rollouts', type=int, default=100, help='how many (100)')
    parser.add_argument(
        '--seed',
        type=int,
        default=DEFAULT_SEED,
        help=f'first scene; data never uses these ({DEFAULT_SEED})',
    )
    parser.add_argument(
        '--limit', type=float, default=15.0, metavar='SECONDS', help='time for a rollout (15)'
    )
    parser.add_argument('--video', type=Path, help='MP4 file for the first rollout')
    parser.add_argument('--report', type=Path, help='JSON file for the report')
    parser.add_argument('--jobs', type=int, default=default_jobs(), help='processes (one a core)')
    parser.add_argument('--overwrite', action='store_true', help='replace video and report')


def run_evaluate(args: argparse.Namespace) -> int:
    """Runs the command; a low success rate is a result, not an error."""
    check_file(args.video, option='--video', overwrite=args.overwrite)
    check_file(args.report, option='--report', overwrite=args.overwrite)
    config = EvaluateConfig(
        policy=args.policy,
        rollouts=args.rollouts,
        seed=args.seed,
        limit_s=args.limit,
        video=args.video,
        jobs=args.jobs,
    )
    console = Console()
    with progress_bar(console, 'evaluating', args.rollouts, all_count=True) as advance:

        def show(result: RolloutResult) -> None:
            advance(result.success)

        report = evaluate(config, show)
    if args.report is not None:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(json.dumps(report, indent=2) + '\n')
    low, high = report['interval']
    console.print(
        f'{report["successes"]} of {report["rollouts"]} rollouts succeeded '
        f'({report["rate"]:.0%}, 95 % interval {low:.0%} to {high:.0%}), '
        f'{report["real_time_factor"]:.1f} x real time',
        soft_wrap=True,
    )
    for stage, count in report['failed_at'].items():
        console.print(f'  {count} failed having got as far as: {stage}')
    return 0
