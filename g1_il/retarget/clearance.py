# SPDX-License-Identifier: Apache-2.0
"""Smallest distance of chosen pairs of shapes, as MuJoCo measures it."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt


class Clearance:
    """Distance of pairs; those that are surely far apart cost next to nothing."""

    def __init__(self, model: mujoco.MjModel, pairs: list[tuple[int, int]]) -> None:
        """Prepares the pairs.

        Args:
            model: The model.
            pairs: Ids of two geoms each.
        """
        self._model = model
        self._pairs = pairs
        self._first, self._second = np.array(pairs).T
        self._reach = model.geom_rbound[self._first] + model.geom_rbound[self._second]
        self._fromto = np.empty(6)

    def distance(self, data: mujoco.MjData, at_most: float) -> float:
        """Smallest distance [m], negative in collision, and `at_most` when all are farther.

        Args:
            data: Kinematics of the configuration.
            at_most: Distances beyond are not measured [m].
        """
        centres: npt.NDArray[np.float64] = data.geom_xpos
        apart = np.linalg.norm(centres[self._first] - centres[self._second], axis=1)
        smallest = at_most
        for k in np.flatnonzero(apart - self._reach < at_most):
            first, second = self._pairs[k]
            found = mujoco.mj_geomDistance(
                self._model, data, first, second, smallest, self._fromto
            )
            smallest = min(smallest, found)
        return smallest
