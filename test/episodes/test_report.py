# SPDX-License-Identifier: Apache-2.0
"""The episode report: what fails, what warns, and why."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from g1_il.episodes.card import EpisodeCard, TopicCard
from g1_il.episodes.report import (
    FAIL,
    PASS,
    WARN,
    CheckConfig,
    check_episode,
    frame_rate_hz,
    moving_span,
)
from g1_il.episodes.streams import EpisodeStreams, Samples, TopicTimes
from g1_il.errors import ConfigError
from g1_il.robot.joints import ALL_JOINTS, COMMAND_INDEX, COMMAND_JOINTS, LOWER, UPPER

MS = 1_000_000
START = 1_700_000_000_000_000_000
MIDDLE = (LOWER + UPPER) / 2


def make_card(**changes: Any) -> EpisodeCard:
    card = EpisodeCard(
        episode_id='e1',
        task='put it in',
        operator='test',
        outcome='success',
        recorded_at='2026-11-20T10:00:00+00:00',
        start_ns=START,
        end_ns=START + 10_000 * MS,
        software={'g1_il': '0'},
    )
    return dataclasses.replace(card, **changes)


def make_streams(seconds: float = 10.0, **changes: Any) -> EpisodeStreams:
    stamps = START + np.arange(int(seconds * 100)) * 10 * MS
    frames = START + (np.arange(int(seconds * 30)) * 1000 * MS / 30).astype(np.int64)
    swing = 0.2 * np.sin((stamps - START) / 1e9)[:, None]
    kinds = {
        '/joint_states': ('sensor_msgs/msg/JointState', stamps, 2),
        '/executed_command': ('g1_il/msg/JointCommand', stamps, 1),
        '/head_camera/color/image_raw/compressed': (
            'sensor_msgs/msg/CompressedImage',
            frames,
            30,
        ),
    }
    streams = EpisodeStreams(
        topics={
            name: TopicTimes(type=kind, stamp_ns=when, receive_ns=when + late * MS)
            for name, (kind, when, late) in kinds.items()
        },
        joints=Samples(stamp_ns=stamps, values=MIDDLE + 0.98 * swing),
        commands=Samples(stamp_ns=stamps, values=(MIDDLE + swing)[:, COMMAND_INDEX]),
        images={'head_camera': tuple(str(k).encode() for k in range(len(frames)))},
        image_stamps={'head_camera': frames},
        scene_success=True,
        unreadable={},
    )
    return dataclasses.replace(streams, **changes)


def with_stamps(name: str, stamps: np.ndarray) -> EpisodeStreams:
    streams = make_streams()
    kind = streams.topics[name].type
    topics = {**streams.topics, name: TopicTimes(type=kind, stamp_ns=stamps, receive_ns=stamps)}
    images = {'head_camera': stamps} if 'camera' in name else streams.image_stamps
    count = len(images['head_camera'])
    pictures = {'head_camera': tuple(str(k).encode() for k in range(count))}
    return dataclasses.replace(streams, topics=topics, image_stamps=images, images=pictures)


def reasons(card: EpisodeCard, streams: EpisodeStreams) -> list[tuple[str, str, str]]:
    return [(f.level, f.check, f.text) for f in check_episode(card, streams).findings]


def test_good_episode_passes_with_its_numbers() -> None:
    report = check_episode(make_card(), make_streams())
    assert (report.verdict, report.findings) == (PASS, ())
    assert report.numbers['rates_hz']['/joint_states'] == 100
    assert report.numbers['lateness_p99_ms']['/head_camera/color/image_raw/compressed'] == 30
    assert report.numbers['idle_head_s'] == pytest.approx(0, abs=0.1)
    assert report.numbers['tracking_rms_rad'] == pytest.approx(0.02 * 0.2 * 0.7, rel=0.2)


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'outcome': 'failure'}, (FAIL, 'outcome', 'the operator says failure')),
        ({'outcome': 'unknown'}, (WARN, 'outcome', 'nobody said how it ended')),
        ({'recovered': True}, (WARN, 'recovered', 'rescued from a killed recorder')),
        ({'end_ns': START + 500 * MS}, (FAIL, 'duration', '0.50 s is shorter than 1.0 s')),
        (
            {
                'topics': {
                    '/a': TopicCard(
                        type='t', messages=9, rate_hz=1.0, gaps=0, longest_gap_s=1.0, dropped=4
                    )
                }
            },
            (WARN, 'dropped', '/a: 4 messages lost'),
        ),
    ],
)
def test_what_the_card_says(changes: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert reasons(make_card(**changes), make_streams()) == [expected]


def test_operators_word_alone_does_not_forbid_conversion() -> None:
    assert check_episode(make_card(outcome='failure'), make_streams()).failures == ()
    report = check_episode(make_card(), make_streams(joints=None))
    assert [finding.check for finding in report.failures] == ['topics']


@pytest.mark.parametrize(
    ('changes', 'text'),
    [
        ({'joints': None}, 'there is no joint_states'),
        ({'commands': None}, 'there is no executed_command'),
        ({'images': {}, 'image_stamps': {}, 'scene_success': None}, 'there is no camera'),
        ({'unreadable': {'/joint_states': (3, 'cut short')}}, '/joint_states: 3 messages'),
    ],
)
def test_what_is_missing_fails(changes: dict[str, Any], text: str) -> None:
    found = reasons(make_card(), make_streams(**changes))
    assert any(level == FAIL and text in said for level, _, said in found), found


def test_scene_that_disagrees_warns() -> None:
    found = reasons(make_card(), make_streams(scene_success=False))
    assert found == [(WARN, 'outcome', 'the operator says success, the scene does not')]


def test_value_that_is_not_finite_names_its_joint() -> None:
    streams = make_streams()
    assert streams.joints is not None
    streams.joints.values[7, 0] = np.nan
    assert reasons(make_card(), streams) == [], 'a leg is no part of a row'
    streams.joints.values[7:9, COMMAND_INDEX[3]] = np.nan
    assert reasons(make_card(), streams) == [
        (FAIL, 'finite', f'2 samples are not finite, of {COMMAND_JOINTS[3]}')
    ]


@pytest.mark.parametrize(
    ('gap_ms', 'level', 'text'),
    [
        (250, FAIL, '/joint_states: nothing for 260 ms at 4.99 s'),
        (100, None, ''),
    ],
)
def test_gap_beyond_its_limit_fails(gap_ms: int, level: str | None, text: str) -> None:
    stamps = START + np.arange(1000) * 10 * MS
    stamps[500:] += gap_ms * MS
    found = reasons(make_card(), with_stamps('/joint_states', stamps))
    assert found == ([(level, 'gap', text)] if level else [])


def test_many_small_gaps_warn() -> None:
    stamps = START + np.arange(1000) * 10 * MS
    for place in range(50, 1000, 40):
        stamps[place:] += 40 * MS
    ((level, check, text),) = reasons(make_card(), with_stamps('/joint_states', stamps))
    assert (level, check) == (WARN, 'gap') and '24 gaps, the longest 50 ms' in text


def test_clock_faults_fail() -> None:
    stamps = START + np.arange(1000) * 10 * MS
    stamps[600:] -= 2000 * MS
    found = reasons(make_card(), with_stamps('/joint_states', stamps))
    assert (FAIL, 'clock', '/joint_states: stamps go back in time') in found
    streams = make_streams()
    times = streams.topics['/joint_states']
    late = dataclasses.replace(times, receive_ns=times.stamp_ns + 5_000 * MS)
    streams = dataclasses.replace(streams, topics={'/joint_states': late})
    found = reasons(make_card(), streams)
    assert found == [(FAIL, 'clock', '/joint_states: received 5.000 s after its stamp (median)')]
    stamps = START + np.arange(1000) * 10 * MS
    stamps[0] = 0
    found = reasons(make_card(), with_stamps('/joint_states', stamps))
    assert (FAIL, 'clock', '/joint_states: stamps of zero') in found


@pytest.mark.parametrize(('rate', 'fails'), [(30.0, False), (30.2, False), (31, True), (60, True)])
def test_camera_rate_must_be_the_declared_one(rate: float, fails: bool) -> None:
    frames = START + (np.arange(300) * 1000 * MS / rate).astype(np.int64)
    found = reasons(make_card(), with_stamps('/head_camera/color/image_raw/compressed', frames))
    assert bool(found) == fails
    if fails:
        assert found[0][:2] == (FAIL, 'rate')


def test_rate_of_a_camera_is_that_between_its_gaps() -> None:
    steps = np.full(100, 33_000_000)
    steps[::2] = 33_666_666
    steps[[20, 60]] = 100_000_000
    steps[[21, 61]] = 5_000_000
    rate, error = frame_rate_hz(np.cumsum(steps))
    assert rate == pytest.approx(30, rel=1e-3)
    assert error == pytest.approx(0.001, rel=0.1)
    assert np.isnan(frame_rate_hz(np.array([5]))).all()


@pytest.mark.parametrize(('rate', 'fails'), [(30.0, False), (36.0, True)])
def test_jitter_makes_the_rate_uncertain_not_wrong(rate: float, fails: bool) -> None:
    """An overloaded machine: frames up to 60 ms late, some lost."""
    random = np.random.default_rng(0)
    frames = START + (np.arange(300) * 1000 * MS / rate).astype(np.int64)
    frames = np.sort(frames + random.exponential(12 * MS, 300).clip(0, 60 * MS).astype(np.int64))
    frames = frames[random.random(300) > 0.05]
    found = reasons(make_card(), with_stamps('/head_camera/color/image_raw/compressed', frames))
    assert any(check == 'rate' for _, check, _ in found) == fails


def test_idle_ends_warn_and_no_motion_fails() -> None:
    streams = make_streams()
    assert streams.commands is not None
    streams.commands.values[:350] = streams.commands.values[350]
    found = reasons(make_card(), streams)
    assert found == [(WARN, 'idle', '3.5 s of standing still before the motion')]
    streams.commands.values[:] = streams.commands.values[0]
    assert (FAIL, 'idle', 'nothing was commanded to move') in reasons(make_card(), streams)


def test_moving_span_is_that_of_the_commands() -> None:
    values = np.zeros((100, 28))
    values[40:60, 3] = np.linspace(0, 1, 20)
    values[60:, 3] = 1.0
    stamps = START + np.arange(100) * 10 * MS
    first, last = moving_span(Samples(stamp_ns=stamps, values=values), 0.02)
    assert ((first - START) // (10 * MS), (last - START) // (10 * MS)) == (40, 59)


def test_joint_at_its_limit_warns_and_degrees_fail() -> None:
    streams = make_streams()
    assert streams.joints is not None
    joint = int(COMMAND_INDEX[3])
    streams.joints.values[:200, joint] = UPPER[joint]
    ((level, check, text),) = reasons(make_card(), streams)
    assert (level, check) == (WARN, 'limits')
    assert text == f'{ALL_JOINTS[joint]} is within 2 % of a limit for 20%'
    streams.joints.values[:, joint] = 90.0
    assert any(check == 'units' for _, check, _ in reasons(make_card(), streams))


def test_frozen_camera_warns_while_the_robot_moves() -> None:
    streams = make_streams()
    pictures = list(streams.images['head_camera'])
    pictures[100:110] = [b'frozen'] * 10
    streams = dataclasses.replace(streams, images={'head_camera': tuple(pictures)})
    text = 'head_camera: 10 equal pictures in a row while the robot moves'
    assert reasons(make_card(), streams) == [(WARN, 'frozen', text)]


def test_wrong_config_is_refused() -> None:
    with pytest.raises(ConfigError, match='fps is 0'):
        CheckConfig(fps=0)
