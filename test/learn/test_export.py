# SPDX-License-Identifier: Apache-2.0
"""The exported file, and the policy that runs it."""

from __future__ import annotations

import argparse
import copy
import dataclasses

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from g1_il.camera.encode import encode_jpeg
from g1_il.errors import ConfigError
from g1_il.learn import export
from g1_il.learn.checkpoint import Checkpoint
from g1_il.learn.export import ParityError, compare, export_onnx
from g1_il.learn.export_command import add_export_arguments, run_export
from g1_il.learn.network import ChunkNetwork, NetworkConfig
from g1_il.learn.observations import read_observations
from g1_il.policy.contract import CameraInput
from g1_il.policy.observation import ObservationError
from g1_il.policy.onnx_policy import OnnxPolicy
from g1_il.policy.runner import PolicyRunner
from g1_il.robot.joints import COMMAND_INDEX, COMMAND_JOINTS
from g1_il.rows.row import Row

from .conftest import DEMONSTRATIONS, GoalDemonstrations, draw_scene


@pytest.fixture(scope='module')
def observations(goals_folder):
    return read_observations(goals_folder)


@pytest.fixture(scope='module')
def exported(goals_checkpoint, observations, tmp_path_factory):
    out = tmp_path_factory.mktemp('export') / 'goals.onnx'
    export_onnx(goals_checkpoint, observations, out)
    return out


def row_of(state, goal, stamp_ns=10**9):
    position = np.zeros(43)
    position[COMMAND_INDEX] = state
    scene = np.array([*goal, 0.0, 0.0, 0.0, 0.0, 1.0])
    values = {'joint_states': position, 'scene': scene}
    return Row(stamp_ns=stamp_ns, values=values, ages_ns={}, held=())


def test_parity_on_real_observations(goals_checkpoint, observations, exported):
    parity = compare(exported, goals_checkpoint, observations)
    assert parity.observations == 32
    assert parity.normalised <= 1e-4
    assert parity.radians <= 1e-3
    other = copy.deepcopy(goals_checkpoint.network)
    with torch.no_grad():
        other.trunk[-1].weight += 1e-4
    changed = Checkpoint(contract=goals_checkpoint.contract, network=other)
    assert compare(exported, changed, observations).normalised > 1e-4


def test_a_graph_that_differs_is_not_written(
    goals_checkpoint, observations, tmp_path, monkeypatch
):
    monkeypatch.setattr(export, 'NORMALISED_TOLERANCE', -1.0)
    with pytest.raises(ParityError, match='was not written'):
        export_onnx(goals_checkpoint, observations, tmp_path / 'p.onnx')
    assert list(tmp_path.iterdir()) == []


def test_any_batch(exported, observations):
    session = ort.InferenceSession(str(exported), providers=['CPUExecutionProvider'])
    whole = session.run(None, observations)[0]
    for count in (1, 3):
        part = session.run(None, {name: v[:count] for name, v in observations.items()})[0]
        np.testing.assert_allclose(part, whole[:count], atol=1e-5)


def test_metadata_names_joints_and_origin(exported):
    properties = {entry.key: entry.value for entry in onnx.load(exported).metadata_props}
    assert properties['joints'].split(',') == list(COMMAND_JOINTS)
    assert properties['units'] == 'rad'
    assert properties['streams'] == 'joint_states,scene'
    assert GoalDemonstrations(DEMONSTRATIONS).sha256 in properties['dataset']


def test_policy_in_the_loop_reaches_goals(exported):
    """Through the runner, on a robot that does at once what it is told."""
    policy = OnnxPolicy(exported)
    policy.warm_up()
    source = GoalDemonstrations(240)
    reached = 0
    for index in range(200, 220):
        runner = PolicyRunner(policy)
        state = np.full(28, 0.3)
        state[:2] = 0.0
        for number in range(90):
            now = 10**9 + number * 33_333_333
            runner.observe(row_of(state, source.goal(index), now))
            state = runner.targets(now + 20_000_000).position
        reached += float(np.linalg.norm(state[:2] - source.goal(index))) < 0.12
    assert reached >= 17


