# SPDX-License-Identifier: Apache-2.0
"""Rotations as matrices and ROS quaternions (x y z w)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def rotation_x(angle: float) -> Array:
    """Rotation by an angle [rad] about x, shape (3, 3)."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rotation_y(angle: float) -> Array:
    """Rotation by an angle [rad] about y, shape (3, 3)."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotation_z(angle: float) -> Array:
    """Rotation by an angle [rad] about z, shape (3, 3)."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def matrix_from_xyzw(quaternion: Array) -> Array:
    """Rotation matrix, shape (3, 3), of a quaternion x y z w that need not be normalised."""
    x, y, z, w = (float(v) for v in quaternion)
    n = x * x + y * y + z * z + w * w
    if not n > 1e-12:
        raise ValueError(f'quaternion {np.asarray(quaternion).tolist()} has no direction')
    s = 2.0 / n
    return np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
        ]
    )


def xyzw_from_matrices(matrices: Array) -> Array:
    """Unit quaternions x y z w with w >= 0, shape (..., 4), of rotations of shape (..., 3, 3).

    Takes the largest of the four components as divisor (Shepperd), so that no angle is badly
    conditioned.
    """
    m = np.asarray(matrices, dtype=np.float64)
    d = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], axis=-1)
    trace = d.sum(axis=-1)
    square = np.concatenate([1 + 2 * d - trace[..., None], (1 + trace)[..., None]], axis=-1)
    pivot = square.argmax(axis=-1)
    skew = np.stack(
        [
            m[..., 2, 1] - m[..., 1, 2],
            m[..., 0, 2] - m[..., 2, 0],
            m[..., 1, 0] - m[..., 0, 1],
        ],
        axis=-1,
    )
    # Row p of this symmetric matrix is 4 q_p (x, y, z, w).
    products = np.empty((*m.shape[:-2], 4, 4))
    products[..., :3, :3] = m + np.swapaxes(m, -1, -2)
    for axis in range(3):
        products[..., axis, axis] = square[..., axis]
    products[..., :3, 3] = skew
    products[..., 3, :3] = skew
    products[..., 3, 3] = square[..., 3]
    row = np.take_along_axis(products, pivot[..., None, None], axis=-2)[..., 0, :]
    row /= np.linalg.norm(row, axis=-1, keepdims=True)
    return np.where(row[..., 3:] < 0, -row, row)
