# SPDX-License-Identifier: Apache-2.0
"""Launch starts real processes, tells what they do, and ends all of them."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import launch.logging
import pytest
from launch import LaunchContext, LaunchDescription, LaunchService
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
)
from launch.conditions import IfCondition, LaunchConfigurationEquals, UnlessCondition
from launch.event_handlers import (
    OnExecutionComplete,
    OnProcessExit,
    OnProcessIO,
    OnProcessStart,
    OnShutdown,
)
from launch.events import matches_action
from launch.events.process import SignalProcess
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, LocalSubstitution

# Says that it is ready, then answers SIGINT and SIGTERM as its arguments tell.
CHILD = """
import signal, sys, time
on_int, on_term = sys.argv[1:]
for number, what in ((signal.SIGINT, on_int), (signal.SIGTERM, on_term)):
    if what == 'ignore':
        signal.signal(number, signal.SIG_IGN)
    else:
        signal.signal(number, lambda *_, code=int(what): sys.exit(code))
print('ready', flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def log_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    monkeypatch.setattr(launch.logging, 'launch_config', launch.logging.LaunchConfig())
    return tmp_path / 'log'


def python(code: str, *args: str, **kwargs) -> ExecuteProcess:
    kwargs.setdefault('output', 'screen')
    return ExecuteProcess(cmd=[sys.executable, '-c', textwrap.dedent(code), *args], **kwargs)


def run(*entities, **kwargs) -> int:
    service = LaunchService(**kwargs)
    service.include_launch_description(LaunchDescription(entities))
    return service.run()


def shut_down_when_ready(process: ExecuteProcess) -> RegisterEventHandler:
    return RegisterEventHandler(
        OnProcessIO(target_action=process, on_stdout=lambda event: Shutdown(reason='ready'))
    )


def test_process_output_and_end_are_told(capsys, log_folder):
    process = python(
        "import sys; print('one'); print('two', end=''); sys.stdout.flush(); sys.exit(3)",
        name='speaker', output='both',
    )  # fmt: skip
    assert run(process) == 0
    assert process.return_code == 3
    lines = capsys.readouterr().out.splitlines()
    name, pid = process.process_details['name'], process.process_details['pid']
    assert name.startswith('speaker-')
    assert lines[:3] == [
        f'[INFO] [{name}]: process started with pid [{pid}]', f'[{name}] one', f'[{name}] two',
    ]  # fmt: skip
    assert lines[3].startswith(f'[ERROR] [{name}]: process has died [pid {pid}, exit code 3, cmd')
    (log,) = log_folder.glob('*/launch.log')
    assert f'[{name}] one' in log.read_text()


def test_output_goes_where_it_is_told_to(capsys, log_folder):
    code = "import sys; print('to stdout'); print('to stderr', file=sys.stderr)"
    assert run(python(code, output='log')) == 0
    shown = capsys.readouterr().out
    assert 'to stderr' in shown
    assert 'to stdout' not in shown
    (log,) = log_folder.glob('*/launch.log')
    assert 'to stdout' in log.read_text()
    assert 'process has finished cleanly' in shown


def test_cached_output_and_terminal():
    code = "import sys; print(sys.stdout.isatty()); print('é', file=sys.stderr)"
    plain = python(code, cached_output=True)
    terminal = python(code, cached_output=True, emulate_tty=True)
    assert run(plain, terminal) == 0
    assert plain.get_stdout() == 'False\n'
    assert plain.get_stderr() == 'é\n'
    assert terminal.get_stdout().strip() == 'True'
    with pytest.raises(RuntimeError, match='cached_output'):
        python(code).get_stdout()


def test_environment_and_folder_of_a_process(tmp_path, monkeypatch):
    monkeypatch.setenv('FROM_OUTSIDE', '1')
    code = (
        "import os; print(os.getcwd(), *(os.environ.get(n) for n in ('FROM_OUTSIDE', 'A', 'B')))"
    )
    inherited = python(
        code, cached_output=True, cwd=str(tmp_path), additional_env={'B': LaunchConfiguration('b')}
    )
    own = python(code, cached_output=True, env={'B': 'own'})
    done = run(
        SetLaunchConfiguration('b', 'two'), SetEnvironmentVariable('A', 'one'), inherited, own
    )
    assert done == 0
    assert inherited.get_stdout() == f'{tmp_path} 1 one two\n'
    assert own.get_stdout() == f'{os.getcwd()} None None own\n'


def test_shell_command():
    process = ExecuteProcess(cmd=['echo $((40 + 2))', '|', 'cat'], shell=True, cached_output=True)
    assert run(process) == 0
    assert process.get_stdout() == '42\n'


@pytest.mark.parametrize(
    ('on_int', 'on_term', 'code', 'signals'),
    [
        ('7', '8', 7, ['SIGINT']),
        ('ignore', '8', 8, ['SIGINT', 'SIGTERM']),
        ('ignore', 'ignore', -9, ['SIGINT', 'SIGTERM', 'SIGKILL']),
    ],
)
def test_shutdown_escalates(capsys, on_int, on_term, code, signals):
    process = python(
        CHILD, on_int, on_term, sigterm_timeout='0.3', sigkill_timeout=LaunchConfiguration('kill')
    )
    assert run(SetLaunchConfiguration('kill', '0.2'), shut_down_when_ready(process), process) == 0
    assert process.return_code == code
    shown = capsys.readouterr().out
    sent = [line.split("'")[1] for line in shown.splitlines() if 'sending signal' in line]
    assert sent == signals
    escalations = [line for line in shown.splitlines() if 'escalating' in line]
    assert len(escalations) == len(signals) - 1
    if code == -9:
        assert "'0.3' seconds after receiving 'SIGINT', escalating to 'SIGTERM'" in escalations[0]
        assert "'0.5' seconds after receiving 'SIGTERM', escalating to 'SIGKILL'" in escalations[1]


def test_launch_arguments_set_the_timeouts(capsys):
    process = python(CHILD, 'ignore', '0')
    settings = SetLaunchConfiguration('sigterm_timeout', '0.1')
    assert run(settings, shut_down_when_ready(process), process) == 0
    assert process.return_code == 0
    assert "failed to terminate '0.1' seconds" in capsys.readouterr().out


def test_exit_of_one_process_ends_the_others():
    stays = python(CHILD, '0', '0')
    code = 'import sys; sys.stdin.close(); sys.exit(5)'
    ends = python(code, on_exit=Shutdown(reason='it was needed'))
    started = RegisterEventHandler(
        OnProcessIO(target_action=stays, on_stdout=lambda _: ends, handle_once=True)
    )
    assert run(started, stays) == 0
    assert ends.return_code == 5
    assert stays.return_code == 0


def test_on_exit_takes_a_callable():
    seen = []

    def on_exit(event, context):
        seen.append((event.returncode, event.process_name, event.pid))
        return LogInfo(msg='done')

    process = python('raise SystemExit(4)', on_exit=on_exit)
    assert process.get_sub_entities() == []
    assert run(process) == 0
    details = process.process_details
    assert seen == [(4, details['name'], details['pid'])]


def test_process_that_cannot_start_fails_the_launch(capsys):
    process = ExecuteProcess(cmd=['/does/not/exist'])
    assert run(process) == 1
    assert 'cannot start process' in capsys.readouterr().out
    assert process.return_code is None


def test_output_held_by_a_grandchild_does_not_hold_the_launch():
    code = """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])
        print(child.pid, flush=True)
    """
    process = python(code, cached_output=True)
    assert run(process) == 0
    assert process.return_code == 0
    os.kill(int(process.get_stdout()), signal.SIGKILL)


def test_respawn_until_the_retries_are_used_up():
    exits = []
    process = python(
        'raise SystemExit(1)', respawn=True, respawn_delay=0.01, respawn_max_retries=2,
        on_exit=lambda event, context: exits.append(event.pid),
    )  # fmt: skip
    assert run(process) == 0
    assert len(set(exits)) == 3


def test_shutdown_ends_a_respawn_delay():
    process = python(
        'raise SystemExit(1)', respawn=LaunchConfiguration('again'), respawn_delay=60.0,
        on_exit=Shutdown(),
    )  # fmt: skip
    assert run(SetLaunchConfiguration('again', 'true'), process) == 0


def test_signal_event_reaches_the_matching_process_only():
    first, second = python(CHILD, '1', '2'), python(CHILD, '3', '4')
    ready = set()

    def on_output(event):
        known = len(ready)
        ready.add(event.action)
        if known < len(ready) == 2:  # a line may come in pieces
            matcher = matches_action(first)
            return EmitEvent(event=SignalProcess(signal_number='SIGTERM', process_matcher=matcher))
        return None

    end = RegisterEventHandler(OnProcessExit(target_action=first, on_exit=[Shutdown()]))
    assert run(RegisterEventHandler(OnProcessIO(on_stdout=on_output)), end, first, second) == 0
    assert (first.return_code, second.return_code) == (2, 3)


def test_events_come_in_order():
    seen = []
    process = python("print('hi')")

    def note(name):
        return lambda *_: seen.append(name)

    handlers = [
        OnProcessStart(target_action=process, on_start=note('start')),
        OnProcessIO(target_action=process, on_stdout=note('output')),
        OnProcessExit(target_action=process, on_exit=note('exit')),
        OnExecutionComplete(target_action=process, on_completion=note('complete')),
        OnShutdown(on_shutdown=note('shutdown')),
    ]
    assert run(*(RegisterEventHandler(handler) for handler in handlers), process) == 0
    # The process may write its line in pieces.
    seen = [name for name, _ in itertools.groupby(seen)]
    assert seen[:3] == ['start', 'output', 'exit']
    assert sorted(seen[3:]) == ['complete', 'shutdown']


def test_timers_wait_for_their_period_and_are_cancelled_by_shutdown():
    seen = []

    def note(name):
        return OpaqueFunction(function=lambda context: seen.append(name))

    late = TimerAction(period=60.0, actions=[note('late')])
    after_shutdown = TimerAction(
        period='0.1', actions=[note('after shutdown')], cancel_on_shutdown=False
    )
    soon = TimerAction(period=LaunchConfiguration('soon'), actions=[note('soon'), Shutdown()])
    assert run(SetLaunchConfiguration('soon', '0.05'), late, after_shutdown, soon) == 0
    assert seen == ['soon', 'after shutdown']


def test_groups_keep_their_settings_to_themselves(monkeypatch):
    monkeypatch.delenv('IN_GROUP', raising=False)
    seen = {}

    def note(name):
        def function(context):
            seen[name] = (context.launch_configurations.get('a'), os.environ.get('IN_GROUP'))

        return OpaqueFunction(function=function)

    inside = [
        SetLaunchConfiguration('a', 'inner'), SetEnvironmentVariable('IN_GROUP', '1'),
        note('inside'),
    ]  # fmt: skip
    blank = GroupAction(
        [note('blank')], forwarding=False, launch_configurations={'b': LaunchConfiguration('a')}
    )
    assert run(
        SetLaunchConfiguration('a', 'outer'), GroupAction(inside), note('after'), blank,
        GroupAction([note('never')], condition=IfCondition('false')),
        GroupAction([SetLaunchConfiguration('a', 'new')], scoped=False), note('unscoped'),
    ) == 0  # fmt: skip
    assert seen == {
        'inside': ('inner', '1'), 'after': ('outer', None), 'blank': (None, None),
        'unscoped': ('new', None),
    }  # fmt: skip


def test_conditions():
    context = LaunchContext()
    context.launch_configurations['mode'] = 'Sim'
    for text in ('true', 'True', ' 1 '):
        assert IfCondition(text).evaluate(context)
        assert not UnlessCondition(text).evaluate(context)
    assert LaunchConfigurationEquals('mode', 'Sim').evaluate(context)
    assert not LaunchConfigurationEquals('mode', 'real').evaluate(context)
    assert LaunchConfigurationEquals('other', None).evaluate(context)
    with pytest.raises(Exception, match="expression is 'maybe', allowed: true, 1, false, 0"):
        IfCondition('maybe').evaluate(context)


LAUNCH_FILE = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration, ThisLaunchFileDir

def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument('needed', description='what is needed'),
        DeclareLaunchArgument('mode', default_value='sim', choices=['sim', 'real']),
        LogInfo(msg=['got ', LaunchConfiguration('needed'), ' in ', ThisLaunchFileDir()]),
    ])
