# SPDX-License-Identifier: Apache-2.0
"""What a running policy sees is what the dataset holds, to the last bit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from g1_il.dataset import layout
from g1_il.dataset.convert import ConvertConfig, convert
from g1_il.dataset.reader import DatasetReader
from g1_il.robot.joints import COMMAND_INDEX
from g1_il.ros.bag import read_bag
from g1_il.ros.streams import samples
from g1_il.rows.assembler import FrameAssembler
from g1_il.rows.streams import standard_config


@pytest.mark.parametrize('lost_frames', [(), (10, 30, 31)])
def test_live_rows_equal_the_datasets(
    factory: SimpleNamespace, tmp_path: Path, lost_frames: tuple[int, ...]
) -> None:
    """The recorded messages come to a live assembler one by one, in the order of receipt.

    It is asked after each, and listens only to what a policy reads; the dataset was assembled
    with the executed commands as well.
    """
    folder = factory.write(tmp_path / 'e', frames=60, lost_frames=lost_frames)
    convert(tmp_path / 'e', tmp_path / 'd', ConvertConfig(jobs=1))
    reader = DatasetReader(tmp_path / 'd')
    stamps = pq.read_table(tmp_path / 'd' / layout.TIMING_PATH)['stamp_ns'].to_pylist()

    streams = ('joint_states', 'scene')
    live = FrameAssembler(standard_config('head_camera', streams, fps=30))
    rows = []
    for stream, stamp_ns, value in samples(read_bag(folder), ('head_camera', *streams)):
        live.push(stream, stamp_ns, value)
        rows += live.rows()
    seen = {row.stamp_ns: row for row in rows}
    assert len(seen) == len(rows) >= 59, 'the last may still wait'

    state = reader.column('observation.state')
    scene = reader.column('observation.environment_state')
    compared = 0
    for number, stamp_ns in enumerate(stamps):
        if stamp_ns not in seen:
            continue
        values = seen[stamp_ns].values
        observed = values['joint_states'][COMMAND_INDEX].astype(np.float32)
        np.testing.assert_array_equal(state[number], observed)
        np.testing.assert_array_equal(scene[number], values['scene'].astype(np.float32))
        compared += 1
    assert compared >= 59
    assert len(stamps) - compared <= 1
