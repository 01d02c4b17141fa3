# SPDX-License-Identifier: Apache-2.0
"""An episode as arrays: what is judged, without the messages it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Stamps = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTimes:
    """When the messages of one topic were captured and received.

    Attributes:
        type: Message type.
        stamp_ns: Header stamps, or times of receipt without a header [ns], shape (N,).
        receive_ns: Times of receipt [ns], shape (N,).
    """

    type: str
    stamp_ns: Stamps
    receive_ns: Stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Vectors with their capture times.

    Attributes:
        stamp_ns: Capture times [ns], shape (N,).
        values: Shape (N, D).
    """

    stamp_ns: Stamps
    values: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeStreams:
    """One episode.

    Attributes:
        topics: When the messages of each topic came.
        joints: Measured positions [rad], shape (N, 43), ALL_JOINTS order; None without them.
        commands: Executed positions [rad], shape (M, 28), COMMAND_JOINTS order; None without.
        images: Per camera the encoded pictures, in order.
        image_stamps: Per camera their capture times [ns].
        scene_success: Whether the scene's success rule held at the end; None without a scene.
        unreadable: Per topic, messages that could not be read, and why the first could not.
    """

    topics: Mapping[str, TopicTimes]
    joints: Samples | None
    commands: Samples | None
    images: Mapping[str, tuple[bytes, ...]]
    image_stamps: Mapping[str, Stamps]
    scene_success: bool | None
    unreadable: Mapping[str, tuple[int, str]]