"""


@pytest.fixture
def launch_file(tmp_path) -> Path:
    path = tmp_path / 'inner.launch.py'
    path.write_text(LAUNCH_FILE)
    return path


def include(path: Path, **arguments) -> IncludeLaunchDescription:
    source = PythonLaunchDescriptionSource(str(path))
    return IncludeLaunchDescription(source, launch_arguments=arguments.items())


def test_includes_take_arguments(capsys, launch_file):
    assert run(SetLaunchConfiguration('n', '5'), include(launch_file, needed=['v', '6'])) == 0
    assert f'[INFO] [launch]: got v6 in {launch_file.parent}' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({}, "misses required argument 'needed' (description: 'what is needed')"),
        ({'needed': '1', 'mode': 'x'}, "launch argument 'mode' is 'x', allowed: sim, real"),
    ],
)
def test_wrong_arguments_fail_the_launch(capsys, launch_file, arguments, message):
    stays = python(CHILD, '0', '0')
    start = RegisterEventHandler(
        OnProcessIO(
            target_action=stays,
            on_stdout=lambda _: include(launch_file, **arguments),
            handle_once=True,
        )
    )
    assert run(start, stays) == 1
    assert message in capsys.readouterr().out
    assert stays.return_code == 0


def test_declared_arguments_are_listed(launch_file):
    with pytest.raises(ValueError, match="default_value 'c' is not in the choices"):
        DeclareLaunchArgument('x', default_value='c', choices=['a', 'b'])
    outer = LaunchDescription(
        [DeclareLaunchArgument('own'), GroupAction([include(launch_file, mode='real')])]
    )
    assert [argument.name for argument in outer.get_launch_arguments()] == ['own', 'needed']


@pytest.mark.parametrize(
    ('text', 'message'),
    [('x = 1', 'does not define generate_launch_description'), ('1/0', 'division by zero')],
)
def test_broken_launch_files(capsys, tmp_path, text, message):
    path = tmp_path / 'broken.launch.py'
    path.write_text(text)
    assert run(include(path)) == 1
    assert message in capsys.readouterr().out
    assert run(include(tmp_path / 'none.launch.py')) == 1
    assert 'does not exist' in capsys.readouterr().out
    assert run(include(tmp_path / 'broken.launch.xml')) == 1


def test_locals_of_an_event(capsys):
    end = RegisterEventHandler(
        OnShutdown(on_shutdown=LogInfo(msg=['because ', LocalSubstitution('event.reason')]))
    )
    assert run(end, Shutdown(reason='of a test')) == 0
    assert 'because of a test' in capsys.readouterr().out


def test_service_is_shut_down_from_another_thread_and_runs_again():
    service = LaunchService()
    for _ in range(2):
        thread = threading.Thread(target=service.run, kwargs={'shutdown_when_idle': False})
        thread.start()
        while service.event_loop is None:
            time.sleep(0.01)
        service.shutdown()
        thread.join(10)
        assert not thread.is_alive()


def ros2(*args: str, **kwargs) -> subprocess.Popen:
    command = [sys.executable, '-m', 'ros2cli.command', *args]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, start_new_session=True, **kwargs,
    )  # fmt: skip


SIGNALLED = """
import sys
from launch import LaunchDescription
from launch.actions import ExecuteProcess

