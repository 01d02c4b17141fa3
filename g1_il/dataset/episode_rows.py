# SPDX-License-Identifier: Apache-2.0
"""One recorded episode becomes rows: assembled, cut, trimmed, and its pictures encoded."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from g1_il.dataset import layout
from g1_il.dataset.layout import Feature
from g1_il.dataset.stats import ImageStats, sampled_frames
from g1_il.dataset.video import JpegDecoder, VideoEncoder
from g1_il.errors import ConfigError, G1Error
from g1_il.robot.joints import COMMAND_INDEX, COMMAND_JOINTS
from g1_il.rows.assembler import FrameAssembler, Refusal
from g1_il.rows.row import Row
from g1_il.rows.streams import (
    EXECUTED_COMMAND,
    JOINT_STATES,
    SCENE,
    AssemblerConfig,
    scene_names,
    standard_config,
)

# Rows kept at rest before and after the motion, so that starting and stopping are learnt.
_MARGIN_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlan:
    """A camera of the dataset: its name and the size of its pictures [px]."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every row of a dataset consists of.

    Attributes:
        fps: Rows per second.
        cameras: Its cameras, the reference first; without one the scene's samples make the rows.
        objects: Objects of the scene whose poses are the environment state; empty without one.
        trim_idle: Whether to leave out the stand-still at both ends.
        idle_speed_rad_s: Commanded speed below which a joint rests [rad/s].
        min_rows: Fewer are no episode.
    """

    fps: int
    cameras: tuple[CameraPlan, ...]
    objects: tuple[str, ...] = ()
    trim_idle: bool = False
    idle_speed_rad_s: float = 0.02
    min_rows: int = field(default=30)

    def __post_init__(self) -> None:
        if not self.cameras and not self.objects:
            raise ConfigError('a dataset needs a camera or a scene: its samples make the rows')

    @property
    def assembler(self) -> AssemblerConfig:
        """How rows are assembled: with the running policy's own rules."""
        cameras = [camera.name for camera in self.cameras]
        paced = [*cameras, *([SCENE] if self.objects else [])]
        others = [JOINT_STATES, EXECUTED_COMMAND, *paced[1:]]
        return standard_config(paced[0], others, fps=self.fps)

    @property
    def features(self) -> dict[str, Feature]:
        """The dataset's features."""
        joints = tuple(f'{name}.pos' for name in COMMAND_JOINTS)
        features = {
            layout.STATE: Feature(dtype='float32', shape=(len(joints),), names=joints),
            layout.ACTION: Feature(dtype='float32', shape=(len(joints),), names=joints),
        }
        if self.objects:
            names = scene_names(self.objects)
            features[layout.ENVIRONMENT] = Feature(
                dtype='float32', shape=(len(names),), names=names
            )
        for camera in self.cameras:
            features[layout.IMAGES + camera.name] = Feature(
                dtype='video',
                shape=(camera.height, camera.width, 3),
                names=('height', 'width', 'channels'),
            )
        return features


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The rows of one episode, and what became of the others.

    Attributes:
        rows: In order, 1 / fps apart.
        refused: Rows refused after the streams had begun, by reason.
        cut: Rows left out because a gap separates them from the longest stretch.
        trimmed: Rows left out as stand-still.
        held: Rows in which some sample was older than its tolerance.
    """

    rows: tuple[Row, ...]
    refused: Mapping[str, int]
    cut: int
    trimmed: int
    held: int


def assemble(samples: Iterable[tuple[str, int, Any]], plan: Plan) -> Assembled:
    """Assembles the rows of an episode.

    Args:
        samples: Stream, capture time [ns], value, in the order of receipt.
        plan: What a row consists of.

    Raises:
        G1Error: Too few rows are left; the message says why.
    """
    assembler = FrameAssembler(plan.assembler)
    rows: list[Row] = []
    for stream, stamp_ns, value in samples:
        assembler.push(stream, stamp_ns, value)
        rows += assembler.rows()
    rows += assembler.flush()
    refused = _refused(assembler.refusals(), rows[0].stamp_ns if rows else 0)
    kept = longest_stretch(rows, 1_000_000_000 // plan.fps)
    cut = len(rows) - len(kept)
    trimmed = 0
    if plan.trim_idle and kept:
        before = len(kept)
        kept = kept[_moving(kept, plan)]
        trimmed = before - len(kept)
    if len(kept) < plan.min_rows:
        why = ', '.join(f'{count}x {reason}' for reason, count in refused.items())
        raise G1Error(
            f'{len(kept)} rows are left, {plan.min_rows} are needed'
            + (f'; refused: {why}' if why else '')
        )
    return Assembled(
        rows=tuple(kept),
        refused=refused,
        cut=cut,
        trimmed=trimmed,
        held=sum(bool(row.held) for row in kept),
    )


def longest_stretch(rows: Sequence[Row], period_ns: int) -> Sequence[Row]:
    """The longest run of rows without a gap: a row may never stand for more than its time."""
    stamps = np.array([row.stamp_ns for row in rows], dtype=np.int64)
    breaks = np.flatnonzero(np.diff(stamps) * 2 >= period_ns * 3) + 1 if len(rows) > 1 else []
    edges = [0, *breaks, len(rows)]
    start, stop = max(itertools.pairwise(edges), key=lambda edge: edge[1] - edge[0])
    return rows[start:stop]


def row_columns(rows: Sequence[Row], plan: Plan) -> dict[str, npt.NDArray[np.float32]]:
    """The numeric features of the rows, each of shape (N, D)."""
    columns = {
        layout.STATE: np.array([row.values[JOINT_STATES][COMMAND_INDEX] for row in rows]),
        layout.ACTION: np.array([row.values[EXECUTED_COMMAND] for row in rows]),
    }
    if plan.objects:
        columns[layout.ENVIRONMENT] = np.array([row.values[SCENE] for row in rows])
    return {key: values.astype(np.float32) for key, values in columns.items()}


def encode_camera(rows: Sequence[Row], camera: CameraPlan, path: Path, *, fps: int) -> ImageStats:
    """Encodes the rows' pictures of one camera into a video of its own.

    Raises:
        G1Error: A picture cannot be decoded, or has another size.
    """
    decoder, stats = JpegDecoder(), ImageStats()
    encoder = VideoEncoder(path, width=camera.width, height=camera.height, fps=fps)
    counted = sampled_frames(len(rows))
    data, frame = None, None
    try:
        for number, row in enumerate(rows):
            if row.values[camera.name] is not data:
                data = row.values[camera.name]
                frame = decoder.decode(data)
                if (frame.width, frame.height) != (camera.width, camera.height):
                    raise ValueError(
                        f'{frame.width}x{frame.height} pixels, not {camera.width}x{camera.height}'
                    )
            encoder.write(frame)
            if number in counted:
                stats.add(frame)
    except ValueError as error:
        raise G1Error(f'{camera.name}, row {number}: {error}') from error
    finally:
        encoder.close()
    return stats


def _refused(refusals: Sequence[Refusal], first_ns: int) -> dict[str, int]:
    """Refusals after the first row, by stream; before it the streams only begin."""
    late = (r.stream for r in refusals if r.stamp_ns > first_ns)
    return dict(sorted(Counter(late).items()))


def _moving(rows: Sequence[Row], plan: Plan) -> slice:
    action = np.array([row.values[EXECUTED_COMMAND] for row in rows])
    speed = np.abs(np.diff(action, axis=0)).max(axis=1) * plan.fps
    moving = np.flatnonzero(speed > plan.idle_speed_rad_s)
    if not len(moving):
        return slice(0, 0)
    margin = round(_MARGIN_S * plan.fps)
    return slice(max(0, int(moving[0]) - margin), int(moving[-1]) + 2 + margin)
