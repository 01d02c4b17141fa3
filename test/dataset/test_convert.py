# SPDX-License-Identifier: Apache-2.0
"""Episodes to LeRobot v3.0: every picture with its own row, and nothing lost in silence."""

from __future__ import annotations

import argparse
import hashlib
import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from g1_il.dataset import layout
from g1_il.dataset.convert import ConvertConfig, convert
from g1_il.dataset.convert_command import add_convert_arguments, run_convert
from g1_il.dataset.reader import DatasetReader
from g1_il.dataset.validate import validate
from g1_il.errors import ConfigError
from g1_il.robot.joints import COMMAND_INDEX, COMMAND_JOINTS

CAMERA = 'observation.images.head_camera'


def timing(root: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(root / layout.TIMING_PATH)
    return {name: table[name].to_numpy() for name in table.column_names}


@pytest.fixture(scope='module')
def episodes(factory: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes that show 0.., 100.., 200.., and a failed one."""
    root = tmp_path_factory.mktemp('episodes')
    for number, frames in enumerate((60, 45, 50)):
        factory.write(root, frames=frames, first=100 * number, episode_id=f'e{number}')
    factory.write(root, frames=40, outcome='failure', episode_id='e3')
    return root


@pytest.fixture(scope='module')
def dataset(episodes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('converted') / 'dataset'
    made = convert(episodes, out, ConvertConfig(jobs=2))
    assert (made.episodes, made.rows) == (3, 155)
    assert [(item.source, item.reason) for item in made.excluded] == [('e3', 'outcome is failure')]
    return out


def test_a_loader_accepts_it(dataset: Path) -> None:
    assert validate(dataset) == []


def test_every_picture_belongs_to_its_row(dataset: Path, factory: SimpleNamespace) -> None:
    reader = DatasetReader(dataset)
    numbers = [factory.number_of(frame) for frame in reader.frames(CAMERA)]
    assert numbers == [*range(60), *range(100, 145), *range(200, 250)]
    scene = reader.column('observation.environment_state')
    assert scene[:, 0].tolist() == numbers, 'can.x is the number as well'
    assert scene[:, 7].tolist() == [-n for n in numbers], 'and bin.x its negative'


def test_one_episode_is_found_in_the_middle_of_the_video(
    dataset: Path, factory: SimpleNamespace
) -> None:
    reader = DatasetReader(dataset)
    numbers = [factory.number_of(frame) for frame in reader.frames(CAMERA, episode=1)]
    assert numbers == list(range(100, 145))
    small = list(reader.frames(CAMERA, episode=2, size=(48, 128)))
    assert len(small) == 50 and small[0].shape == (48, 128, 3)


def test_video_has_the_time_scale_of_lerobots_own(dataset: Path) -> None:
    """LeRobot's merge joins videos packet by packet: another scale puts frames at wrong times."""
    with av.open(str(dataset / 'videos' / CAMERA / 'chunk-000' / 'file-000.mp4')) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert (stream.time_base, stream.average_rate) == (Fraction(1, 15360), 30)
    times = [(packet.pts, packet.dts, packet.duration) for packet in packets]
    assert times == [(512 * k, 512 * k, 512) for k in range(155)]


def test_pictures_keep_their_colours(dataset: Path, factory: SimpleNamespace) -> None:
    (frame, *_) = DatasetReader(dataset).frames(CAMERA, episode=0)
    difference = frame.astype(int) - factory.draw(0)
    assert np.abs(difference).mean() < 6
    assert np.abs(difference.mean(axis=(0, 1))).max() < 3, 'no colour is shifted'


def test_state_and_action_are_those_in_force_at_the_frame(
    dataset: Path, factory: SimpleNamespace
) -> None:
    reader = DatasetReader(dataset)
    times = timing(dataset)
    rows = slice(reader.episodes[1].start, reader.episodes[1].stop)
    for row in range(rows.start, rows.stop, 7):
        stamp = int(times['stamp_ns'][row])
        for key, stream, phase in (
            ('observation.state', 'joint_states', 0.0),
            ('action', 'executed_command', 0.1),
        ):
            age = int(times[f'{stream}.age_ns'][row])
            assert 0 <= age < 10_000_000, 'the last of a 100 Hz stream'
            expected = factory.joints_at(stamp - age, phase)[COMMAND_INDEX]
            np.testing.assert_array_equal(
                reader.column(key)[row], expected.astype(np.float32), err_msg=key
            )
    assert not times['head_camera.held'].any()


def test_features_are_named(dataset: Path) -> None:
    reader = DatasetReader(dataset)
    assert reader.names('action') == tuple(f'{name}.pos' for name in COMMAND_JOINTS)
    assert reader.names('observation.environment_state')[6:8] == ('can.qw', 'bin.x')
    assert reader.fps == 30
    assert reader.tasks == ('put the can in',)
    assert [e.source for e in reader.episodes] == ['e0', 'e1', 'e2']
    info = json.loads((dataset / 'meta/info.json').read_text())
    assert info['splits'] == {'train': '0:3'}
    assert info['features'][CAMERA]['shape'] == [96, 256, 3]


def test_provenance_tells_what_was_taken_and_left(dataset: Path) -> None:
    provenance = DatasetReader(dataset).provenance
    assert [e['source'] for e in provenance['episodes']] == ['e0', 'e1', 'e2']
    assert provenance['excluded'] == [{'source': 'e3', 'reason': 'outcome is failure'}]
    assert provenance['joints'] == list(COMMAND_JOINTS)
    assert provenance['reference'] == 'head_camera'


def test_statistics_are_those_of_the_rows(dataset: Path) -> None:
    reader = DatasetReader(dataset)
    action = reader.column('action').astype(np.float64)
    stats = reader.stats['action']
    np.testing.assert_allclose(stats['mean'], action.mean(axis=0))
    np.testing.assert_allclose(stats['std'], action.std(axis=0))
    np.testing.assert_allclose(stats['q90'], np.quantile(action, 0.9, axis=0))
    assert stats['count'] == [155]
    pictures = np.stack(list(reader.frames(CAMERA))) / 255
    image = reader.stats[CAMERA]
    assert image['std'].shape == (3, 1, 1)
    np.testing.assert_allclose(image['mean'].ravel(), pictures.mean(axis=(0, 1, 2)), atol=0.02)
    np.testing.assert_allclose(image['std'].ravel(), pictures.std(axis=(0, 1, 2)), atol=0.02)
    np.testing.assert_allclose(
        image['q50'].ravel(), np.quantile(pictures, 0.5, axis=(0, 1, 2)), atol=0.04
    )


def test_per_episode_statistics_are_stored_for_dataset_tools(dataset: Path) -> None:
    row = pq.read_table(dataset / 'meta/episodes/chunk-000/file-000.parquet').to_pylist()[1]
    action = DatasetReader(dataset).column('action', episode=1)
    np.testing.assert_allclose(row['stats/action/max'], action.max(axis=0))
    assert np.shape(row[f'stats/{CAMERA}/std']) == (3, 1, 1)
    assert row['g1_il/source'] == 'e1' and row['g1_il/verdict'] in ('PASS', 'WARN')


def test_conversion_is_the_same_every_time(dataset: Path, episodes: Path, tmp_path: Path) -> None:
    convert(episodes, tmp_path / 'again', ConvertConfig(jobs=1))
    hashes = [
        {
            file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in root.rglob('*')
            if file.is_file()
        }
        for root in (dataset, tmp_path / 'again')
    ]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 8
    assert DatasetReader(dataset).sha256 == DatasetReader(tmp_path / 'again').sha256


def test_images_are_cached_as_one_array(dataset: Path, tmp_path: Path) -> None:
    reader = DatasetReader(dataset)
    cache = tmp_path / 'cache' / 'images.npy'
    first = reader.images(CAMERA, size=(24, 64), cache=cache)
    assert first.shape == (155, 24, 64, 3) and cache.exists()
    np.testing.assert_array_equal(first, reader.images(CAMERA, size=(24, 64), cache=cache))
    np.testing.assert_array_equal(first, reader.images(CAMERA, size=(24, 64)))
    assert reader.images(CAMERA, size=(12, 32), cache=cache).shape == (155, 12, 32, 3)


def test_lost_frames_become_held_rows(factory: SimpleNamespace, tmp_path: Path) -> None:
    factory.write(tmp_path / 'e', frames=60, lost_frames=(20, 21, 40))
    convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    reader = DatasetReader(tmp_path / 'd')
    numbers = [factory.number_of(frame) for frame in reader.frames(CAMERA)]
    assert numbers == [*range(20), 19, 19, *range(22, 40), 39, *range(41, 60)]
    assert np.flatnonzero(timing(tmp_path / 'd')['head_camera.held']).tolist() == [20, 21, 40]
    assert reader.column('observation.environment_state')[20, 0] == 20, 'the scene goes on'
    assert validate(tmp_path / 'd') == []


def test_long_gap_fails_the_check_and_is_not_converted(
    factory: SimpleNamespace, tmp_path: Path
) -> None:
    factory.write(tmp_path / 'e', frames=90, lost_frames=tuple(range(30, 45)))
    with pytest.raises(ConfigError, match=r'head_camera.*nothing for 533 ms at 0\.97 s'):
        convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    assert list(tmp_path.iterdir()) == [tmp_path / 'e'], 'nothing is left behind'


def test_wrong_rate_is_refused(factory: SimpleNamespace, tmp_path: Path) -> None:
    factory.write(tmp_path / 'e', frames=60, fps=15.0)
    with pytest.raises(ConfigError, match=r'15\.00 Hz where 30 are declared; give --fps'):
        convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    made = convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1, fps=15))
    assert made.rows == 60
    assert validate(tmp_path / 'd') == []


