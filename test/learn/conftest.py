# SPDX-License-Identifier: Apache-2.0
"""A small world to learn from: two joints walk to a goal that the environment state names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from g1_il.learn.checkpoint import CHECKPOINT, Checkpoint, read_checkpoint
from g1_il.learn.run import train_checkpoint
from g1_il.learn.source import Demonstration
from g1_il.learn.training import TrainConfig
from g1_il.output import new_folder
from g1_il.robot.joints import COMMAND_JOINTS
from g1_il.rows.streams import scene_names

STEP_RAD = 0.03
ROWS = 40
DEMONSTRATIONS = 70


def next_targets(
    state: npt.NDArray[np.floating], goal: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """The expert: both joints move to the goal at one speed, the others stay at 0.3 rad."""
    target = np.full(28, 0.3)
    away = goal - state[:2]
    distance = float(np.linalg.norm(away))
    target[:2] = state[:2] + away * min(1.0, STEP_RAD / max(distance, 1e-9))
    return target


def draw_scene(goal: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """A grey picture, 36 x 48, with a white square where the goal is."""
    picture = np.full((36, 48, 3), 60, dtype=np.uint8)
    x, y = (int(24 + 22 * goal[0]), int(18 + 16 * goal[1]))
    picture[y - 3 : y + 3, x - 3 : x + 3] = 255
    return picture


class GoalDemonstrations:
    """Demonstrations of the small world, made on demand; see learn.source.Demonstrations."""

    name = 'goals'
    fps = 30
    task = 'go to the goal'
    joints = COMMAND_JOINTS
    environment_names = scene_names(('goal',))
    cameras = ('head_camera',)

    def __init__(self, count: int, rows: int = ROWS) -> None:
        self._count, self._rows = count, rows

    @property
    def sha256(self) -> str:
        return hashlib.sha256(str(self._count).encode()).hexdigest()

    def __len__(self) -> int:
        return self._count

    def goal(self, index: int) -> npt.NDArray[np.float64]:
        return np.random.default_rng(index).uniform(-0.8, 0.8, size=2)

    def demonstration(self, index: int) -> Demonstration:
        goal = self.goal(index)
        state = np.full(28, 0.3)
        state[:2] = np.random.default_rng(1000 + index).uniform(-0.1, 0.1, size=2)
        states, actions = [], []
        for _ in range(self._rows):
            states.append(state)
            state = next_targets(state, goal)
            actions.append(state)
        environment = np.zeros((self._rows, 7))
        environment[:, :2] = goal
        environment[:, 6] = 1.0
        return Demonstration(
            state=np.array(states, dtype=np.float32),
            environment=environment.astype(np.float32),
            action=np.array(actions, dtype=np.float32),
        )

    def frames(self, index: int, camera: str) -> Iterator[npt.NDArray[np.uint8]]:
        for _ in range(self._rows):
            yield draw_scene(self.goal(index))


@pytest.fixture(scope='session')
def goals_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that has learnt the small world from its state."""
    out = tmp_path_factory.mktemp('learn') / 'goals'
    config = TrainConfig(epochs=25, batch=128, held_out=0.1, seed=3)
    with new_folder(out, CHECKPOINT) as folder:
        train_checkpoint(
            GoalDemonstrations(DEMONSTRATIONS), folder, ('state', 'environment_state'), config
        )
    return out


@pytest.fixture(scope='session')
def goals_checkpoint(goals_folder: Path) -> Checkpoint:
    """The same, loaded."""
    return read_checkpoint(goals_folder)
