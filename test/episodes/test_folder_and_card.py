# SPDX-License-Identifier: Apache-2.0
"""Names of episodes, their cards, and how regularly topics come."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from g1_il.episodes import folder as folders
from g1_il.episodes.card import CARD_NAME, EpisodeCard, TopicCard, load_card, software_version
from g1_il.episodes.timing import LiveRate, topic_card
from g1_il.errors import ConfigError

NOW = datetime(2026, 11, 20, 11, 15, 30, 123_456, tzinfo=timezone(timedelta(hours=1)))
MS = 1_000_000


def make_card(outcome: str = 'success') -> EpisodeCard:
    return EpisodeCard(
        episode_id='e1',
        task='stelle die Dose: hinein',
        operator='zoë',
        outcome=outcome,
        notes='- "quoted"\n2',
        recorded_at='2026-11-20T10:00:00.000+00:00',
        start_ns=10**18,
        end_ns=10**18 + 1_500_000_000,
        software={'g1_il': '0'},
        warnings=('one', 'two'),
        topics={
            '/a': TopicCard(type='t', messages=1, rate_hz=math.nan, gaps=0, longest_gap_s=0.5)
        },
    )


def test_ids_are_times_and_never_used_twice(tmp_path: Path) -> None:
    first = folders.new_episode_id(tmp_path, NOW)
    assert first == '20261120T101530123Z'
    (tmp_path / 'task' / (first + folders.ACTIVE)).mkdir(parents=True)
    second = folders.new_episode_id(tmp_path, NOW)
    assert second == first + '-2'
    (tmp_path / 'other' / second).mkdir(parents=True)
    assert folders.new_episode_id(tmp_path, NOW) == first + '-3'
    folder = tmp_path / 'other' / second
    assert folders.move_to_trash(tmp_path, folder, second).is_dir()
    assert folders.new_episode_id(tmp_path, NOW) == first + '-3', 'discarded ids stay used'


@pytest.mark.parametrize(
    ('task', 'name'),
    [
        ('Put the can into the bin.', 'put_the_can_into_the_bin'),
        ('../../etc/passwd', 'etc_passwd'),
        ('', 'untitled'),
        ('日本', 'untitled'),
        ('x' * 99, 'x' * 60),
    ],
)
def test_task_folder_is_a_safe_name(task: str, name: str) -> None:
    assert folders.task_folder(task) == name


def test_find_episodes_gives_complete_ones_in_order(tmp_path: Path) -> None:
    for place in ('b/2', 'a/3', 'a/1', 'a/4.active', '.trash/a/0'):
        (tmp_path / place).mkdir(parents=True)
        make_card().save(tmp_path / place)
    assert [path.name for path in folders.find_episodes(tmp_path)] == ['1', '2', '3']
    assert folders.find_episodes(tmp_path / 'a/1') == [tmp_path / 'a/1']
    assert folders.find_active(tmp_path) == [tmp_path / 'a/4.active']


def test_card_round_trip(tmp_path: Path) -> None:
    card = make_card()
    card.save(tmp_path)
    back = load_card(tmp_path)
    assert math.isnan(back.topics['/a'].rate_hz)
    assert repr(back) == repr(card)
    assert back.duration_s == 1.5


@pytest.mark.parametrize(
    'text', ['', '[]', 'format: 9', '{', 'format: 1\ntopics: {}\nwarnings: []', '\x00']
)
def test_card_that_is_none_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD_NAME).write_text(text)
    with pytest.raises(ConfigError, match=str(tmp_path)) as caught:
        load_card(tmp_path)
    assert '\n' not in str(caught.value)


def test_unknown_outcome_is_refused() -> None:
    with pytest.raises(ConfigError, match="outcome 'maybe'; allowed: success, failure, unknown"):
        make_card('maybe')


def test_software_version_names_the_package() -> None:
    assert software_version()['g1_il']


def test_topic_card_counts_gaps_by_the_median_interval() -> None:
    stamps = np.arange(100) * 10 * MS
    stamps[50:] += 200 * MS
    card = topic_card('t', stamps)
    assert (card.messages, card.gaps, card.longest_gap_s) == (100, 1, 0.21)
    assert card.rate_hz == pytest.approx(99 / 1.19, rel=1e-3)
    assert math.isnan(topic_card('t', [5]).rate_hz)
    assert topic_card('t', []).messages == 0


def test_live_rate_over_the_last_second() -> None:
    rate = LiveRate()
    assert math.isnan(rate.rate_hz(0)) and math.isnan(rate.silence_s(0))
    for k in range(300):
        rate.tick(k * 10 * MS)
    assert rate.rate_hz(2999 * MS) == 100
    assert rate.rate_hz(3490 * MS) == pytest.approx(51, abs=1)
    assert rate.rate_hz(9000 * MS) == 0
    assert rate.silence_s(3990 * MS) == 1.0
