# SPDX-License-Identifier: Apache-2.0
"""`g1-il export`: from a checkpoint to an ONNX file, compared with torch on real observations."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import read_checkpoint
from g1_il.learn.export import export_onnx
from g1_il.learn.observations import read_observations
from g1_il.output import check_file

SUFFIX = '.onnx'


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument('checkpoint', type=Path, help='folder made by g1-il train')
    parser.add_argument('out', type=Path, metavar='OUT.onnx', help='file to write')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing file')


def run_export(args: argparse.Namespace) -> int:
    """Exports; 0 when the file is there and answers as the network does."""
    if args.out.suffix != SUFFIX:
        raise ConfigError(f'{args.out} does not end in {SUFFIX}; name the file so')
    check_file(args.out, option='OUT.onnx', overwrite=args.overwrite)
    if not args.out.parent.is_dir():
        raise ConfigError(f'{args.out.parent} is no folder; make it first')
    checkpoint = read_checkpoint(args.checkpoint)
    observations = read_observations(args.checkpoint)
    with Console(stderr=True).status(f'exporting {args.checkpoint}'):
        parity = export_onnx(checkpoint, observations, args.out)
    print(
        f'{args.out}: {args.out.stat().st_size / 1e6:.1f} MB; differs from torch by at most '
        f'{parity.normalised:.1e} (normalised), {parity.radians:.1e} rad over '
        f'{parity.observations} real observations'
    )
    return 0
