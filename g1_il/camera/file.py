# SPDX-License-Identifier: Apache-2.0
"""A video file played at its own speed, as if it were a camera."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from g1_il.camera.camera import CameraEndedError, CameraError
from g1_il.camera.capture import Capture, Intrinsics
from g1_il.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConfig:
    """Which file, and whether it starts again at its end.

    Attributes:
        path: Of the video.
        loop: Play it for ever.
    """

    path: str
    loop: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    due_ns: int
    number: int
    frame: av.VideoFrame


class FileCamera:
    """Implements Camera. A picture's stamp is the start of playing plus its place in the video."""

    def __init__(self, config: FileConfig) -> None:
        self._config = config
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[_Entry] = iter(())
        self._ahead: deque[_Entry] = deque()

    def start(self) -> None:
        """Open the file and start its time."""
        path = Path(self._config.path)
        if not path.is_file():
            raise ConfigError(f'video {path} is not there; set path to a video file')
        try:
            container = av.open(str(path))
        except (av.FFmpegError, OSError) as error:
            raise ConfigError(f'video {path} cannot be read: {error}') from error
        if not container.streams.video:
            container.close()
            raise ConfigError(f'{path} holds no video')
        self._container = container
        self._frames = self._play(container)

    def read(self, timeout_s: float) -> Capture:
        """Wait until the next picture is due; those whose successor is due already are skipped."""
        now_ns = time.time_ns()
        try:
            while self._look_ahead(2) and self._ahead[1].due_ns <= now_ns:
                self._ahead.popleft()
        except av.FFmpegError as error:
            raise CameraError(f'{self._config.path} is damaged: {error}') from error
        if not self._ahead:
            raise CameraEndedError(f'{self._config.path} is at its end')
        if self._ahead[0].due_ns > now_ns + timeout_s * 1e9:
            raise CameraError(f'{self._config.path} has no picture for {timeout_s:.1f} s')
        entry = self._ahead.popleft()
        time.sleep(max(0.0, (entry.due_ns - time.time_ns()) * 1e-9))
        image = np.ascontiguousarray(entry.frame.to_ndarray(format='rgb24'))
        return Capture(
            stamp_ns=entry.due_ns,
            image=image,
            intrinsics=Intrinsics(width=image.shape[1], height=image.shape[0]),
            frame_number=entry.number,
        )

    def stop(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None
            self._frames = iter(())
            self._ahead.clear()

    def _look_ahead(self, count: int) -> bool:
        """Decode until so many frames wait; False when the video ends before."""
        while len(self._ahead) < count:
            entry = next(self._frames, None)
            if entry is None:
                return False
            self._ahead.append(entry)
        return True

    def _play(self, container: av.container.InputContainer) -> Iterator[_Entry]:
        """Frames with their times, round after round."""
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        period_ns = round(1e9 / rate) if rate else 33_333_333
        round_ns = time.time_ns()
        number = 0
        while True:
            end_ns = round_ns
            first_ns: int | None = None
            for frame in container.decode(stream):
                place_ns = round(float(frame.time or 0.0) * 1e9)
                first_ns = place_ns if first_ns is None else first_ns
                due_ns = round_ns + place_ns - first_ns
                yield _Entry(due_ns=due_ns, number=number, frame=frame)
                number += 1
                end_ns = due_ns + period_ns
            if not self._config.loop or end_ns == round_ns:
                return
            round_ns = end_ns
            container.seek(0)
