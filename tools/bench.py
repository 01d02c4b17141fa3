#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every benchmark in bench/ and writes what they measured.

A benchmark is a module `bench/bench_*.py` (or `embedded/bench/bench_*.py`) with
`run() -> list[dict]` of `{name, value, unit, baseline, baseline_value, ratio}`: the ratio is value
over baseline_value, both of the same run. Each runs in a process of its own, whose session ends
with it: nothing that a benchmark started outlives it, and none disturbs the next.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

try:
    from rich.console import Console
    from rich.table import Table

    from g1_il.errors import ConfigError
    from g1_il.output import check_file
except ModuleNotFoundError as error:
    sys.exit(f'bench: the Python package {error.name} is not installed; run `make bench`')

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ('name', 'value', 'unit', 'baseline', 'baseline_value', 'ratio')
LIMIT_S = 180.0
"""A benchmark that takes longer hangs."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'build/bench.json')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing file')
    parser.add_argument('--only', default='', help='only benchmarks with this text in their name')
    parser.add_argument('--module', nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.module:
        path, out = options.module
        out.write_text(json.dumps(load(path).run()))
        return 0
    console = Console()
    paths = sorted([*ROOT.glob('bench/bench_*.py'), *ROOT.glob('embedded/bench/bench_*.py')])
    try:
        check_file(options.out, option='--out', overwrite=options.overwrite)
    except ConfigError as error:
        print(f'bench: {error}', file=sys.stderr)
        return 2
    if not any(options.only in path.stem for path in paths):
        names = ', '.join(path.stem for path in paths)
        print(f'bench: --only is {options.only!r}, found in none of: {names}', file=sys.stderr)
        return 2
    results: list[dict[str, Any]] = []
    failed = []
    for path in paths:
        if options.only not in path.stem:
            continue
        began_s = time.monotonic()
        with console.status(f'measuring {path.stem}'):
            rows, problem = measure(path)
        console.print(f'{path.stem}: {problem or "done"}, {time.monotonic() - began_s:.0f} s')
        if problem:
            failed.append(f'{path.stem}: {problem}')
        for row in rows:
            missing = [field for field in FIELDS if field not in row]
            if missing:
                failed.append(f'{path.stem}: {row.get("name")} lacks {", ".join(missing)}')
        results += rows
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + '\n')
    show(console, results)
    console.print(f'written: {options.out}')
    for line in failed:
        print(f'bench: failed: {line}', file=sys.stderr)
    return 1 if failed else 0


def load(path: Path) -> Any:
    """The benchmark module at a path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(path: Path) -> tuple[list[dict[str, Any]], str]:
    """Rows of one benchmark, and what went wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / 'rows.json'
        process = subprocess.Popen(
            [sys.executable, __file__, '--module', str(path), str(out)],
            env={'MUJOCO_GL': 'egl', **os.environ},
            start_new_session=True,
        )
        try:
            code = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            return [], f'takes longer than {LIMIT_S:.0f} s'
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if code:
            return [], f'ended with exit status {code}'
        return json.loads(out.read_text()), ''


def show(console: Console, results: list[dict[str, Any]]) -> None:
    """Prints the table."""
    table = Table('what', 'value', 'unit', 'baseline', 'its value', 'ratio')
    for row in results:
        figures = [
            '-' if row[key] is None else f'{row[key]:.4g}'
            for key in ('value', 'baseline_value', 'ratio')
        ]
        table.add_row(
            row['name'], figures[0], row['unit'], row['baseline'] or '-', figures[1], figures[2]
        )
    console.print(table)


if __name__ == '__main__':
    sys.exit(main())
