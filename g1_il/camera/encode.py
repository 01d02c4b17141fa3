# SPDX-License-Identifier: Apache-2.0
"""JPEG in and out: one encoder for every camera, real or rendered."""

from __future__ import annotations

import cv2
import numpy as np

from g1_il.camera.capture import Image
from g1_il.errors import ConfigError, G1Error

JPEG_QUALITY = 90


def check_quality(quality: int) -> None:
    """Refuse a quality that JPEG does not know.

    Raises:
        ConfigError: When it is not between 1 and 100.
    """
    if not 1 <= quality <= 100:
        raise ConfigError(f'jpeg_quality is {quality}; it must lie between 1 and 100')


def encode_jpeg(image: Image, quality: int = JPEG_QUALITY) -> bytes:
    """Compress an RGB picture.

    Args:
        image: RGB, shape (H, W, 3), uint8.
        quality: JPEG quality, 1 to 100.

    Returns:
        A baseline JPEG with 4:2:0 chroma, OpenCV's default.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise G1Error(
            f'a picture of shape {image.shape} and type {image.dtype} cannot be encoded; '
            'it must be RGB, (height, width, 3), uint8'
        )
    done, data = cv2.imencode(
        '.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality)
    )
    if not done:
        raise G1Error(f'a picture of shape {image.shape} could not be encoded as JPEG')
    return data.tobytes()


def decode_jpeg(data: bytes | memoryview) -> Image:
    """Decompress to RGB, shape (H, W, 3), uint8.

    Raises:
        G1Error: When the bytes are not a picture.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR) if buffer.size else None
    if image is None:
        raise G1Error(f'{buffer.size} bytes are not a JPEG picture')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
