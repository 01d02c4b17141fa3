# SPDX-License-Identifier: Apache-2.0
"""tools/setup.sh on machines that lack something: what, and what to do about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ('bash', 'cat', 'cut', 'dirname', 'env', 'grep', 'id', 'rm', 'sh', 'sha256sum', 'tr')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, as far as setup.sh reads it, on a machine with few programs and no libraries."""
    checkout = tmp_path / 'checkout'
    (checkout / 'tools').mkdir(parents=True)
    (checkout / 'embedded').mkdir()
    (checkout / 'constraints').mkdir()
    for name in ('setup.py', 'setup.cfg', 'tools/setup.sh', 'embedded/pyproject.toml'):
        shutil.copy(ROOT / name, checkout / name)
    programs = tmp_path / 'programs'
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(str(shutil.which(tool)))
    program(checkout, 'ldconfig', 'exit 0')
    program(checkout, 'python', f'exec {sys.executable} "$@"')
    version = f'{sys.version_info[0]}.{sys.version_info[1]}'
    (checkout / f'constraints/python{version}.txt').touch()
    return checkout


def program(checkout: Path, name: str, text: str) -> Path:
    """Puts a program on the path."""
    path = checkout.parent / 'programs' / name
    path.unlink(missing_ok=True)
    path.write_text(f'#!/bin/sh\n{text}\n')
    path.chmod(0o755)
    return path


def setup(checkout: Path, *words: str, **environment: str) -> tuple[int, list[str]]:
    """Exit status and what was said."""
    programs = checkout.parent / 'programs'
    clean = {k: v for k, v in os.environ.items() if k not in ('ROS_DISTRO', 'PYTHONPATH')}
    done = subprocess.run(
        ['bash', 'tools/setup.sh', *words],
        cwd=checkout,
        env={
            **clean,
            'PATH': str(programs),
            'G1_IL_PYTHON': str(programs / 'python'),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout.splitlines()


def test_a_purpose_that_is_none(checkout: Path) -> None:
    assert setup(checkout, 'dance') == (2, ["setup: purpose is 'dance'; allowed: run, test"])


@pytest.mark.parametrize('python', ['/nowhere/python', '/', 'old'])
def test_a_python_that_will_not_do(checkout: Path, python: str) -> None:
    if python == 'old':
        python = str(program(checkout, 'old', 'exit 1'))
    status, (said,) = setup(checkout, G1_IL_PYTHON=python)
    assert status == 2
    assert f'no Python between 3.10 and 3.12 (tried: {python})' in said
    assert 'name it in G1_IL_PYTHON' in said


def test_a_python_without_pinned_versions(checkout: Path) -> None:
    for path in (checkout / 'constraints').iterdir():
        path.unlink()
    status, (said,) = setup(checkout)
    assert status == 2 and 'has no pinned versions for this Python' in said


def test_no_apt_lists_what_to_install_by_hand(checkout: Path) -> None:
    status, (said,) = setup(checkout)
    assert status == 2
    assert said.startswith('setup: needs these Debian packages, or their like, installed by hand')
    assert said.split(':')[-1].split() == ['libegl1', 'libgl1', 'libusb-1.0-0']


def test_neither_root_nor_sudo_lists_them_too(checkout: Path) -> None:
    program(checkout, 'apt-get', 'exit 1')
    program(checkout, 'id', 'echo 1000')
    status, (said,) = setup(checkout)
    assert status == 2 and 'as root: apt-get install libegl1 libgl1 libusb-1.0-0' in said


def test_an_apt_that_fails_lists_them_too(checkout: Path) -> None:
    program(checkout, 'apt-get', 'exit 1')
    program(checkout, 'id', 'echo 0')
    status, said = setup(checkout)
    assert status == 2
    assert 'do it by hand: apt-get install libegl1 libgl1 libusb-1.0-0' in said[-1]


def has_all_libraries(checkout: Path) -> None:
    program(checkout, 'ldconfig', 'echo libEGL.so.1 libGL.so.1 libusb-1.0.so.0')


def test_a_file_where_the_environment_belongs_is_left_alone(checkout: Path) -> None:
    has_all_libraries(checkout)
    (checkout / '.venv').write_text('precious')
    status, (said,) = setup(checkout)
    assert status == 2 and '.venv is a file; move it away' in said
    assert (checkout / '.venv').read_text() == 'precious'


def test_an_environment_cut_short_is_made_anew_and_a_stop_says_how_to_go_on(
    checkout: Path,
) -> None:
    """What pip cannot fetch (here: anything) stops set-up; no stamp says that it was completed."""
    has_all_libraries(checkout)
    half = checkout / '.venv/bin/python'
    half.parent.mkdir(parents=True)
    half.write_text('#!/bin/sh\nexit 1\n')
    half.chmod(0o755)
    # In place of `python -m venv`: an environment whose pip finds no index.
    program(
        checkout,
        'python',
        'case "$*" in *"-m venv"*)\n'
        f'printf "#!/bin/sh\\ncase \\$* in *pip*install*) echo no index; exit 1;; esac\\n" '
        f'> {half}; exit 0;; esac\nexec {sys.executable} "$@"',
    )
    status, said = setup(checkout)
    assert status == 2
    assert said[0].startswith('setup: making ')
    assert said[1] == 'no index'
    assert 'run the same command again, which goes on from here' in said[-1]
    assert not list((checkout / '.venv').glob('.made_from_*'))
