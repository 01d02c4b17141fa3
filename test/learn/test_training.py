# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CARD, CONFIG, CURVE_PLOT, read_checkpoint
from g1_il.learn.network import ChunkNetwork, Moments, NetworkConfig
from g1_il.learn.run import train_checkpoint
from g1_il.learn.training import TrainConfig, check, make_network, train
from g1_il.learn.windows import load_windows

from .conftest import DEMONSTRATIONS, ROWS, GoalDemonstrations, next_targets


def scene_of(goal):
    return np.array([[*goal, 0.0, 0.0, 0.0, 0.0, 1.0]], dtype=np.float32)


def test_chunks_are_the_experts_future(goals_checkpoint):
    """On goals it has never seen, one chunk is what the expert would do in the next second."""
    network = goals_checkpoint.network
    source = GoalDemonstrations(120)
    errors = []
    for index in range(100, 120):
        state = np.full(28, 0.3)
        state[:2] = 0.0
        with torch.no_grad():
            chunk = network(
                {
                    'state': torch.from_numpy(state[None].astype(np.float32)),
                    'environment_state': torch.from_numpy(scene_of(source.goal(index))),
                }
            )[0].numpy()
        wanted = []
        for _ in range(len(chunk)):
            state = next_targets(state, source.goal(index))
            wanted.append(state)
        errors.append(np.abs(chunk - np.array(wanted))[:, :2].mean())
    assert np.median(errors) < 0.08  # of a walk of about 0.9 rad


def test_equal_seeds_give_equal_weights_and_others_do_not():
    windows = load_windows(GoalDemonstrations(6), range(6), 10)
    config = NetworkConfig(
        inputs=('state', 'environment_state'), environment=7, chunk=10, width=32
    )

    def weights(seed: int) -> torch.Tensor:
        made = TrainConfig(epochs=2, batch=32, seed=seed)
        averaged, _ = train(make_network(config, windows, seed), windows, None, made)
        return torch.cat([p.flatten() for p in averaged.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_pictures_are_enough_to_find_the_goal(tmp_path):
    """Without the environment state the goal is only in the picture."""
    source = GoalDemonstrations(200, rows=6)
    config = TrainConfig(epochs=14, batch=48, held_out=0.1, seed=1)
    seeing = train_checkpoint(source, tmp_path, ('state', 'images'), config, image_size=(32, 24))
    blind = train_checkpoint(source, tmp_path, ('state',), config)
    assert seeing.curve[-1].held_out < 0.6 * blind.curve[-1].held_out
    assert not list(tmp_path.glob('pictures-*'))


def test_loss_does_not_see_beyond_an_episodes_end():
    """Whatever stands behind the last row, the check of the last rows is the same."""
    source = GoalDemonstrations(2)
    windows = load_windows(source, [0], 20)
    longer = load_windows(source, [0, 1], 20)
    config = NetworkConfig(inputs=('state',), chunk=20, width=16)
    network = make_network(config, windows)
    assert len(longer) == 2 * ROWS
    action, valid = longer.future(np.arange(ROWS))
    alone, valid_alone = windows.future(np.arange(ROWS))
    np.testing.assert_array_equal(valid, valid_alone)
    np.testing.assert_array_equal(action[valid], alone[valid_alone])
    assert check(network, windows) == check(network, windows)


def test_normalisation_lives_in_the_network():
    config = NetworkConfig(inputs=('state',), joints=3, chunk=4, width=8)
    network = ChunkNetwork(config)
    values = np.random.default_rng(0).normal(5.0, 2.0, size=(100, 3)).astype(np.float32)
    network.normalise_by(state=Moments.of(values), action=Moments.of(values))
    action = torch.from_numpy(values[:4])[None]
    torch.testing.assert_close(
        network.normalised_action(action) * network.action_std + network.action_mean, action
    )
    assert network.normalised_action(torch.from_numpy(values)).std() == pytest.approx(1, abs=0.05)


def test_never_asks_for_what_was_never_shown():
    windows = load_windows(GoalDemonstrations(4), range(4), 10)
    network = make_network(NetworkConfig(inputs=('state',), chunk=10, width=16), windows)
    far = {'state': torch.full((3, 28), 50.0)}
    with torch.no_grad():
        network.trunk[-1].weight *= 100.0
        wild = network.normalised(far) * network.action_std + network.action_mean
        chunk = network(far).numpy()
    low, high = windows.action.min(axis=0), windows.action.max(axis=0)
    assert (wild.numpy() > high).any() or (wild.numpy() < low).any()
    assert (chunk >= low).all()
    assert (chunk <= high).all()


def test_card_and_curve(goals_folder):
    card = json.loads((goals_folder / CARD).read_text())
    assert card['dataset_sha256'] == GoalDemonstrations(DEMONSTRATIONS).sha256
    assert card['repeatable'] is True
    assert len(card['curve']) == 25
    assert card['curve'][-1]['held_out'] < 0.3 * card['curve'][0]['held_out']
    assert (goals_folder / CURVE_PLOT).read_bytes().startswith(b'\x89PNG')
    contract = read_checkpoint(goals_folder).contract
    assert contract.chunk == 30
    assert contract.execute == 15
    assert contract.objects == ('goal',)
    assert json.loads((goals_folder / CONFIG).read_text())['type'] == 'bc'


def test_missing_inputs_are_refused(tmp_path):
    class Blind(GoalDemonstrations):
        environment_names = ()
        cameras = ()

    for inputs, words in (
        (('state', 'environment_state'), 'no observation.environment_state'),
        (('state', 'images'), 'no camera'),
    ):
        with pytest.raises(ConfigError, match=words):
            train_checkpoint(Blind(3), tmp_path, inputs, TrainConfig(epochs=1))


@pytest.mark.parametrize('values', [{'epochs': 0}, {'batch': 1}, {'minutes': -1.0}, {'seed': -1}])
def test_config_refuses(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        TrainConfig(**values)
