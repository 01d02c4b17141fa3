# SPDX-License-Identifier: Apache-2.0
"""Unitree's checksum of LowCmd and LowState.

CRC-32 with polynomial 0x04C11DB7, start 0xFFFFFFFF, nothing reflected and nothing inverted, over
the little-endian words of the C struct without its last word, each word most significant bit
first (unitree_sdk2_python, `utils/crc.py`).
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

_REVERSED = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


def crc32_of_words(words: npt.NDArray[np.uint32]) -> int:
    """Checksum of 32-bit words.

    zlib computes the same polynomial reflected: bit-reversed bytes in, bit-reversed sum out. That
    is some hundred times faster than a loop over bits.

    Args:
        words: Words in native (little-endian) order, shape (N,).
    """
    most_significant_first = words.byteswap().tobytes()
    reflected = zlib.crc32(most_significant_first.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, 'little').translate(_REVERSED), 'big')


def crc_of_struct(struct: npt.NDArray[np.void]) -> int:
    """Checksum of a one-element structured array (see `layout`), without its last word, `crc`."""
    return crc32_of_words(struct.view(np.uint32)[:-1])
