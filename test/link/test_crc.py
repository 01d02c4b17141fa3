# SPDX-License-Identifier: Apache-2.0
"""Unitree's checksum: known values, and the definition in its slow and obvious form."""

from __future__ import annotations

import numpy as np
import pytest

from g1_il.link import layout
from g1_il.link.crc import crc32_of_words, crc_of_struct


def crc_bit_by_bit(words: np.ndarray) -> int:
    crc = 0xFFFFFFFF
    for word in words.tolist():
        for bit in range(31, -1, -1):
            carry = crc >> 31
            crc = (crc << 1) & 0xFFFFFFFF
            if carry ^ (word >> bit & 1):
                crc ^= 0x04C11DB7
    return crc


def arms() -> np.ndarray:
    struct = layout.zeros(layout.LOW_CMD)
    struct['mode_machine'] = 5
    motors = struct['motor_cmd'][0]
    motors['mode'][15:29] = 1
    motors['kp'][15:29] = 60.0
    motors['kd'][15:29] = 1.5
    motors['q'][29] = 1.0
    return struct


def whole_body() -> np.ndarray:
    struct = layout.zeros(layout.LOW_CMD)
    struct['mode_machine'] = 5
    motors = struct['motor_cmd'][0]
    motors['mode'][:29] = 1
    motors['q'][:29] = np.float32(0.01 * np.arange(29))
    motors['kp'][:29] = 40.0
    motors['kd'][:29] = 1.0
    return struct


@pytest.mark.parametrize(
    ('struct', 'crc'),
    [
        (layout.zeros(layout.LOW_CMD), 0xFE172F9F),
        (arms(), 0x0A45C9AD),
        (whole_body(), 0xCF09A33A),
        (layout.zeros(layout.LOW_STATE), 0xD64BB04A),
    ],
    ids=['zero LowCmd', 'arms', 'whole body', 'zero LowState'],
)
def test_known_values(struct: np.ndarray, crc: int):
    assert crc_of_struct(struct) == crc


def test_agrees_with_the_definition_on_random_words():
    random = np.random.default_rng(0)
    for length in (1, 2, 7, 100):
        words = random.integers(0, 2**32, length, dtype=np.uint32)
        assert crc32_of_words(words) == crc_bit_by_bit(words)


def test_every_byte_but_the_crc_itself_matters():
    struct = whole_body()
    right = crc_of_struct(struct)
    data = struct.view(np.uint8)
    for index in range(0, len(data), 37):
        data[index] ^= 1
        changed = crc_of_struct(struct)
        data[index] ^= 1
        assert (changed == right) == (index >= len(data) - 4)
    struct['crc'] = 1234
    assert crc_of_struct(struct) == right
