# SPDX-License-Identifier: Apache-2.0
"""`g1-il check` on recorded episodes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from g1_il.episodes.check_command import add_check_arguments, run_check
from g1_il.errors import ConfigError
from g1_il.robot.command import RobotCommand
from g1_il.ros import cdr
from g1_il.ros.bag import EpisodeWriter

START = 1_700_000_000_000_000_000
MS = 1_000_000


def write_commands(root: Path, outcome: str, episode_id: str) -> Path:
    """An episode with moving commands only, which is not enough."""
    writer = EpisodeWriter(
        root,
        task='t',
        operator='o',
        start_ns=START,
        topics={'executed_command': 'g1_il/msg/JointCommand'},
        episode_id=episode_id,
    )
    for k in range(200):
        array = np.full(43, 0.001 * k)
        command = RobotCommand(
            position=array,
            velocity=array,
            effort=array,
            kp=array,
            kd=array,
            weight=1.0,
            hands_enabled=True,
        )
        now = START + k * 10 * MS
        writer.write(
            'executed_command', cdr.encode_executed(command, stamp_ns=now, source='x'), now
        )
    return writer.close(outcome, end_ns=START + 2000 * MS)


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_check_arguments(parser)
    return parser.parse_args(arguments)


def test_report_as_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_commands(tmp_path / 'e', 'success', 'one')
    folder = write_commands(tmp_path / 'e', 'success', 'two')
    next(folder.glob('*.mcap')).unlink()
    report = tmp_path / 'report.json'
    assert run_check(parse(str(tmp_path / 'e'), '--json', str(report))) == 1, 'none is of use'
    content = json.loads(report.read_text())
    assert (content['passed'], content['warned'], content['failed']) == (0, 0, 2)
    one, two = content['episodes']
    assert (one['episode_id'], one['verdict'], one['outcome']) == ('one', 'FAIL', 'success')
    texts = [finding['text'] for finding in one['findings']]
    assert texts == ['there is no joint_states', 'there is no camera']
    assert one['numbers']['duration_s'] == 2.0
    assert two['findings'][0]['check'] == 'unreadable'
    out = capsys.readouterr().out
    assert '0 PASS, 0 WARN, 2 FAIL' in out and 'one' in out


def test_episodes_left_by_a_killed_recorder_are_mentioned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_commands(tmp_path, 'success', 'one')
    (tmp_path / 't' / 'two.active').mkdir()
    run_check(parse(str(tmp_path)))
    assert 'two.active: being recorded, or its recorder was killed' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (('/nowhere',), '/nowhere is not a folder'),
        (('HERE',), 'holds no complete episode'),
        (('HERE', '--fps', '0'), 'fps is 0'),
        (('HERE', '--json', '/nowhere/x.json'), 'there is no folder /nowhere'),
    ],
)
def test_wrong_arguments_are_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        run_check(parse(*(str(tmp_path) if item == 'HERE' else item for item in arguments)))
