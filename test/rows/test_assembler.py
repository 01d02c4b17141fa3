# SPDX-License-Identifier: Apache-2.0
"""FrameAssembler: which samples make a row, and what refuses one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g1_il.errors import ConfigError, G1Error
from g1_il.rows.assembler import FrameAssembler
from g1_il.rows.row import Row
from g1_il.rows.streams import (
    AssemblerConfig,
    StreamRule,
    scene_names,
    scene_vector,
    standard_config,
)

MS = 1_000_000
FRAME = 33 * MS
START = 1_000_000 * MS


def config(*others: str) -> AssemblerConfig:
    return AssemblerConfig(
        reference=StreamRule(
            name='camera', period_ns=FRAME, tolerance_ns=2 * FRAME, limit_ns=10 * FRAME
        ),
        others=tuple(
            StreamRule(name=name, period_ns=10 * MS, tolerance_ns=50 * MS, limit_ns=200 * MS)
            for name in others
        ),
    )


def vector(number: float) -> np.ndarray:
    return np.array([number], dtype=np.float64)


def test_row_takes_the_last_sample_not_later_than_the_frame() -> None:
    assembler = FrameAssembler(config('joints'))
    for k in range(4):
        assembler.push('joints', START + 10 * MS * k, vector(k))
    assembler.push('camera', START + 25 * MS, b'jpeg')
    (row,) = assembler.rows()
    assert row.values['joints'][0] == 2
    assert row.values['camera'] == b'jpeg'
    assert row.ages_ns == {'camera': 0, 'joints': 5 * MS}
    assert row.held == ()
    assert assembler.rows() == []


def test_sample_of_the_very_instant_counts() -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', START, vector(0))
    assembler.push('camera', START + 10 * MS, b'jpeg')
    assert assembler.rows() == [], 'the sample of that instant is due'
    assembler.push('joints', START + 10 * MS, vector(1))
    (row,) = assembler.rows()
    assert row.values['joints'][0] == 1
    assert row.ages_ns['joints'] == 0


def test_row_does_not_wait_for_a_sample_that_is_not_due() -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', START, vector(0))
    assembler.push('camera', START + 5 * MS, b'jpeg')
    assert len(assembler.rows()) == 1


def test_next_frame_ends_the_waiting_for_a_late_stream() -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', START, vector(0))
    assembler.push('camera', START + 60 * MS, b'1')
    assert assembler.rows() == []
    assembler.push('camera', START + 60 * MS + FRAME, b'2')
    (row,) = assembler.rows()
    assert row.values['camera'] == b'1'
    assert row.held == ('joints',), 'older than its tolerance'
    assert row.ages_ns['joints'] == 60 * MS


def test_sample_beyond_its_limit_refuses_the_row_and_says_so() -> None:
    assembler = FrameAssembler(config('joints', 'scene'))
    assembler.push('joints', START, vector(0))
    assembler.push('camera', START + 201 * MS, b'1')
    assembler.push('scene', START + 202 * MS, vector(0))
    assert assembler.flush() == []
    (refusal,) = assembler.refusals()
    assert refusal.stamp_ns == START + 201 * MS
    assert str(refusal) == 'joints is 201 ms old'


def test_stream_never_seen_refuses_and_is_never_filled_with_zeros() -> None:
    assembler = FrameAssembler(config('joints'))
    for k in range(5):
        assembler.push('camera', START + k * FRAME, b'x')
    assert assembler.flush() == []
    assert [str(r) for r in assembler.refusals()] == ['nothing from joints'] * 5


@pytest.mark.parametrize('bad', [np.array([np.nan]), np.array([np.inf]), b''])
def test_unusable_value_counts_as_not_sent(bad: object) -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', START, vector(7))
    assembler.push('joints', START + 10 * MS, bad)
    assembler.push('camera', START + 12 * MS, b'x')
    (row,) = assembler.flush()
    assert row.values['joints'][0] == 7
    assert assembler.counts['invalid'] == 1


def test_missing_frames_become_held_rows() -> None:
    assembler = FrameAssembler(config('joints'))
    for k in range(40):
        assembler.push('joints', START + 10 * MS * k, vector(k))
    assembler.push('camera', START, b'0')
    assembler.push('camera', START + 3 * FRAME, b'3')
    rows = assembler.rows()
    assert [row.stamp_ns - START for row in rows] == [0, FRAME, 2 * FRAME, 3 * FRAME]
    assert [row.values['camera'] for row in rows] == [b'0', b'0', b'0', b'3']
    assert [row.held for row in rows] == [(), ('camera',), ('camera',), ()]
    assert [row.values['joints'][0] for row in rows] == [0, 3, 6, 9]


def test_gap_beyond_the_limit_is_not_bridged() -> None:
    assembler = FrameAssembler(config())
    assembler.push('camera', START, b'0')
    assembler.push('camera', START + 11 * FRAME, b'1')
    assert [row.stamp_ns - START for row in assembler.rows()] == [0, 11 * FRAME]


def test_late_and_repeated_samples_are_counted_and_left_out() -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', START + 10 * MS, vector(1))
    assembler.push('joints', START + 5 * MS, vector(99))
    assembler.push('joints', START + 10 * MS, vector(99))
    assembler.push('camera', START + 11 * MS, b'x')
    assert assembler.rows()[0].values['joints'][0] == 1
    assert assembler.counts['late'] == 2


def test_zero_stamp_is_refused() -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', 0, vector(1))
    assembler.push('camera', START, b'x')
    assert assembler.flush() == []
    assert assembler.counts['unstamped'] == 1


def test_clock_set_back_starts_anew() -> None:
    assembler = FrameAssembler(config('joints'))
    assembler.push('joints', START, vector(1))
    assembler.push('camera', START, b'x')
    early = START - 10_000 * MS
    assembler.push('joints', early, vector(2))
    assembler.push('camera', early, b'y')
    rows = assembler.rows()
    assert [row.values['joints'][0] for row in rows] == [1, 2]
    assert assembler.counts['resets'] == 1, 'the first reset forgets every stream'


def test_unknown_stream_is_an_error_that_names_the_allowed() -> None:
    with pytest.raises(G1Error, match=r"'touch' is not assembled; allowed: \('camera', 'joints'"):
        FrameAssembler(config('joints')).push('touch', START, vector(1))


@given(
    seed=st.integers(0, 2**32 - 1),
    jitter_ms=st.floats(0, 4),
    loss=st.floats(0, 0.3),
)
@settings(max_examples=40, deadline=None)
def test_random_streams_keep_every_promise(seed: int, jitter_ms: float, loss: float) -> None:
    random = np.random.default_rng(seed)
    events: list[tuple[int, str, int]] = []
    for name, period, latency in (('camera', FRAME, 40), ('joints', 10 * MS, 2)):
        for k in range(3000 * MS // period):
            if random.random() < loss:
                continue
            stamp = START + k * period + int(random.uniform(-jitter_ms, jitter_ms) * MS)
            events.append((stamp + latency * MS, name, stamp))
    events.sort()
    stamps = {name: [s for _, n, s in events if n == name] for name in ('camera', 'joints')}
    assembler = FrameAssembler(config('joints'))
    rows: list[Row] = []
    for _, name, stamp in events:
        assembler.push(name, stamp, vector(stamp))
        rows += assembler.rows()
    rows += assembler.flush()
    times = [row.stamp_ns for row in rows]
    assert times == sorted(set(times))
    for row in rows:
        for name, value in row.values.items():
            stamp = int(value[0])
            assert stamp <= row.stamp_ns, 'nothing from the future'
            assert stamp == max(s for s in stamps[name] if s <= row.stamp_ns), 'the very last'
            assert row.ages_ns[name] == row.stamp_ns - stamp
        assert ('joints' in row.held) == (row.ages_ns['joints'] > 50 * MS)
        assert row.ages_ns['joints'] <= 200 * MS
    made = {row.stamp_ns for row in rows} | {r.stamp_ns for r in assembler.refusals()}
    assert set(stamps['camera']) <= made, 'every frame is a row or a refusal'


def test_row_is_the_same_whichever_streams_stand_beside_it() -> None:
    random = np.random.default_rng(3)
    events = [
        (START + 10 * MS * k + int(random.integers(0, 9 * MS)), 'joints') for k in range(300)
    ]
    events += [(START + 10 * MS * k + 4 * MS, 'command') for k in range(300)]
    events += [(START + FRAME * k, 'camera') for k in range(90)]
    events.sort()
    alone, beside = FrameAssembler(config('joints')), FrameAssembler(config('joints', 'command'))
    for stamp, name in events:
        beside.push(name, stamp, vector(stamp))
        if name != 'command':
            alone.push(name, stamp, vector(stamp))
    ours = {row.stamp_ns: row.values['joints'][0] for row in alone.flush()}
    theirs = {row.stamp_ns: row.values['joints'][0] for row in beside.flush()}
    assert len(theirs) > 80
    assert theirs == {stamp: ours[stamp] for stamp in theirs}


def test_memory_stays_bounded_without_a_reference() -> None:
    assembler = FrameAssembler(config('joints'))
    for k in range(100_000):
        assembler.push('joints', START + 10 * MS * k, vector(k))
    assert len(assembler._buffers['joints'].stamps) < 500


def test_standard_config_covers_the_graph() -> None:
    made = standard_config('head_camera', ('joint_states', 'scene'), fps=30)
    assert made.names == ('head_camera', 'joint_states', 'scene')
    assert made.reference.period_ns == 33_333_333
    with pytest.raises(ConfigError, match='fps is 0'):
        standard_config('head_camera', (), fps=0)
    with pytest.raises(ConfigError, match='name one twice'):
        standard_config('head_camera', ('head_camera',))


def test_scene_vector_follows_the_order_asked_for() -> None:
    poses = np.arange(14, dtype=np.float64).reshape(2, 7)
    assert scene_names(('can',))[:4] == ('can.x', 'can.y', 'can.z', 'can.qx')
    assert scene_vector(('can', 'bin'), poses, ('bin', 'can')).tolist() == [
        *range(7, 14),
        *range(7),
    ]
    with pytest.raises(ConfigError, match='the scene has no cup; it has can, bin'):
        scene_vector(('can', 'bin'), poses, ('cup',))