def test_idle_ends_are_trimmed_when_asked(factory: SimpleNamespace, tmp_path: Path) -> None:
    factory.write(tmp_path / 'e', frames=150, idle_s=1.5)
    convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1, trim_idle=True))
    numbers = [factory.number_of(frame) for frame in DatasetReader(tmp_path / 'd').frames(CAMERA)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert abs(numbers[0] - 30) <= 2 and abs(numbers[-1] - 120) <= 2, 'half a second is kept'


def test_bad_picture_leaves_the_episode_out_and_says_so(
    factory: SimpleNamespace, tmp_path: Path
) -> None:
    import cv2

    def broken(number: int) -> bytes:
        if number == 37:
            return b'not a picture'
        return cv2.imencode('.jpg', factory.draw(number))[1].tobytes()

    factory.write(tmp_path / 'e', frames=60, jpeg=broken, episode_id='bad')
    factory.write(tmp_path / 'e', frames=60, episode_id='good')
    made = convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=2))
    assert made.episodes == 1
    assert made.excluded[0].source == 'bad'
    assert 'head_camera, row 37: not a JPEG' in made.excluded[0].reason


def test_episodes_without_a_camera_follow_the_scene(
    factory: SimpleNamespace, tmp_path: Path
) -> None:
    factory.write(tmp_path / 'e', frames=60, lost_frames=tuple(range(60)))
    convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    reader = DatasetReader(tmp_path / 'd')
    assert reader.camera_keys == () and reader.provenance['reference'] == 'scene'
    assert reader.column('observation.environment_state')[:, 0].tolist() == list(range(60))
    assert validate(tmp_path / 'd') == []


