# SPDX-License-Identifier: Apache-2.0
"""Images pass between messages and OpenCV without loss, in the colours that were asked for."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from cv_bridge import CvBridge, CvBridgeError
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

BRIDGE = CvBridge()
RANDOM = np.random.default_rng(1)


def random_image(shape, dtype) -> np.ndarray:
    if np.issubdtype(dtype, np.floating):
        return RANDOM.standard_normal(shape).astype(dtype)
    limits = np.iinfo(dtype)
    return RANDOM.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize(
    ('encoding', 'dtype', 'channels'),
    [
        ('bgr8', np.uint8, 3), ('rgb8', np.uint8, 3), ('bgra8', np.uint8, 4),
        ('rgba8', np.uint8, 4), ('mono8', np.uint8, 1), ('mono16', np.uint16, 1),
        ('bgr16', np.uint16, 3), ('8UC1', np.uint8, 1), ('8UC3', np.uint8, 3),
        ('16UC1', np.uint16, 1), ('16SC2', np.int16, 2), ('32SC1', np.int32, 1),
        ('32FC1', np.float32, 1), ('64FC5', np.float64, 5), ('8SC1', np.int8, 1),
    ],
)  # fmt: skip
def test_round_trip(encoding, dtype, channels):
    image = random_image((6, 8) if channels == 1 else (6, 8, channels), dtype)
    header = Header(frame_id='camera')
    message = BRIDGE.cv2_to_imgmsg(image, encoding, header)
    assert (message.height, message.width, message.encoding) == (6, 8, encoding)
    assert message.step == 8 * channels * np.dtype(dtype).itemsize
    assert message.header.frame_id == 'camera'
    back = BRIDGE.imgmsg_to_cv2(message)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, image)
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message, encoding), image)


def test_passthrough_names_the_type():
    assert BRIDGE.cv2_to_imgmsg(np.zeros((2, 2, 3), np.uint8)).encoding == '8UC3'
    assert BRIDGE.encoding_to_dtype_with_channels('mono16') == ('uint16', 1)


@pytest.mark.parametrize(
    ('source', 'desired', 'pixel'),
    [
        ('bgr8', 'rgb8', [30, 20, 10]),
        ('bgr8', 'rgba8', [30, 20, 10, 255]),
        ('bgr8', 'bgr16', [2570, 5140, 7710]),
        ('rgb8', 'bgr8', [30, 20, 10]),
    ],
)
def test_colours_are_converted(source, desired, pixel):
    message = BRIDGE.cv2_to_imgmsg(np.array([[[10, 20, 30]]], np.uint8), source)
    assert BRIDGE.imgmsg_to_cv2(message, desired)[0, 0].tolist() == pixel


def test_grey_and_depth():
    grey = np.array([[0, 128, 255]], np.uint8)
    message = BRIDGE.cv2_to_imgmsg(grey, 'mono8')
    assert BRIDGE.imgmsg_to_cv2(message, 'bgr8')[0, 1].tolist() == [128] * 3
    wide = BRIDGE.imgmsg_to_cv2(message, 'mono16')
    assert wide.tolist() == [[0, 128 * 257, 65535]]
    back = BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(wide, 'mono16'), 'mono8')
    np.testing.assert_array_equal(back, grey)
    colour = random_image((4, 4, 3), np.uint8)
    made = BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(colour, 'rgb8'), 'mono8')
    np.testing.assert_array_equal(made, cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY))


def image_message(**kwargs) -> SimpleNamespace:
    base = {'height': 2, 'width': 2, 'encoding': 'mono16', 'is_bigendian': 0, 'step': 4}
    return SimpleNamespace(**{**base, 'data': bytes(8), **kwargs})


def test_padded_rows_and_byte_order():
    data = bytes([0, 1, 0, 2, 9, 9, 0, 3, 0, 4, 9, 9])
    image = BRIDGE.imgmsg_to_cv2(image_message(step=6, is_bigendian=1, data=data))
    assert image.tolist() == [[1, 2], [3, 4]]
    assert image.dtype.isnative


def test_no_copy_without_conversion():
    message = BRIDGE.cv2_to_imgmsg(random_image((4, 4, 3), np.uint8), 'bgr8')
    image = BRIDGE.imgmsg_to_cv2(message, 'bgr8')
    message.data[0] = (message.data[0] + 1) % 256
    assert image[0, 0, 0] == message.data[0]


def test_slices_are_made_contiguous():
    image = random_image((6, 8, 3), np.uint8)[::2, ::-1]
    back = BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(image, 'bgr8'))
    np.testing.assert_array_equal(back, image)


def test_compressed():
    image = np.full((48, 64, 3), (200, 100, 50), np.uint8)
    message = BRIDGE.cv2_to_compressed_imgmsg(image)
    assert message.format == 'jpg'
    assert bytes(message.data[:2]) == b'\xff\xd8'
    near = BRIDGE.compressed_imgmsg_to_cv2(message, 'rgb8')
    assert np.abs(near.astype(int) - image[..., ::-1]).max() <= 3
    depth = random_image((5, 5), np.uint16)
    exact = BRIDGE.compressed_imgmsg_to_cv2(BRIDGE.cv2_to_compressed_imgmsg(depth, 'png'))
    np.testing.assert_array_equal(exact, depth)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: BRIDGE.imgmsg_to_cv2(image_message(encoding='yuv9')), "'yuv9' is not offered"),
        (lambda: BRIDGE.imgmsg_to_cv2(image_message(data=b'123')), 'has 3 bytes, needed: 8'),
        (lambda: BRIDGE.imgmsg_to_cv2(image_message(step=1)), 'with step 1'),
        (lambda: BRIDGE.imgmsg_to_cv2(image_message(encoding='16UC1'), 'bgr8'), 'not a color'),
        (lambda: BRIDGE.cv2_to_imgmsg([1, 2]), 'got list'),
        (lambda: BRIDGE.cv2_to_imgmsg(np.zeros((2, 2), np.uint8), 'bgr8'), 'image is 8UC1'),
        (lambda: BRIDGE.cv2_to_imgmsg(np.zeros((2, 2), complex)), 'complex128 is not offered'),
        (lambda: BRIDGE.compressed_imgmsg_to_cv2(CompressedImage()), 'cannot be decoded'),
        (lambda: BRIDGE.cv2_to_compressed_imgmsg(np.zeros((2, 2)), 'gif'), "format 'gif'"),
    ],
)
def test_errors_are_explained(call, message):
    with pytest.raises(CvBridgeError, match=message):
        call()
