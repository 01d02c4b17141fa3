# SPDX-License-Identifier: Apache-2.0
"""A video file of a rollout, frame by frame."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt


class VideoFile:
    """Writes H.264 in MP4."""

    def __init__(self, path: Path, *, width: int, height: int, fps: int) -> None:
        """Opens the file; the folder is made if need be.

        Args:
            path: Where; replaced if it exists.
            width: Picture width [px], even.
            height: Picture height [px], even.
            fps: Pictures per second.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(path), 'w', format='mp4')
        self._stream = self._container.add_stream('libx264', rate=fps)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = 'yuv420p'
        self._stream.options = {'preset': 'veryfast', 'crf': '20'}
        self._stream.codec_context.thread_count = 1

    def write(self, rgb: npt.NDArray[np.uint8]) -> None:
        """Appends a picture, RGB, shape (height, width, 3)."""
        frame = av.VideoFrame.from_ndarray(rgb, format='rgb24')
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Completes the file."""
        self._container.mux(self._stream.encode())
        self._container.close()
