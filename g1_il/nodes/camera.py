# SPDX-License-Identifier: Apache-2.0
"""Publishes the pictures of one camera: RealSense, USB (V4L2) or a video file.

An absent camera is reported and tried again; the node stays up. Pictures that the device counted
but this node did not get are counted and reported.

Publishes:
    <name>/color/image_raw/compressed (sensor_msgs/CompressedImage), fps, stamped with capture
    <name>/color/camera_info (sensor_msgs/CameraInfo), with every picture
    <name>/color/image_raw (sensor_msgs/Image), only while somebody subscribes

    ros2 run g1_il camera --ros-args -p type:=realsense -p name:=head_camera
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field

from rclpy.node import Node

from g1_il.camera.camera import Camera, CameraEndedError, CameraError
from g1_il.camera.encode import JPEG_QUALITY, check_quality
from g1_il.camera.file import FileCamera, FileConfig
from g1_il.camera.gaps import Gaps
from g1_il.camera.realsense import RealSenseCamera, RealSenseConfig
from g1_il.camera.uvc import UvcCamera, UvcConfig
from g1_il.errors import ConfigError
from g1_il.ros.camera_topics import CameraTopics
from g1_il.ros.params import declare
from g1_il.ros.run_node import run_node

READ_TIMEOUT_S = 2.0
CHECK_PERIOD_S = 0.25
REPORT_PERIOD_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """Parameters of the node."""

    type: str = field(default='realsense', metadata={'description': 'realsense, uvc or file'})
    name: str = field(
        default='head_camera', metadata={'description': 'first part of the topics and the frame'}
    )
    serial: str = field(
        default='', metadata={'description': 'realsense: serial number; empty: the only one'}
    )
    device: str = field(
        default='/dev/video0', metadata={'description': 'uvc: device, best of /dev/v4l/by-id'}
    )
    path: str = field(default='', metadata={'description': 'file: video to play'})
    loop: bool = field(default=True, metadata={'description': 'file: play it again at its end'})
    width: int = field(default=640, metadata={'description': 'realsense, uvc: width [px]'})
    height: int = field(default=480, metadata={'description': 'realsense, uvc: height [px]'})
    fps: int = field(default=30, metadata={'description': 'realsense, uvc: pictures per second'})
    jpeg_quality: int = field(default=JPEG_QUALITY, metadata={'description': '1 to 100'})
    retry_s: float = field(
        default=2.0, metadata={'description': 'pause before an absent camera is tried again [s]'}
    )

    def __post_init__(self) -> None:
        if self.type not in ('realsense', 'uvc', 'file'):
            raise ConfigError(f'parameter type is {self.type!r}; allowed: realsense, uvc, file')
        if not self.name:
            raise ConfigError('parameter name is empty; name the camera, e.g. head_camera')
        if self.type == 'file' and not self.path:
            raise ConfigError('parameter path is empty; set it: -p path:=VIDEO.mp4')
        for name in ('width', 'height', 'fps'):
            if getattr(self, name) < 1:
                raise ConfigError(f'parameter {name} is {getattr(self, name)}; at least 1')
        if not self.retry_s > 0.0:
            raise ConfigError(f'parameter retry_s is {self.retry_s}; it must be positive')
        check_quality(self.jpeg_quality)

    def camera(self) -> Camera:
        """The camera that the parameters name."""
        mode = {'width': self.width, 'height': self.height, 'fps': self.fps}
        if self.type == 'realsense':
            return RealSenseCamera(RealSenseConfig(serial=self.serial, **mode))
        if self.type == 'uvc':
            return UvcCamera(UvcConfig(device=self.device, **mode))
        return FileCamera(FileConfig(path=self.path, loop=self.loop))


class CameraNode(Node):
    """Reads in a thread of its own and publishes from there."""

    def __init__(self) -> None:
        """Declares the parameters and starts reading."""
        super().__init__('camera')
        self._config = declare(self, CameraConfig)
        self._camera = self._config.camera()
        self._topics = CameraTopics(
            self, self._config.name, jpeg_quality=self._config.jpeg_quality
        )
        self._gaps = Gaps()
        self._reported = 0
        self._trouble = ''
        self._failure: Exception | None = None
        self._stopping = threading.Event()
        self.create_timer(CHECK_PERIOD_S, self._check)
        self.create_timer(REPORT_PERIOD_S, self._report)
        self._thread = threading.Thread(target=self._run, name='camera', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        """Start, read until something is wrong, stop, wait, start again."""
        try:
            while not self._stopping.is_set():
                try:
                    self._camera.start()
                    self._read()
                except CameraEndedError as error:
                    self.get_logger().info(str(error))
                    return
                except CameraError as error:
                    self._say(str(error))
                finally:
                    self._camera.stop()
                self._stopping.wait(self._config.retry_s)
        except Exception as error:  # Raised again where it ends the node.
            self._failure = error

    def _read(self) -> None:
        self._gaps.restart()
        while not self._stopping.is_set():
            capture = self._camera.read(READ_TIMEOUT_S)
            self._gaps.add(capture.frame_number, capture.stamp_ns)
            self._topics.publish(capture)
            if self._trouble or self._gaps.pictures == 1:
                self._trouble = ''
                height, width = capture.image.shape[:2]
                self.get_logger().info(f'{self._config.name}: pictures of {width}x{height}')

    def _say(self, trouble: str) -> None:
        """Reports a trouble once, however often it is met again."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.get_logger().warning(f'{trouble}; trying again every {self._config.retry_s:g} s')

    def _report(self) -> None:
        if self._gaps.missed > self._reported:
            self._reported = self._gaps.missed
            self.get_logger().warning(
                f'{self._gaps.missed} of {self._gaps.missed + self._gaps.pictures} pictures were '
                f'missed since start, at most {self._gaps.longest} in a row'
            )

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


def main(args: list[str] | None = None) -> int:
    """Runs the node until it is interrupted."""
    return run_node('camera', CameraNode, args)


if __name__ == '__main__':
    sys.exit(main())
