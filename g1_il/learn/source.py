# SPDX-License-Identifier: Apache-2.0
"""Where demonstrations come from: what training needs of a dataset, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """One episode without its pictures.

    Attributes:
        state: Measured joint positions [rad], shape (N, 28), COMMAND_JOINTS order.
        environment: Environment state, shape (N, E); E is 0 when the dataset has none.
        action: Executed targets [rad], shape (N, 28), COMMAND_JOINTS order.
    """

    state: npt.NDArray[np.float32]
    environment: npt.NDArray[np.float32]
    action: npt.NDArray[np.float32]


class Demonstrations(Protocol):
    """A set of episodes that one can learn from."""

    @property
    def name(self) -> str:
        """What to call it in a model's card."""

    @property
    def sha256(self) -> str:
        """Hash of its content, as 64 hex digits."""

    @property
    def fps(self) -> int:
        """Rows per second."""

    @property
    def task(self) -> str:
        """The instruction that was shown."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Joint names of state and action, in order."""

    @property
    def environment_names(self) -> tuple[str, ...]:
        """Names of the environment state's values; empty when there is none."""

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""

    def __len__(self) -> int:
        """Number of episodes."""

    def demonstration(self, index: int) -> Demonstration:
        """One episode's arrays."""

    def frames(self, index: int, camera: str) -> Iterator[npt.NDArray[np.uint8]]:
        """One episode's pictures in order, RGB, shape (H, W, 3), uint8."""
