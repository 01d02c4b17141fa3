#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes constraints/*.txt from what pip resolves today, or proves that they still resolve.

One file per Python version, and one per Python version under ROS 2, whose released cv_bridge
needs numpy 1. pip's dry run is made with the very Python that the file is for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = 'hardware,train,view,test'
# Released cv_bridge needs numpy 1; ROS's pytest plugins need pytest 7.
ROS_PINS = ('numpy<2', 'pytest<8')
OURS = {'g1-il', 'g1-il-embedded-ros'}
# Accelerator packages follow from the torch build that is chosen, not from us.
NOT_PINNED = ('nvidia-', 'cuda-', 'triton')


def resolve(python: str, ros: bool, constraints: Path | None) -> dict[str, str]:
    """Names and versions that pip would install, by a dry run that installs nothing."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, '-m', 'venv', folder], check=True)
        pip = [f'{folder}/bin/python', '-m', 'pip', '--disable-pip-version-check']
        subprocess.run([*pip, 'install', '-q', '-U', 'pip'], check=True)
        report = Path(folder) / 'report.json'
        wanted = ['-e', f'.[{EXTRAS}]'] if ros else ['-e', f'.[{EXTRAS},colcon]', '-e', 'embedded']
        wanted += ['pip', 'setuptools', 'wheel']
        if constraints:
            wanted += ['-c', str(constraints)]
        elif ros:
            wanted += ROS_PINS
        subprocess.run(
            [*pip, 'install', '-q', '--dry-run', '--ignore-installed', '--report', str(report)]
            + wanted,
            check=True,
            cwd=ROOT,
        )
        items = json.loads(report.read_text())['install']
    found = {item['metadata']['name']: item['metadata']['version'] for item in items}
    return {name: version.split('+')[0] for name, version in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true', help='prove the files, write nothing')
    parser.add_argument(
        '--python', nargs='+', default=['3.10', '3.11', '3.12'], help='versions to handle'
    )
    options = parser.parse_args()
    for version in options.python:
        python = shutil.which(f'python{version}')
        if python is None:
            print(f'python{version} is not on the path: skipped', file=sys.stderr)
            continue
        for ros in (False, True):
            path = ROOT / 'constraints' / f'{"ros-" if ros else ""}python{version}.txt'
            found = resolve(python, ros, path if options.check else None)
            kept = {
                name: pin
                for name, pin in found.items()
                if name.lower().replace('_', '-') not in OURS and not name.startswith(NOT_PINNED)
            }
            if options.check:
                print(f'{path.name}: resolves, {len(found)} packages')
                continue
            lines = [f'{name}=={kept[name]}' for name in sorted(kept, key=str.lower)]
            path.write_text('# Made by tools/lock_constraints.py.\n' + '\n'.join(lines) + '\n')
            print(f'{path.name}: {len(lines)} packages')
    return 0


if __name__ == '__main__':
    sys.exit(main())
