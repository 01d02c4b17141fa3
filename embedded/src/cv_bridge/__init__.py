# SPDX-License-Identifier: Apache-2.0
"""Between sensor_msgs/Image or CompressedImage and OpenCV's arrays, as ROS 2's cv_bridge does it.

An image of encoding `16UC3` is a uint16 array of shape (height, width, 3); with one channel the
shape is (height, width).
"""

from __future__ import annotations

import re
import sys
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from embedded_ros.gap import names_gaps

__getattr__ = names_gaps(__name__)

_DTYPES = {
    '8U': np.uint8, '8S': np.int8, '16U': np.uint16, '16S': np.int16,
    '32S': np.int32, '32F': np.float32, '64F': np.float64,
}  # fmt: skip
# Encodings with a colour meaning: what they are made of, and how OpenCV calls the order.
_COLORS = {
    'bgr8': ('8UC3', 'BGR'), 'rgb8': ('8UC3', 'RGB'), 'bgra8': ('8UC4', 'BGRA'),
    'rgba8': ('8UC4', 'RGBA'), 'mono8': ('8UC1', 'GRAY'), 'bgr16': ('16UC3', 'BGR'),
    'rgb16': ('16UC3', 'RGB'), 'bgra16': ('16UC4', 'BGRA'), 'rgba16': ('16UC4', 'RGBA'),
    'mono16': ('16UC1', 'GRAY'),
}  # fmt: skip
_COMPRESSED = {'jpg': '.jpg', 'jpeg': '.jpg', 'png': '.png', 'tiff': '.tiff', 'webp': '.webp'}


class CvBridgeError(TypeError):
    """An image cannot be converted."""


def _layout(encoding: str) -> tuple[np.dtype[Any], int]:
    """Returns item type and number of channels of an encoding."""
    name = _COLORS.get(encoding, (encoding, ''))[0]
    match = re.fullmatch(r'(8U|8S|16U|16S|32S|32F|64F)C(\d+)', name)
    if match is None:
        raise CvBridgeError(
            f"image encoding '{encoding}' is not offered, allowed: {', '.join(_COLORS)}, "
            'and <8U|8S|16U|16S|32S|32F|64F>C<channels>'
        )
    return np.dtype(_DTYPES[match[1]]), int(match[2])


def _convert(image: npt.NDArray[Any], encoding: str, desired: str) -> npt.NDArray[Any]:
    """Converts colour order and depth."""
    dtype, channels = _layout(desired)
    if encoding == desired:
        return image
    if encoding not in _COLORS or desired not in _COLORS:
        if _layout(encoding) == (dtype, channels):
            return image
        raise CvBridgeError(f"[{encoding}] is not a color format, but '{desired}' was asked for")
    source, target = _COLORS[encoding][1], _COLORS[desired][1]
    if source != target:
        image = cv2.cvtColor(image, getattr(cv2, f'COLOR_{source}2{target}'))
    if image.dtype != dtype:
        scale = 255 / 65535 if dtype == np.uint8 else 65535 / 255
        image = cv2.convertScaleAbs(image, alpha=scale) if scale < 1 else image * np.uint16(257)
    return image


