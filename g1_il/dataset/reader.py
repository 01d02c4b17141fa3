# SPDX-License-Identifier: Apache-2.0
"""Reads a LeRobotDataset v3.0 into numpy, without lerobot."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from g1_il.dataset import layout
from g1_il.dataset.video import decode_video
from g1_il.errors import ConfigError

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetEpisode:
    """One episode of a dataset.

    Attributes:
        index: Position in the dataset.
        length: Rows.
        start: First row of the dataset that belongs to it.
        stop: One past its last row.
        task: The instruction in words.
        source: Id of the recorded episode it was made from; empty when unknown.
        videos: Per camera key, the video file and the frame in it at which the episode starts.
    """

    index: int
    length: int
    start: int
    stop: int
    task: str
    source: str
    videos: dict[str, tuple[Path, int]]


class DatasetReader:
    """A dataset on disk: columns as arrays, camera frames in sequence.

    Attributes:
        root: Folder of the dataset.
        fps: Rows per second.
        features: info.json's features: {key: {'dtype', 'shape', 'names', ...}}.
        episodes: Its episodes, in order; their rows are contiguous.
        tasks: Task texts, by task_index.
        stats: {key: {'mean' | 'std' | 'min' | 'max' | 'q01' ... | 'count': array}}.
        provenance: meta/g1_il.json; empty when the dataset was made by something else.
    """

    def __init__(self, root: Path | str) -> None:
        """Opens a dataset.

        Raises:
            ConfigError: There is no dataset there, it is of another version, or a part is missing
                or cannot be read.
        """
        self.root = Path(root)
        info = self._json(layout.INFO_PATH)
        version = info.get('codebase_version')
        if version != layout.CODEBASE_VERSION:
            raise ConfigError(
                f'{self.root} is a LeRobotDataset {version!r}; this reads '
                f'{layout.CODEBASE_VERSION}: convert it with g1-il convert'
            )
        try:
            self.info: dict[str, Any] = info
            self.fps = int(info['fps'])
            if self.fps < 1:
                raise ValueError(f'fps is {self.fps}')
            self.features: dict[str, dict[str, Any]] = info['features']
            self.stats = {
                key: {name: np.asarray(value) for name, value in entry.items()}
                for key, entry in self._json(layout.STATS_PATH).items()
            }
            self.tasks = self._tasks()
            self.episodes = self._episodes()
        except KeyError as error:
            raise ConfigError(
                f'{self.root} is not a complete dataset: {error} is missing in its meta folder; '
                'convert the episodes again'
            ) from error
        except (AttributeError, TypeError, ValueError, OSError, pa.ArrowException) as error:
            reason = ' '.join(str(error).split())
            raise ConfigError(
                f'{self.root} is not a complete dataset: {reason}; convert the episodes again'
            ) from error
        has_provenance = (self.root / layout.PROVENANCE_PATH).exists()
        self.provenance = self._json(layout.PROVENANCE_PATH) if has_provenance else {}

    def __len__(self) -> int:
        """Number of episodes."""
        return len(self.episodes)

    @property
    def rows(self) -> int:
        """Rows of all episodes."""
        return self.episodes[-1].stop if self.episodes else 0

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of the content: of every file of data and videos, and of what describes them."""
        digest = hashlib.sha256()
        for file in sorted(self.root.rglob('*')):
            name = file.relative_to(self.root).as_posix()
            if file.is_file() and name.startswith(('data/', 'meta/', 'videos/')):
                digest.update(name.encode())
                with open(file, 'rb') as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
        return digest.hexdigest()

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """Keys of the features that are videos."""
        return tuple(k for k, f in self.features.items() if f['dtype'] == 'video')

    def names(self, key: str) -> tuple[str, ...]:
        """Names of a feature's dimensions, e.g. 'left_elbow_joint.pos'."""
        return tuple(self._feature(key).get('names') or ())

    def column(self, key: str, *, episode: int | None = None) -> npt.NDArray[Any]:
        """A feature's rows: shape (N, D) for a vector, (N,) for a scalar; read-only.

        Args:
            key: The feature, e.g. 'observation.state'.
            episode: Only this episode's rows; None for all.
        """
        rows = self._column(key)
        if episode is None:
            return rows
        return rows[self.episodes[episode].start : self.episodes[episode].stop]

    def _column(self, key: str) -> npt.NDArray[Any]:
        feature = self._feature(key)
        if feature['dtype'] == 'video':
            raise ConfigError(f'{key} is a video: use frames(), not column()')
        column = self._table().column(key).chunk(0)
        # Lists of fixed size as written here, of any size after LeRobot's own merge.
        has_any_size = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        if has_any_size:
            lengths = np.unique(column.value_lengths().to_numpy(zero_copy_only=False))
            if len(lengths) > 1:
                raise ConfigError(
                    f'{self.root}: rows of {key} have {lengths[0]} to {lengths[-1]} values; '
                    'all must have as many'
                )
        if has_any_size or pa.types.is_fixed_size_list(column.type):
            return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
        return column.to_numpy(zero_copy_only=False)

    def frames(
        self, camera: str, *, episode: int | None = None, size: tuple[int, int] | None = None
    ) -> Iterator[Image]:
        """Decoded frames in row order, one at a time.

        Args:
            camera: Key of the feature, e.g. 'observation.images.head_camera'.
            episode: Only this episode's; None for all rows of the dataset.
            size: (height, width) to scale to while decoding; None for the recorded size.

        Yields:
            RGB images, shape (height, width, 3).
        """
        self._feature(camera)
        for entry in self.episodes if episode is None else (self.episodes[episode],):
            path, first = entry.videos[camera]
            yield from decode_video(path, fps=self.fps, first=first, count=entry.length, size=size)

    def images(
        self, camera: str, *, size: tuple[int, int] | None = None, cache: Path | None = None
    ) -> Image:
        """All frames of a camera in one array, shape (N, height, width, 3), RGB.

        Args:
            camera: Key of the feature.
            size: (height, width) to scale to; None for the recorded size.
            cache: A .npy file to keep the array in (memory-mapped); decoded once, and again only
                when its shape no longer fits the dataset.
        """
        height, width = size or tuple(self._feature(camera)['shape'][:2])
        shape = (self.rows, height, width, 3)
        if cache is not None and cache.exists():
            stored = np.load(cache, mmap_mode='r')
            if stored.shape == shape and cache.stat().st_mtime >= self._modified():
                return stored
        if cache is None:
            array = np.empty(shape, dtype=np.uint8)
            self._fill(array, camera, size)
            return array
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix('.partial.npy')
        mapped = np.lib.format.open_memmap(partial, mode='w+', dtype=np.uint8, shape=shape)
        self._fill(mapped, camera, size)
        mapped.flush()
        del mapped
        partial.replace(cache)
        return np.load(cache, mmap_mode='r')

    def _fill(self, array: Image, camera: str, size: tuple[int, int] | None) -> None:
        for row, frame in enumerate(self.frames(camera, size=size)):
            array[row] = frame

    def _modified(self) -> float:
        return (self.root / layout.INFO_PATH).stat().st_mtime

    def _feature(self, key: str) -> dict[str, Any]:
        if key not in self.features:
            raise ConfigError(
                f'{self.root} has no feature {key!r}; it has {", ".join(self.features)}'
            )
        return self.features[key]

    @functools.cached_property
    def _data(self) -> pa.Table:
        files = sorted((self.root / 'data').glob('*/*.parquet'))
        if not files:
            raise FileNotFoundError('there is no .parquet file in it')
        return pa.concat_tables([pq.read_table(file) for file in files]).combine_chunks()

    def _table(self) -> pa.Table:
        try:
            table = self._data
        except (OSError, ValueError, pa.ArrowException) as error:
            reason = ' '.join(str(error).split())
            raise ConfigError(
                f'{self.root}/data cannot be read: {reason}; convert the episodes again'
            ) from error
        if len(table) != self.rows:
            raise ConfigError(
                f'{self.root}/data has {len(table)} rows, its episodes say {self.rows}: '
                f'run g1-il validate {self.root}'
            )
        return table

    def _json(self, path: str) -> dict[str, Any]:
        try:
            content = json.loads((self.root / path).read_text(encoding='utf-8'))
        except FileNotFoundError as error:
            raise ConfigError(
                f'{self.root} has no {path}: it is not a LeRobotDataset; make one with '
                'g1-il convert EPISODES OUT'
            ) from error
        except OSError as error:
            raise ConfigError(f'{self.root / path} cannot be read: {error.strerror}') from error
        except ValueError as error:
            raise ConfigError(f'{self.root / path} cannot be read: {error}') from error
        if not isinstance(content, dict):
            raise ConfigError(f'{self.root / path} holds no JSON object')
        return content

    def _tasks(self) -> tuple[str, ...]:
        path = self.root / layout.TASKS_PATH
        if not path.exists():
            return ()
        table = pq.read_table(path)
        texts = next(name for name in table.column_names if name != 'task_index')
        pairs = zip(table['task_index'].to_pylist(), table[texts].to_pylist(), strict=True)
        return tuple(text for _, text in sorted(pairs))

    def _episodes(self) -> tuple[DatasetEpisode, ...]:
        episodes = []
        for file in sorted((self.root / 'meta/episodes').glob('*/*.parquet')):
            schema = pq.read_schema(file)
            wanted = [name for name in schema.names if not name.startswith('stats/')]
            episodes += [
                self._episode(row) for row in pq.read_table(file, columns=wanted).to_pylist()
            ]
        return tuple(episodes)

    def _episode(self, row: dict[str, Any]) -> DatasetEpisode:
        videos = {}
        for key in self.camera_keys:
            chunk, file = row[f'videos/{key}/chunk_index'], row[f'videos/{key}/file_index']
            path = self.root / self.info['video_path'].format(
                video_key=key, chunk_index=chunk, file_index=file
            )
            videos[key] = (path, round(row[f'videos/{key}/from_timestamp'] * self.fps))
        return DatasetEpisode(
            index=row['episode_index'],
            length=row['length'],
            start=row['dataset_from_index'],
            stop=row['dataset_to_index'],
            task=row['tasks'][0] if row['tasks'] else '',
            source=row.get('g1_il/source') or '',
            videos=videos,
        )
