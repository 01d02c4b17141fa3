# SPDX-License-Identifier: Apache-2.0
"""From a LeRobot dataset on disk, with video and joints in another order, to a checkpoint."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from g1_il.camera.encode import encode_jpeg
from g1_il.dataset import layout
from g1_il.dataset.layout import Feature
from g1_il.dataset.stats import ImageStats
from g1_il.dataset.video import JpegDecoder, VideoEncoder
from g1_il.dataset.writer import DatasetWriter, EpisodeRows
from g1_il.errors import ConfigError
from g1_il.learn.checkpoint import CARD, read_checkpoint
from g1_il.learn.lerobot_source import LeRobotDemonstrations
from g1_il.learn.pictures import decode_pictures
from g1_il.learn.train_command import add_train_arguments, run_train
from g1_il.learn.windows import load_windows
from g1_il.policy.contract import CameraInput
from g1_il.robot.joints import COMMAND_JOINTS

from .conftest import GoalDemonstrations

CAMERA = layout.IMAGES + 'head_camera'
ROWS = 8
STRIPES = 16


def numbered_picture(number: int) -> np.ndarray:
    """A picture that says its number in eight stripes, readable after any codec."""
    picture = np.zeros((48, 8 * STRIPES, 3), dtype=np.uint8)
    for bit in range(8):
        if number >> bit & 1:
            picture[:, bit * STRIPES : (bit + 1) * STRIPES] = 255
    return picture


def read_number(picture: np.ndarray) -> int:
    """What numbered_picture said, at any size."""
    columns = picture.mean(axis=(0, 2))
    width = len(columns) // 8
    centres = [columns[bit * width + width // 2] > 127 for bit in range(8)]
    return sum(1 << bit for bit, lit in enumerate(centres) if lit)


@pytest.fixture(scope='module')
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight short episodes of the small world; joints stand backwards in the file."""
    folder = tmp_path_factory.mktemp('dataset')
    source = GoalDemonstrations(8, rows=ROWS)
    names = tuple(f'{joint}.pos' for joint in reversed(COMMAND_JOINTS))
    vector = Feature(dtype='float32', shape=(28,), names=names)
    writer = DatasetWriter(
        folder / 'goals',
        fps=30,
        features={
            layout.STATE: vector,
            layout.ENVIRONMENT: Feature(
                dtype='float32', shape=(7,), names=source.environment_names
            ),
            layout.ACTION: vector,
            CAMERA: Feature(
                dtype='video', shape=(48, 8 * STRIPES, 3), names=('height', 'width', 'channels')
            ),
        },
    )
    decoder = JpegDecoder()
    for index in range(8):
        video, images = folder / f'{index}.mp4', ImageStats()
        encoder = VideoEncoder(video, width=8 * STRIPES, height=48, fps=30)
        for row in range(ROWS):
            frame = decoder.decode(encode_jpeg(numbered_picture(index * ROWS + row)))
            encoder.write(frame)
            images.add(frame)
        encoder.close()
        part = source.demonstration(index)
        writer.add(
            EpisodeRows(
                source=f'e{index}',
                task='go to the goal',
                columns={
                    layout.STATE: part.state[:, ::-1].copy(),
                    layout.ENVIRONMENT: part.environment,
                    layout.ACTION: part.action[:, ::-1].copy(),
                },
                videos={CAMERA: video},
                images={CAMERA: images},
                stamp_ns=np.arange(ROWS, dtype=np.int64) * 33_333_333 + 1,
                ages_ns={},
                held={},
                extra={},
            )
        )
    writer.close({})
    return folder / 'goals'


