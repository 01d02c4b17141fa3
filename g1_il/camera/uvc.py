# SPDX-License-Identifier: Apache-2.0
"""A USB camera through Video4Linux and OpenCV."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass

import cv2
import numpy as np

from g1_il.camera.camera import CameraError
from g1_il.camera.capture import Capture, Intrinsics
from g1_il.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class UvcConfig:
    """Which camera, and which of its modes.

    Attributes:
        device: Path, best one of `/dev/v4l/by-id`, which stays the same.
        width: [px].
        height: [px].
        fps: Pictures per second.
    """

    device: str = '/dev/video0'
    width: int = 640
    height: int = 480
    fps: int = 30


class UvcCamera:
    """Implements Camera. Pictures are asked for as MJPEG, which every USB camera can carry."""

    def __init__(self, config: UvcConfig) -> None:
        self._config = config
        self._capture: cv2.VideoCapture | None = None
        self._number = 0

    def start(self) -> None:
        """Open the device and set its mode."""
        device = self._config.device
        _check_device(device)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # Said better here.
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        if not capture.isOpened():
            capture.release()
            raise CameraError(
                f'{device} could not be opened as a camera; is it a capture device, '
                'and does no other program use it?'
            )
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*'MJPG'))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._config.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._config.height)
        capture.set(cv2.CAP_PROP_FPS, self._config.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        got = tuple(
            round(capture.get(what))
            for what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if got != (self._config.width, self._config.height):
            capture.release()
            raise ConfigError(
                f'{device} has no mode {self._config.width}x{self._config.height}; nearest is '
                f'{got[0]}x{got[1]} (all: v4l2-ctl -d {device} --list-formats-ext)'
            )
        self._capture = capture

    def read(self, timeout_s: float) -> Capture:
        """Wait for the next picture."""
        if self._capture is None:
            raise CameraError(f'{self._config.device} is not started')
        self._capture.set(cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_s * 1e3)
        done, image = self._capture.read()
        if not done:
            raise CameraError(f'{self._config.device} gave no picture; was it unplugged?')
        self._number += 1
        return Capture(
            stamp_ns=monotonic_to_unix_ns(
                round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6),
                now_monotonic_ns=time.monotonic_ns(),
                now_unix_ns=time.time_ns(),
            ),
            image=np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8),
            intrinsics=Intrinsics(width=image.shape[1], height=image.shape[0]),
        )

    def stop(self) -> None:
        """Close the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def monotonic_to_unix_ns(stamp_ns: int, *, now_monotonic_ns: int, now_unix_ns: int) -> int:
    """Unix time of a driver's stamp on the monotonic clock [ns].

    Drivers stamp pictures on CLOCK_MONOTONIC; a stamp in the future or more than a second old is
    from one that does not, and the time of arrival stands in for it.
    """
    age_ns = now_monotonic_ns - stamp_ns
    return now_unix_ns - age_ns if 0 <= age_ns < 1_000_000_000 else now_unix_ns


def _check_device(device: str) -> None:
    try:
        mode = os.stat(device).st_mode
    except OSError as error:
        raise CameraError(
            f'{device} is not there ({error.strerror}); is it plugged in?'
        ) from error
    if not stat.S_ISCHR(mode):
        raise ConfigError(f'{device} is no device; give a path such as /dev/video0')
    if not os.access(device, os.R_OK | os.W_OK):
        raise ConfigError(
            f'{device} may not be read; add yourself to the group that owns it (video)'
        )
