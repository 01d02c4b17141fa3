# SPDX-License-Identifier: Apache-2.0
"""The ros2 command with wrong things: one line on stderr, a status, no traceback."""

from __future__ import annotations

import pytest
from ros2cli.command import main

BAGS = {
    'rubbish.mcap': b'no bag',
    'short.mcap': b'\x89MCAP',
    'file.txt': b'text',
    'yaml/metadata.yaml': b'a: [',
    'bytes/metadata.yaml': b'\xff\xfe\x00',
    'other/metadata.yaml': b'a: 1',
}


@pytest.fixture
def here(tmp_path, monkeypatch, ros_domain):
    for name, content in BAGS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('topic', 'echo', '/x', 'std_msgs/msg/Nope'), 'std_msgs/msg/Nope is not known'),
        (('topic', 'echo', '/x', 'nope'), "Invalid interface 'nope'"),
        (('topic', 'echo', '/a b', 'std_msgs/msg/String'), "Invalid topic name: .*'/a b'"),
        (('topic', 'echo', '/x', '--timeout', '0.1'), 'Nobody publishes /x within 0.1 s'),
        (('topic', 'hz', 'a b'), "Invalid topic name: .*'a b'"),
        (('service', 'call', '/x', 'nope'), "Invalid interface 'nope'"),
        (('service', 'call', '/x', 'std_srvs/srv/Nope'), 'std_srvs/srv/Nope is not known'),
        (('service', 'call', '/x', 'std_msgs/msg/String'), 'is a message, not a service'),
        (('service', 'call', '/x', 'std_srvs/srv/SetBool', '{{{'), 'Cannot fill the request'),
        (('service', 'call', '/x', 'std_srvs/srv/SetBool', '{dat: 1}'), "no field 'dat'"),
        (('service', 'call', '/x', 'std_srvs/srv/SetBool', '{data: ab}'), "type 'bool'"),
        (('bag', 'info', '/nowhere'), "'/nowhere' does not exist"),
        (('bag', 'info', 'rubbish.mcap'), 'is no MCAP file'),
        (('bag', 'info', 'file.txt'), 'allowed: .mcap, .db3'),
        (('bag', 'info', 'yaml'), 'metadata of a bag cannot be read'),
        (('bag', 'info', 'bytes'), 'metadata of a bag cannot be read'),
        (('bag', 'info', 'other'), "'topics_with_message_count' is missing"),
        (('run', 'g1_il', 'fly'), "no executable 'fly', it has: "),
        (('run', 'nowhere_il', 'sim'), "'nowhere_il' not found"),
        (('launch', 'g1_il', 'nowhere.launch.py'), 'was not found'),
        (('launch', 'g1_il', 'sim.launch.py', 'rviz'), 'expected '),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, tuple) else None,
)
def test_one_line(here, capfd, words, said) -> None:
    assert main(list(words)) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f'ros2 {words[0]}')
    for part in said.split('.*'):
        assert part in line


@pytest.mark.parametrize('domain', ['abc', '999', '-1'])
def test_a_wrong_domain_is_named(here, monkeypatch, capfd, domain) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', domain)
    assert main(['topic', 'list']) == 1
    said = capfd.readouterr().err
    assert said == f'ros2 topic list: ROS_DOMAIN_ID is {domain!r}; allowed are 0 to 232\n'


@pytest.mark.parametrize('words', [(), ('fly',), ('topic',), ('topic', 'fly'), ('bag', 'info')])
def test_a_wrong_verb_says_which_there_are(capsys, words) -> None:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    assert caught.value.code == 2
    assert 'error: ' in capsys.readouterr().err.splitlines()[-1]


def test_a_torn_file_of_a_killed_writer_is_no_error(here, capfd) -> None:
    assert main(['bag', 'info', 'short.mcap']) == 0
    assert 'Messages:          0' in capfd.readouterr().out
