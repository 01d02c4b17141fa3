# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest
import torch

from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CONFIG, WEIGHTS, new_folder, read_checkpoint


def test_loaded_weights_are_the_saved_ones(goals_folder):
    first, second = read_checkpoint(goals_folder), read_checkpoint(goals_folder)
    assert first.contract == second.contract
    for name, values in first.network.state_dict().items():
        assert torch.equal(values, second.network.state_dict()[name])
    assert first.network.state_std.max() > 0.1  # normalisation came along


def test_a_failure_leaves_nothing(tmp_path):
    out = tmp_path / 'run'
    with pytest.raises(RuntimeError), new_folder(out, overwrite=False) as folder:
        (folder / CONFIG).write_text('{}')
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_existing_is_kept_unless_overwrite_is_said(tmp_path):
    out = tmp_path / 'run'
    for _ in range(2):
        with new_folder(out, overwrite=True) as folder:
            (folder / CONFIG).write_text('old')
    with pytest.raises(ConfigError, match='--overwrite'), new_folder(out, overwrite=False):
        pass
    assert (out / CONFIG).read_text() == 'old'


def test_a_folder_that_is_no_checkpoint_is_never_replaced(tmp_path):
    (tmp_path / 'precious').mkdir()
    (tmp_path / 'precious' / 'thesis.tex').write_text('42')
    with (
        pytest.raises(ConfigError, match='no checkpoint'),
        new_folder(tmp_path / 'precious', overwrite=True),
    ):
        pass
    assert (tmp_path / 'precious' / 'thesis.tex').exists()


@pytest.mark.parametrize(
    'name, content, words',
    [
        (CONFIG, None, 'g1-il train'),
        (CONFIG, b'{', 'no readable checkpoint config'),
        (CONFIG, b'{"type": "dance"}', "'dance'"),
        (WEIGHTS, None, WEIGHTS),
        (WEIGHTS, b'xx', WEIGHTS),
    ],
)
def test_damage_is_named(goals_folder, tmp_path, name, content, words):
    broken = tmp_path / 'broken'
    shutil.copytree(goals_folder, broken)
    if content is None:
        (broken / name).unlink()
    else:
        (broken / name).write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_checkpoint(broken)
