# SPDX-License-Identifier: Apache-2.0
"""Every way in which a dataset can be broken is found, and named."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from g1_il.dataset import layout
from g1_il.dataset.convert import ConvertConfig, convert
from g1_il.dataset.reader import DatasetReader
from g1_il.dataset.validate import validate
from g1_il.dataset.validate_command import run_validate
from g1_il.dataset.video import JpegDecoder, VideoEncoder, VideoJoiner
from g1_il.errors import ConfigError

CAMERA = 'observation.images.head_camera'
DATA = 'data/chunk-000/file-000.parquet'
EPISODES = 'meta/episodes/chunk-000/file-000.parquet'
VIDEO = f'videos/{CAMERA}/chunk-000/file-000.mp4'


@pytest.fixture(scope='module')
def whole(factory: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('validate')
    for number in range(2):
        factory.write(root / 'e', frames=35, first=100 * number, episode_id=f'e{number}')
    convert(root / 'e', root / 'd', ConvertConfig(jobs=1))
    return root / 'd'


@pytest.fixture
def broken(whole: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / 'broken'))


def change_json(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def change_table(path: Path, column: str, change: Callable[[list[Any]], list[Any]]) -> None:
    table = pq.read_table(path)
    place = table.column_names.index(column)
    values = pa.array(change(table[column].to_pylist()), type=table.schema.field(column).type)
    pq.write_table(table.set_column(place, table.schema.field(column), values), path)


def one_less(values: list[Any]) -> list[Any]:
    return [*values[:-1], values[-1] - 1]


def not_a_number(values: list[Any]) -> list[Any]:
    return [[float('nan'), *values[0][1:]], *values[1:]]


def as_lists_of_any_size(
    root: Path, change: Callable[[list[Any]], list[Any]] = lambda rows: rows
) -> None:
    """Vectors as LeRobot's merge_datasets stores them: it goes through pandas."""
    table = pq.read_table(root / DATA)
    for place, field in enumerate(table.schema):
        if pa.types.is_fixed_size_list(field.type):
            values = pa.array(change(table[field.name].to_pylist()), type=pa.list_(pa.float32()))
            table = table.set_column(place, field.name, values)
    pq.write_table(table, root / DATA)


BREAKS: dict[str, tuple[Callable[[Path], Any], str]] = {
    'frame count': (
        lambda d: change_json(d / 'meta/info.json', lambda i: i.update(total_frames=99)),
        'total_frames is 99, found are 70',
    ),
    'episode index with a gap': (
        lambda d: change_table(d / EPISODES, 'episode_index', lambda v: [0, 2]),
        'episode 1 of meta/episodes has index 2',
    ),
    'episode bounds': (
        lambda d: change_table(d / EPISODES, 'dataset_from_index', lambda v: [0, 34]),
        'it must begin at row 35',
    ),
    'time off the grid': (
        lambda d: change_table(d / DATA, 'timestamp', lambda v: [*v[:5], v[5] + 0.01, *v[6:]]),
        'in row 5, not 0.16666',
    ),
    'row index': (
        lambda d: change_table(d / DATA, 'index', one_less),
        'index is 68 in row 69, not 69',
    ),
    'row of another episode': (
        lambda d: change_table(d / DATA, 'episode_index', lambda v: [1, *v[1:]]),
        'episode_index is 1 in row 0, not 0',
    ),
    'value that is none': (
        lambda d: change_table(d / DATA, 'action', not_a_number),
        'action holds values that are not finite',
    ),
    'rows of several lengths': (
        lambda d: as_lists_of_any_size(d, lambda rows: [rows[0][:-1], *rows[1:]]),
        'rows of observation.state have 27 to 28 values',
    ),
    'names that are too few': (
        lambda d: change_json(
            d / 'meta/info.json', lambda i: i['features']['action']['names'].pop()
        ),
        'action has 27 names for 28 values',
    ),
    'image deviation of zero': (
        lambda d: change_json(
            d / 'meta/stats.json', lambda s: s[CAMERA].update(std=[[[0.0]]] * 3)
        ),
        f'std of {CAMERA} is zero',
    ),
    'statistics missing': (
        lambda d: change_json(d / 'meta/stats.json', lambda s: s.pop('action')),
        'stats.json has nothing of action',
    ),
    'statistics of another shape': (
        lambda d: change_json(d / 'meta/stats.json', lambda s: s['action'].update(mean=[0.0])),
        'mean of action has shape (1,), not (28,)',
    ),
    'video missing': (lambda d: (d / VIDEO).unlink(), 'file-000.mp4 is missing'),
    'video torn': (
        lambda d: (d / VIDEO).write_bytes((d / VIDEO).read_bytes()[:5000]),
        'file-000.mp4 cannot be read',
    ),
    'video offset': (
        lambda d: change_table(
            d / EPISODES, f'videos/{CAMERA}/from_timestamp', lambda v: [v[0], 34 / 30]
        ),
        'episode 1 begins at frame 34, not 35',
    ),
    'data torn': (
        lambda d: (d / DATA).write_bytes((d / DATA).read_bytes()[:500]),
        'cannot be read',
    ),
    'task unknown': (
        lambda d: change_table(d / EPISODES, 'tasks', lambda v: [['other'], v[1]]),
        "task 'other' is not in tasks.parquet",
    ),
    'task texts not the index': (
        lambda d: pq.write_table(
            pq.read_table(d / layout.TASKS_PATH).replace_schema_metadata(None),
            d / layout.TASKS_PATH,
        ),
        'the task texts are not its pandas index',
    ),
}


