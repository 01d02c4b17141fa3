# SPDX-License-Identifier: Apache-2.0
"""A few real observations that travel with a checkpoint, so that an export can be checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import load_file, save_file

from g1_il.errors import ConfigError
from g1_il.learn.windows import Windows
from g1_il.policy.contract import PolicyContract
from g1_il.policy.observation import IMAGE_PREFIX

OBSERVATIONS = 'observations.safetensors'
COUNT = 32

Observations = dict[str, npt.NDArray[np.generic]]


def pick_observations(
    windows: Windows,
    pictures: Mapping[str, npt.NDArray[np.uint8]] | None,
    contract: PolicyContract,
) -> Observations:
    """Rows spread evenly over a table, as the policy's inputs."""
    rows = np.linspace(0, len(windows) - 1, COUNT).round().astype(np.int64)
    picked: Observations = {}
    if 'state' in contract.inputs:
        picked['state'] = windows.state[rows]
    if 'environment_state' in contract.inputs:
        picked['environment_state'] = windows.environment[rows]
    for name, array in (pictures or {}).items():
        picked[IMAGE_PREFIX + name] = np.asarray(array[rows])
    return picked


def write_observations(folder: Path, observations: Observations) -> None:
    """Puts them beside a checkpoint's weights."""
    save_file(
        {name: np.ascontiguousarray(values) for name, values in observations.items()},
        str(folder / OBSERVATIONS),
    )


def read_observations(folder: Path) -> Observations:
    """Reads what write_observations wrote.

    Raises:
        ConfigError: If the file is missing or damaged.
    """
    path = folder / OBSERVATIONS
    try:
        return load_file(str(path))
    except (OSError, safetensors.SafetensorError) as error:
        raise ConfigError(f'{path} cannot be read ({error}); train again') from error
