# SPDX-License-Identifier: Apache-2.0
"""Rotations: quaternions and matrices agree, over all angles."""

import math

import numpy as np
import pytest

from g1_il.robot.rotation import (
    matrix_from_xyzw,
    rotation_x,
    rotation_y,
    rotation_z,
    xyzw_from_matrices,
)


def test_quarter_turns_move_the_axes_the_right_way() -> None:
    quarter = math.pi / 2
    assert rotation_x(quarter) @ (0, 1, 0) == pytest.approx((0, 0, 1))
    assert rotation_y(quarter) @ (0, 0, 1) == pytest.approx((1, 0, 0))
    assert rotation_z(quarter) @ (1, 0, 0) == pytest.approx((0, 1, 0))


def test_quaternions_survive_the_way_through_matrices() -> None:
    rng = np.random.default_rng(0)
    quaternions = rng.normal(size=(500, 4))
    half_turns = np.concatenate([np.eye(4), [[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 1e-9]]])
    quaternions = np.concatenate([quaternions, half_turns])
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    matrices = np.array([matrix_from_xyzw(q) for q in quaternions])
    back = xyzw_from_matrices(matrices)
    assert np.all(back[:, 3] >= 0)
    assert np.abs(np.sum(back * quaternions, axis=1)) == pytest.approx(1.0)


def test_matrix_does_not_need_a_unit_quaternion() -> None:
    q = np.array([0.1, -0.3, 0.2, 0.9])
    assert matrix_from_xyzw(3.0 * q) == pytest.approx(matrix_from_xyzw(q))
    matrix = matrix_from_xyzw(q)
    assert matrix @ matrix.T == pytest.approx(np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_zero_quaternion_is_refused() -> None:
    with pytest.raises(ValueError, match='no direction'):
        matrix_from_xyzw(np.zeros(4))