def test_several_tasks_and_files(
    factory: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, 'VIDEO_FILE_MB', 0)
    monkeypatch.setattr(layout, 'DATA_FILE_MB', 0)
    for number, task in enumerate(('b task', 'a task', 'b task')):
        factory.write(
            tmp_path / 'e', frames=40, first=100 * number, task=task, episode_id=f'e{number}'
        )
    convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    reader = DatasetReader(tmp_path / 'd')
    assert validate(tmp_path / 'd') == []
    assert reader.tasks == ('b task', 'a task')
    assert [episode.task for episode in reader.episodes] == ['b task', 'a task', 'b task']
    assert reader.column('task_index').tolist() == [0] * 40 + [1] * 40 + [0] * 40
    files = sorted((tmp_path / 'd' / 'videos' / CAMERA / 'chunk-000').iterdir())
    assert len(files) == 3
    numbers = [factory.number_of(frame) for frame in reader.frames(CAMERA)]
    assert numbers == [*range(40), *range(100, 140), *range(200, 240)]


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_convert_arguments(parser)
    return parser.parse_args(arguments)


def test_existing_output_is_refused(
    episodes: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = DatasetReader(dataset).sha256
    with pytest.raises(
        ConfigError, match='exists and is not empty; name another folder, or say --overwrite'
    ):
        run_convert(parse(str(episodes), str(dataset)))
    assert DatasetReader(dataset).sha256 == before
    precious = tmp_path / 'home'
    precious.mkdir()
    (precious / 'thesis.txt').write_text('text')
    with pytest.raises(
        ConfigError,
        match=r'is not overwritten: it holds thesis\.txt, so it is not taken for a dataset',
    ):
        run_convert(parse(str(episodes), str(precious), '--overwrite'))
    assert (precious / 'thesis.txt').exists()
    out = tmp_path / 'dataset'
    assert run_convert(parse(str(episodes), str(out), '--jobs', '1')) == 0
    assert run_convert(parse(str(episodes), str(out), '--jobs', '1', '--overwrite')) == 0
    assert '3 episodes, 155 rows at 30 Hz' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (('/nowhere', 'OUT'), '/nowhere is not a folder'),
        (('EPISODES', 'OUT', '--fps', '0'), '--fps is 0'),
        (('EPISODES', 'OUT', '--outcome', 'unknown'), 'none of outcome unknown'),
        (('EPISODES', 'OUT', '--reference', 'nose'), "no camera 'nose'; it has head_camera"),
        (('OUT_PARENT', 'OUT'), 'holds no complete episode'),
    ],
)
def test_wrong_arguments_are_one_clear_line(
    episodes: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    places = {
        'EPISODES': str(episodes),
        'OUT': str(tmp_path / 'out'),
        'OUT_PARENT': str(tmp_path),
    }
    with pytest.raises(ConfigError, match=sentence) as caught:
        run_convert(parse(*(places.get(item, item) for item in arguments)))
    assert '\n' not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
