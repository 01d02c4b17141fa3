# SPDX-License-Identifier: Apache-2.0
"""What the recorder can be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from g1_il.errors import ConfigError

TOPICS = (
    'joint_states',
    'imu',
    'executed_command',
    'gate/status',
    'teleop/command',
    'policy/command',
    'xr/frame',
    'sim/scene',
    'dex3/left/touch',
    'dex3/right/touch',
    'robot/health',
    'head_camera/color/image_raw/compressed',
    'head_camera/color/camera_info',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderConfig:
    """Parameters of the recorder node."""

    out: str = field(
        default='episodes', metadata={'description': 'folder that receives the episodes'}
    )
    task: str = field(
        default='', metadata={'description': 'task text of episodes that are started without one'}
    )
    topics: tuple[str, ...] = field(
        default=TOPICS, metadata={'description': 'topics to record, relative or absolute'}
    )
    required: tuple[str, ...] = field(
        default=('joint_states',),
        metadata={'description': 'topics without which no recording starts'},
    )
    depth: int = field(
        default=1000, metadata={'description': 'messages a reader keeps while callbacks are late'}
    )
    queue_mb: float = field(
        default=256.0, metadata={'description': 'messages waiting for the disk at most [MB]'}
    )
    min_free_mb: float = field(
        default=500.0,
        metadata={'description': 'free disk space at which recording ends and saves [MB]'},
    )
    fsync_period_s: float = field(
        default=2.0, metadata={'description': 'time between two syncs of the file to disk [s]'}
    )
    status_rate_hz: float = field(
        default=2.0, metadata={'description': 'rate of episode/status [Hz]'}
    )

    def __post_init__(self) -> None:
        if not self.out:
            raise ConfigError('out is empty; name the folder that receives the episodes')
        unknown = [name for name in self.required if name not in self.topics]
        if unknown:
            raise ConfigError(
                f'required topics {unknown} are not recorded; add them to topics: '
                f'{list(self.topics)}'
            )
        if len(set(self.topics)) != len(self.topics) or not self.topics:
            raise ConfigError(f'topics are {list(self.topics)}; at least one, none twice')
        if self.depth < 500:
            raise ConfigError(f'depth is {self.depth}; it must be at least 500')
        if not 0.1 <= self.status_rate_hz <= 50.0:
            raise ConfigError(f'status_rate_hz is {self.status_rate_hz}; allowed: 0.1 to 50')
        for name in ('queue_mb', 'fsync_period_s'):
            if not getattr(self, name) > 0:
                raise ConfigError(f'{name} is {getattr(self, name)}; it must be above 0')
        if not self.min_free_mb >= 0:
            raise ConfigError(f'min_free_mb is {self.min_free_mb}; it must be 0 or more')
