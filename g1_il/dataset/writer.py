# SPDX-License-Identifier: Apache-2.0
"""Writes a LeRobotDataset v3.0, episode by episode, without lerobot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from g1_il.dataset import layout
from g1_il.dataset.layout import Feature
from g1_il.dataset.stats import ImageStats, column_stats
from g1_il.dataset.video import VideoJoiner
from g1_il.errors import G1Error

ROBOT_TYPE = 'unitree_g1'


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRows:
    """One episode as it goes into a dataset.

    Attributes:
        source: Id of the recorded episode.
        task: Instruction in words.
        columns: Per numeric feature its rows, shape (N, D), float32.
        videos: Per camera feature a video of N frames made by VideoEncoder.
        images: Per camera feature the histogram of its pictures.
        stamp_ns: Capture time of each row [ns], shape (N,).
        ages_ns: Per stream the age of its sample in each row [ns], shape (N,).
        held: Per stream whether its sample was older than its tolerance, shape (N,).
        extra: Further columns of meta/episodes, by name.
    """

    source: str
    task: str
    columns: Mapping[str, npt.NDArray[np.float32]]
    videos: Mapping[str, Path]
    images: Mapping[str, ImageStats]
    stamp_ns: npt.NDArray[np.int64]
    ages_ns: Mapping[str, npt.NDArray[np.int64]]
    held: Mapping[str, npt.NDArray[np.bool_]]
    extra: Mapping[str, Any]


class DatasetWriter:
    """Adds episodes to a new dataset; `close` makes it complete."""

    def __init__(self, root: Path, *, fps: int, features: Mapping[str, Feature]) -> None:
        """Starts an empty dataset.

        Args:
            root: Its folder; made if need be, and empty.
            fps: Rows per second.
            features: Numeric and video features; the index features are added here.
        """
        self._root = root
        self._fps = fps
        self._features = dict(features)
        self._index_types = {
            name: 'float32' if name == 'timestamp' else 'int64' for name in layout.INDEX_FEATURES
        }
        self._schema = _data_schema(self._numeric, self._index_types)
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict[str, Any]] = []
        self._columns: dict[str, list[npt.NDArray[Any]]] = {}
        self._images = {key: ImageStats() for key in self._cameras}
        self._timing: list[pa.Table] = []
        self._rows = 0
        self._data: pq.ParquetWriter | None = None
        self._data_path = Path()
        self._data_number = -1
        self._joiners: dict[str, VideoJoiner] = {}
        self._video_numbers = dict.fromkeys(self._cameras, -1)

    @property
    def _numeric(self) -> dict[str, Feature]:
        return {key: f for key, f in self._features.items() if f.dtype != 'video'}

    @property
    def _cameras(self) -> tuple[str, ...]:
        return tuple(key for key, f in self._features.items() if f.dtype == 'video')

    def add(self, episode: EpisodeRows) -> None:
        """Appends an episode.

        Raises:
            G1Error: Its columns, videos and features do not fit together.
        """
        length = len(episode.stamp_ns)
        self._check(episode, length)
        number = len(self._episodes)
        columns = dict(episode.columns)
        frame_index = np.arange(length, dtype=np.int64)
        task_index = self._tasks.setdefault(episode.task, len(self._tasks))
        columns |= {
            'timestamp': (frame_index / self._fps).astype(np.float32),
            'frame_index': frame_index,
            'episode_index': np.full(length, number, dtype=np.int64),
            'index': self._rows + frame_index,
            'task_index': np.full(length, task_index, dtype=np.int64),
        }
        record: dict[str, Any] = {
            'episode_index': number,
            'tasks': [episode.task],
            'length': length,
            **self._write_data(columns),
            'dataset_from_index': self._rows,
            'dataset_to_index': self._rows + length,
        }
        for key in self._cameras:
            record |= self._write_video(key, episode.videos[key], length)
            self._images[key] += episode.images[key]
        record |= {'meta/episodes/chunk_index': 0, 'meta/episodes/file_index': 0}
        record |= {'g1_il/source': episode.source, **episode.extra}
        for key, rows in columns.items():
            record |= {f'stats/{key}/{n}': v for n, v in column_stats(rows).items()}
            self._columns.setdefault(key, []).append(rows)
        for key in self._cameras:
            stats = episode.images[key].stats()
            record |= {f'stats/{key}/{n}': v for n, v in stats.items()}
        self._episodes.append(record)
        self._timing.append(self._timing_table(episode, number, length))
        self._rows += length

    def close(self, provenance: Mapping[str, Any]) -> None:
        """Writes what describes the dataset.

        Args:
            provenance: Where it comes from: meta/g1_il.json.
        """
        if self._data is not None:
            self._data.close()
        for joiner in self._joiners.values():
            joiner.close()
        meta = self._root / 'meta'
        (meta / 'g1_il').mkdir(parents=True, exist_ok=True)
        if self._episodes:
            chunk = self._root / layout.EPISODES_PATH.format(chunk_index=0, file_index=0)
            chunk.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(self._episodes), chunk, compression='snappy')
            pq.write_table(pa.concat_tables(self._timing), self._root / layout.TIMING_PATH)
        _write_tasks(self._root / layout.TASKS_PATH, list(self._tasks))
        stats: dict[str, Any] = {
            key: column_stats(np.concatenate(parts)) for key, parts in self._columns.items()
        }
        stats |= {key: images.stats() for key, images in self._images.items() if images.frames}
        _write_json(self._root / layout.STATS_PATH, stats)
        _write_json(self._root / layout.PROVENANCE_PATH, provenance)
        # info.json last: a dataset without it is not one.
        _write_json(self._root / layout.INFO_PATH, self._info())

    def _check(self, episode: EpisodeRows, length: int) -> None:
        if length == 0:
            raise G1Error(f'episode {episode.source} has no rows')
        for key, feature in self._numeric.items():
            shape = episode.columns[key].shape
            if shape != (length, *feature.shape):
                raise G1Error(
                    f'episode {episode.source}: {key} has shape {shape}, '
                    f'not {(length, *feature.shape)}'
                )
            if not np.isfinite(episode.columns[key]).all():
                raise G1Error(f'episode {episode.source}: {key} holds values that are not finite')

    def _write_data(self, columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, int]:
        full = self._data is not None and (
            self._data_path.stat().st_size >= layout.DATA_FILE_MB * 2**20
        )
        if self._data is None or full:
            if self._data is not None:
                self._data.close()
            self._data_number += 1
            self._data_path = layout.data_file(self._root, self._data_number)
            self._data_path.parent.mkdir(parents=True, exist_ok=True)
            self._data = pq.ParquetWriter(self._data_path, self._schema, compression='snappy')
        arrays = [_arrow(columns[name.name], name.type) for name in self._schema]
        self._data.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        chunk, file = layout.place(self._data_number)
        return {'data/chunk_index': chunk, 'data/file_index': file}

    def _write_video(self, key: str, path: Path, length: int) -> dict[str, Any]:
        joiner = self._joiners.get(key)
        if joiner is None or joiner.size >= layout.VIDEO_FILE_MB * 2**20:
            if joiner is not None:
                joiner.close()
            self._video_numbers[key] += 1
            file = layout.video_file(self._root, key, self._video_numbers[key])
            joiner = self._joiners[key] = VideoJoiner(file, fps=self._fps)
        first = joiner.add(path)
        if joiner.frames - first != length:
            raise G1Error(f'{path} has {joiner.frames - first} frames for {length} rows')
        chunk, number = layout.place(self._video_numbers[key])
        return {
            f'videos/{key}/chunk_index': chunk,
            f'videos/{key}/file_index': number,
            f'videos/{key}/from_timestamp': first / self._fps,
            f'videos/{key}/to_timestamp': joiner.frames / self._fps,
        }

    def _timing_table(self, episode: EpisodeRows, number: int, length: int) -> pa.Table:
        columns: dict[str, Any] = {
            'index': self._rows + np.arange(length),
            'episode_index': np.full(length, number, dtype=np.int64),
            'stamp_ns': episode.stamp_ns,
        }
        columns |= {f'{stream}.age_ns': ages for stream, ages in episode.ages_ns.items()}
        columns |= {f'{stream}.held': held for stream, held in episode.held.items()}
        return pa.table(columns)

    def _info(self) -> dict[str, Any]:
        features = {key: f.to_info(self._fps) for key, f in self._features.items()}
        for key, dtype in self._index_types.items():
            features[key] = {'dtype': dtype, 'shape': [1], 'names': None}
        return {
            'codebase_version': layout.CODEBASE_VERSION,
            'robot_type': ROBOT_TYPE,
            'total_episodes': len(self._episodes),
            'total_frames': self._rows,
            'total_tasks': len(self._tasks),
            'chunks_size': layout.CHUNK_SIZE,
            'data_files_size_in_mb': layout.DATA_FILE_MB,
            'video_files_size_in_mb': layout.VIDEO_FILE_MB,
            'fps': self._fps,
            'splits': {'train': f'0:{len(self._episodes)}'},
            'data_path': layout.DATA_PATH,
            'video_path': layout.VIDEO_PATH if self._cameras else None,
            'features': features,
        }


def _data_schema(numeric: Mapping[str, Feature], index_types: Mapping[str, str]) -> pa.Schema:
    fields = [(key, pa.list_(pa.float32(), feature.shape[0])) for key, feature in numeric.items()]
    fields += [(k, pa.float32() if t == 'float32' else pa.int64()) for k, t in index_types.items()]
    return pa.schema(fields)


def _arrow(values: npt.NDArray[Any], arrow_type: pa.DataType) -> pa.Array:
    if pa.types.is_fixed_size_list(arrow_type):
        flat = pa.array(np.ascontiguousarray(values).reshape(-1), type=pa.float32())
        return pa.FixedSizeListArray.from_arrays(flat, arrow_type.list_size)
    return pa.array(values, type=arrow_type)


def _write_tasks(path: Path, tasks: list[str]) -> None:
    """tasks.parquet as pandas writes it, the text being the index: LeRobot reads it so."""
    index = '__index_level_0__'
    table = pa.table(
        {
            'task_index': pa.array(range(len(tasks)), type=pa.int64()),
            index: pa.array(tasks, type=pa.string()),
        }
    )
    names = {'task_index': ('int64', 'int64'), index: ('unicode', 'object')}
    pandas = {
        'index_columns': [index],
        'column_indexes': [
            {
                'name': None,
                'field_name': None,
                'pandas_type': 'unicode',
                'numpy_type': 'object',
                'metadata': {'encoding': 'UTF-8'},
            }
        ],
        'columns': [
            {
                'name': None if name == index else name,
                'field_name': name,
                'pandas_type': pandas_type,
                'numpy_type': numpy_type,
                'metadata': None,
            }
            for name, (pandas_type, numpy_type) in names.items()
        ],
        'creator': {'library': 'pyarrow', 'version': pa.__version__},
        'pandas_version': '2.0.0',
    }
    pq.write_table(table.replace_schema_metadata({'pandas': json.dumps(pandas)}), path)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
