# SPDX-License-Identifier: Apache-2.0
"""Camera frames as constant-rate H.264 in MP4, so that a frame's time is exactly k / fps.

No B-frames: packets come in display order, so episodes can be joined packet by packet, each
stamped anew from its frame count. Every tenth frame is a key frame, and so is the first frame of
an episode; both are what LeRobot's loaders need to find a frame by its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from g1_il.errors import ConfigError

Image = npt.NDArray[np.uint8]
ENCODER_OPTIONS = {'preset': 'veryfast', 'crf': '23', 'g': '10', 'bf': '0', 'threads': '1'}


class JpegDecoder:
    """Turns JPEG bytes into frames of the codec's own colours, without the way through RGB."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create('mjpeg', 'r')

    def decode(self, data: bytes) -> av.VideoFrame:
        """One JPEG as a frame.

        Raises:
            ValueError: It is not a JPEG that can be decoded.
        """
        try:
            frames = self._codec.decode(av.Packet(data))
        except av.FFmpegError as error:
            raise ValueError(f'not a JPEG: {error}') from error
        if len(frames) != 1:
            raise ValueError(f'{len(data)} bytes decode to {len(frames)} images, not to one')
        return frames[0]


class VideoEncoder:
    """Encodes one episode's frames into an MP4 of its own."""

    def __init__(self, path: Path, *, width: int, height: int, fps: int) -> None:
        self._container = av.open(str(path), 'w')
        stream = self._container.add_stream('libx264', rate=fps, options=ENCODER_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        stream.time_base = Fraction(1, fps)
        stream.codec_context.time_base = Fraction(1, fps)
        self._stream = stream
        self._time_base = Fraction(1, fps)
        self.frames = 0

    def write(self, frame: av.VideoFrame) -> None:
        """Adds the next frame; it must have the size of the first."""
        picture = _studio_range(frame)
        picture.pts = self.frames
        picture.time_base = self._time_base
        picture.pict_type = av.video.frame.PictureType.NONE
        self._container.mux(self._stream.encode(picture))
        self.frames += 1

    def close(self) -> None:
        """Ends the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _studio_range(frame: av.VideoFrame) -> av.VideoFrame:
    """A JPEG's picture in the range of values that video has, 16 to 235.

    Most cameras' JPEGs are yuvj420p: those go through a table, which takes a tenth of the time
    that the general conversion takes.
    """
    if frame.format.name != 'yuvj420p':
        return frame.reformat(format='yuv420p', dst_color_range='MPEG')
    picture = av.VideoFrame(frame.width, frame.height, 'yuv420p')
    for source, target, table in zip(frame.planes, picture.planes, _TABLES, strict=True):
        cv2.LUT(plane_pixels(source), table, dst=plane_pixels(target))
    return picture


def plane_pixels(plane: av.video.plane.VideoPlane) -> Image:
    """A plane's pixels, in place, without the padding of its lines."""
    lines = np.frombuffer(plane, dtype=np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def _table(scale: float, low: float) -> Image:
    values = np.arange(256)
    return np.rint((values - 128) * scale / 255 + low).clip(0, 255).astype(np.uint8)


_CHROMA = _table(224, 128)
_TABLES = (_table(219, 16 + 128 * 219 / 255), _CHROMA, _CHROMA)


class VideoJoiner:
    """Joins episodes' videos into one file, frame k of it at exactly k / fps.

    The muxer makes the file's time scale from the frame rate (30 becomes 15360), as it does for
    LeRobot's own files: its merge joins files packet by packet and needs the same scale in all.
    """

    def __init__(self, path: Path, *, fps: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._time_base = Fraction(1, fps)
        self._container = av.open(str(path), 'w')
        self._stream: av.VideoStream | None = None
        self.frames = 0

    def add(self, path: Path) -> int:
        """Appends a video made by VideoEncoder; returns the frame at which it starts."""
        first = self.frames
        with av.open(str(path)) as source:
            video = source.streams.video[0]
            if self._stream is None:
                self._stream = self._container.add_stream_from_template(video)
                self._stream.time_base = self._time_base
            for packet in source.demux(video):
                if packet.size == 0:
                    continue
                packet.stream = self._stream
                packet.pts = packet.dts = self.frames
                packet.duration = 1
                packet.time_base = self._time_base
                self._container.mux(packet)
                self.frames += 1
        return first

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._path.stat().st_size if self._path.exists() else 0

    def close(self) -> None:
        """Ends the file."""
        self._container.close()


def decode_video(
    path: Path,
    *,
    fps: int,
    first: int = 0,
    count: int | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[Image]:
    """Decodes frames in sequence.

    Args:
        path: The video.
        fps: Its frame rate.
        first: Frame to begin at; found by seeking to the key frame before it.
        count: Frames to give; None for all that follow.
        size: (height, width) to scale to; None for the video's own size.

    Yields:
        RGB images, shape (height, width, 3).

    Raises:
        ConfigError: It cannot be opened or decoded, or it ends before `count` frames.
    """
    given = 0
    try:
        for number, frame in _numbered(path, fps, first):
            if number < first:
                continue
            if count is not None and given == count:
                return
            yield _rgb(frame, size)
            given += 1
    except (av.FFmpegError, OSError) as error:
        raise ConfigError(f'video {path} cannot be read: {error}') from error
    if count is not None and given < count:
        raise ConfigError(
            f'video {path} has {first + given} frames where {first + count} are needed: '
            'convert the episodes again'
        )


def _numbered(path: Path, fps: int, first: int) -> Iterable[tuple[int, av.VideoFrame]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if first:
            container.seek(int(first / fps / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            yield round(frame.pts * stream.time_base * fps), frame


def _rgb(frame: av.VideoFrame, size: tuple[int, int] | None) -> Image:
    if size is None:
        return frame.to_ndarray(format='rgb24')
    return frame.to_ndarray(format='rgb24', height=size[0], width=size[1], interpolation='AREA')
