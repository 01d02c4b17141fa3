# SPDX-License-Identifier: Apache-2.0
"""Substitutions: text of a launch description that is known when it is executed."""

from __future__ import annotations

import os
import sys

import pytest
from launch import LaunchContext
from launch.substitution import SubstitutionFailure, perform_typed
from launch.substitutions import (
    AllSubstitution,
    AndSubstitution,
    AnySubstitution,
    Command,
    EnvironmentVariable,
    EqualsSubstitution,
    FindExecutable,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
    PythonExpression,
    TextSubstitution,
    ThisLaunchFileDir,
)


@pytest.fixture
def context() -> LaunchContext:
    context = LaunchContext()
    context.launch_configurations.update(robot='sim', rate='30', yes='true', no='false')
    return context


CASES = [
    (TextSubstitution(text='x'), 'x'),
    (LaunchConfiguration('robot'), 'sim'),
    (LaunchConfiguration(['ro', TextSubstitution(text='bot')]), 'sim'),
    (LaunchConfiguration('none', default=5), '5'),
    (LaunchConfiguration('none', default=[LaunchConfiguration('robot'), '2']), 'sim2'),
    (EnvironmentVariable('SOME_NAME'), 'some value'),
    (EnvironmentVariable('NO_SUCH_NAME', default_value='d'), 'd'),
    (PathJoinSubstitution(['a', LaunchConfiguration('robot'), ['b', '.yaml']]), 'a/sim/b.yaml'),
    (PythonExpression(["'", LaunchConfiguration('robot'), "' == 'sim'"]), 'True'),
    (PythonExpression(['floor(', LaunchConfiguration('rate'), ' / 7)']), '4'),
    (PythonExpression(["os.path.join('a', 'b')"], ['os']), 'a/b'),
    (Command([sys.executable, ' -c "print(\'out\', end=str())"']), 'out'),
    (EqualsSubstitution(LaunchConfiguration('robot'), 'sim'), 'true'),
    (EqualsSubstitution(LaunchConfiguration('rate'), 30.0), 'true'),
    (EqualsSubstitution(LaunchConfiguration('yes'), True), 'true'),
    (EqualsSubstitution('Sim', 'sim'), 'false'),
    (NotEqualsSubstitution(LaunchConfiguration('robot'), 'real'), 'true'),
    (AndSubstitution(LaunchConfiguration('yes'), LaunchConfiguration('no')), 'false'),
    (OrSubstitution(LaunchConfiguration('yes'), LaunchConfiguration('no')), 'true'),
    (NotSubstitution(LaunchConfiguration('no')), 'true'),
    (AllSubstitution('true', '1', 'True'), 'true'),
    (AnySubstitution('false', '0', 'no'), 'false'),
    (IfElseSubstitution(LaunchConfiguration('yes'), 'a', LaunchConfiguration('robot')), 'a'),
    (IfElseSubstitution(LaunchConfiguration('no'), 'a', LaunchConfiguration('robot')), 'sim'),
]


@pytest.mark.parametrize(('substitution', 'text'), CASES)
def test_text_of_substitutions(context, monkeypatch, substitution, text):
    monkeypatch.setenv('SOME_NAME', 'some value')
    assert substitution.perform(context) == text


FAILURES = [
    (LaunchConfiguration('none'), "launch configuration 'none' does not exist"),
    (EnvironmentVariable('NO_SUCH_NAME'), "environment variable 'NO_SUCH_NAME' does not exist"),
    (FindExecutable(name='no-such-program'), "executable 'no-such-program' not found"),
    (ThisLaunchFileDir(), 'used outside of a launch file'),
    (NotSubstitution('maybe'), "cannot convert 'maybe'"),
    (Command(f'{sys.executable} -c "raise SystemExit(3)"'), 'exit code 3'),
    (Command(f'{sys.executable} -c "import sys; sys.stderr.write(\'e\')"'), 'stderr output: e'),
    (Command('no-such-program'), 'cannot be run'),
]


@pytest.mark.parametrize(('substitution', 'message'), FAILURES)
def test_failures_are_explained(context, substitution, message):
    with pytest.raises(SubstitutionFailure, match=message):
        substitution.perform(context)


def test_commands_may_write_to_stderr_when_told(context):
    command = f'{sys.executable} -c "import sys; print(1, flush=True); sys.stderr.write(\'e\')"'
    assert Command(command, on_stderr='ignore').perform(context) == '1\n'
    assert Command(command, on_stderr='capture').perform(context) == '1\ne'


def test_executables_are_found_on_the_path(context):
    assert os.path.isfile(FindExecutable(name='sh').perform(context))


@pytest.mark.parametrize(
    ('value', 'value_type', 'result'),
    [
        (LaunchConfiguration('rate'), int, 30),
        (LaunchConfiguration('rate'), float, 30.0),
        (LaunchConfiguration('rate'), str, '30'),
        (LaunchConfiguration('rate'), None, 30),
        (['[', LaunchConfiguration('rate'), ', 2]'], list[float], [30.0, 2.0]),
        (True, bool, True),
        ('1', bool, True),
        ([1, 2], list[int], [1, 2]),
    ],
)
def test_typed_values(context, value, value_type, result):
    made = perform_typed(context, value, value_type)
    assert made == result
    assert type(made) is type(result)


@pytest.mark.parametrize(
    ('value', 'value_type'), [('x', int), ('1.5', int), ('[1, a]', list[int])]
)
def test_values_of_another_type_are_refused(context, value, value_type):
    with pytest.raises(ValueError, match='cannot convert'):
        perform_typed(context, value, value_type)


def test_descriptions_name_what_is_meant():
    text = LaunchConfiguration(['a', EnvironmentVariable('B')]).describe()
    assert text == "LaunchConfiguration('a' + EnvironmentVariable('B'))"
