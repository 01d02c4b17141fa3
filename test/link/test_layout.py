# SPDX-License-Identifier: Apache-2.0
"""Our bytes against those of the SDK's own (de)serialiser, in both directions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from g1_il.link import layout
from g1_il.link.sdk import _load
from g1_il.link.topics import HAND_JOINTS
from g1_il.robot.joints import ALL_JOINTS, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS

_, TYPES = _load()
RANDOM = np.random.default_rng(7)


def filled(struct_type: np.dtype) -> np.ndarray:
    """A message with a random value in every field and zeros in the padding."""
    struct = layout.zeros(struct_type)

    def fill(part: np.ndarray) -> None:
        for name in part.dtype.names:
            member = part[name]
            if member.dtype.names:
                fill(member)
            elif member.dtype.kind == 'f':
                member[...] = RANDOM.normal(size=member.shape)
            else:
                information = np.iinfo(member.dtype)
                values = RANDOM.integers(0, information.max, member.shape, dtype=member.dtype)
                member[...] = values

    fill(struct)
    return struct


def assert_same(message: object, struct: np.void) -> None:
    """Every field of the SDK's object holds what the struct holds."""
    for field in dataclasses.fields(message):
        value, ours = getattr(message, field.name), struct[field.name]
        if dataclasses.is_dataclass(value):
            assert_same(value, ours)
        elif isinstance(value, (list, tuple)) and dataclasses.is_dataclass(value[0]):
            assert len(value) == len(ours)
            for element, our_element in zip(value, ours, strict=True):
                assert_same(element, our_element)
        else:
            value = list(value) if isinstance(value, bytes) else value
            np.testing.assert_array_equal(np.asarray(value, dtype=ours.dtype), ours)


@pytest.mark.parametrize('name', ['LowCmd_', 'LowState_'])
def test_low_messages_match_the_sdk(name: str):
    struct_type = {'LowCmd_': layout.LOW_CMD, 'LowState_': layout.LOW_STATE}[name]
    for _ in range(3):
        struct = filled(struct_type)
        data = layout.low_to_cdr(struct)
        message = getattr(TYPES, name).deserialize(data)
        assert_same(message, struct[0])
        theirs = message.serialize()
        assert theirs.rstrip(b'\0') == data.rstrip(b'\0')
        assert layout.low_from_cdr(theirs, struct_type).tobytes() == struct.tobytes()


def test_hand_cmd_matches_the_sdk():
    struct = filled(layout.HAND_CMD)
    struct['motor_count'] = 7
    message = TYPES.HandCmd_.deserialize(layout.hand_to_cdr(struct))
    assert_same(message, struct[0])
    back = layout.hand_cmd_from_cdr(message.serialize())
    assert back.tobytes() == struct.tobytes()


@pytest.mark.parametrize('pads', [9, 0, 2])
def test_hand_state_matches_the_sdk(pads: int):
    struct = filled(layout.hand_state_type(pads))
    struct['motor_count'], struct['pad_count'] = 7, pads
    data = layout.hand_to_cdr(struct)
    if pads:
        assert_same(TYPES.HandState_.deserialize(data), struct[0])
    back = layout.hand_state_from_cdr(TYPES.HandState_.deserialize(data).serialize())
    assert back['pad_count'] == pads and back.tobytes() == struct.tobytes()


def test_structs_have_the_sizes_of_the_c_structs():
    assert layout.LOW_CMD.itemsize == 1004 and layout.LOW_STATE.itemsize == 2092
    assert layout.MOTOR_CMD.itemsize == 28 and layout.MOTOR_STATE.itemsize == 56


def test_padding_from_the_wire_is_zeroed():
    """The checksum runs over the padding, too; what a stranger left in it must not matter."""
    struct = filled(layout.LOW_CMD)
    data = bytearray(layout.low_to_cdr(struct))
    data[4 + 3] = 0xAA  # between the first motor's mode and its q
    assert layout.low_from_cdr(bytes(data), layout.LOW_CMD).tobytes() == struct.tobytes()


@pytest.mark.parametrize(
    ('data', 'word'),
    [
        (b'', 'encoding'),
        (b'\x00\x00\x00\x00' + bytes(1000), 'encoding'),
        (layout.CDR_HEADER + bytes(900), '900 bytes'),
        (layout.CDR_HEADER + bytes(1100), '1100 bytes'),
    ],
)
def test_other_bytes_are_refused(data: bytes, word: str):
    with pytest.raises(layout.WireError, match=word):
        layout.low_from_cdr(data, layout.LOW_CMD)


def test_hand_messages_of_another_version_are_refused():
    with pytest.raises(layout.WireError, match='3 motors'):
        layout.hand_cmd_from_cdr(layout.CDR_HEADER + b'\x03\0\0\0' + bytes(212))
    with pytest.raises(layout.WireError, match='motors'):
        layout.hand_state_from_cdr(layout.CDR_HEADER)
    struct = layout.zeros(layout.hand_state_type(9))
    struct['motor_count'], struct['pad_count'] = 7, 4_000_000
    with pytest.raises(layout.WireError, match='4000000 touch pads'):
        layout.hand_state_from_cdr(layout.hand_to_cdr(struct))


def test_hands_take_the_last_fourteen_joints():
    assert ALL_JOINTS[HAND_JOINTS['left']] == LEFT_HAND_JOINTS
    assert ALL_JOINTS[HAND_JOINTS['right']] == RIGHT_HAND_JOINTS