CHILD = '''
import signal, sys, time
count = 0
def count_up(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, count_up)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while not count:
    time.sleep(0.02)
time.sleep(1.0)
print('signals:', count, flush=True)
sys.exit(0)
'''

def generate_launch_description():
    return LaunchDescription([
        ExecuteProcess(cmd=[sys.executable, '-c', CHILD], name='child', output='screen'),
    ])
"""


def wait_for(process: subprocess.Popen, text: str) -> str:
    shown = ''
    for line in process.stdout:
        shown += line
        if text in line:
            return shown
    raise AssertionError(f'ended without {text!r}:\n{shown}')


@pytest.mark.parametrize(
    ('number', 'to_group', 'signals'),
    [(signal.SIGINT, False, 1), (signal.SIGTERM, False, 1), (signal.SIGINT, True, 2)],
)
def test_a_signal_ends_launch_and_its_processes(tmp_path, number, to_group, signals):
    path = tmp_path / 'signalled.launch.py'
    path.write_text(SIGNALLED)
    process = ros2('launch', str(path))
    wait_for(process, 'ready')
    (os.killpg if to_group else os.kill)(process.pid, number)
    wait_for(process, 'user interrupted')
    os.kill(process.pid, number)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f'({number.name}) again, ignoring...' in rest
    assert 'process has finished cleanly' in rest
    # A process that got the terminal's Ctrl-C too may have counted both, or one for the two.
    assert f'signals: {signals}' in rest or (to_group and 'signals: 1' in rest)


def test_command_line_of_launch(launch_file):
    process = ros2('launch', str(launch_file), 'needed:=a b')
    assert 'got a b in' in process.communicate(timeout=20)[0]
    assert process.returncode == 0
    process = ros2('launch', str(launch_file), '--show-args')
    shown = process.communicate(timeout=20)[0]
    assert "'needed':\n        what is needed\n" in shown
    assert "(default: 'sim')" in shown
    for words, message in (
        (['no_such_package', 'x.launch.py'], "package 'no_such_package' not found"),
        ([str(launch_file), 'needed=1'], "malformed launch argument 'needed=1'"),
        ([str(launch_file)], "misses required argument 'needed'"),
        (['no_such_file.launch.py'], 'is not a launch file'),
    ):
        process = ros2('launch', *words)
        shown = process.communicate(timeout=20)[0]
        assert process.returncode == 1
        assert message in shown
        assert 'Traceback' not in shown


def test_what_is_not_offered_is_named():
    with pytest.raises(ImportError, match=r'launch\.actions\.ForLoop is not offered'):
        from launch.actions import ForLoop  # noqa: F401
    with pytest.raises(ValueError, match='allowed: screen, log, both, own_log, full'):
        launch.logging.get_output_loggers('x-1', 'nowhere')
