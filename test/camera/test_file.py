# SPDX-License-Identifier: Apache-2.0
"""A video played as a camera: frame for frame, at its own speed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from g1_il.camera.camera import CameraEndedError, CameraError
from g1_il.camera.file import FileCamera, FileConfig
from g1_il.errors import ConfigError

PERIOD_NS = 20_000_000


def test_each_frame_carries_its_own_stamp(video, number_in) -> None:
    camera = FileCamera(FileConfig(path=str(video)))
    camera.start()
    captures = [camera.read(1.0) for _ in range(25)]
    camera.stop()
    for capture in captures:
        assert number_in(capture.image) == capture.frame_number % 10
    places = np.array([c.frame_number for c in captures]) * PERIOD_NS
    stamps = np.array([c.stamp_ns for c in captures])
    np.testing.assert_allclose(stamps - stamps[0], places - places[0], atol=1000)
    assert all(capture.stamp_ns <= time.time_ns() for capture in captures)


def test_no_picture_comes_before_its_time(video) -> None:
    camera = FileCamera(FileConfig(path=str(video)))
    camera.start()
    for _ in range(5):
        capture = camera.read(1.0)
        assert time.time_ns() >= capture.stamp_ns
    camera.stop()


def test_a_slow_reader_skips_instead_of_falling_behind(video, number_in) -> None:
    camera = FileCamera(FileConfig(path=str(video)))
    camera.start()
    first = camera.read(1.0)
    time.sleep(0.3)
    before_ns = time.time_ns()
    later = camera.read(1.0)
    camera.stop()
    assert later.frame_number >= first.frame_number + 14
    assert number_in(later.image) == later.frame_number % 10
    assert later.stamp_ns > before_ns - 2 * PERIOD_NS


def test_once_means_once(video, number_in) -> None:
    camera = FileCamera(FileConfig(path=str(video), loop=False))
    camera.start()
    seen = []
    with pytest.raises(CameraEndedError, match='at its end'):
        while True:
            seen.append(number_in(camera.read(1.0).image))
    camera.stop()
    assert seen[-1] == 9
    assert seen == sorted(set(seen))


def test_a_timeout_loses_nothing(video, number_in) -> None:
    camera = FileCamera(FileConfig(path=str(video)))
    camera.start()
    first = camera.read(1.0)
    with pytest.raises(CameraError, match='no picture'):
        camera.read(0.0)
    assert camera.read(1.0).frame_number >= first.frame_number + 1
    camera.stop()


def test_wrong_files_are_said(tmp_path) -> None:
    with pytest.raises(ConfigError, match='is not there'):
        FileCamera(FileConfig(path=str(tmp_path / 'none.mp4'))).start()
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(ConfigError, match='cannot be read'):
        FileCamera(FileConfig(path=str(tmp_path / 'text.mp4'))).start()
