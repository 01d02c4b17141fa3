# SPDX-License-Identifier: Apache-2.0
"""Pictures and videos that say their own number."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

BITS, BLOCK = 8, 16


def _numbered(number: int) -> np.ndarray:
    image = np.full((48, BITS * BLOCK, 3), 60, dtype=np.uint8)
    for bit in range(BITS):
        image[:, bit * BLOCK : (bit + 1) * BLOCK] = 220 if number >> bit & 1 else 30
    return image


def _number_in(image: np.ndarray) -> int:
    middles = image[image.shape[0] // 2, BLOCK // 2 :: BLOCK].mean(axis=-1)
    return sum(1 << bit for bit in range(BITS) if middles[bit] > 125)


@pytest.fixture
def numbered():
    """Makes a picture that carries a number, RGB (48, 128, 3)."""
    return _numbered


@pytest.fixture
def number_in():
    """Reads it back."""
    return _number_in


@pytest.fixture(scope='session')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten numbered frames at 50 per second."""
    path = tmp_path_factory.mktemp('video') / 'numbers.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=Fraction(50))
        stream.width, stream.height, stream.pix_fmt = BITS * BLOCK, 48, 'yuv420p'
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(_numbered(number), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