def train_arguments(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_train_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_joints_are_found_by_name(dataset):
    source = LeRobotDemonstrations(dataset)
    made = GoalDemonstrations(8, rows=ROWS)
    assert (len(source), source.fps, source.name) == (8, 30, 'goals')
    assert source.joints == COMMAND_JOINTS
    assert source.environment_names == made.environment_names
    assert source.cameras == ('head_camera',)
    assert source.task == 'go to the goal'
    for index in (0, 7):
        for name in ('state', 'environment', 'action'):
            found = getattr(source.demonstration(index), name)
            np.testing.assert_array_equal(found, getattr(made.demonstration(index), name))


def test_every_row_gets_its_own_picture(dataset, tmp_path):
    """Each picture carries its number, so that a shift by one frame or episode is seen."""
    source = LeRobotDemonstrations(dataset)
    windows = load_windows(source, [6, 2, 5], 10)
    camera = CameraInput(name='head_camera', width=64, height=32)
    done: list[int] = []
    pictures = decode_pictures(source, windows, (camera,), tmp_path, done.append)['head_camera']
    assert pictures.shape == (3 * ROWS, 32, 64, 3)
    wanted = [episode * ROWS + row for episode in (6, 2, 5) for row in range(ROWS)]
    assert [read_number(picture) for picture in pictures] == wanted
    assert done == list(range(1, 3 * ROWS + 1))


def test_command_trains_and_is_repeatable(dataset, tmp_path, capsys):
    cards = []
    for name in ('a', 'b'):
        out = tmp_path / name
        words = ('--dataset', dataset, '--out', out, '--epochs', 2, '--batch', 8, '--seed', 5)
        assert run_train(train_arguments(*words)) == 0
        told = capsys.readouterr().out
        assert f'{out}: 8 episodes, 64 rows, 2 epochs' in told
        assert 'refused on a robot' in told
        cards.append(json.loads((out / CARD).read_text()))
    assert [p['train'] for p in cards[0]['curve']] == [p['train'] for p in cards[1]['curve']]
    assert cards[0]['dataset_sha256'] == LeRobotDemonstrations(dataset).sha256
    contract = read_checkpoint(tmp_path / 'a').contract
    assert contract.inputs == ('state', 'environment_state')
    assert contract.seed == 5


def test_command_trains_on_pictures_for_a_time(dataset, tmp_path):
    words = ('--dataset', dataset, '--out', tmp_path / 'run', '--inputs', 'images,state')
    size = ('--image-size', '48x32', '--minutes', 0.01, '--batch', 16)
    assert run_train(train_arguments(*words, *size)) == 0
    card = json.loads((tmp_path / 'run' / CARD).read_text())
    assert card['repeatable'] is False
    contract = read_checkpoint(tmp_path / 'run').contract
    assert contract.inputs == ('state', 'images')
    assert contract.cameras == (CameraInput(name='head_camera', width=48, height=32),)
    assert not list(tmp_path.glob('*.partial'))


@pytest.mark.parametrize(
    'words, message',
    [
        (('--inputs', 'state,smell'), "'state,smell'; allowed"),
        (('--image-size', '3x4', '--inputs', 'images'), "'3x4'"),
        (('--epochs', '0'), 'epochs is 0'),
        (('--dataset', '/nowhere'), 'not a LeRobotDataset'),
    ],
)
def test_command_refuses_and_leaves_nothing(dataset, tmp_path, words, message):
    out = tmp_path / 'run'
    with pytest.raises(ConfigError, match=message):
        run_train(train_arguments('--dataset', dataset, '--out', out, *words))
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_of_another_robot_is_refused(dataset, tmp_path):
    text = (dataset / 'meta/info.json').read_text()
    other = tmp_path / 'other'
    other.mkdir()
    for entry in dataset.iterdir():
        (other / entry.name).symlink_to(entry)
    (other / 'meta').unlink()
    (other / 'meta').mkdir()
    for entry in (dataset / 'meta').iterdir():
        (other / 'meta' / entry.name).symlink_to(entry)
    (other / 'meta/info.json').unlink()
    renamed = text.replace('left_elbow_joint.pos', 'left_elbow.pos')
    (other / 'meta/info.json').write_text(renamed)
    with pytest.raises(ConfigError, match=r'has no left_elbow_joint\.pos \(1 of 28'):
        LeRobotDemonstrations(other)
