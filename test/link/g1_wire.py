# SPDX-License-Identifier: Apache-2.0
"""The other end of the wire, for tests: a small G1 in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def wait_for(condition: Callable[[], object], seconds: float = 15.0) -> object:
    """Waits until a condition is true and returns its value; fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f'{condition} did not come true within {seconds} s')


class G1Process:
    """Runs g1_process.py; `ask` sends an order and returns the answer."""

    def __init__(self, domain: int, mode_machine: int = 5) -> None:
        command = [
            sys.executable,
            str(Path(__file__).with_name('g1_process.py')),
            str(domain),
            str(mode_machine),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
        )
        assert self._answer() == 'ready'

    def ask(self, *words: object) -> object:
        self._process.stdin.write(' '.join(str(word) for word in words) + '\n')
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> object:
        line = self._process.stdout.readline()
        assert line, 'the G1 process has ended'
        return json.loads(line)

    def __enter__(self) -> G1Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        assert self._process.wait(timeout=10) == 0
