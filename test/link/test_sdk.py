# SPDX-License-Identifier: Apache-2.0
"""The SDK in its several states: PyPI's wheel, Unitree's install, none at all."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(code: str, *paths: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(map(str, (*paths, ROOT)))},
        capture_output=True,
        text=True,
        timeout=60,
    )


LOAD = """
from g1_il.link.sdk import _load
channel, types = _load()
import unitree_sdk2py
print(unitree_sdk2py.__file__, unitree_sdk2py.b2.__file__ if hasattr(unitree_sdk2py.b2, '__file__')
      else 'absent', types.LowCmd_.__name__, channel.ChannelFactory.__name__)
"""


def test_the_wheel_of_pypi_lacks_a_part_and_works_all_the_same():
    plain = run('import unitree_sdk2py')
    loaded = run(LOAD)
    assert loaded.returncode == 0, loaded.stderr
    has_part = importlib.util.find_spec('unitree_sdk2py').submodule_search_locations[0]
    if not (Path(has_part) / 'b2').exists():
        assert 'b2' in plain.stderr and ' absent LowCmd_ ChannelFactory' in loaded.stdout


def test_an_install_from_github_keeps_its_own_parts(tmp_path: Path):
    wheel = Path(importlib.util.find_spec('unitree_sdk2py').submodule_search_locations[0])
    copy = tmp_path / 'unitree_sdk2py'
    shutil.copytree(wheel, copy, ignore=shutil.ignore_patterns('__pycache__'))
    (copy / 'b2').mkdir(exist_ok=True)
    (copy / 'b2' / '__init__.py').touch()
    loaded = run(LOAD, tmp_path)
    assert loaded.returncode == 0, loaded.stderr
    assert f'{copy}/__init__.py {copy}/b2/__init__.py LowCmd_' in loaded.stdout


def test_none_at_all_is_told_in_one_line():
    hide = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == 'unitree_sdk2py' else find(name, *a)
from g1_il.errors import ConfigError
from g1_il.link.unitree_link import UnitreeLink
try:
    UnitreeLink(domain=99, interface='lo', accept_zero_crc=False)
except ConfigError as error:
    print(error)
"""
    told = run(hide)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count('\n') == 1
    assert 'unitree_sdk2py is not installed' in told.stdout and 'make setup' in told.stdout
