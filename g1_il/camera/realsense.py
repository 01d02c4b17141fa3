# SPDX-License-Identifier: Apache-2.0
"""Colour of an Intel RealSense camera through librealsense."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from g1_il.camera.camera import CameraError
from g1_il.camera.capture import Capture, Intrinsics
from g1_il.camera.device_clock import DeviceClock
from g1_il.errors import ConfigError

if TYPE_CHECKING:
    import pyrealsense2 as rs

Devices = Callable[[], Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSenseConfig:
    """Which camera, and which of its colour modes.

    Attributes:
        serial: Serial number; empty for the only one that is connected.
        width: [px].
        height: [px].
        fps: Pictures per second.
    """

    serial: str = ''
    width: int = 640
    height: int = 480
    fps: int = 30


class RealSenseCamera:
    """Implements Camera.

    Args:
        config: See there.
        devices: Lists the devices to choose from; librealsense's own list by default.
    """

    def __init__(self, config: RealSenseConfig, devices: Devices | None = None) -> None:
        self._config = config
        self._devices = devices
        self._sensor: rs.sensor | None = None
        self._queue: rs.frame_queue | None = None
        self._intrinsics: Intrinsics | None = None
        self._clock = DeviceClock()

    def start(self) -> None:
        """Open the colour sensor; the queue of one keeps the newest picture only."""
        rs = _library()
        device = self._choose(rs)
        sensor, profile = self._profile(rs, device)
        try:
            if sensor.supports(rs.option.global_time_enabled):
                sensor.set_option(rs.option.global_time_enabled, 1.0)
            self._queue = rs.frame_queue(1)
            sensor.open(profile)
            sensor.start(self._queue)
        except RuntimeError as error:
            raise CameraError(f'the RealSense camera did not start: {error}') from error
        self._sensor = sensor
        self._clock = DeviceClock()
        self._intrinsics = _intrinsics(profile.as_video_stream_profile().get_intrinsics())

    def read(self, timeout_s: float) -> Capture:
        """Wait for the next picture."""
        rs = _library()
        if self._queue is None or self._intrinsics is None:
            raise CameraError('the RealSense camera is not started')
        try:
            frame = self._queue.wait_for_frame(max(1, round(timeout_s * 1e3)))
        except RuntimeError as error:
            raise CameraError(
                f'the RealSense camera gave no picture for {timeout_s:.1f} s; '
                'check its cable and that it hangs on a USB 3 port'
            ) from error
        arrival_ns = time.time_ns()
        stamp_ns = round(frame.get_timestamp() * 1e6)
        if frame.get_frame_timestamp_domain() == rs.timestamp_domain.hardware_clock:
            stamp_ns = self._clock.to_host_ns(stamp_ns, arrival_ns)
        return Capture(
            stamp_ns=min(stamp_ns, arrival_ns),
            image=np.array(frame.get_data(), dtype=np.uint8),
            intrinsics=self._intrinsics,
            frame_number=frame.get_frame_number(),
        )

    def stop(self) -> None:
        """Close the sensor."""
        sensor, self._sensor, self._queue = self._sensor, None, None
        if sensor is None:
            return
        try:
            sensor.stop()
            sensor.close()
        except RuntimeError:
            return  # It was unplugged: there is nothing left to close.

    def _choose(self, rs: Any) -> Any:
        devices = list(self._devices() if self._devices else rs.context().query_devices())
        found = [device.get_info(rs.camera_info.serial_number) for device in devices]
        if not found:
            raise CameraError('no RealSense camera is connected')
        if self._config.serial and self._config.serial not in found:
            raise CameraError(
                f'RealSense camera {self._config.serial} is not connected; '
                f'connected: {", ".join(found)}'
            )
        if not self._config.serial and len(found) > 1:
            raise ConfigError(
                f'several RealSense cameras are connected; set serial to one of {found}'
            )
        return devices[found.index(self._config.serial) if self._config.serial else 0]

    def _profile(self, rs: Any, device: Any) -> tuple[Any, Any]:
        wanted = (self._config.width, self._config.height, self._config.fps)
        offered: set[tuple[int, int, int]] = set()
        for sensor in device.query_sensors():
            for profile in sensor.get_stream_profiles():
                if profile.stream_type() != rs.stream.color or profile.format() != rs.format.rgb8:
                    continue
                video = profile.as_video_stream_profile()
                mode = (video.width(), video.height(), video.fps())
                if mode == wanted:
                    return sensor, profile
                offered.add(mode)
        modes = ', '.join(f'{w}x{h} at {fps}' for w, h, fps in sorted(offered)) or 'none'
        raise ConfigError(
            f'the RealSense camera has no colour mode {wanted[0]}x{wanted[1]} at {wanted[2]} fps; '
            f'it has: {modes}'
        )


def _library() -> Any:
    try:
        import pyrealsense2
    except ImportError as error:
        raise ConfigError(
            f'a RealSense camera needs pyrealsense2 ({error}); install it with: '
            'pip install pyrealsense2'
        ) from error
    return pyrealsense2


def _intrinsics(found: Any) -> Intrinsics:
    return Intrinsics(
        width=found.width,
        height=found.height,
        fx=found.fx,
        fy=found.fy,
        cx=found.ppx,
        cy=found.ppy,
        distortion=tuple(found.coeffs),
    )
