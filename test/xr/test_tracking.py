# SPDX-License-Identifier: Apache-2.0
"""The tracking message: round trip, and every way in which it can be wrong."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g1_il.xr.bases import orientation_to_rep103, position_to_rep103
from g1_il.xr.tracking import (
    SIZE,
    FrameMaker,
    Tracking,
    TrackingError,
    decode_tracking,
    encode_tracking,
)


def tracking(seed: int = 0, *, head=True, left=True, right=True) -> Tracking:
    rng = np.random.default_rng(seed)
    poses = rng.normal(size=(51, 7))
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    return Tracking(
        sequence=seed,
        headset_ms=1234.5,
        head_tracked=head,
        left_tracked=left,
        right_tracked=right,
        poses=poses,
    )


@given(st.integers(0, 2**31), st.booleans(), st.booleans(), st.booleans())
def test_round_trip(seed: int, head: bool, left: bool, right: bool) -> None:
    sent = tracking(seed, head=head, left=left, right=right)
    got = decode_tracking(encode_tracking(sent))
    assert (got.sequence, got.headset_ms) == (seed, 1234.5)
    assert (got.head_tracked, got.left_tracked, got.right_tracked) == (head, left, right)
    for used, part in ((head, slice(0, 1)), (left, slice(1, 26)), (right, slice(26, 51))):
        if used:
            np.testing.assert_allclose(got.poses[part], sent.poses[part], atol=1e-6)
        else:
            np.testing.assert_array_equal(got.poses[part, :6], 0.0)


def test_quaternions_leave_at_unit_length() -> None:
    sent = tracking(3)
    sent.poses[:, 3:] *= 1.02
    got = decode_tracking(encode_tracking(sent))
    np.testing.assert_allclose(np.linalg.norm(got.poses[:, 3:], axis=1), 1.0, atol=1e-12)


def spoil(offset: int, value: float) -> bytes:
    data = bytearray(encode_tracking(tracking()))
    struct.pack_into('<f', data, 16 + 4 * offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ('data', 'says'),
    [
        (b'', '0 bytes'),
        (bytes(SIZE), 'kind 0'),
        (encode_tracking(tracking())[:-1], f'{SIZE - 1} bytes'),
        (encode_tracking(tracking()) + b'\0', f'{SIZE + 1} bytes'),
        (spoil(0, float('nan')), 'head has a pose that is not finite'),
        (spoil(7 * 1 + 2, float('inf')), 'left hand has a pose that is not finite'),
        (spoil(7 * 50 + 6, 9.0), 'right hand has a quaternion'),
        (spoil(7 * 26, 1e6), 'right hand is 1000000.0 m away'),
        (b'\1\2' + encode_tracking(tracking())[2:], 'version 2'),
        (
            encode_tracking(tracking())[:8]
            + struct.pack('<d', float('nan'))
            + encode_tracking(tracking())[16:],
            'capture time',
        ),
    ],
)
def test_wrong_messages_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(TrackingError, match=says):
        decode_tracking(data)


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_random_bytes_give_an_error_or_clean_poses(data: bytes) -> None:
    try:
        got = decode_tracking(b'\1\1' + data[2:])
    except TrackingError:
        return
    assert np.all(np.isfinite(got.poses))


def test_garbage_in_an_untracked_part_is_never_looked_at() -> None:
    data = bytearray(spoil(7, float('nan')))
    data[2] = 1 | 4  # The left hand is not tracked.
    got = decode_tracking(bytes(data))
    assert not got.left_tracked
    assert np.all(np.isfinite(got.poses))


def test_a_lost_hand_keeps_its_last_pose() -> None:
    maker = FrameMaker()
    first, second = tracking(1), tracking(2, left=False)
    before = maker.frame(first, 10)
    after = maker.frame(second, 20)
    assert (after.stamp_ns, after.left.tracked, after.right.tracked) == (20, False, True)
    np.testing.assert_array_equal(after.left.position, before.left.position)
    np.testing.assert_allclose(after.right.position, position_to_rep103(second.poses[26:, :3]))
    np.testing.assert_allclose(
        after.right.orientation_xyzw, orientation_to_rep103(second.poses[26:, 3:])
    )
    np.testing.assert_allclose(after.head_position, position_to_rep103(second.poses[0, :3]))


def test_frames_do_not_share_memory() -> None:
    maker = FrameMaker()
    before = maker.frame(tracking(1), 10)
    kept = before.left.position.copy()
    maker.frame(tracking(2), 20)
    np.testing.assert_array_equal(before.left.position, kept)
