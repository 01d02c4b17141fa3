# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json

import pytest

from g1_il.errors import ConfigError
from g1_il.policy.contract import CameraInput, PolicyContract
from g1_il.robot.joints import COMMAND_JOINTS
from g1_il.rows.streams import scene_names

CONTRACT = PolicyContract(
    joints=COMMAND_JOINTS,
    fps=30,
    chunk=30,
    execute=15,
    inputs=('state', 'environment_state', 'images'),
    environment_names=scene_names(('can', 'bin')),
    cameras=(CameraInput(name='head_camera', width=128, height=96),),
    task='put the can into the bin',
    dataset='cans',
    dataset_sha256='ab' * 32,
    git_revision='0123',
    seed=7,
)


def test_json_round_trip():
    assert PolicyContract.from_json(CONTRACT.to_json(), 'x') == CONTRACT


def test_streams_and_objects():
    assert CONTRACT.streams == ('joint_states', 'scene', 'head_camera')
    assert CONTRACT.objects == ('can', 'bin')


@pytest.mark.parametrize(
    'change, words',
    [
        ({'robot': 'h1'}, 'robot'),
        ({'joints': COMMAND_JOINTS[:-1]}, '27 joints'),
        ({'joints': COMMAND_JOINTS[1:] + COMMAND_JOINTS[:1]}, COMMAND_JOINTS[1]),
        ({'units': 'deg'}, 'deg'),
    ],
)
def test_refuses_another_robot(change, words):
    CONTRACT.check_robot('p.onnx', COMMAND_JOINTS)
    with pytest.raises(ConfigError, match=words):
        dataclasses.replace(CONTRACT, **change).check_robot('p.onnx', COMMAND_JOINTS)


def test_refuses_another_rate_and_missing_streams():
    streams = ('head_camera', 'joint_states', 'scene')
    CONTRACT.check_live('p.onnx', fps=30, streams=streams)
    with pytest.raises(ConfigError, match='30 rows/s; the graph gives 15'):
        CONTRACT.check_live('p.onnx', fps=15, streams=streams)
    with pytest.raises(ConfigError, match='needs scene'):
        CONTRACT.check_live('p.onnx', fps=30, streams=streams[:2])


@pytest.mark.parametrize(
    'text',
    ['', '[]', '{}', '{"format": 1}', json.dumps({**json.loads(CONTRACT.to_json()), 'format': 9})],
)
def test_refuses_what_is_no_contract(text):
    with pytest.raises(ConfigError, match='somewhere'):
        PolicyContract.from_json(text, 'somewhere')


@pytest.mark.parametrize(
    'change', [{'inputs': ()}, {'inputs': ('smell',)}, {'execute': 31}, {'fps': 0}]
)
def test_refuses_nonsense(change):
    with pytest.raises(ConfigError):
        dataclasses.replace(CONTRACT, **change)
