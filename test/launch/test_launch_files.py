# SPDX-License-Identifier: Apache-2.0
"""The launch files, started for real and stopped.

The exit status of launch says nothing of its children. So every process that launch says it
started must be one that it says has finished cleanly.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

ROS2 = Path(sys.executable).parent / 'ros2'
RECORD = ('sim', 'bridge', 'description', 'retarget', 'recorder', 'operator')


@contextmanager
def launched(log: Path, file: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`ros2 launch` in a session of its own, so that nothing survives the test."""
    command = [str(ROS2), 'launch', 'g1_il', file, *arguments]
    with open(log, 'wb') as output:
        child = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                raise


def wait_for(log: Path, words: str, timeout_s: float = 90.0) -> None:
    """Waits until launch's output holds the words."""
    until = time.monotonic() + timeout_s
    while words not in log.read_text(errors='replace'):
        assert time.monotonic() < until, f'no {words!r} in\n{log.read_text(errors="replace")}'
        time.sleep(0.1)


def ends(log: Path) -> dict[str, str]:
    """How each process that was started has ended: 'cleanly' or what launch says of its death."""
    text = log.read_text(errors='replace')
    started = set(re.findall(r'\[(\w+)-\d+\]: process started', text))
    clean = set(re.findall(r'\[(\w+)-\d+\]: process has finished cleanly', text))
    dead = dict(re.findall(r'\[(\w+)-\d+\]: process has died \[(pid \d+, exit code -?\d+)', text))
    return {name: 'cleanly' if name in clean else dead.get(name, 'never') for name in started}


def cards(folder: Path) -> list[dict]:
    return [yaml.safe_load(path.read_text()) for path in sorted(folder.glob('*/*/episode.yaml'))]


@pytest.fixture
def graph(ros_domain: int, robot_domain: int) -> tuple[str, ...]:
    return ('robot:=sim', f'robot_domain:={robot_domain}', 'lowstate_rate_hz:=200.0')


def test_teleop_record_shows_an_episode_and_ends_by_itself(graph, tmp_path):
    log, out = tmp_path / 'launch.log', tmp_path / 'episodes'
    with launched(
        log, 'teleop_record.launch.py', *graph, 'operator:=scripted', 'episodes:=1', f'out:={out}'
    ) as launch:
        assert launch.wait(200) == 0, log.read_text()
    assert ends(log) == dict.fromkeys(RECORD, 'cleanly'), log.read_text()
    (card,) = cards(out)
    assert card['outcome'] == 'success'
    assert card['task'] == 'put the can into the bin'
    assert all(topic['dropped'] == 0 for topic in card['topics'].values())
    for topic in ('/xr/frame', '/teleop/command', '/executed_command', '/joint_states'):
        assert card['topics'][topic]['messages'] > 100, topic


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_teleop_record_interrupted_in_mid_episode_releases_and_saves(graph, tmp_path, number):
    log, out = tmp_path / 'launch.log', tmp_path / 'episodes'
    with launched(
        log, 'teleop_record.launch.py', *graph, 'operator:=scripted', f'out:={out}'
    ) as launch:
        wait_for(log, '[recorder]: recording')
        time.sleep(2.0)
        launch.send_signal(number)
        assert launch.wait(60) == 0, log.read_text()
    assert ends(log) == dict.fromkeys(RECORD, 'cleanly'), log.read_text()
    (card,) = cards(out)
    assert card['outcome'] != 'success'


def test_policy_launch_scores_trials_and_ends_by_itself(graph, tmp_path, policy_file):
    log, report = tmp_path / 'launch.log', tmp_path / 'report.json'
    with launched(
        log, 'policy.launch.py', *graph, f'policy:={policy_file}', 'rollouts:=1',
        f'report:={report}',
    ) as launch:  # fmt: skip
        launch.wait(200)
    how = ends(log)
    # The policy only stands there: the trial fails, and trials says so by its exit status.
    assert how.pop('trials').endswith('exit code 1'), log.read_text()
    assert how == dict.fromkeys(('sim', 'bridge', 'description', 'policy'), 'cleanly')
    assert json.loads(report.read_text())['successes'] == 0


def test_policy_launch_waits_for_somebody_and_stops_on_interrupt(graph, tmp_path, policy_file):
    log = tmp_path / 'launch.log'
    with launched(log, 'policy.launch.py', *graph, f'policy:={policy_file}') as launch:
        wait_for(log, 'policy/start')
        wait_for(log, '[sim]: G1 in domain')
        launch.send_signal(signal.SIGINT)
        assert launch.wait(60) == 0, log.read_text()
    assert ends(log) == dict.fromkeys(('sim', 'bridge', 'description', 'policy'), 'cleanly')


def test_sim_launch_refuses_the_robots_domain_for_the_graph(monkeypatch, tmp_path, robot_domain):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(robot_domain))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path))
    log = tmp_path / 'launch.log'
    with launched(log, 'robot.launch.py', f'robot_domain:={robot_domain}') as launch:
        wait_for(log, 'process has died')
        launch.send_signal(signal.SIGINT)
        launch.wait(60)
    assert ends(log)['bridge'].endswith('exit code 2'), log.read_text()
    assert 'ROS_DOMAIN_ID' in log.read_text()


@pytest.mark.parametrize(
    ('file', 'arguments', 'said'),
    [
        ('teleop_record.launch.py', ('operator:=nobody',), "'nobody', allowed: headset, scripted"),
        ('teleop_record.launch.py', ('robot:=toy',), "'toy', allowed: sim, real"),
        ('teleop_record.launch.py', ('operator',), "malformed launch argument 'operator'"),
        ('policy.launch.py', (), "misses required argument 'policy'"),
        ('nowhere.launch.py', (), "'nowhere.launch.py' was not found"),
    ],
)
def test_wrong_launch_arguments_start_nothing(ros_domain, tmp_path, file, arguments, said):
    log = tmp_path / 'launch.log'
    with launched(log, file, *arguments) as launch:
        assert launch.wait(60) == 1
    text = log.read_text()
    assert said in text and 'Traceback' not in text and ends(log) == {}


@pytest.mark.parametrize(
    ('file', 'arguments', 'node', 'said'),
    [
        (
            'teleop_record.launch.py',
            ('operator:=scripted', 'out:=/proc/none'),
            'recorder',
            'cannot be a folder to write to',
        ),
        ('policy.launch.py', ('policy:=/nowhere.onnx',), 'policy', 'make one with g1-il export'),
        (
            'policy.launch.py',
            ('policy:=/nowhere.onnx', 'interface:=eth77'),
            'bridge',
            'set interface:= to one of them',
        ),
    ],
)
def test_a_node_that_refuses_ends_the_launch_with_its_failure(
    graph, tmp_path, file, arguments, node, said
):
    log = tmp_path / 'launch.log'
    with launched(log, file, *graph, *arguments) as launch:
        assert launch.wait(90) == 1, log.read_text()
    text, how = log.read_text(), ends(log)
    assert said in text and 'Traceback' not in text, text
    assert how[node].endswith('exit code 2'), text
    assert 'never' not in how.values(), text


@pytest.mark.parametrize(
    'file', ['robot.launch.py', 'sim.launch.py', 'teleop_record.launch.py', 'policy.launch.py']
)
def test_every_launch_argument_says_what_it_is(file):
    shown = subprocess.run(
        [str(ROS2), 'launch', 'g1_il', file, '--show-args'], capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    assert "'robot'" in shown or file == 'sim.launch.py'
    assert 'No description' not in shown and 'no description' not in shown
