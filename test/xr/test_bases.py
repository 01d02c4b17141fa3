# SPDX-License-Identifier: Apache-2.0
"""The change of axes, against vectors computed by hand and by televuer's published maths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g1_il.xr.bases import ROBOT_FROM_WEBXR, orientation_to_rep103, position_to_rep103

# WebXR wrist and head -> target of televuer's `tv_wrapper.py` in head_position mode: wrist minus
# head plus (0.15, 0, 0.45), and the wrist's axes re-labelled for Unitree's arm (a right factor).
GOLDEN = [
    (
        'left',
        (-0.15, 1.13, -0.3),
        (1, 0, 0, 0),
        (0, 1.5, -0.2),
        (0.25, 0.15, 0.08),
        (1, 0, 0, 0, 0, -1, 0, 1, 0),
    ),
    (
        'right',
        (0.15, 1.13, -0.3),
        (1, 0, 0, 0),
        (0, 1.5, -0.2),
        (0.25, -0.15, 0.08),
        (1, 0, 0, 0, 0, 1, 0, -1, 0),
    ),
    (
        'left',
        (-0.21, 1.25, -0.42),
        (0.9, 0.1, -0.3, 0.2),
        (0.05, 1.6, 0.02),
        (0.59, 0.26, 0.1),
        (0.789474, -0.063158, -0.610526, -0.526316, 0.442105, -0.726316)
        + (0.315789, 0.894737, 0.315789),
    ),
    (
        'right',
        (0.18, 1.02, -0.35),
        (0.8, -0.2, 0.4, 0.3),
        (0.05, 1.6, 0.02),
        (0.52, -0.13, -0.13),
        (0.569892, -0.086022, -0.817204, 0.55914, -0.688172, 0.462366)
        + (-0.602151, -0.72043, -0.344086),
    ),
]
RELABEL = {
    'left': np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    'right': np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}


def rotation(xyzw: np.ndarray) -> np.ndarray:
    x, y, z, w = xyzw / np.linalg.norm(xyzw)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@pytest.mark.parametrize(('side', 'wrist', 'wxyz', 'head', 'target', 'matrix'), GOLDEN)
def test_golden_vectors(side, wrist, wxyz, head, target, matrix) -> None:
    w, x, y, z = np.array(wxyz) / np.linalg.norm(wxyz)
    difference = position_to_rep103(np.array(wrist)) - position_to_rep103(np.array(head))
    np.testing.assert_allclose(difference + [0.15, 0, 0.45], target, atol=1e-9)
    turned = orientation_to_rep103(np.array([x, y, z, w]))
    np.testing.assert_allclose(
        rotation(turned) @ RELABEL[side], np.reshape(matrix, (3, 3)), atol=2e-6
    )


def test_axes_by_hand() -> None:
    forward, up, right = (0, 0, -1), (0, 1, 0), (1, 0, 0)
    points = position_to_rep103(np.array([forward, up, right], dtype=float))
    np.testing.assert_array_equal(points, [[1, 0, 0], [0, 0, 1], [0, -1, 0]])


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: sum(map(abs, q)) > 0.1))
def test_orientation_is_t_r_t_inverse(quaternion) -> None:
    xyzw = np.array(quaternion) / np.linalg.norm(quaternion)
    expected = ROBOT_FROM_WEBXR @ rotation(xyzw) @ ROBOT_FROM_WEBXR.T
    np.testing.assert_allclose(rotation(orientation_to_rep103(xyzw)), expected, atol=1e-12)
