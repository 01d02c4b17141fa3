#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every benchmark in bench/ and writes what they measured.

A benchmark is a module `bench/bench_*.py` (or `embedded/bench/bench_*.py`) with
`run() -> list[dict]` of `{name, value, unit, baseline, baseline_value, ratio}`: the ratio is value
over baseline_value, both measured in the same run.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ('name', 'value', 'unit', 'baseline', 'baseline_value', 'ratio')


def load(path: Path):
    """The benchmark module at a path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'build/bench.json')
    parser.add_argument('--only', default='', help='only benchmarks with this text in their name')
    options = parser.parse_args()
    console = Console()
    paths = sorted([*ROOT.glob('bench/bench_*.py'), *ROOT.glob('embedded/bench/bench_*.py')])
    results: list[dict] = []
    failed = []
    for path in paths:
        if options.only not in path.stem:
            continue
        with console.status(f'measuring {path.stem}'):
            try:
                rows = load(path).run()
            except Exception:  # one broken benchmark must not hide the others' figures
                traceback.print_exc()
                failed.append(path.stem)
                continue
        for row in rows:
            missing = [field for field in FIELDS if field not in row]
            if missing:
                failed.append(f'{path.stem}: {row.get("name")} lacks {", ".join(missing)}')
        results += rows
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + '\n')
    table = Table('what', 'value', 'unit', 'baseline', 'its value', 'ratio')
    for row in results:
        figures = [
            '-' if row[k] is None else f'{row[k]:.4g}'
            for k in ('value', 'baseline_value', 'ratio')
        ]
        table.add_row(
            row['name'], figures[0], row['unit'], row['baseline'] or '-', figures[1], figures[2]
        )
    console.print(table)
    console.print(f'written: {options.out}')
    for name in failed:
        print(f'bench: failed: {name}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
