# SPDX-License-Identifier: Apache-2.0
"""Real processes: signals, exits, services across processes, the command line tool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

_SPIN = """
import rclpy, signal, sys
from rclpy.executors import ExternalShutdownException
from rclpy.signals import SignalHandlerOptions
rclpy.init(signal_handler_options=SignalHandlerOptions[sys.argv[1]])
node = rclpy.create_node('spinner')
print('spinning')
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException) as error:
    print(type(error).__name__, rclpy.ok())
"""


def _wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f'{text!r} was not printed: {process.stderr.read()}')


@pytest.mark.parametrize(
    ('options', 'number', 'printed'),
    [
        ('ALL', signal.SIGINT, 'KeyboardInterrupt False'),
        ('ALL', signal.SIGTERM, 'ExternalShutdownException False'),
        ('NO', signal.SIGINT, 'KeyboardInterrupt True'),
    ],
)
def test_signals_end_an_idle_spin(
    run_python: Any, options: str, number: int, printed: str
) -> None:
    process = run_python(_SPIN, options)
    _wait_for_line(process, 'spinning')
    time.sleep(0.2)  # let it reach the wait: a signal must end that, too
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert output.strip() == printed, errors
    assert process.returncode == 0


def test_without_handlers_sigterm_kills(run_python: Any) -> None:
    process = run_python(_SPIN, 'NO')
    _wait_for_line(process, 'spinning')
    process.terminate()
    assert process.wait(10) == -signal.SIGTERM


def test_processes_end_without_destroying_anything(run_python: Any) -> None:
    code = (
        'import rclpy\n'
        'from std_msgs.msg import String\n'
        'rclpy.init(); node = rclpy.create_node("careless")\n'
        'subscription = node.create_subscription(String, "chat", print, 10)\n'
        'publisher = node.create_publisher(String, "chat", 10)\n'
        'publisher.publish(String(data="x")); rclpy.spin_once(node, timeout_sec=1.0)\n'
    )
    for _ in range(4):
        process = run_python(code)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert 'String' in output


def test_an_idle_node_neither_polls_nor_hoards(run_python: Any) -> None:
    process = run_python(_SPIN, 'ALL')
    _wait_for_line(process, 'spinning')
    time.sleep(0.5)
    switches = _voluntary_switches(process.pid)
    time.sleep(1.0)
    # The main thread sleeps in one wait: it is not scheduled at all.
    assert _voluntary_switches(process.pid) - switches <= 2
    with open(f'/proc/{process.pid}/statm') as file:
        megabytes = int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
    assert megabytes < 80


def _voluntary_switches(pid: int) -> int:
    text = Path(f'/proc/{pid}/task/{pid}/status').read_text()
    return int(text.partition('\nvoluntary_ctxt_switches:')[2].split()[0])


def test_services_work_across_processes(run_python: Any, make_node: Any, spin_until: Any) -> None:
    from std_srvs.srv import SetBool

    run_python(
        'import rclpy\n'
        'from std_srvs.srv import SetBool\n'
        'def answer(request, response):\n'
        '    response.success, response.message = request.data, "from afar"\n'
        '    return response\n'
        'rclpy.init(); node = rclpy.create_node("server")\n'
        'node.create_service(SetBool, "set", answer); rclpy.spin(node)\n'
    )
    client = make_node().create_client(SetBool, 'set')
    assert client.wait_for_service(10.0)
    for index in range(20):
        future = client.call_async(SetBool.Request(data=bool(index % 2)))
        spin_until(future.done)
        expected = SetBool.Response(success=bool(index % 2), message='from afar')
        assert future.result() == expected


def test_an_interpreter_that_needs_no_messages_loads_nothing() -> None:
    code = (
        'import sys\n'
        'assert "embedded_ros.finder" in sys.modules\n'
        'assert not {"numpy", "rosbags", "cyclonedds", "rclpy"} & set(sys.modules)\n'
        'try:\n'
        '    import nonsense_msgs\n'
        'except ModuleNotFoundError: print("fine")\n'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.stdout == 'fine\n', result.stderr


def test_installed_packages_win_over_generated_ones(tmp_path: Path) -> None:
    package = tmp_path / 'std_msgs'
    package.mkdir()
    (package / '__init__.py').write_text('')
    (package / 'msg.py').write_text('String = "the real one"\n')
    code = 'from std_msgs.msg import String; print(String)'
    env = {**os.environ, 'PYTHONPATH': str(tmp_path)}
    result = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True)
    assert result.stdout == 'the real one\n', result.stderr


_TALKER = """
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool
def answer(request, response):
    response.success = request.data
    return response
