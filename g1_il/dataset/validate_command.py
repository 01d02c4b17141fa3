# SPDX-License-Identifier: Apache-2.0
"""`g1-il validate`: whether a loader of LeRobot datasets accepts this one."""

from __future__ import annotations

import argparse
from pathlib import Path

from g1_il.dataset.reader import DatasetReader
from g1_il.dataset.validate import validate


def add_validate_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes."""
    parser.add_argument('dataset', type=Path, help='folder of the dataset')


def run_validate(args: argparse.Namespace) -> int:
    """Prints every problem; exit status 1 when there is one."""
    problems = validate(args.dataset)
    for problem in problems:
        print(problem)
    dataset = DatasetReader(args.dataset)
    verdict = f'{len(problems)} problems' if problems else 'valid'
    print(
        f'{args.dataset}: {verdict}; LeRobotDataset v3.0, {len(dataset)} episodes, '
        f'{dataset.rows} rows at {dataset.fps} Hz, cameras: '
        f'{", ".join(key.rpartition(".")[2] for key in dataset.camera_keys) or "none"}'
    )
    return 1 if problems else 0
