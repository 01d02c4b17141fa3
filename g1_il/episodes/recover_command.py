# SPDX-License-Identifier: Apache-2.0
"""`g1-il recover`: completes the episodes of a recorder that was killed."""

from __future__ import annotations

import argparse
from pathlib import Path

from g1_il.episodes.finish import recover
from g1_il.errors import ConfigError


def add_recover_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes."""
    parser.add_argument('folder', type=Path, help='folder of the recorded episodes')


def run_recover(args: argparse.Namespace) -> int:
    """Recovers, and says of every episode what became of it."""
    if not args.folder.is_dir():
        raise ConfigError(f'{args.folder} is not a folder; give the folder of the episodes')
    recoveries = recover(args.folder)
    for recovery in recoveries:
        place = recovery.kept or recovery.folder
        print(f'{place}: {recovery.messages} messages; {recovery.note}')
    if not recoveries:
        print(f'{args.folder}: nothing to recover')
    return 0 if all(r.kept or 'being recorded' in r.note for r in recoveries) else 1
