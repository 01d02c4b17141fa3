#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a policy that sees the can only in the head camera, and reports its success as it is.

    python bench/learn_image.py --out build/bench-learn

Collects demonstrations, converts them, trains on joint positions and pictures, exports, and
evaluates on seeds that no demonstration used. No threshold: the figure is the result.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

try:
    from g1_il.cli import main as g1_il
    from g1_il.errors import ConfigError
    from g1_il.output import make_room
except ModuleNotFoundError as error:
    sys.exit(f'learn_image: the package {error.name} is not installed; run `make bench-learn`')

BATCH = 64
# All that the bench leaves in its folder.
MADE = {'episodes', 'dataset', 'run', 'policy.onnx', 'evaluate.json', 'report.json'}


def run(verb: str, *arguments: object) -> float:
    """One verb of g1-il; returns its seconds.

    Raises:
        SystemExit: If it failed.
    """
    words = [verb, *map(str, arguments)]
    print(f'$ g1-il {" ".join(words)}', flush=True)
    began = time.monotonic()
    if status := g1_il(words):
        raise SystemExit(status)
    return time.monotonic() - began


def main() -> int:
    """The whole bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, required=True, help='folder for everything it makes')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what an earlier run made'
    )
    parser.add_argument('--episodes', type=int, default=100, help='demonstrations (%(default)s)')
    parser.add_argument('--seed', type=int, default=50_000, help='first scene (%(default)s)')
    parser.add_argument('--push', type=float, default=0.03, help='see g1-il collect (%(default)s)')
    parser.add_argument('--epochs', type=int, default=15, help='of training (%(default)s)')
    parser.add_argument('--rollouts', type=int, default=100, help='to evaluate (%(default)s)')
    options = parser.parse_args()
    out: Path = options.out
    report = out / 'report.json'
    try:
        make_room(out, MADE, overwrite=options.overwrite)
    except ConfigError as error:
        print(f'learn_image: {error}', file=sys.stderr)
        return 2
    episodes, dataset, run_folder = out / 'episodes', out / 'dataset', out / 'run'
    policy, scores = out / 'policy.onnx', out / 'evaluate.json'
    seconds = {
        'collect': run(
            'collect', '--episodes', options.episodes, '--out', episodes,
            '--seed', options.seed, '--push', options.push,
        ),
        'convert': run('convert', episodes, dataset),
        'train': run(
            'train', '--dataset', dataset, '--out', run_folder,
            '--inputs', 'state,images', '--epochs', options.epochs, '--batch', BATCH,
        ),
        'export': run('export', run_folder, policy),
        'evaluate': run('evaluate', policy, '--rollouts', options.rollouts, '--report', scores),
    }  # fmt: skip
    found = json.loads(scores.read_text())
    low, high = found['interval']
    report.write_text(json.dumps({'seconds': seconds, 'evaluate': found}, indent=2) + '\n')
    print(
        f'image policy, {options.episodes} demonstrations, {seconds["train"]:.0f} s of training: '
        f'{found["successes"]} of {found["rollouts"]} rollouts succeeded '
        f'(95 % interval {100 * low:.0f} to {100 * high:.0f} %); all figures: {report}'
    )
    return 0


if __name__ == '__main__':
    sys.exit(main())
