# SPDX-License-Identifier: Apache-2.0
"""JPEG round trips and the pinhole."""

from __future__ import annotations

import numpy as np
import pytest

from g1_il.camera.capture import Intrinsics, intrinsics_from_fovy
from g1_il.camera.encode import check_quality, decode_jpeg, encode_jpeg
from g1_il.errors import ConfigError, G1Error


def test_colours_survive_in_their_order() -> None:
    image = np.zeros((64, 96, 3), dtype=np.uint8)
    image[:, :32], image[:, 32:64], image[:, 64:] = (200, 20, 20), (20, 200, 20), (20, 20, 200)
    back = decode_jpeg(encode_jpeg(image))
    assert back.shape == image.shape
    for column in (16, 48, 80):
        np.testing.assert_allclose(back[32, column].astype(int), image[32, column], atol=6)


@pytest.mark.parametrize('number', [0, 1, 77, 128, 255])
def test_numbers_survive(numbered, number_in, number: int) -> None:
    assert number_in(decode_jpeg(encode_jpeg(numbered(number), 50))) == number


def test_quality_buys_closeness() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)
    sizes = [len(encode_jpeg(image, quality)) for quality in (10, 50, 95)]
    assert sizes == sorted(sizes)
    errors = [
        np.abs(decode_jpeg(encode_jpeg(image, quality)).astype(int) - image).mean()
        for quality in (95, 50, 10)
    ]
    assert errors == sorted(errors)


@pytest.mark.parametrize('quality', [0, 101, -5])
def test_wrong_quality_is_refused(quality: int) -> None:
    with pytest.raises(ConfigError, match=f'jpeg_quality is {quality}'):
        check_quality(quality)


@pytest.mark.parametrize(
    'image', [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)]
)
def test_what_is_no_rgb_picture_is_refused(image) -> None:
    with pytest.raises(G1Error, match='must be RGB'):
        encode_jpeg(image)


@pytest.mark.parametrize('data', [b'', b'not a picture', b'\xff\xd8\xff\xe0broken'])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(G1Error, match='not a JPEG'):
        decode_jpeg(data)


def test_pinhole_sees_its_field_of_view() -> None:
    lens = intrinsics_from_fovy(width=640, height=480, fovy_deg=58.0)
    assert lens.calibrated
    top = np.degrees(np.arctan2(lens.cy, lens.fy))
    assert 2 * top == pytest.approx(58.0)
    assert (lens.cx, lens.fx) == (320.0, lens.fy)
    assert not Intrinsics(width=640, height=480).calibrated
    with pytest.raises(ConfigError, match='fovy is 180'):
        intrinsics_from_fovy(width=640, height=480, fovy_deg=180.0)
