# SPDX-License-Identifier: Apache-2.0
"""`g1-il check`: judges recorded episodes, with reasons."""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from g1_il.episodes.card import load_card
from g1_il.episodes.folder import find_active, find_episodes
from g1_il.episodes.report import (
    FAIL,
    PASS,
    WARN,
    CheckConfig,
    EpisodeReport,
    Finding,
    check_episode,
)
from g1_il.errors import ConfigError, G1Error
from g1_il.output import check_file

_COLOURS = {PASS: 'green', WARN: 'yellow', FAIL: 'red'}


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes."""
    parser.add_argument('episodes', type=Path, help='folder of the recorded episodes, or one')
    parser.add_argument('--fps', type=int, default=30, help='declared camera rate (default: 30)')
    parser.add_argument('--json', type=Path, help='write the report to this file as well')
    parser.add_argument('--overwrite', action='store_true', help='replace that file')
    parser.add_argument(
        '--strict', action='store_true', help='exit status 1 when any episode fails'
    )


def run_check(args: argparse.Namespace) -> int:
    """Judges all episodes.

    Returns:
        0; 1 when none can be converted, or when one fails and --strict was said.
    """
    if args.json and not args.json.parent.is_dir():
        raise ConfigError(f'--json {args.json}: there is no folder {args.json.parent}')
    check_file(args.json, option='--json', overwrite=args.overwrite)
    config = CheckConfig(fps=args.fps)
    reports = [judge(folder, config) for folder in find_episodes(args.episodes)]
    _print(reports)
    for active in find_active(args.episodes):
        print(f'{active}: being recorded, or its recorder was killed: g1-il recover')
    if args.json:
        args.json.write_text(json.dumps(report_json(reports), indent=2) + '\n', encoding='utf-8')
    failed = sum(report.verdict == FAIL for report in reports)
    return int(failed == len(reports) or (args.strict and failed > 0))


def judge(folder: Path, config: CheckConfig) -> EpisodeReport:
    """Reads and judges one episode; one that cannot be read is a report too."""
    from g1_il.ros.bag import read_bag
    from g1_il.ros.streams import episode_streams

    try:
        card = load_card(folder)
        return check_episode(card, episode_streams(read_bag(folder)), config)
    except G1Error as error:
        finding = Finding(level=FAIL, check='unreadable', text=str(error))
        return EpisodeReport(
            episode_id=folder.name, outcome='unknown', findings=(finding,), numbers={}
        )


def report_json(reports: list[EpisodeReport]) -> dict[str, Any]:
    """The reports as JSON; numbers that are not finite become null."""
    counts = Counter(report.verdict for report in reports)
    episodes = [
        {**_finite(asdict(report)), 'verdict': report.verdict}  # type: ignore[dict-item]
        for report in reports
    ]
    return {
        'passed': counts[PASS],
        'warned': counts[WARN],
        'failed': counts[FAIL],
        'episodes': episodes,
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _print(reports: list[EpisodeReport]) -> None:
    table = Table(title=f'{len(reports)} episodes')
    for column in ('episode', 'verdict', 'outcome', 'length', 'idle ends', 'reasons'):
        table.add_column(column, no_wrap=True)
    for report in reports:
        numbers = report.numbers
        head, tail = numbers.get('idle_head_s'), numbers.get('idle_tail_s')
        table.add_row(
            report.episode_id,
            _coloured(report.verdict),
            report.outcome,
            f'{numbers["duration_s"]:.1f} s' if 'duration_s' in numbers else '',
            f'{head:.1f} / {tail:.1f} s' if head is not None and tail is not None else '',
            ', '.join(dict.fromkeys(finding.check for finding in report.findings)),
        )
    console = Console()
    console.print(table)
    for report in reports:
        for finding in report.findings:
            console.print(
                f'{report.episode_id}: {_coloured(finding.level)} {finding.check}: {finding.text}',
                soft_wrap=True,
                highlight=False,
            )
    counts = Counter(report.verdict for report in reports)
    print(', '.join(f'{counts[verdict]} {verdict}' for verdict in (PASS, WARN, FAIL)))


def _coloured(level: str) -> str:
    return f'[{_COLOURS[level]}]{level}[/]'
