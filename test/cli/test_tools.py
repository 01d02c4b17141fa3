# SPDX-License-Identifier: Apache-2.0
"""tools/ and bench/ with wrong things: one line, an exit status, and nothing touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNS = ('tools/demo.py', 'bench/learn_image.py')


def answer(script: str, *arguments: object, isolated: bool = False) -> tuple[int, str]:
    """Exit status and what was said on stderr; isolated: without this project's packages."""
    command = [sys.executable, *(['-I', '-S'] if isolated else []), ROOT / script, *arguments]
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize('script', RUNS)
@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--out', 'HERE/file', '--overwrite'), 'is a file; name a folder'),
        (('--out', 'HERE/file/below'), 'is no folder; name another place'),
        (('--out', 'HERE'), 'is not empty; name another folder, or say --overwrite'),
        (('--out', 'HERE', '--overwrite'), 'is not overwritten: it holds file'),
        (('--out', '/proc/none'), 'cannot be written; name another place'),
    ],
)
def test_a_run_refuses_its_folder_in_one_line(
    tmp_path: Path, script: str, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / 'file').write_text('precious')
    status, said = answer(script, *(item.replace('HERE', str(tmp_path)) for item in arguments))
    assert status == 2
    assert words in said and len(said.splitlines()) == 1, said
    assert (tmp_path / 'file').read_text() == 'precious'


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--out', 'HERE/file'), 'exists; name another file or say --overwrite'),
        (('--out', 'HERE', '--overwrite'), 'is a folder; name a file'),
        (('--out', 'HERE/new.json', '--only', 'dance'), "--only is 'dance', found in none of: "),
    ],
)
def test_bench_refuses_before_it_measures(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / 'file').write_text('precious')
    status, said = answer(
        'tools/bench.py', *(item.replace('HERE', str(tmp_path)) for item in arguments)
    )
    assert status == 2
    assert words in said and len(said.splitlines()) == 1, said
    assert [path.name for path in tmp_path.iterdir()] == ['file']


@pytest.mark.parametrize('script', [*RUNS, 'tools/bench.py'])
def test_a_missing_package_is_named(script: str) -> None:
    status, said = answer(script, '--out', '/nowhere', isolated=True)
    assert status == 1
    assert 'is not installed; run `make ' in said and len(said.splitlines()) == 1, said