def test_whole_dataset_has_no_problem(whole: Path) -> None:
    assert validate(whole) == []


@pytest.mark.parametrize('name', BREAKS)
def test_break_is_found_and_named(broken: Path, name: str) -> None:
    change, sentence = BREAKS[name]
    change(broken)
    problems = validate(broken)
    assert any(sentence in problem for problem in problems), problems


@pytest.mark.parametrize('frames', [34, 36])
def test_video_with_another_number_of_frames(
    broken: Path, factory: SimpleNamespace, frames: int, tmp_path: Path
) -> None:
    """One frame too few or too many shifts every later episode by one."""
    import cv2

    joiner = VideoJoiner(tmp_path / 'joined.mp4', fps=30)
    for length in (frames, 35):
        encoder = VideoEncoder(tmp_path / 'part.mp4', width=256, height=96, fps=30)
        for number in range(length):
            jpeg = cv2.imencode('.jpg', factory.draw(number))[1].tobytes()
            encoder.write(JpegDecoder().decode(jpeg))
        encoder.close()
        joiner.add(tmp_path / 'part.mp4')
    joiner.close()
    (tmp_path / 'joined.mp4').replace(broken / VIDEO)
    assert any(f'has {frames + 35} frames, its episodes have 70' in p for p in validate(broken))


def test_command_tells_problems_and_exit_status(
    whole: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_validate(argparse.Namespace(dataset=whole)) == 0
    assert 'valid; LeRobotDataset v3.0, 2 episodes, 70 rows at 30 Hz' in capsys.readouterr().out
    BREAKS['row index'][0](broken)
    assert run_validate(argparse.Namespace(dataset=broken)) == 1
    assert 'index is 68 in row 69' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('change', 'sentence'),
    [
        (lambda d: shutil.rmtree(d / 'meta'), 'has no meta/info.json: it is not a LeRobotDataset'),
        (lambda d: (d / 'meta/info.json').write_text('{'), 'cannot be read'),
        (lambda d: (d / 'meta/info.json').write_text('[]'), 'holds no JSON object'),
        (
            lambda d: change_json(
                d / 'meta/info.json', lambda i: i.update(codebase_version='v2.1')
            ),
            "is a LeRobotDataset 'v2.1'; this reads v3.0",
        ),
        (lambda d: change_json(d / 'meta/info.json', lambda i: i.pop('fps')), 'not a complete'),
        (lambda d: (d / EPISODES).write_bytes(b'PAR1'), 'not a complete dataset'),
    ],
)
def test_what_cannot_be_opened_is_one_clear_line(
    broken: Path, change: Callable[[Path], Any], sentence: str
) -> None:
    change(broken)
    with pytest.raises(ConfigError, match=sentence) as caught:
        validate(broken)
    assert '\n' not in str(caught.value)


def test_dataset_that_lerobot_merged_is_read(whole: Path, broken: Path) -> None:
    as_lists_of_any_size(broken)
    assert pq.read_schema(broken / DATA).field('action').type == pa.list_(pa.float32())
    assert validate(broken) == []
    for key in (layout.STATE, layout.ACTION, layout.ENVIRONMENT):
        rows = DatasetReader(broken).column(key)
        assert rows.dtype == np.float32
        np.testing.assert_array_equal(rows, DatasetReader(whole).column(key))


def test_reader_names_what_it_has(whole: Path) -> None:
    reader = DatasetReader(whole)
    with pytest.raises(ConfigError, match=r"no feature 'nose'; it has observation\.state, action"):
        reader.column('nose')
    with pytest.raises(ConfigError, match='is a video'):
        reader.column(CAMERA)
    assert np.shares_memory(reader.column('action'), reader.column('action', episode=1))
