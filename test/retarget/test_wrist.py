# SPDX-License-Identifier: Apache-2.0
"""Wrist targets against vectors of xr_teleoperate's conventions (televuer, head_position mode)."""

import numpy as np
import pytest

from g1_il.retarget.wrist import points_in_palm, wrist_target
from g1_il.sim.operator_hand import RELAXED, hand_frame
from g1_il.xr.bases import orientation_to_rep103, position_to_rep103
from g1_il.xr.frame import HandFrame

OFFSET = np.array([0.15, 0.0, 0.45])

# side, wrist xyz, wrist quaternion wxyz, head xyz (all WebXR), target xyz, target rotation
VECTORS = [
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


@pytest.mark.parametrize(('side', 'wrist', 'wxyz', 'head', 'position', 'rotation'), VECTORS)
def test_wrist_target_is_that_of_xr_teleoperate(
    side: str, wrist: tuple, wxyz: tuple, head: tuple, position: tuple, rotation: tuple
) -> None:
    xyzw = np.roll(np.array(wxyz, dtype=float), -1)
    hand = HandFrame(
        tracked=True,
        position=np.tile(position_to_rep103(np.array(wrist)), (25, 1)),
        orientation_xyzw=np.tile(orientation_to_rep103(xyzw / np.linalg.norm(xyzw)), (25, 1)),
    )
    pose = wrist_target(position_to_rep103(np.array(head)), hand, side, OFFSET)
    assert pose[:3, 3] == pytest.approx(position, abs=1e-9)
    assert pose[:3, :3].ravel() == pytest.approx(rotation, abs=1e-6)
    assert pose[3] == pytest.approx((0, 0, 0, 1))


@pytest.mark.parametrize(('side', 'out_of_palm'), [('left', -1.0), ('right', 1.0)])
def test_points_are_seen_from_the_robots_palm(side: str, out_of_palm: float) -> None:
    rng = np.random.default_rng(1)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    hand = hand_frame(
        side=side,
        posture=RELAXED,
        wrist_position=rng.normal(size=3),
        wrist_rotation=rotation,
    )
    thumb, index, middle, pinky = points_in_palm(hand, side, (4, 9, 14, 24))
    assert min(index[0], middle[0]) > 0.13, 'fingers point along x'
    assert thumb[1] * out_of_palm > 0.02, 'a relaxed thumb is in front of the palm'
    assert index[2] > middle[2] > pinky[2], 'z points to the index finger'
