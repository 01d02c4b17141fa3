# SPDX-License-Identifier: Apache-2.0
"""Statistics as LeRobot stores them, but exact: quantiles of all rows, a real image deviation.

Numbers are taken over all rows of an episode or of the whole dataset. Pictures are counted in a
histogram of 256 bins per channel over evenly spaced frames, so statistics of several episodes add
up without loss, and every quantile is exact to the bin.
"""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from g1_il.dataset.video import plane_pixels

QUANTILES = {'q01': 0.01, 'q10': 0.10, 'q50': 0.50, 'q90': 0.90, 'q99': 0.99}
# One pixel of this many is counted in each direction; averaging them would shrink the deviation.
_STEP = 4


def column_stats(rows: npt.NDArray[Any]) -> dict[str, list[float]]:
    """Statistics of a numeric feature.

    Args:
        rows: Shape (N, D), or (N,) for a scalar; N at least 1.

    Returns:
        min, max, mean, std and quantiles, each of length D; count of length 1.
    """
    values = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    stats = {
        'min': values.min(axis=0),
        'max': values.max(axis=0),
        'mean': values.mean(axis=0),
        'std': values.std(axis=0),
    }
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    stats |= dict(zip(QUANTILES, quantiles, strict=True))
    return {name: value.tolist() for name, value in stats.items()} | {'count': [len(values)]}


class ImageStats:
    """Histogram of the pictures of a camera.

    Attributes:
        counts: Pixels of each value, shape (3, 256): red, green, blue.
        frames: Pictures counted.
    """

    def __init__(self, counts: npt.NDArray[np.int64] | None = None, frames: int = 0) -> None:
        self.counts = np.zeros((3, 256), dtype=np.int64) if counts is None else counts
        self.frames = frames

    def add(self, frame: av.VideoFrame) -> None:
        """Counts one picture."""
        for channel, values in enumerate(cv2.split(_sampled_pixels(frame))):
            self.counts[channel] += np.bincount(values.ravel(), minlength=256)
        self.frames += 1

    def __add__(self, other: ImageStats) -> ImageStats:
        return ImageStats(self.counts + other.counts, self.frames + other.frames)

    def stats(self) -> dict[str, Any]:
        """Statistics in [0, 1], each of shape (3, 1, 1) as nested lists; count of length 1."""
        values = np.arange(256) / 255.0
        total = self.counts.sum(axis=1, keepdims=True)
        mean = (self.counts * values).sum(axis=1, keepdims=True) / total
        variance = (self.counts * (values - mean) ** 2).sum(axis=1, keepdims=True) / total
        seen = self.counts > 0
        stats = {
            'min': values[seen.argmax(axis=1)],
            'max': values[255 - seen[:, ::-1].argmax(axis=1)],
            'mean': mean,
            'std': np.sqrt(variance),
        }
        reached = self.counts.cumsum(axis=1) / total
        for name, quantile in QUANTILES.items():
            stats[name] = values[(reached >= quantile).argmax(axis=1)]
        return {name: value.reshape(3, 1, 1).tolist() for name, value in stats.items()} | {
            'count': [self.frames]
        }


def _sampled_pixels(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Every fourth pixel of every fourth line, RGB, shape (height / 4, width / 4, 3)."""
    if frame.format.name != 'yuvj420p':
        return np.ascontiguousarray(frame.to_ndarray(format='rgb24')[::_STEP, ::_STEP])
    half = _STEP // 2
    luma = plane_pixels(frame.planes[0])[::_STEP, ::_STEP]
    blue, red = (plane_pixels(plane)[::half, ::half] for plane in frame.planes[1:])
    return cv2.cvtColor(np.dstack([luma, red, blue]), cv2.COLOR_YCrCb2RGB)


def sampled_frames(count: int) -> set[int]:
    """Which of `count` frames are counted: about max(100, count^0.75), evenly spaced."""
    wanted = min(count, max(100, min(10_000, round(count**0.75))))
    return set(np.linspace(0, count - 1, wanted).round().astype(int).tolist()) if count else set()
