# SPDX-License-Identifier: Apache-2.0
"""One row: every stream as of the reference camera's capture time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An observation of a running policy, or a row of a dataset: the same thing.

    Attributes:
        stamp_ns: Capture time of the reference stream's sample [ns].
        values: Per stream the last sample not later than stamp_ns (float64 vector, or the encoded
            image bytes). Streams: 'joint_states' (position of ALL_JOINTS, shape (43,)),
            'executed_command' (shape (28,), COMMAND_JOINTS), 'scene' (flattened poses),
            '<camera>' (JPEG bytes).
        ages_ns: Per stream, stamp_ns minus the sample's stamp [ns].
        held: Streams whose sample is older than its tolerance but within its hard limit.
    """

    stamp_ns: int
    values: Mapping[str, Any]
    ages_ns: Mapping[str, int]
    held: tuple[str, ...]
