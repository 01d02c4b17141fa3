# SPDX-License-Identifier: Apache-2.0
"""g1-il with wrong things: what, value, allowed and remedy in one line, and exit status 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from g1_il.cli import VERBS, main
from g1_il.errors import missing_package

# A package that is refused is one that is not installed; read by every Python that finds it.
REFUSER = """
import os, sys
class Refuser:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == os.environ['REFUSED_PACKAGE']:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Refuser())
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / 'file').write_text('precious')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'stranger').mkdir()
    (tmp_path / 'stranger' / 'config.json').write_text('{}')
    (tmp_path / 'stranger' / 'thesis.doc').write_text('precious')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        ('collect --out file', 'file is a file; name a folder'),
        ('collect --out file/below', 'file is no folder; name another place'),
        ('collect --out /proc/none', '/proc cannot be written'),
        ('collect --out stranger', 'exists and is not empty'),
        ('collect --out stranger --overwrite', 'it holds '),
        ('collect --out new --report file', '--report file exists'),
        ('collect --out new --report file/below', 'file is no folder'),
        ('collect --out new --report empty', 'is a folder; name a file'),
        ('collect --out new --jobs 0', 'jobs is 0; allowed: 1 to 256'),
        ('check nowhere', 'nowhere is not a folder'),
        ('check file', 'file is not a folder'),
        ('check empty', 'holds no complete episode'),
        ('check empty --json file', '--json file exists; name another file or say --overwrite'),
        ('check empty --json empty --overwrite', 'is a folder'),
        ('recover nowhere', 'nowhere is not a folder'),
        ('convert nowhere new', 'nowhere is not a folder'),
        ('convert stranger new', 'holds no complete episode'),
        ('convert empty stranger --overwrite', 'is not overwritten: it holds '),
        ('convert empty file/below', 'file is no folder'),
        ('convert empty new --jobs 0', '--jobs 0'),
        ('validate nowhere', 'has no meta/info.json'),
        ('validate file', 'cannot be read: Not a directory'),
        ('train --dataset nowhere --out new', 'has no meta/info.json'),
        ('train --dataset nowhere --out stranger --overwrite', 'it holds thesis.doc'),
        ('train --dataset nowhere --out new --threads 1000000', 'at most 256'),
        ('train --dataset nowhere --out new --seed 99999999999999999999', 'below 2**32'),
        ('export nowhere new.onnx', 'is no checkpoint'),
        ('export stranger new.onnx', 'no readable checkpoint config'),
        ('export nowhere new.txt', 'does not end in .onnx'),
        ('export nowhere nowhere/new.onnx', 'nowhere is no folder; make it first'),
        ('evaluate nowhere.onnx', 'no policy file nowhere.onnx'),
        ('evaluate empty', 'no policy file empty'),
        ('evaluate file', 'file is not a readable ONNX model'),
        ('evaluate file --video file', '--video file exists'),
        ('evaluate file --report file/below', 'file is no folder'),
        ('evaluate file --jobs -1', 'jobs is -1; allowed: 1 to 256'),
    ],
)
def test_one_line_and_nothing_touched(
    here: Path, capfd: pytest.CaptureFixture[str], words: str, told: str
) -> None:
    assert main(words.split()) == 2
    said = capfd.readouterr()
    assert said.out == ''
    assert said.err.startswith(f'g1-il {words.split()[0]}: ') and told in said.err
    assert len(said.err.splitlines()) == 1, said.err
    left = sorted(str(path.relative_to(here)) for path in here.rglob('*'))
    assert left == ['empty', 'file', 'stranger', 'stranger/config.json', 'stranger/thesis.doc']
    assert (here / 'file').read_text() == (here / 'stranger/thesis.doc').read_text() == 'precious'


@pytest.mark.parametrize('verb', ['', 'dance', *VERBS])
def test_a_wrong_command_line_says_how_it_goes(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*filter(None, [verb]), '--wibble'])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith('usage: ') and ' error: ' in said.splitlines()[-1]


@pytest.mark.parametrize(
    ('package', 'words', 'remedy'),
    [
        ('torch', 'train --dataset d --out o', 'pip install torch'),
        ('matplotlib', 'train --dataset d --out o', 'pip install matplotlib'),
        ('onnxruntime', 'evaluate file', 'pip install onnxruntime'),
        ('mujoco', 'collect --out o', 'pip install mujoco'),
        ('pyarrow', 'validate file', 'pip install pyarrow'),
        ('rich', 'check empty', 'pip install rich'),
        ('yaml', 'check empty', 'pip install PyYAML'),
    ],
)
def test_a_missing_package_is_named_with_how_to_get_it(
    here: Path, package: str, words: str, remedy: str
) -> None:
    (here / 'refuser').mkdir()
    (here / 'refuser/sitecustomize.py').write_text(REFUSER)
    done = subprocess.run(
        [sys.executable, '-m', 'g1_il.cli', *words.split()],
        env={**os.environ, 'PYTHONPATH': str(here / 'refuser'), 'REFUSED_PACKAGE': package},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert f'the Python package {package} is not installed' in done.stderr
    assert remedy in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_a_missing_module_of_our_own_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError):
        missing_package(ModuleNotFoundError(name='g1_il.nowhere'))
    assert 'setup.bash' in missing_package(ModuleNotFoundError(name='g1_il.msg'))


def test_a_wrong_mujoco_gl_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('MUJOCO_GL', 'nonsense')
    assert main(['collect', '--out', 'new']) == 2
    assert "MUJOCO_GL is 'nonsense'; allowed: egl, " in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f'{sys.executable} -m g1_il.cli collect --help | true'
    done = subprocess.run(['bash', '-c', command], capture_output=True, text=True, timeout=60)
    assert 'Traceback' not in done.stderr
