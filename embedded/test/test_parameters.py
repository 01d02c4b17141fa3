# SPDX-License-Identifier: Apache-2.0
"""Parameters, the command line, names and logs."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import pytest
import rclpy
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterEvent,
    SetParametersResult,
)
from rclpy import arguments
from rclpy.exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
    RCLError,
)
from rclpy.logging import LoggingSeverity, get_logger
from rclpy.parameter import Parameter

Type = Parameter.Type


def test_parameters_are_declared_before_use(make_node: Any) -> None:
    node = make_node()
    assert node.declare_parameter('rate_hz', 30.0).value == 30.0
    assert node.get_parameter('rate_hz').type_ is Type.DOUBLE
    assert node.has_parameter('rate_hz')
    for unknown in (node.get_parameter, node.undeclare_parameter, node.describe_parameter):
        with pytest.raises(ParameterNotDeclaredException):
            unknown('nope')
    with pytest.raises(ParameterNotDeclaredException):
        node.set_parameters([Parameter('nope', value=1)])
    with pytest.raises(ParameterAlreadyDeclaredException):
        node.declare_parameter('rate_hz', 1.0)
    for bad in ('', '.a', 'a.', 'a..b'):
        with pytest.raises(InvalidParameterException):
            node.declare_parameter(bad, 1)
    assert node.get_parameter_or('nope', Parameter('nope', value=7)).value == 7
    node.declare_parameters('arm', [('kp', 1.0), ('names', ['a', 'b']), ('on', True)])
    assert set(node.get_parameters_by_prefix('arm')) == {'kp', 'names', 'on'}
    assert [p.value for p in node.get_parameters(['arm.kp', 'arm.on'])] == [1.0, True]
    node.undeclare_parameter('arm.kp')
    assert not node.has_parameter('arm.kp')


def test_types_are_kept_unless_dynamic(make_node: Any) -> None:
    node = make_node()
    node.declare_parameter('rate_hz', 30.0)
    node.declare_parameter('list', [1, 2])
    [result] = node.set_parameters([Parameter('rate_hz', value=30)])
    assert not result.successful
    assert 'DOUBLE' in result.reason
    assert node.set_parameters([Parameter('list', Type.INTEGER_ARRAY, [])])[0].successful
    node.declare_parameter('any', 1, ParameterDescriptor(dynamic_typing=True))
    assert node.set_parameters([Parameter('any', value='text')])[0].successful
    node.declare_parameter('typed', Type.STRING)
    with pytest.raises(ParameterUninitializedException):
        node.get_parameter('typed')
    node.set_parameters([Parameter('typed', value='now')])
    assert node.get_parameter('typed').value == 'now'


def test_descriptors_bound_values(make_node: Any) -> None:
    node = make_node()
    fixed = ParameterDescriptor(read_only=True, description='never changes')
    node.declare_parameter('fixed', 'x', fixed)
    assert node.describe_parameter('fixed').description == 'never changes'
    assert 'read-only' in node.set_parameters([Parameter('fixed', value='y')])[0].reason
    with pytest.raises(ParameterImmutableException):
        node.undeclare_parameter('fixed')
    limits = FloatingPointRange(from_value=0.0, to_value=1.0)
    node.declare_parameter('gain', 0.5, ParameterDescriptor(floating_point_range=[limits]))
    assert not node.set_parameters([Parameter('gain', value=1.1)])[0].successful
    steps = ParameterDescriptor(integer_range=[IntegerRange(from_value=0, to_value=9, step=3)])
    node.declare_parameter('count', 3, steps)
    assert node.set_parameters([Parameter('count', value=6)])[0].successful
    assert not node.set_parameters([Parameter('count', value=7)])[0].successful
    with pytest.raises(InvalidParameterValueException):
        node.declare_parameter('bad', 2.0, ParameterDescriptor(floating_point_range=[limits]))


def test_callbacks_allow_or_refuse(make_node: Any) -> None:
    node = make_node()
    node.declare_parameters('', [('a', 1), ('b', 2)])
    after: list[Any] = []

    def allow_small(parameters: list[Parameter]) -> SetParametersResult:
        small = all(parameter.value < 10 for parameter in parameters)
        return SetParametersResult(successful=small, reason='' if small else 'too big')

    node.add_on_set_parameters_callback(allow_small)
    node.add_post_set_parameters_callback(after.extend)
    change = [Parameter('a', value=5), Parameter('b', value=50)]
    assert [result.successful for result in node.set_parameters(change)] == [True, False]
    assert node.set_parameters_atomically(change).reason == 'too big'
    assert [p.value for p in node.get_parameters(['a', 'b'])] == [5, 2]
    assert [parameter.name for parameter in after] == ['a']
    node.remove_on_set_parameters_callback(allow_small)
    assert node.set_parameters_atomically(change).successful


def test_changes_are_announced(make_node: Any, spin_until: Any) -> None:
    watcher, node = make_node('watcher'), make_node('changer')
    events: list[Any] = []
    watcher.create_subscription(ParameterEvent, '/parameter_events', events.append, 10)
    node.declare_parameter('a', 1)
    node.set_parameters([Parameter('a', value=2)])
    spin_until(lambda: len(events) == 2)
    assert events[0].node == '/changer'
    assert Parameter.from_parameter_msg(events[0].new_parameters[0]) == Parameter('a', value=1)
    assert events[1].changed_parameters[0].value.integer_value == 2


@pytest.mark.parametrize(
    ('value', 'kind'),
    [
        (None, Type.NOT_SET),
        (True, Type.BOOL),
        (1, Type.INTEGER),
        (1.0, Type.DOUBLE),
        ('x', Type.STRING),
        ([b'a'], Type.BYTE_ARRAY),
        ([True], Type.BOOL_ARRAY),
        ([1], Type.INTEGER_ARRAY),
        ((1.0,), Type.DOUBLE_ARRAY),
        (array('d', [1.0]), Type.DOUBLE_ARRAY),
        (['x'], Type.STRING_ARRAY),
    ],
)
def test_types_follow_from_values_and_survive_the_wire(value: Any, kind: Type) -> None:
    parameter = Parameter('p', value=value)
    assert parameter.type_ is kind
    back = Parameter.from_parameter_msg(parameter.to_parameter_msg())
    assert back.type_ is kind
    assert back.value == (list(value) if isinstance(value, (tuple, array)) else value)


@pytest.mark.parametrize('value', [{}, [1, 'x'], object(), [[1]]])
def test_values_no_parameter_can_hold_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        Parameter('p', value=value)


def _node(args: list[str], name: str = 'node', **options: Any) -> Any:
    context = rclpy.Context()
    rclpy.init(args=['program', '--ros-args', *args], context=context)
    return rclpy.create_node(name, context=context, **options)


def test_the_command_line_renames_remaps_and_sets(ros_domain: int, tmp_path: Path) -> None:
    from std_msgs.msg import String

    file = tmp_path / 'params.yaml'
    file.write_text(
        '/**:\n  ros__parameters:\n    everywhere: 1\n    rate_hz: 1.0\n'
        '/ns/renamed:\n  ros__parameters:\n    rate_hz: 2.0\n    arm:\n      kp: 3.0\n'
        'other:\n  ros__parameters:\n    rate_hz: 9.0\n'
    )
    node = _node(
        ['-r', '__node:=renamed', '-r', '__ns:=/ns', '-r', 'chat:=/loud', '-r', 'other:a:=b']
        + ['--params-file', str(file), '-p', 'count:=7', '-p', 'renamed:names:=[a, b]']
    )
    try:
        assert node.get_fully_qualified_name() == '/ns/renamed'
        assert node.create_publisher(String, 'chat', 1).topic_name == '/loud'
        assert node.resolve_topic_name('a') == '/ns/a'
        assert node.resolve_topic_name('~/a') == '/ns/renamed/a'
        assert node.resolve_service_name('/chat') == '/chat'
        defaults = {'everywhere': 0, 'rate_hz': 0.0, 'arm.kp': 0.0, 'count': 0, 'names': ['x']}
        values = {name: node.declare_parameter(name, v).value for name, v in defaults.items()}
        assert values == {
            'everywhere': 1,
            'rate_hz': 2.0,
            'arm.kp': 3.0,
            'count': 7,
            'names': ['a', 'b'],
        }
    finally:
        node.context.destroy()


def test_a_value_of_the_wrong_type_is_refused(ros_domain: int) -> None:
    node = _node(['-p', 'rate_hz:=fast'])
    try:
        with pytest.raises(InvalidParameterTypeException, match=r"'fast'.*DOUBLE"):
            node.declare_parameter('rate_hz', 1.0)
    finally:
        node.context.destroy()


def test_simulated_time_is_refused_with_a_sentence(ros_domain: int, make_node: Any) -> None:
    context = rclpy.Context()
    rclpy.init(args=['--ros-args', '-p', 'use_sim_time:=true'], context=context)
    with pytest.raises(RuntimeError, match='use_sim_time is not offered'):
        rclpy.create_node('node', context=context)
    context.destroy()
    [result] = make_node().set_parameters([Parameter('use_sim_time', value=True)])
    assert not result.successful


@pytest.mark.parametrize(
    'args',
    [['-r', 'x'], ['-p', 'x'], ['-p'], ['--params-file', '/nope.yaml'], ['-p', 'a:=[']],
)
def test_bad_arguments_are_refused(args: list[str]) -> None:
    with pytest.raises(RCLError, match=args[0] if len(args) > 1 else 'No value'):
        arguments.parse(['--ros-args', *args])


def test_unknown_arguments_are_refused_and_others_left_alone() -> None:
    with pytest.raises(arguments.UnknownROSArgsError, match='--nonsense'):
        arguments.parse(['--ros-args', '--nonsense'])
    argv = ['program', '-x', '--ros-args', '-r', 'a:=b', '--', 'tail']
    assert rclpy.utilities.remove_ros_args(argv) == ['program', '-x', 'tail']


def test_bad_node_names_are_refused(context: Any) -> None:
    for name in ('', 'a b', '1a', 'a/b'):
        with pytest.raises(InvalidNodeNameException):
            rclpy.create_node(name, context=context)
    for namespace in ('/a//b', '/a b', '/1a'):
        with pytest.raises(InvalidNamespaceException):
            rclpy.create_node('node', namespace=namespace, context=context)


def test_logs_have_levels_and_can_be_throttled(capfd: pytest.CaptureFixture[str]) -> None:
    logger = get_logger('room')
    logger.set_level(LoggingSeverity.WARN)
    assert not logger.info('quiet')
    assert get_logger('room.child').get_effective_level() == LoggingSeverity.WARN
    logger.set_level(LoggingSeverity.DEBUG)
    assert logger.is_enabled_for(LoggingSeverity.DEBUG)
    logger.get_child('door').debug('loud')
    for index in range(3):
        logger.info(f'once {index}', once=True)
        logger.info(f'throttled {index}', throttle_duration_sec=60.0)
        logger.info(f'skipped {index}', skip_first=True)
    logger.set_level(LoggingSeverity.UNSET)
    lines = capfd.readouterr().err.splitlines()
    assert [line.rpartition(']: ')[2] for line in lines] == [
        'loud',
        'once 0',
        'throttled 0',
        'skipped 1',
        'skipped 2',
    ]
    assert lines[0].startswith('[DEBUG] [')
    assert lines[0].endswith('[room.door]: loud')


def test_logs_reach_rosout(make_node: Any, spin_until: Any) -> None:
    from rcl_interfaces.msg import Log

    node = make_node('talker', namespace='/ns')
    got: list[Any] = []
    make_node('listener').create_subscription(Log, '/rosout', got.append, 10)
    node.get_logger().warning('careful')
    spin_until(lambda: got)
    assert (got[0].name, got[0].msg, got[0].level) == ('ns.talker', 'careful', 30)
    assert got[0].file == __file__
    assert got[0].function == 'test_logs_reach_rosout'
