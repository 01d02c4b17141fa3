# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest
import torch

from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CONFIG, WEIGHTS, read_checkpoint


def test_loaded_weights_are_the_saved_ones(goals_folder):
    first, second = read_checkpoint(goals_folder), read_checkpoint(goals_folder)
    assert first.contract == second.contract
    for name, values in first.network.state_dict().items():
        assert torch.equal(values, second.network.state_dict()[name])
    assert first.network.state_std.max() > 0.1  # normalisation came along


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
