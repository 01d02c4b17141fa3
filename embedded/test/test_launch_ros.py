# SPDX-License-Identifier: Apache-2.0
"""Nodes are started with the ROS arguments that a launch file gives them."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import launch.logging
import pytest
import yaml
from launch import LaunchDescription, LaunchService
from launch.actions import GroupAction, SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, PushRosNamespace, SetParameter, SetRemap, SetUseSimTime
from launch_ros.descriptions import ParameterFile
from launch_ros.parameter_descriptions import Parameter, ParameterValue
from launch_ros.substitutions import FindPackageShare, package_executables

PACKAGE = 'embedded_test_robot'
# Prints its arguments, and what the parameter files among them hold.
EXECUTABLE = f"""#!{sys.executable}
import json, sys
files = [path for flag, path in zip(sys.argv, sys.argv[1:]) if flag == '--params-file']
print(json.dumps([sys.argv[1:], files, [open(path).read() for path in files]]))
"""


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch) -> Path:
    """An installed package with an executable, on AMENT_PREFIX_PATH."""
    prefix = tmp_path / 'prefix'
    share, library = prefix / 'share' / PACKAGE, prefix / 'lib' / PACKAGE
    index = prefix / 'share/ament_index/resource_index/packages'
    for folder in (share / 'launch', library, index):
        folder.mkdir(parents=True)
    (index / PACKAGE).touch()
    (share / 'package.xml').write_text(f'<package><name>{PACKAGE}</name></package>')
    for name, text in (
        ('talker', EXECUTABLE),
        ('sleeper', f'#!{sys.executable}\nimport time\nprint(1, flush=True)\ntime.sleep(60)'),
    ):
        (library / name).write_text(text)
        (library / name).chmod(stat.S_IRWXU)
    (library / 'notes.txt').write_text('no executable')
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    monkeypatch.setattr(launch.logging, 'launch_config', launch.logging.LaunchConfig())
    return prefix


def start(*entities) -> int:
    service = LaunchService()
    service.include_launch_description(LaunchDescription(entities))
    return service.run()


def talker(**kwargs) -> Node:
    return Node(package=PACKAGE, executable='talker', output='log', cached_output=True, **kwargs)


def arguments_of(node: Node) -> tuple[list[str], list[dict]]:
    """Returns arguments without parameter files, and what the files hold."""
    arguments, files, texts = json.loads(node.get_stdout())
    assert not [path for path in files if 'launch_params_' in path and os.path.exists(path)]
    words = [word for word in arguments if word != '--params-file' and word not in files]
    return words, [yaml.safe_load(text) for text in texts]


def test_a_plain_node_gets_no_ros_arguments():
    node = talker(arguments=['--flag', ['a', LaunchConfiguration('b')]])
    assert start(SetLaunchConfiguration('b', '2'), node) == 0
    assert arguments_of(node) == (['--flag', 'a2'], [])
    assert node.process_details['name'].startswith('talker-')


def test_name_namespace_remappings_and_parameters(tmp_path):
    own_file = tmp_path / 'own.yaml'
    own_file.write_text('/**: {ros__parameters: {c: 1}}')
    node = talker(
        name='bob', namespace=LaunchConfiguration('robot'), exec_name='renamed',
        ros_arguments=['--log-level', 'debug'],
        remappings=[('chatter', [LaunchConfiguration('robot'), '/talk'])],
        parameters=[
            {'rate': LaunchConfiguration('rate'), 'text': '30', 'pid': {'p': 1.5, 'i': [1, 2.0]}},
            str(own_file),
            ParameterFile(own_file),
            Parameter('one', LaunchConfiguration('rate'), value_type=str),
        ],
    )  # fmt: skip
    settings = {'robot': 'g1', 'rate': '30'}
    assert start(*(SetLaunchConfiguration(*item) for item in settings.items()), node) == 0
    words, files = arguments_of(node)
    assert words == [
        '--ros-args', '--log-level', 'debug', '-r', '__ns:=/g1', '-r', '__node:=bob',
        '-r', 'chatter:=g1/talk',
    ]  # fmt: skip
    own = {'/**': {'ros__parameters': {'c': 1}}}
    first = {'rate': 30, 'text': '30', 'pid.p': 1.5, 'pid.i': [1.0, 2.0]}
    assert files == [
        {'/g1/bob': {'ros__parameters': first}}, own, own,
        {'/g1/bob': {'ros__parameters': {'one': '30'}}},
    ]  # fmt: skip
    assert node.process_details['name'].startswith('renamed-')


def test_settings_hold_within_their_group():
    inside, outside, absolute = (
        talker(namespace='arm'), talker(parameters=[{'a': True}]), talker(namespace='/top')
    )  # fmt: skip
    group = GroupAction(
        [
            PushRosNamespace('g1'), PushRosNamespace('left'), SetRemap('in', 'out'),
            SetParameter('speed', LaunchConfiguration('speed')), SetUseSimTime(True),
            inside, absolute,
        ]
    )  # fmt: skip
    assert start(SetLaunchConfiguration('speed', '0.5'), group, outside) == 0
    common = {'/**': {'ros__parameters': {'speed': 0.5, 'use_sim_time': True}}}
    rules = ['--ros-args', '-r', '__ns:=/g1/left/arm', '-r', 'in:=out']
    assert arguments_of(inside) == (rules, [common])
    assert arguments_of(absolute)[0][2] == '__ns:=/top'
    assert arguments_of(outside) == (['--ros-args'], [{'/**': {'ros__parameters': {'a': True}}}])


@pytest.mark.parametrize(
    ('value', 'made'),
    [
        (ParameterValue(LaunchConfiguration('x'), value_type=str), '1'),
        (ParameterValue(LaunchConfiguration('x'), value_type=float), 1.0),
        (LaunchConfiguration('x'), 1),
        (['a', 'b'], ['a', 'b']),
        ([LaunchConfiguration('x'), '0'], 10),
        (('true', 'false'), ['true', 'false']),
    ],
)
def test_types_of_parameters(value, made):
    node = talker(parameters=[{'p': value}])
    assert start(SetLaunchConfiguration('x', '1'), node) == 0
    ((_, (content,)),) = [arguments_of(node)]
    result = content['/**']['ros__parameters']['p']
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'package': 'no_such_package', 'executable': 'x'}, "package 'no_such_package' not found"),
        (
            {'package': PACKAGE, 'executable': 'x'},
            f"executable 'x' not found in package '{PACKAGE}', it has: sleeper, talker",
        ),
        (
            {'package': PACKAGE, 'executable': 'talker', 'parameters': [{'a': [1, 'x']}]},
            "parameter 'a' is",
        ),
    ],
)
def test_wrong_nodes_fail_the_launch(capsys, kwargs, message):
    assert start(Node(**kwargs)) == 1
    assert message in capsys.readouterr().out


def test_parameters_must_be_a_list():
    with pytest.raises(TypeError, match='must be a list'):
        Node(package=PACKAGE, executable='talker', parameters={'a': 1})
    with pytest.raises(NotImplementedError, match='allow_substs'):
        ParameterFile('x.yaml', allow_substs=True)


def test_files_of_packages(package):
    context = launch.LaunchContext()
    path = PathJoinSubstitution([FindPackageShare(PACKAGE), 'config', 'x.yaml'])
    assert path.perform(context) == str(package / 'share' / PACKAGE / 'config' / 'x.yaml')
    with pytest.raises(launch.SubstitutionFailure, match='not found'):
        FindPackageShare('no_such_package').perform(context)


def test_console_scripts_are_executables_of_their_package():
    # The function of the script `ros2` is in the package ros2cli.
    assert Path(package_executables('ros2cli')['ros2']).is_file()
    assert set(package_executables(PACKAGE)) == {'sleeper', 'talker'}


def ros2(*args: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-m', 'ros2cli.command', *args], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_ros2_run():
    process = ros2('run', PACKAGE, 'talker', '--ros-args', '-r', 'a:=b')
    assert json.loads(process.communicate(timeout=20)[0])[0] == ['--ros-args', '-r', 'a:=b']
    assert process.returncode == 0
    for words in (['no_such_package', 'x'], [PACKAGE, 'nothing']):
        process = ros2('run', *words)
        shown = process.communicate(timeout=20)[0]
        assert process.returncode == 1
        assert 'ros2 run: ' in shown
        assert 'Traceback' not in shown


def test_ros2_run_passes_signals_and_exit_code():
    process = ros2('run', PACKAGE, 'sleeper')
    assert process.stdout.readline() == '1\n'
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM


def test_ros2_launch_of_a_package(package):
    path = package / 'share' / PACKAGE / 'launch' / 'demo.launch.py'
    path.write_text(f"""
from launch import LaunchDescription
from launch_ros.actions import Node

def generate_launch_description():
    return LaunchDescription([Node(package='{PACKAGE}', executable='talker', output='screen')])
""")
    process = ros2('launch', PACKAGE, 'demo.launch.py')
    shown = process.communicate(timeout=20)[0]
    assert process.returncode == 0
    assert '[talker-1] [[], [], []]' in shown
    process = ros2('launch', PACKAGE, 'missing.launch.py')
    assert "file 'missing.launch.py' was not found" in process.communicate(timeout=20)[0]
    assert process.returncode == 1