rclpy.init(); node = rclpy.create_node('talker', namespace='/ns')
publisher = node.create_publisher(JointState, 'joints', qos_profile_sensor_data)
node.create_service(SetBool, 'set', answer)
message = JointState(name=['knee'], position=[1.5])
node.create_timer(0.02, lambda: publisher.publish(message))
print('spinning'); rclpy.spin(node)
"""


def _ros2(*words: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'ros2cli.command', *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def test_the_command_shows_the_graph_and_calls_services(run_python: Any) -> None:
    _wait_for_line(run_python(_TALKER), 'spinning')
    assert '/ns/joints [sensor_msgs/msg/JointState]' in _ros2('topic', 'list', '-t').stdout
    assert _ros2('node', 'list').stdout.splitlines() == ['/ns/talker']
    assert _ros2('service', 'list', '-t').stdout == '/ns/set [std_srvs/srv/SetBool]\n'
    echoed = _ros2('topic', 'echo', '--once', '/ns/joints').stdout
    assert 'name:\n- knee\nposition:\n- 1.5\n' in echoed
    field = _ros2('topic', 'echo', '--once', '/ns/joints', '--field', 'name').stdout
    assert field == "['knee']\n---\n"
    called = _ros2('service', 'call', '/ns/set', 'std_srvs/srv/SetBool', '{data: true}')
    assert called.returncode == 0
    assert 'SetBool_Response(success=True' in called.stdout


@pytest.mark.parametrize(
    'words',
    [
        ('topic', 'echo', '/nobody'),
        ('topic', 'echo', '/ns/joints', 'sensor_msgs/msg/JointState'),
        ('topic', 'hz', '/ns/joints'),
        ('service', 'call', '/nobody', 'std_srvs/srv/Trigger'),
    ],
    ids=' '.join,
)
def test_sigterm_ends_a_waiting_command(
    run_python: Any, make_node: Any, words: tuple[str, ...]
) -> None:
    from sensor_msgs.msg import JointState

    make_node('quiet', namespace='/ns').create_publisher(JointState, 'joints', 1)
    code = 'import os, sys; from ros2cli.command import main; print(1); sys.exit(main())'
    process = run_python(code, *words)
    _wait_for_line(process, '1')
    time.sleep(1.5)  # let it reach the wait
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (signal.SIGTERM, '')


def test_the_command_measures_rates(run_python: Any, ros_domain: int) -> None:
    _wait_for_line(run_python(_TALKER), 'spinning')
    command = [sys.executable, '-u', '-m', 'ros2cli.command', 'topic', 'hz', '/ns/joints']
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        line = next(line for line in process.stdout if line.startswith('average rate'))
        assert 25 < float(line.split(':')[1]) < 75
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('topic', 'echo', '/nobody', '--timeout', '0.2'), 'Nobody publishes /nobody'),
        (('service', 'call', '/nobody', 'std_srvs/srv/Trigger', '--timeout', '0.2'), 'No service'),
        (('service', 'call', '/x', 'std_srvs/srv/Nope'), 'std_srvs/srv/Nope'),
        (('service', 'call', '/x', 'std_srvs/srv/SetBool', '{nope: 1}'), "no field 'nope'"),
        (('service', 'call', '/x', 'std_srvs/srv/SetBool', '{data: 3}'), "'data' field"),
    ],
)
def test_the_command_answers_mistakes_with_one_line(
    ros_domain: int, words: tuple[str, ...], said: str
) -> None:
    result = _ros2(*words)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize('verb', ['topic', 'node', 'service', 'topic echo', 'service call'])
def test_the_command_has_help(verb: str) -> None:
    result = _ros2(*verb.split(), '-h')
    assert result.returncode == 0
    assert result.stdout.startswith('usage: ros2')
