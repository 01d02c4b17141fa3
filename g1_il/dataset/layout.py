# SPDX-License-Identifier: Apache-2.0
"""Where a LeRobotDataset v3.0 keeps its files, and what its features are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from g1_il.output import FolderKind

CODEBASE_VERSION = 'v3.0'
DATA_PATH = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
VIDEO_PATH = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
EPISODES_PATH = 'meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
INFO_PATH = 'meta/info.json'
STATS_PATH = 'meta/stats.json'
TASKS_PATH = 'meta/tasks.parquet'
PROVENANCE_PATH = 'meta/g1_il.json'
TIMING_PATH = 'meta/g1_il/timing-000.parquet'

DATASET = FolderKind(
    name='a dataset',
    files=(
        'data/chunk-*/file-*.parquet',
        'videos/*/chunk-*/file-*.mp4',
        'meta/episodes/chunk-*/file-*.parquet',
        'meta/g1_il/timing-*.parquet',
        INFO_PATH,
        STATS_PATH,
        TASKS_PATH,
        PROVENANCE_PATH,
    ),
    required=(INFO_PATH, PROVENANCE_PATH),
    leftovers=('scratch/*', 'videos/*/chunk-*/*', 'data/chunk-*/*'),
)

CHUNK_SIZE = 1000
DATA_FILE_MB = 100
VIDEO_FILE_MB = 200

STATE = 'observation.state'
ENVIRONMENT = 'observation.environment_state'
ACTION = 'action'
IMAGES = 'observation.images.'

INDEX_FEATURES = ('timestamp', 'frame_index', 'episode_index', 'index', 'task_index')


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of the dataset, as info.json describes it.

    Attributes:
        dtype: A numpy dtype name, or 'video'.
        shape: (D,) for a vector, (height, width, 3) for a video.
        names: Names of the dimensions; empty when they have none.
    """

    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...] = ()

    def to_info(self, fps: int) -> dict[str, Any]:
        """This feature's entry in info.json."""
        entry: dict[str, Any] = {
            'dtype': self.dtype,
            'shape': list(self.shape),
            'names': list(self.names) or None,
        }
        if self.dtype == 'video':
            entry['info'] = {
                'video.height': self.shape[0],
                'video.width': self.shape[1],
                'video.codec': 'h264',
                'video.pix_fmt': 'yuv420p',
                'video.is_depth_map': False,
                'video.fps': fps,
                'video.channels': 3,
                'has_audio': False,
            }
        return entry


def place(number: int) -> tuple[int, int]:
    """Chunk and file index of the number-th file of a kind."""
    return divmod(number, CHUNK_SIZE)


def data_file(root: Path, number: int) -> Path:
    """Path of the number-th data file."""
    chunk, file = place(number)
    return root / DATA_PATH.format(chunk_index=chunk, file_index=file)


def video_file(root: Path, key: str, number: int) -> Path:
    """Path of the number-th video file of a camera."""
    chunk, file = place(number)
    return root / VIDEO_PATH.format(video_key=key, chunk_index=chunk, file_index=file)
