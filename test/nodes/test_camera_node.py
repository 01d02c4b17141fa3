# SPDX-License-Identifier: Apache-2.0
"""The camera node as a process: a numbered video in, numbered pictures out."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import CameraInfo, CompressedImage

from g1_il.camera.encode import decode_jpeg
from g1_il.ros.messages import compressed_from_msg, stamp_to_ns
from g1_il.ros.qos import SENSOR

ROOT = Path(__file__).parents[2]
BITS, BLOCK = 6, 16
RATE = 25


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    """64 frames, each with its number in it."""
    path = tmp_path_factory.mktemp('video') / 'numbers.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = BITS * BLOCK, 48, 'yuv420p'
        for number in range(1 << BITS):
            image = np.full((48, BITS * BLOCK, 3), 30, dtype=np.uint8)
            for bit in range(BITS):
                if number >> bit & 1:
                    image[:, bit * BLOCK : (bit + 1) * BLOCK] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())
    return path


def number_in(image: np.ndarray) -> int:
    middles = image[24, BLOCK // 2 :: BLOCK].mean(axis=-1)
    return sum(1 << bit for bit in range(BITS) if middles[bit] > 125)


@contextmanager
def camera(tmp_path, site=None, **parameters):
    """The node as a process; yields it and a function that waits for its words."""
    command = [sys.executable, '-m', 'g1_il.nodes.camera', '--ros-args']
    if site is not None:
        command += ['--params-file', str(site)]
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    log = tmp_path / 'camera.log'
    with open(log, 'w') as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    def said(text: str) -> None:
        deadline = time.monotonic() + 20.0
        while text not in log.read_text():
            assert time.monotonic() < deadline, f'never said {text!r}: {log.read_text()}'
            time.sleep(0.05)

    try:
        yield process, said
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_pictures_keep_their_numbers_and_stamps(ros_domain, tmp_path, video) -> None:
    pictures, infos = [], []
    rclpy.init()
    node = rclpy.create_node('looker')
    node.create_subscription(
        CompressedImage, 'wrist/color/image_raw/compressed', pictures.append, SENSOR
    )
    node.create_subscription(CameraInfo, 'wrist/color/camera_info', infos.append, SENSOR)
    try:
        with camera(tmp_path, type='file', name='wrist', path=video) as (process, said):
            said('pictures of 96x48')
            deadline = time.monotonic() + 20.0
            while len(pictures) < 20 and time.monotonic() < deadline:
                rclpy.spin_once(node, timeout_sec=0.1)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
    finally:
        node.destroy_node()
        rclpy.shutdown()
    assert len(pictures) >= 20
    found = [compressed_from_msg(message) for message in pictures]
    stamps = np.array([stamp for stamp, _ in found])
    numbers = np.array([number_in(decode_jpeg(jpeg)) for _, jpeg in found])
    places = np.round((stamps - stamps[0]) * 1e-9 * RATE).astype(int)
    np.testing.assert_array_equal((numbers - numbers[0]) % (1 << BITS), places % (1 << BITS))
    shared = {stamp_to_ns(info.header.stamp) for info in infos} & set(stamps.tolist())
    assert len(shared) >= 10
    assert pictures[0].header.frame_id == infos[0].header.frame_id == 'wrist_color_optical_frame'


def test_an_absent_camera_is_awaited(ros_domain, tmp_path) -> None:
    absent = tmp_path / 'video9'
    with camera(tmp_path, type='uvc', device=absent, retry_s=0.1) as (process, said):
        said('video9 is not there')
        said('trying again every 0.1 s')
        time.sleep(0.5)
        assert process.poll() is None
        assert (tmp_path / 'camera.log').read_text().count('is not there') == 1
        for _ in range(3):  # From the terminal, from launch, from an impatient hand.
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        assert process.wait(10) == 0
        assert 'Traceback' not in (tmp_path / 'camera.log').read_text()


@pytest.mark.parametrize(
    ('parameters', 'says'),
    [
        ({'type': 'webcam'}, "camera: parameter type is 'webcam'; allowed: realsense, uvc, file"),
        ({'type': 'file'}, 'camera: parameter path is empty; set it: -p path:=VIDEO.mp4'),
        ({'type': 'file', 'path': '/no/video.mp4'}, 'video /no/video.mp4 is not there'),
        ({'jpeg_quality': 0}, 'jpeg_quality is 0'),
        ({'fps': 'many'}, 'fps'),
    ],
)
def test_wrong_parameters_are_one_line(ros_domain, tmp_path, parameters, says) -> None:
    with camera(tmp_path, **parameters) as (process, said):
        assert process.wait(20) == 2
        said(says)
        assert 'Traceback' not in (tmp_path / 'camera.log').read_text()


def test_the_site_file_is_accepted(ros_domain, tmp_path) -> None:
    site = ROOT / 'config' / 'camera.yaml'
    with camera(tmp_path, site, type='uvc', device=tmp_path / 'absent') as (process, said):
        said('absent is not there')
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize('after_s', [0.3, 0.6, 0.9])
def test_a_signal_during_the_start_ends_it_cleanly(ros_domain, tmp_path, after_s) -> None:
    with camera(tmp_path, type='uvc', device=tmp_path / 'absent') as (process, _):
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, -signal.SIGINT)  # Before Python's imports are done.
