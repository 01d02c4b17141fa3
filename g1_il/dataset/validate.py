# SPDX-License-Identifier: Apache-2.0
"""Checks a dataset as LeRobot's loader would stumble over it, and says where.

The loader itself goes to the network at the first thing missing, and its error then names the
network. Rows are found by place and pictures by time, so an index with a gap or a video with one
frame less silently pairs every later row with another picture: both are looked for here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from g1_il.dataset import layout
from g1_il.dataset.reader import DatasetEpisode, DatasetReader
from g1_il.dataset.video import decode_video
from g1_il.errors import ConfigError

_STATS = ('min', 'max', 'mean', 'std', 'count', 'q01', 'q10', 'q50', 'q90', 'q99')
# LeRobot's own tolerance between a row's time and its picture's [s].
_TOLERANCE_S = 1e-4


def validate(root: Path) -> list[str]:
    """Problems of a dataset, one sentence each; empty when a loader accepts it.

    Raises:
        ConfigError: It cannot be opened at all.
    """
    dataset = DatasetReader(root)
    problems: list[str] = []
    for check in (_check_info, _check_episodes, _check_rows, _check_videos, _check_stats):
        try:
            problems += check(dataset)
        except (ConfigError, OSError, KeyError, ValueError, pa.ArrowException) as error:
            problems.append(f'{_name(check)}: {" ".join(str(error).split())}')
    return problems


def _name(check: Callable[[DatasetReader], Iterator[str]]) -> str:
    return check.__name__.removeprefix('_check_')


def _check_info(dataset: DatasetReader) -> Iterator[str]:
    info = dataset.info
    for key in ('robot_type', 'total_episodes', 'total_frames', 'total_tasks', 'chunks_size'):
        if key not in info:
            yield f'info.json has no {key}'
    totals = {
        'total_episodes': len(dataset.episodes),
        'total_frames': dataset.rows,
        'total_tasks': len(dataset.tasks),
    }
    for key, found in totals.items():
        if info.get(key) != found:
            yield f'info.json: {key} is {info.get(key)}, found are {found}'
    for key in dataset.features:
        if '/' in key:
            yield f'feature {key} has a slash in its name'
    for key in layout.INDEX_FEATURES:
        if key not in dataset.features:
            yield f'feature {key} is missing'
    yield from _check_tasks(dataset.root / layout.TASKS_PATH, len(dataset.tasks))


def _check_tasks(path: Path, count: int) -> Iterator[str]:
    """pandas has to find the texts as the index, in the order of task_index."""
    if not count:
        yield 'there is no task: tasks.parquet is missing or empty'
        return
    table = pq.read_table(path)
    if table['task_index'].to_pylist() != list(range(count)):
        yield 'tasks.parquet: rows are not in the order of task_index'
    metadata = (table.schema.metadata or {}).get(b'pandas')
    index = json.loads(metadata)['index_columns'] if metadata else []
    if not index or index[0] not in table.column_names:
        yield 'tasks.parquet: the task texts are not its pandas index'


def _check_episodes(dataset: DatasetReader) -> Iterator[str]:
    row = 0
    for place, episode in enumerate(dataset.episodes):
        if episode.index != place:
            yield f'episode {place} of meta/episodes has index {episode.index}'
        if episode.start != row or episode.stop - episode.start != episode.length:
            yield (
                f'episode {place}: rows {episode.start} to {episode.stop}, length '
                f'{episode.length}; it must begin at row {row}'
            )
        if episode.length < 1:
            yield f'episode {place} has no rows'
        if episode.task not in dataset.tasks:
            yield f'episode {place}: task {episode.task!r} is not in tasks.parquet'
        row = episode.stop


def _check_rows(dataset: DatasetReader) -> Iterator[str]:
    lengths = [episode.length for episode in dataset.episodes]
    if not lengths:
        yield 'there is no episode: meta/episodes is missing or empty'
        return
    within = np.concatenate([np.arange(length) for length in lengths])
    expected: dict[str, Any] = {
        'index': np.arange(dataset.rows),
        'frame_index': within,
        'episode_index': np.repeat(np.arange(len(lengths)), lengths),
        'timestamp': (within / dataset.fps).astype(np.float32),
    }
    for key, wanted in expected.items():
        wrong = np.flatnonzero(dataset.column(key) != wanted)
        if len(wrong):
            row = int(wrong[0])
            yield (
                f'{key} is {dataset.column(key)[row]} in row {row}, not {wanted[row]} '
                f'({len(wrong)} rows are wrong)'
            )
    for key, feature in dataset.features.items():
        if feature['dtype'] == 'video':
            continue
        rows = dataset.column(key)
        if rows.dtype != feature['dtype']:
            yield f'{key} is stored as {rows.dtype}, info.json says {feature["dtype"]}'
        shape = tuple(feature['shape'])
        if rows.shape[1:] != (() if shape == (1,) else shape):
            yield f'{key} has rows of shape {rows.shape[1:]}, info.json says {shape}'
        names = feature.get('names')
        if names and len(names) != shape[0]:
            yield f'{key} has {len(names)} names for {shape[0]} values'
        if not np.isfinite(rows).all():
            yield f'{key} holds values that are not finite'


def _check_videos(dataset: DatasetReader) -> Iterator[str]:
    for key in dataset.camera_keys:
        files: dict[Path, list[DatasetEpisode]] = {}
        for episode in dataset.episodes:
            files.setdefault(episode.videos[key][0], []).append(episode)
        for path, episodes in files.items():
            name = path.relative_to(dataset.root)
            if not path.exists():
                yield f'{name} is missing'
                continue
            try:
                yield from _check_video(dataset, key, path, episodes)
            except av.FFmpegError as error:
                yield f'{name} cannot be read: {error}'


def _check_video(
    dataset: DatasetReader, key: str, path: Path, episodes: list[DatasetEpisode]
) -> Iterator[str]:
    name = path.relative_to(dataset.root)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate, base = stream.average_rate, stream.time_base
        size = [stream.height, stream.width, 3]
        packets = [packet for packet in container.demux(stream) if packet.size]
    if size != list(dataset.features[key]['shape']):
        yield f'{name} has pictures of {size}, info.json says {dataset.features[key]["shape"]}'
    if rate != dataset.fps:
        yield f'{name} has {rate} frames per second, not {dataset.fps}'
    times = np.array([float(packet.pts * base) for packet in packets])
    off = np.abs(times - np.arange(len(times)) / dataset.fps)
    if len(off) and off.max() >= _TOLERANCE_S:
        frame = int(off.argmax())
        yield f'{name}: frame {frame} is at {times[frame]:.6f} s, not {frame / dataset.fps:.6f} s'
    needed = sum(episode.length for episode in episodes)
    if len(packets) != needed:
        yield f'{name} has {len(packets)} frames, its episodes have {needed} rows'
    first = 0
    for episode in episodes:
        start = episode.videos[key][1]
        if start != first:
            yield f'{name}: episode {episode.index} begins at frame {start}, not {first}'
        if start < len(packets) and not packets[start].is_keyframe:
            yield f'{name}: episode {episode.index} does not begin with a key frame'
        first = start + episode.length
        for frame in sorted({start, start + episode.length // 2, first - 1}):
            shown = list(decode_video(path, fps=dataset.fps, first=frame, count=1))
            if len(shown) != 1:
                yield f'{name}: frame {frame} of episode {episode.index} cannot be decoded'


def _check_stats(dataset: DatasetReader) -> Iterator[str]:
    for key, feature in dataset.features.items():
        stats = dataset.stats.get(key)
        if stats is None:
            yield f'stats.json has nothing of {key}'
            continue
        is_video = feature['dtype'] == 'video'
        shape = (3, 1, 1) if is_video else tuple(feature['shape'])
        for name in _STATS:
            if name not in stats:
                yield f'stats.json: {key} has no {name}'
            elif not np.isfinite(stats[name]).all():
                yield f'stats.json: {name} of {key} is not finite'
            elif name != 'count' and stats[name].shape != shape:
                yield f'stats.json: {name} of {key} has shape {stats[name].shape}, not {shape}'
        if is_video and not (stats.get('std', np.zeros(1)) > 0).all():
            yield f'stats.json: std of {key} is zero: whatever divides by it fails'
