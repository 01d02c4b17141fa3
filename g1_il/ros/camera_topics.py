# SPDX-License-Identifier: Apache-2.0
"""The topics of one camera, the same for a device, a file and the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from cv_bridge import CvBridge
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from g1_il.camera.capture import Capture, Intrinsics
from g1_il.camera.encode import JPEG_QUALITY, check_quality, encode_jpeg
from g1_il.ros.messages import compressed_to_msg, ns_to_stamp
from g1_il.ros.qos import SENSOR

if TYPE_CHECKING:
    from rclpy.node import Node


def optical_frame(name: str) -> str:
    """Frame of a camera's pictures: z out of the lens, x right, y down."""
    return f'{name}_color_optical_frame'


def camera_info(intrinsics: Intrinsics, header: Header) -> CameraInfo:
    """The lens as ROS describes it; K is all zero when the camera is not calibrated."""
    message = CameraInfo(
        header=header,
        width=intrinsics.width,
        height=intrinsics.height,
        distortion_model='plumb_bob',
    )
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy
    if not intrinsics.calibrated:
        return message
    message.d = list(intrinsics.distortion)
    message.k = np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], dtype=np.float64)
    message.r = np.eye(3, dtype=np.float64).ravel()
    message.p = np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], dtype=np.float64)
    return message


class CameraTopics:
    """Publishes the pictures of one camera.

    Topics (relative to the node, all SENSOR):
        `<name>/color/image_raw/compressed`: sensor_msgs/CompressedImage, every picture.
        `<name>/color/camera_info`: sensor_msgs/CameraInfo, with every picture, same stamp.
        `<name>/color/image_raw`: sensor_msgs/Image rgb8, only while somebody subscribes.

    Args:
        node: The node that owns the publishers.
        name: Camera name, e.g. `head_camera`.
        jpeg_quality: 1 to 100.

    Raises:
        ConfigError: When the quality is out of range.
    """

    def __init__(self, node: Node, name: str, *, jpeg_quality: int = JPEG_QUALITY) -> None:
        check_quality(jpeg_quality)
        self.frame_id = optical_frame(name)
        self._quality = jpeg_quality
        self._bridge = CvBridge()
        base = f'{name}/color'
        self._compressed = node.create_publisher(
            CompressedImage, f'{base}/image_raw/compressed', SENSOR
        )
        self._info = node.create_publisher(CameraInfo, f'{base}/camera_info', SENSOR)
        self._raw = node.create_publisher(Image, f'{base}/image_raw', SENSOR)

    def publish(self, capture: Capture) -> bytes:
        """Publish one picture on all topics; returns its JPEG."""
        header = Header(stamp=ns_to_stamp(capture.stamp_ns), frame_id=self.frame_id)
        jpeg = encode_jpeg(capture.image, self._quality)
        message = compressed_to_msg(jpeg, stamp_ns=capture.stamp_ns, frame_id=self.frame_id)
        self._compressed.publish(message)
        self._info.publish(camera_info(capture.intrinsics, header))
        if self._raw.get_subscription_count():
            raw = self._bridge.cv2_to_imgmsg(capture.image, encoding='rgb8', header=header)
            self._raw.publish(raw)
        return jpeg