def test_policy_refuses_rows_it_cannot_answer(exported):
    policy = OnnxPolicy(exported)
    good = row_of(np.zeros(28), (0.1, 0.2))
    assert policy.infer(good).position.shape == (30, 28)
    bad = np.zeros(43)
    bad[20] = np.nan
    for values, words in (
        ({'joint_states': good.values['joint_states']}, 'no scene'),
        ({**good.values, 'joint_states': bad}, 'not finite'),
        ({**good.values, 'scene': np.zeros(14)}, r'shape \(14,\)'),
        ({**good.values, 'joint_states': np.zeros(28)}, r'shape \(28,\)'),
    ):
        row = Row(stamp_ns=1, values=values, ages_ns={}, held=())
        with pytest.raises(ObservationError, match=words):
            policy.infer(row)


def test_policy_refuses_files(tmp_path, exported):
    with pytest.raises(ConfigError, match='no policy file'):
        OnnxPolicy(tmp_path / 'none.onnx')
    (tmp_path / 'text.onnx').write_text('no model')
    with pytest.raises(ConfigError, match='not a readable ONNX model'):
        OnnxPolicy(tmp_path / 'text.onnx')
    model = onnx.load(exported)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / 'bare.onnx')
    with pytest.raises(ConfigError, match='nobody knows its joints'):
        OnnxPolicy(tmp_path / 'bare.onnx')


@pytest.mark.parametrize(
    'change, words',
    [
        ({'joints': COMMAND_JOINTS[::-1]}, 'where this robot has'),
        ({'robot': 'h1'}, "robot 'h1'"),
        ({'chunk': 20}, 'its contract says'),
        ({'environment_names': ('goal.x',)}, 'its contract says'),
    ],
)
def test_policy_refuses_a_contract_that_does_not_fit(
    goals_checkpoint, observations, tmp_path, change, words
):
    contract = dataclasses.replace(goals_checkpoint.contract, **change)
    changed = Checkpoint(contract=contract, network=goals_checkpoint.network)
    export_onnx(changed, observations, tmp_path / 'p.onnx')
    with pytest.raises(ConfigError, match=words):
        OnnxPolicy(tmp_path / 'p.onnx')


def test_picture_policy_sees_the_same_through_jpeg(goals_checkpoint, tmp_path):
    """OnnxPolicy on a JPEG equals torch on the picture; untrained, so that it all matters."""
    camera = CameraInput(name='head_camera', width=48, height=36)
    torch.manual_seed(0)
    network = ChunkNetwork(NetworkConfig(inputs=('state', 'images'), cameras=(camera,), width=64))
    contract = dataclasses.replace(
        goals_checkpoint.contract,
        inputs=('state', 'images'),
        cameras=(camera,),
        environment_names=(),
    )
    picture = draw_scene(np.array([0.3, -0.2]))
    observations = {
        'state': np.random.default_rng(0).normal(size=(4, 28)).astype(np.float32),
        'image.head_camera': np.repeat(picture[None], 4, axis=0),
    }
    made = Checkpoint(contract=contract, network=network.eval())
    export_onnx(made, observations, tmp_path / 'p.onnx')
    policy = OnnxPolicy(tmp_path / 'p.onnx')
    assert policy.streams == ('joint_states', 'head_camera')
    large = picture.repeat(10, axis=0).repeat(10, axis=1)  # as a 640 x 480 camera sees it
    position = np.zeros(43)
    position[COMMAND_INDEX] = observations['state'][0]
    values = {'joint_states': position, 'head_camera': encode_jpeg(large, 95)}
    answer = policy.infer(Row(stamp_ns=1, values=values, ages_ns={}, held=()))
    with torch.no_grad():
        wanted = network({name: torch.from_numpy(v[:1]) for name, v in observations.items()})
    np.testing.assert_allclose(answer.position, wanted[0].numpy(), atol=0.02)


def test_command_exports_and_refuses(goals_folder, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    add_export_arguments(parser)
    out = tmp_path / 'p.onnx'
    arguments = parser.parse_args([str(goals_folder), str(out)])
    assert run_export(arguments) == 0
    assert 'differs from torch by at most' in capsys.readouterr().out
    with pytest.raises(ConfigError, match='--overwrite'):
        run_export(arguments)
    with pytest.raises(ConfigError, match='g1-il train'):
        run_export(parser.parse_args([str(tmp_path), str(tmp_path / 'q.onnx')]))
    with pytest.raises(ConfigError, match=r'\.onnx'):
        run_export(parser.parse_args([str(goals_folder), str(tmp_path / 'q.bin')]))
