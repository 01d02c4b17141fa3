# SPDX-License-Identifier: Apache-2.0
"""One picture on its three topics."""

from __future__ import annotations

import time

import numpy as np
import pytest
import rclpy
from cv_bridge import CvBridge
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from g1_il.camera.capture import Capture, Intrinsics, intrinsics_from_fovy
from g1_il.camera.encode import decode_jpeg
from g1_il.errors import ConfigError
from g1_il.ros.camera_topics import CameraTopics, camera_info
from g1_il.ros.messages import stamp_to_ns
from g1_il.ros.qos import SENSOR

STAMP_NS = 1_800_000_000_123_456_789


@pytest.fixture
def node(ros_domain):
    rclpy.init()
    node = rclpy.create_node('camera_topics')
    yield node
    node.destroy_node()
    rclpy.shutdown()


def picture() -> np.ndarray:
    image = np.zeros((480, 640, 3), dtype=np.uint8)
    image[:, :320], image[:, 320:] = (200, 40, 10), (10, 40, 200)
    return image


def spin_until(node, condition) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, 'waited ten seconds in vain'
        rclpy.spin_once(node, timeout_sec=0.1)


def test_a_picture_reaches_its_topics(node) -> None:
    topics = CameraTopics(node, 'head_camera')
    got = {}
    for kind, name in ((CompressedImage, 'image_raw/compressed'), (CameraInfo, 'camera_info')):
        node.create_subscription(
            kind, f'head_camera/color/{name}', lambda m, k=kind: got.__setitem__(k, m), SENSOR
        )
    lens = intrinsics_from_fovy(width=640, height=480, fovy_deg=58.0)
    capture = Capture(stamp_ns=STAMP_NS, image=picture(), intrinsics=lens)

    def publish_and_look() -> bool:
        topics.publish(capture)
        return len(got) == 2

    spin_until(node, publish_and_look)
    for message in got.values():
        assert stamp_to_ns(message.header.stamp) == STAMP_NS
        assert message.header.frame_id == 'head_camera_color_optical_frame'
    compressed, info = got[CompressedImage], got[CameraInfo]
    assert compressed.format == 'jpeg'
    np.testing.assert_allclose(
        decode_jpeg(bytes(compressed.data))[100, [10, 600]].astype(int),
        [(200, 40, 10), (10, 40, 200)],
        atol=6,
    )
    assert (info.width, info.height) == (640, 480)
    np.testing.assert_allclose(np.reshape(info.k, (3, 3))[:2, 2], [320.0, 240.0])
    np.testing.assert_allclose(np.reshape(info.p, (3, 4))[:, :3], np.reshape(info.k, (3, 3)))


def test_the_raw_picture_is_published_only_when_somebody_looks(node, monkeypatch) -> None:
    converted = []
    convert = CvBridge.cv2_to_imgmsg
    monkeypatch.setattr(
        CvBridge,
        'cv2_to_imgmsg',
        lambda *args, **kwargs: converted.append(1) or convert(*args, **kwargs),
    )
    topics = CameraTopics(node, 'head_camera')
    lens = Intrinsics(width=640, height=480)
    capture = Capture(stamp_ns=STAMP_NS, image=picture(), intrinsics=lens)
    for _ in range(5):
        topics.publish(capture)
        rclpy.spin_once(node, timeout_sec=0.02)
    assert converted == []
    got: list[Image] = []
    looking = node.create_subscription(Image, 'head_camera/color/image_raw', got.append, SENSOR)

    def publish_and_look() -> bool:
        topics.publish(capture)
        return bool(got)

    spin_until(node, publish_and_look)
    assert got[0].encoding == 'rgb8'
    assert stamp_to_ns(got[0].header.stamp) == STAMP_NS
    back = CvBridge().imgmsg_to_cv2(got[0], desired_encoding='rgb8')
    np.testing.assert_array_equal(back, picture())
    node.destroy_subscription(looking)
    deadline = time.monotonic() + 10.0
    count = -1
    while count != len(converted):  # Until one publication brings no conversion any more.
        assert time.monotonic() < deadline
        count = len(converted)
        rclpy.spin_once(node, timeout_sec=0.1)
        topics.publish(capture)


def test_an_unknown_lens_is_said_as_ros_says_it() -> None:
    from std_msgs.msg import Header

    info = camera_info(Intrinsics(width=8, height=6), Header())
    assert not np.any(info.k)
    assert not len(info.d)


def test_a_wrong_quality_is_refused(node) -> None:
    with pytest.raises(ConfigError, match='jpeg_quality is 0'):
        CameraTopics(node, 'head_camera', jpeg_quality=0)
