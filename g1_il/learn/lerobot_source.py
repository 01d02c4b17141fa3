# SPDX-License-Identifier: Apache-2.0
"""A LeRobot dataset as demonstrations; joints go by name, so any order in the file will do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from g1_il.dataset import layout
from g1_il.dataset.reader import DatasetReader
from g1_il.errors import ConfigError
from g1_il.learn.source import Demonstration
from g1_il.robot.joints import COMMAND_JOINTS

JOINT_SUFFIX = '.pos'


class LeRobotDemonstrations:
    """Demonstrations from a folder; see g1_il.learn.source.Demonstrations."""

    def __init__(self, root: Path | str) -> None:
        """Opens a dataset.

        Raises:
            ConfigError: If it is none, is empty, or lacks joints of this robot.
        """
        self._dataset = DatasetReader(root)
        if not self._dataset.episodes:
            raise ConfigError(f'{root} has no episodes; record some and convert them')
        for key in (layout.STATE, layout.ACTION):
            if key not in self._dataset.features:
                raise ConfigError(
                    f'{root} has no feature {key}; it has {", ".join(self._dataset.features)}'
                )
        self._state = self._joints(layout.STATE)
        self._action = self._joints(layout.ACTION)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self._dataset.root.resolve().name

    @property
    def sha256(self) -> str:
        """Hash of its content, as 64 hex digits."""
        return self._dataset.sha256

    @property
    def fps(self) -> int:
        """Rows per second."""
        return self._dataset.fps

    @property
    def task(self) -> str:
        """The instructions, in order of first use."""
        return '; '.join(dict.fromkeys(entry.task for entry in self._dataset.episodes))

    @property
    def joints(self) -> tuple[str, ...]:
        """COMMAND_JOINTS."""
        return COMMAND_JOINTS

    @property
    def environment_names(self) -> tuple[str, ...]:
        """Names of the environment state's values; empty when there is none."""
        if layout.ENVIRONMENT not in self._dataset.features:
            return ()
        return self._dataset.names(layout.ENVIRONMENT)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return tuple(key.removeprefix(layout.IMAGES) for key in self._dataset.camera_keys)

    def __len__(self) -> int:
        """Number of episodes."""
        return len(self._dataset.episodes)

    def demonstration(self, index: int) -> Demonstration:
        """One episode's arrays."""
        column = self._dataset.column
        environment = (
            column(layout.ENVIRONMENT, episode=index)
            if self.environment_names
            else np.zeros((self._dataset.episodes[index].length, 0), dtype=np.float32)
        )
        return Demonstration(
            state=column(layout.STATE, episode=index)[:, self._state],
            environment=environment,
            action=column(layout.ACTION, episode=index)[:, self._action],
        )

    def frames(self, index: int, camera: str) -> Iterator[npt.NDArray[np.uint8]]:
        """One episode's pictures in order, RGB, shape (H, W, 3), uint8."""
        return self._dataset.frames(layout.IMAGES + camera, episode=index)

    def _joints(self, key: str) -> list[int]:
        """Where a feature keeps each of COMMAND_JOINTS."""
        names = self._dataset.names(key)
        missing = [joint for joint in COMMAND_JOINTS if joint + JOINT_SUFFIX not in names]
        if missing:
            raise ConfigError(
                f'{self._dataset.root}: {key} has no {missing[0]}{JOINT_SUFFIX} '
                f'({len(missing)} of {len(COMMAND_JOINTS)} joints are missing); '
                'it is not a dataset of this robot'
            )
        return [names.index(joint + JOINT_SUFFIX) for joint in COMMAND_JOINTS]
