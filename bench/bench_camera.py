# SPDX-License-Identifier: Apache-2.0
"""What a camera picture and a headset message cost on their way in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from g1_il.camera.encode import decode_jpeg, encode_jpeg
from g1_il.xr.tracking import FrameMaker, Tracking, decode_tracking, encode_tracking


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)
    image = cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC)
    jpeg = encode_jpeg(image)
    png = cv2.imencode('.png', image)[1]
    rows = [
        _row(
            f'camera: encode 640x480 as JPEG of {len(jpeg) / 1e3:.0f} kB',
            _median_s(lambda: encode_jpeg(image), 100),
            f'lossless PNG of {len(png) / 1e3:.0f} kB',
            _median_s(lambda: cv2.imencode('.png', image), 20),
        ),
        _row(
            'camera: decode that JPEG to RGB',
            _median_s(lambda: decode_jpeg(jpeg), 100),
            'the PNG',
            _median_s(lambda: cv2.imdecode(png, cv2.IMREAD_COLOR), 20),
        ),
    ]
    poses = rng.normal(size=(51, 7))
    poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
    data = encode_tracking(
        Tracking(
            sequence=1,
            headset_ms=1.0,
            head_tracked=True,
            left_tracked=True,
            right_tracked=True,
            poses=poses,
        )
    )
    text = json.dumps({'poses': poses.tolist()})
    maker = FrameMaker()
    rows.append(
        _row(
            f'xr: {len(data)} bytes to a checked XrFrame',
            _median_s(lambda: maker.frame(decode_tracking(data), 1), 500),
            f'parsing the same poses as JSON, {len(text)} bytes, unchecked',
            _median_s(lambda: np.array(json.loads(text)['poses']), 500),
        )
    )
    return rows


def _median_s(work: Callable[[], object], count: int) -> float:
    """Median duration of some work [s]."""
    durations = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return float(np.median(durations))


def _row(name: str, value_s: float, baseline: str, baseline_s: float) -> dict[str, Any]:
    return {
        'name': name,
        'value': value_s * 1e3,
        'unit': 'ms',
        'baseline': baseline,
        'baseline_value': baseline_s * 1e3,
        'ratio': value_s / baseline_s,
    }
