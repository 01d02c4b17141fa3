# SPDX-License-Identifier: Apache-2.0
"""The RealSense driver on librealsense's own software device."""

from __future__ import annotations

import time

import numpy as np
import pytest

from g1_il.camera.camera import CameraError
from g1_il.camera.realsense import RealSenseCamera, RealSenseConfig
from g1_il.errors import ConfigError

rs = pytest.importorskip('pyrealsense2')

SIZE = (48, 128)


class SoftwareDevice:
    """A device that librealsense plays: frames go through its own queues and profiles."""

    def __init__(self, serial: str = '0042', fps: int = 30) -> None:
        self.device = rs.software_device()
        self.device.register_info(rs.camera_info.serial_number, serial)
        self.sensor = self.device.add_sensor('RGB Camera')
        lens = rs.intrinsics()
        lens.width, lens.height = SIZE[1], SIZE[0]
        lens.fx, lens.fy, lens.ppx, lens.ppy = 100.0, 101.0, 63.5, 23.5
        lens.model, lens.coeffs = rs.distortion.brown_conrady, [0.1, -0.2, 0.01, 0.02, 0.3]
        stream = rs.video_stream()
        stream.type, stream.index, stream.uid = rs.stream.color, 0, 1
        stream.width, stream.height, stream.fps, stream.bpp = SIZE[1], SIZE[0], fps, 3
        stream.fmt, stream.intrinsics = rs.format.rgb8, lens
        self.profile = self.sensor.add_video_stream(stream).as_video_stream_profile()

    def show(self, image, number: int, stamp_ms: float, domain=None) -> None:
        frame = rs.software_video_frame()
        frame.pixels, frame.stride, frame.bpp = image, SIZE[1] * 3, 3
        frame.timestamp, frame.frame_number, frame.profile = stamp_ms, number, self.profile
        frame.domain = domain or rs.timestamp_domain.hardware_clock
        self.sensor.on_video_frame(frame)


@pytest.fixture
def soft() -> SoftwareDevice:
    return SoftwareDevice()


def camera(*devices: SoftwareDevice, **config) -> RealSenseCamera:
    config = {'width': SIZE[1], 'height': SIZE[0], **config}
    return RealSenseCamera(RealSenseConfig(**config), lambda: [soft.device for soft in devices])


def test_pictures_come_with_number_lens_and_host_time(soft, numbered, number_in) -> None:
    opened = camera(soft)
    opened.start()
    before_ns = time.time_ns()
    for number in range(5):
        soft.show(numbered(number), number, 1000.0 + 33.0 * number)
        capture = opened.read(2.0)
        assert (number_in(capture.image), capture.frame_number) == (number, number)
        assert before_ns <= capture.stamp_ns + 5_000_000_000 and capture.stamp_ns <= time.time_ns()
    assert capture.intrinsics.distortion == pytest.approx((0.1, -0.2, 0.01, 0.02, 0.3))
    assert (capture.intrinsics.fx, capture.intrinsics.cy) == (100.0, 23.5)
    opened.stop()


def test_host_stamps_keep_the_device_spacing(soft, numbered) -> None:
    opened = camera(soft)
    opened.start()
    stamps = []
    for number in range(6):
        soft.show(numbered(number), number, 1000.0 + 0.1 * number)
        time.sleep(0.003 if number else 0.0)  # Later ones arrive late; their stamps must not.
        stamps.append(opened.read(2.0).stamp_ns)
    np.testing.assert_array_less(np.diff(stamps), 2_000_000)
    opened.stop()


def test_stamps_on_the_host_clock_are_taken_as_they_are(soft, numbered) -> None:
    opened = camera(soft)
    opened.start()
    stamp_ms = time.time() * 1e3 - 20.0
    soft.show(numbered(1), 1, stamp_ms, rs.timestamp_domain.global_time)
    assert opened.read(2.0).stamp_ns == pytest.approx(stamp_ms * 1e6, abs=1000)
    opened.stop()


def test_a_slow_reader_gets_the_newest(soft, numbered, number_in) -> None:
    opened = camera(soft)
    opened.start()
    for number in range(7):
        soft.show(numbered(number), number, 1000.0 + 33.0 * number)
    time.sleep(0.2)
    capture = opened.read(2.0)
    assert (number_in(capture.image), capture.frame_number) == (6, 6)
    with pytest.raises(CameraError, match=r'no picture for 0\.1 s'):
        opened.read(0.1)
    opened.stop()


def test_it_can_be_started_again(soft, numbered, number_in) -> None:
    opened = camera(soft)
    for number in (3, 4):
        opened.start()
        soft.show(numbered(number), number, 1000.0)
        assert number_in(opened.read(2.0).image) == number
        opened.stop()
        opened.stop()
    with pytest.raises(CameraError, match='not started'):
        opened.read(0.1)


def test_a_captured_picture_is_not_overwritten(soft, numbered, number_in) -> None:
    opened = camera(soft)
    opened.start()
    soft.show(numbered(1), 1, 1000.0)
    first = opened.read(2.0)
    for number in range(2, 30):
        soft.show(numbered(number), number, 1000.0 + number)
        opened.read(2.0)
    assert number_in(first.image) == 1
    opened.stop()


def test_the_serial_number_chooses(soft, numbered, number_in) -> None:
    other = SoftwareDevice(serial='0043')
    opened = camera(soft, other, serial='0043')
    opened.start()
    other.show(numbered(9), 9, 1.0)
    assert number_in(opened.read(2.0).image) == 9
    opened.stop()
    with pytest.raises(ConfigError, match="set serial to one of \\['0042', '0043'\\]"):
        camera(soft, other).start()
    with pytest.raises(CameraError, match='0044 is not connected; connected: 0042'):
        camera(soft, serial='0044').start()


def test_absent_camera_and_unknown_mode_are_said(soft) -> None:
    with pytest.raises(CameraError, match='no RealSense camera is connected'):
        camera().start()
    with pytest.raises(ConfigError, match='no colour mode 640x480 at 30 fps; it has: 128x48'):
        camera(soft, width=640, height=480).start()


def test_librealsense_itself_lists_no_camera_here() -> None:
    if len(rs.context().query_devices()):
        pytest.skip('a RealSense camera is connected to this machine')
    with pytest.raises(CameraError, match='no RealSense camera'):
        RealSenseCamera(RealSenseConfig()).start()
