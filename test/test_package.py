# SPDX-License-Identifier: Apache-2.0
"""The package as colcon, pip and CMake see it."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_colcon_sees_one_ament_cmake_package(tmp_path: Path) -> None:
    listing = subprocess.run(
        [
            sys.executable,
            '-m',
            'colcon',
            '--log-base',
            str(tmp_path),
            'list',
            '--base-paths',
            ROOT,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    packages = [line.split('\t') for line in listing.splitlines()]
    assert [(p[0], p[2]) for p in packages] == [('g1_il', '(ros.ament_cmake)')]


def test_versions_agree() -> None:
    version = re.search(r'<version>(.*)</version>', (ROOT / 'package.xml').read_text())
    assert version
    assert f'\nversion = {version[1]}\n' in (ROOT / 'setup.cfg').read_text()
    assert f"__version__ = '{version[1]}'" in (ROOT / 'g1_il/__init__.py').read_text()


def test_every_executable_of_ros2_run_starts_a_module_that_exists(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, ROOT / 'tools/ros_executables.py', tmp_path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [Path(item) for item in printed.strip().split(';')]
    assert {path.name for path in paths} >= {'bridge', 'recorder', 'policy', 'g1-il'}
    for path in paths:
        found = re.search(r'^from (\S+) import (\w+)$', path.read_text(), re.MULTILINE)
        assert found, path
        function = getattr(importlib.import_module(found[1]), found[2])
        if found[1] == 'g1_il.start':
            assert function.args == (path.name,)
            assert (ROOT / f'g1_il/nodes/{path.name}.py').is_file(), path
        assert path.stat().st_mode & 0o111


@pytest.mark.parametrize('name', ['msg', 'srv'])
def test_no_python_folder_takes_the_name_of_the_generated_messages(name: str) -> None:
    assert not (ROOT / 'g1_il' / name).exists()


@pytest.mark.parametrize('path', sorted((ROOT / 'msg').glob('*.msg')), ids=lambda p: p.stem)
def test_every_number_of_a_message_says_its_unit(path: Path) -> None:
    number = re.compile(r'^(u?int\d+|float\d+)(\[\d*\])?\s+\w+\s*(#.*)?$')
    for line in path.read_text().splitlines():
        match = number.match(line)
        if match and '# one of the constants above' not in line:
            assert re.search(r'#.*\[[^\]]+\]', line), f'{path.name}: {line!r} names no unit'
