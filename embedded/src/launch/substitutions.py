# SPDX-License-Identifier: Apache-2.0
"""The substitutions of launch files."""

from __future__ import annotations

import importlib
import math
import os
import shlex
import shutil
import subprocess
import uuid
from typing import Any

from embedded_ros.gap import offered_only

from .substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    TextSubstitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
    perform_typed,
)


class LaunchConfiguration(Substitution):
    """The value of a launch configuration, that is of a launch argument."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any = None) -> None:
        self.variable_name = normalize_to_list_of_substitutions(variable_name)
        if isinstance(default, (bool, int, float)):
            default = str(default)
        self.default = None if default is None else normalize_to_list_of_substitutions(default)

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.variable_name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self.default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_substitutions(context, self.default)

    def describe(self) -> str:
        return f'LaunchConfig({" + ".join(i.describe() for i in self.variable_name)})'


class EnvironmentVariable(Substitution):
    """The value of a variable of the launch context's environment."""

    def __init__(
        self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None
    ) -> None:
        self.name = normalize_to_list_of_substitutions(name)
        self.default_value = default_value

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform_substitutions(context, self.default_value)

    def describe(self) -> str:
        return f'EnvVar({" + ".join(i.describe() for i in self.name)})'


class LocalSubstitution(Substitution):
    """An attribute of the context's locals, such as `event.pid` in an event handler."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        self.expression = expression

    def perform(self, context: Any) -> str:
        return str(eval(f'context.locals.{self.expression}', {'context': context}))

    def describe(self) -> str:
        return f"LocalVar('{self.expression}')"


class PathJoinSubstitution(Substitution):
    """Parts joined to a path; a part may itself be several substitutions."""

    def __init__(self, substitutions: Any) -> None:
        self.substitutions = [normalize_to_list_of_substitutions(part) for part in substitutions]

    def perform(self, context: Any) -> str:
        return os.path.join(*(perform_substitutions(context, i) for i in self.substitutions))

    def describe(self) -> str:
        parts = [' + '.join(i.describe() for i in part) for part in self.substitutions]
        return f'PathJoin({", ".join(parts)})'


class PythonExpression(Substitution):
    """The text of a Python expression's value; `python_modules` (math) are in its scope."""

    def __init__(self, expression: SomeSubstitutionsType, python_modules: Any = ('math',)) -> None:
        self.expression = normalize_to_list_of_substitutions(expression)
        self.python_modules = [python_modules] if isinstance(python_modules, str) else python_modules

    def perform(self, context: Any) -> str:
        scope = {}
        for module in (perform_substitutions(context, i) for i in self.python_modules):
            scope[module] = importlib.import_module(module)
            if module == 'math':
                scope.update(vars(math))
        return str(eval(perform_substitutions(context, self.expression), {}, scope))

    def describe(self) -> str:
        return f'PythonExpr({" + ".join(i.describe() for i in self.expression)})'


class ThisLaunchFile(Substitution):
    """Path of the launch file that is being executed."""

    local = 'current_launch_file_path'

    def perform(self, context: Any) -> str:
        value = context.get_locals_as_dict().get(self.local)
        if value is None:
            raise SubstitutionFailure(f'{type(self).__name__} used outside of a launch file')
        return value


class ThisLaunchFileDir(ThisLaunchFile):
    """Folder of the launch file that is being executed."""

    local = 'current_launch_file_directory'


