# SPDX-License-Identifier: Apache-2.0
"""From a row to the arrays a policy reads; training prepares its pictures with the same code."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from g1_il.camera.encode import decode_jpeg
from g1_il.errors import G1Error
from g1_il.policy.contract import SCENE_STREAM, STATE_STREAM, PolicyContract
from g1_il.robot.joints import COMMAND_INDEX
from g1_il.rows.row import Row

IMAGE_PREFIX = 'image.'


class ObservationError(G1Error):
    """A row that a policy must not answer: something is missing, not finite, or misshapen."""


def observation_from_row(
    row: Row, contract: PolicyContract
) -> dict[str, npt.NDArray[np.float32] | npt.NDArray[np.uint8]]:
    """The policy's inputs, batch of one.

    Args:
        row: The row.
        contract: What the policy reads.

    Returns:
        state (1, 28) and environment_state (1, E) as float32, image.<camera> (1, H, W, 3) as
        uint8 RGB: those that the contract names.

    Raises:
        ObservationError: If a stream is missing, has another length, or is not finite.
    """
    for stream in contract.streams:
        if row.values.get(stream) is None:
            raise ObservationError(f'no {stream} in the row')
    inputs: dict[str, npt.NDArray[np.float32] | npt.NDArray[np.uint8]] = {}
    if 'state' in contract.inputs:
        position = np.asarray(row.values[STATE_STREAM], dtype=np.float64)
        if position.shape != (43,):
            raise ObservationError(f'{STATE_STREAM} has shape {position.shape}, not (43,)')
        inputs['state'] = _finite(STATE_STREAM, position[COMMAND_INDEX])
    if 'environment_state' in contract.inputs:
        scene = np.asarray(row.values[SCENE_STREAM], dtype=np.float64)
        if scene.shape != (len(contract.environment_names),):
            raise ObservationError(
                f'{SCENE_STREAM} has shape {scene.shape}, not ({len(contract.environment_names)},)'
            )
        inputs['environment_state'] = _finite(SCENE_STREAM, scene)
    for camera in contract.cameras:
        picture = decode_jpeg(row.values[camera.name])
        inputs[IMAGE_PREFIX + camera.name] = scale_image(picture, camera.width, camera.height)[
            None
        ]
    return inputs


def scale_image(picture: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Scales a picture to the policy's size by area averaging.

    Args:
        picture: RGB, shape (H, W, 3), uint8.
        width: Wanted width [px].
        height: Wanted height [px].

    Returns:
        RGB, shape (height, width, 3), uint8.
    """
    if picture.shape[:2] == (height, width):
        return picture
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )


def _finite(stream: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """One batch row of finite values."""
    if not np.isfinite(values).all():
        raise ObservationError(f'{stream} holds values that are not finite')
    return values.astype(np.float32)[None]