class CvBridge:
    """Converts images."""

    def imgmsg_to_cv2(
        self, img_msg: Any, desired_encoding: str = 'passthrough'
    ) -> npt.NDArray[Any]:
        """Returns the image of a sensor_msgs/Image.

        Without conversion the array shares the message's memory, and is read-only if that is.

        Args:
            img_msg: The message.
            desired_encoding: Such as `bgr8`, or `passthrough` for what the message has.

        Raises:
            CvBridgeError: An encoding is unknown or cannot be converted, or data is missing.
        """
        dtype, channels = _layout(img_msg.encoding)
        dtype = dtype.newbyteorder('>' if img_msg.is_bigendian else '<')
        height, width, step = img_msg.height, img_msg.width, img_msg.step
        pixel = dtype.itemsize * channels
        data = np.frombuffer(img_msg.data, dtype=np.uint8)
        if step < width * pixel or data.size < step * (height - 1) + width * pixel:
            raise CvBridgeError(
                f'image of {width}x{height} {img_msg.encoding} with step {step} has '
                f'{data.size} bytes, needed: {height * max(step, width * pixel)}'
            )
        shape = (height, width) if channels == 1 else (height, width, channels)
        strides = (step, pixel) if channels == 1 else (step, pixel, dtype.itemsize)
        image = np.ndarray(shape, dtype, data, strides=strides)
        if not dtype.isnative:
            image = image.astype(dtype.newbyteorder('='))
        if desired_encoding in ('', 'passthrough'):
            return image
        return _convert(image, img_msg.encoding, desired_encoding)

    def cv2_to_imgmsg(
        self, cvim: npt.NDArray[Any], encoding: str = 'passthrough', header: Any = None
    ) -> Any:
        """Returns a sensor_msgs/Image.

        Args:
            cvim: The image.
            encoding: What its channels mean; `passthrough` names type and channels only.
            header: The message's header.

        Raises:
            CvBridgeError: The array is no image, or not of that encoding.
        """
        from sensor_msgs.msg import Image

        if not isinstance(cvim, np.ndarray) or cvim.ndim not in (2, 3):
            raise CvBridgeError(f'expected an image as numpy array, got {type(cvim).__name__}')
        name = self.dtype_with_channels_to_cvtype2(
            cvim.dtype, 1 if cvim.ndim == 2 else cvim.shape[2]
        )
        if encoding == 'passthrough':
            encoding = name
        elif _layout(encoding) != _layout(name):
            raise CvBridgeError(f"image is {name}, but encoding '{encoding}' was asked for")
        image = Image()
        if header is not None:
            image.header = header
        image.height, image.width = cvim.shape[:2]
        image.encoding = encoding
        little = sys.byteorder == 'little'
        image.is_bigendian = int(
            cvim.dtype.byteorder == '>' or (not little and cvim.dtype.isnative)
        )
        image.step = cvim.dtype.itemsize * int(np.prod(cvim.shape[1:]))
        image.data.frombytes(np.ascontiguousarray(cvim).data.cast('B'))
        return image

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: Any, desired_encoding: str = 'passthrough'
    ) -> npt.NDArray[Any]:
        """Returns the image of a sensor_msgs/CompressedImage; colours are in order BGR.

        Raises:
            CvBridgeError: The data is no image, or the encoding is not offered.
        """
        data = np.frombuffer(cmprs_img_msg.data, dtype=np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        if image is None:
            raise CvBridgeError(f'compressed image of {data.size} bytes cannot be decoded')
        if desired_encoding in ('', 'passthrough'):
            return image
        depth = {np.dtype(np.uint8): '8', np.dtype(np.uint16): '16'}.get(image.dtype)
        order = {2: 'mono', 3: 'bgr'}.get(image.ndim)
        order = 'bgra' if image.ndim == 3 and image.shape[2] == 4 else order
        return _convert(image, f'{order}{depth}', desired_encoding)

    def cv2_to_compressed_imgmsg(self, cvim: npt.NDArray[Any], dst_format: str = 'jpg') -> Any:
        """Returns a sensor_msgs/CompressedImage of an image whose colours are in order BGR.

        Raises:
            CvBridgeError: The format is not offered, or the image cannot be encoded so.
        """
        from sensor_msgs.msg import CompressedImage

        if dst_format not in _COMPRESSED:
            raise CvBridgeError(f"format '{dst_format}', allowed: {', '.join(_COMPRESSED)}")
        done, data = cv2.imencode(_COMPRESSED[dst_format], cvim)
        if not done:
            raise CvBridgeError(f'image of {cvim.dtype} {cvim.shape} cannot be made {dst_format}')
        message = CompressedImage()
        message.format = dst_format
        message.data.frombytes(data.tobytes())
        return message

    def dtype_with_channels_to_cvtype2(self, dtype: npt.DTypeLike, n_channels: int) -> str:
        """Returns the name of an item type with channels, such as `8UC3`.

        Raises:
            CvBridgeError: OpenCV has no such type.
        """
        kind = np.dtype(dtype).newbyteorder('=')
        for name, known in _DTYPES.items():
            if kind == known:
                return f'{name}C{n_channels}'
        raise CvBridgeError(f'item type {kind} is not offered, allowed: {list(_DTYPES)}')

    def encoding_to_dtype_with_channels(self, encoding: str) -> tuple[str, int]:
        """Returns item type and number of channels of an encoding."""
        dtype, channels = _layout(encoding)
        return dtype.name, channels