class FindExecutable(Substitution):
    """Path of a program on PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        self.name = normalize_to_list_of_substitutions(name)

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.name)
        path = shutil.which(name)
        if path is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH")
        return path


class AnonName(Substitution):
    """A name made unique for this launch; the same text gives the same name."""

    def __init__(self, name: SomeSubstitutionsType) -> None:
        self.name = normalize_to_list_of_substitutions(name)

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.name)
        key = f'anon{name}'
        if key not in context.launch_configurations:
            context.launch_configurations[key] = f'{name}_{os.getpid()}_{uuid.uuid4().hex[:16]}'
        return context.launch_configurations[key]


class Command(Substitution):
    """What a command prints; it must exit with 0, and not write to stderr by default."""

    def __init__(
        self, command: SomeSubstitutionsType, *, on_stderr: SomeSubstitutionsType = 'fail'
    ) -> None:
        self.command = normalize_to_list_of_substitutions(command)
        self.on_stderr = normalize_to_list_of_substitutions(on_stderr)

    def perform(self, context: Any) -> str:
        command = perform_substitutions(context, self.command)
        on_stderr = perform_substitutions(context, self.on_stderr)
        if on_stderr not in ('fail', 'ignore', 'warn', 'capture'):
            raise SubstitutionFailure(
                f"Command: on_stderr is '{on_stderr}', allowed: fail, ignore, warn, capture"
            )
        merge = subprocess.STDOUT if on_stderr == 'capture' else subprocess.PIPE
        try:
            result = subprocess.run(
                shlex.split(command), stdout=subprocess.PIPE, stderr=merge, text=True,
                env=dict(context.environment), check=False,
            )
        except OSError as error:
            raise SubstitutionFailure(f"command '{command}' cannot be run: {error}") from error
        if result.returncode != 0:
            raise SubstitutionFailure(
                f"executed command failed with exit code {result.returncode}: '{command}'\n"
                f'Captured stderr output: {result.stderr}'
            )
        if result.stderr and on_stderr in ('fail', 'warn'):
            text = f"executed command '{command}' showed stderr output: {result.stderr}"
            if on_stderr == 'fail':
                raise SubstitutionFailure(text)
            context.logger.warning(text)
        return result.stdout

    def describe(self) -> str:
        return f'Command({" + ".join(i.describe() for i in self.command)})'


def _as_bool(context: Any, value: Any) -> bool:
    try:
        return perform_typed(context, value, bool)
    except ValueError as error:
        raise SubstitutionFailure(str(error)) from error


class _OfTwo(Substitution):
    """Base of what compares or combines a left and a right side."""

    def __init__(self, left: Any, right: Any) -> None:
        self.left, self.right = (
            normalize_to_list_of_substitutions(str(i) if isinstance(i, (bool, int, float)) else i)
            for i in (left, right)
        )


class EqualsSubstitution(_OfTwo):
    """'true' when both sides are equal: as numbers, as booleans, or as text."""

    def perform(self, context: Any) -> str:
        left, right = (perform_substitutions(context, i) for i in (self.left, self.right))
        try:
            return str(math.isclose(float(left), float(right))).lower()
        except ValueError:
            words = {'true', 'false'}
            same_word = left.lower() == right.lower() and left.lower() in words
            return str(left == right or same_word).lower()


class NotEqualsSubstitution(EqualsSubstitution):
    """'true' when the sides are not equal."""

    def perform(self, context: Any) -> str:
        return 'false' if super().perform(context) == 'true' else 'true'


class AndSubstitution(_OfTwo):
    """'true' when both sides are true."""

    def perform(self, context: Any) -> str:
        return str(_as_bool(context, self.left) and _as_bool(context, self.right)).lower()


class OrSubstitution(_OfTwo):
    """'true' when a side is true."""

    def perform(self, context: Any) -> str:
        return str(_as_bool(context, self.left) or _as_bool(context, self.right)).lower()


class NotSubstitution(Substitution):
    """'true' when the value is false."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        self.value = value

    def perform(self, context: Any) -> str:
        return str(not _as_bool(context, self.value)).lower()


class AnySubstitution(Substitution):
    """'true' when one of the values is true."""

    combine = staticmethod(any)

    def __init__(self, *args: SomeSubstitutionsType) -> None:
        self.args = args

    def perform(self, context: Any) -> str:
        return str(self.combine(_as_bool(context, i) for i in self.args)).lower()


class AllSubstitution(AnySubstitution):
    """'true' when all values are true."""

    combine = staticmethod(all)


class IfElseSubstitution(Substitution):
    """One of two texts, chosen by a condition."""

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = '',
        else_value: SomeSubstitutionsType = '',
    ) -> None:
        if if_value == '' and else_value == '':
            raise RuntimeError('One of if_value and else_value must be specified')
        self.condition, self.if_value, self.else_value = condition, if_value, else_value

    def perform(self, context: Any) -> str:
        chosen = self.if_value if _as_bool(context, self.condition) else self.else_value
        return perform_substitutions(context, chosen)


__all__ = [
    'AllSubstitution', 'AndSubstitution', 'AnonName', 'AnySubstitution', 'Command',
    'EnvironmentVariable', 'EqualsSubstitution', 'FindExecutable', 'IfElseSubstitution',
    'LaunchConfiguration', 'LocalSubstitution', 'NotEqualsSubstitution', 'NotSubstitution',
    'OrSubstitution', 'PathJoinSubstitution', 'PythonExpression', 'SubstitutionFailure',
    'TextSubstitution', 'ThisLaunchFile', 'ThisLaunchFileDir',
]  # fmt: skip
__getattr__ = offered_only(__name__, __all__)
