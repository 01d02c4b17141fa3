# SPDX-License-Identifier: Apache-2.0
"""What the USB camera driver says when there is none, and how it reads the driver's stamps."""

from __future__ import annotations

import pytest

from g1_il.camera.camera import CameraError
from g1_il.camera.uvc import UvcCamera, UvcConfig, monotonic_to_unix_ns
from g1_il.errors import ConfigError


def test_an_absent_device_is_said(tmp_path) -> None:
    with pytest.raises(CameraError, match=r'video99 is not there.*plugged in'):
        UvcCamera(UvcConfig(device=str(tmp_path / 'video99'))).start()


def test_a_file_is_no_device(tmp_path) -> None:
    (tmp_path / 'video').write_text('')
    with pytest.raises(ConfigError, match='is no device'):
        UvcCamera(UvcConfig(device=str(tmp_path / 'video'))).start()


def test_a_device_that_is_no_camera_is_said(capfd) -> None:
    camera = UvcCamera(UvcConfig(device='/dev/null'))
    with pytest.raises(CameraError, match='could not be opened as a camera'):
        camera.start()
    with pytest.raises(CameraError, match='not started'):
        camera.read(0.1)
    camera.stop()
    assert capfd.readouterr().err == ''


def test_driver_stamps_become_unix_time() -> None:
    now = {'now_monotonic_ns': 5_000_000_000, 'now_unix_ns': 1_800_000_000_000_000_000}
    unix = now['now_unix_ns']
    assert monotonic_to_unix_ns(4_980_000_000, **now) == unix - 20_000_000
    assert monotonic_to_unix_ns(0, **now) == unix  # A driver without stamps.
    assert monotonic_to_unix_ns(5_000_000_001, **now) == unix  # Another clock.
