# SPDX-License-Identifier: Apache-2.0
"""The substitutions of launch files."""

from __future__ import annotations

import importlib
import math
import os
import shlex
import shutil
import subprocess
from typing import Any

from embedded_ros.gap import names_gaps

from .substitution import (
    SomeSubstitutionsType,
    Substitution,
    SubstitutionFailure,
    TextSubstitution,  # noqa: F401
    normalize_to_list_of_substitutions,
    perform_substitutions,
    perform_typed,
)

__getattr__ = names_gaps(__name__)


class _OfText(Substitution):
    """Base of substitutions made from one text."""

    def __init__(self, text: SomeSubstitutionsType) -> None:
        self.text = normalize_to_list_of_substitutions(text)

    def describe(self) -> str:
        return f'{type(self).__name__}({" + ".join(i.describe() for i in self.text)})'


class LaunchConfiguration(_OfText):
    """The value of a launch configuration, that is of a launch argument."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any = None) -> None:
        super().__init__(variable_name)
        self.default = str(default) if isinstance(default, (bool, int, float)) else default

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.text)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self.default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_substitutions(context, self.default)


class EnvironmentVariable(_OfText):
    """The value of a variable of the launch context's environment."""

    def __init__(
        self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None
    ) -> None:
        super().__init__(name)
        self.default_value = default_value

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.text)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform_substitutions(context, self.default_value)


class LocalSubstitution(Substitution):
    """An attribute of the context's locals, such as `event.pid` in an event handler."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        self.expression = expression

    def perform(self, context: Any) -> str:
        return str(eval(f'context.locals.{self.expression}', {'context': context}))


class PathJoinSubstitution(Substitution):
    """Parts joined to a path; a part may itself be several substitutions."""

    def __init__(self, substitutions: Any) -> None:
        self.parts = [normalize_to_list_of_substitutions(part) for part in substitutions]

    def perform(self, context: Any) -> str:
        return os.path.join(*(perform_substitutions(context, part) for part in self.parts))

    def describe(self) -> str:
        parts = (' + '.join(i.describe() for i in part) for part in self.parts)
        return f'PathJoinSubstitution({", ".join(parts)})'


class PythonExpression(_OfText):
    """The text of a Python expression's value; `python_modules` (math) are in its scope."""

    def __init__(self, expression: SomeSubstitutionsType, python_modules: Any = 'math') -> None:
        super().__init__(expression)
        several = isinstance(python_modules, (list, tuple))
        self.python_modules = python_modules if several else [python_modules]

    def perform(self, context: Any) -> str:
        names = [perform_substitutions(context, module) for module in self.python_modules]
        scope = {name: importlib.import_module(name) for name in names}
        functions = vars(math) if 'math' in scope else {}
        return str(eval(perform_substitutions(context, self.text), {}, {**functions, **scope}))


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


class FindExecutable(_OfText):
    """Path of a program on PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        super().__init__(name)

    def perform(self, context: Any) -> str:
        name = perform_substitutions(context, self.text)
        path = shutil.which(name)
        if path is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH")
        return path


class Command(_OfText):
    """What a command prints; it must exit with 0 and, by default, not write to stderr."""

    def __init__(
        self, command: SomeSubstitutionsType, *, on_stderr: SomeSubstitutionsType = 'fail'
    ) -> None:
        super().__init__(command)
        self.on_stderr = on_stderr

    def perform(self, context: Any) -> str:
        command = perform_substitutions(context, self.text)
        on_stderr = perform_substitutions(context, self.on_stderr)
        if on_stderr not in ('fail', 'ignore', 'warn', 'capture'):
            raise SubstitutionFailure(
                f"Command: on_stderr is '{on_stderr}', allowed: fail, ignore, warn, capture"
            )
        merged = subprocess.STDOUT if on_stderr == 'capture' else subprocess.PIPE
        try:
            result = subprocess.run(
                shlex.split(command), stdout=subprocess.PIPE, stderr=merged, text=True, check=False
            )
        except OSError as error:
            raise SubstitutionFailure(f"command '{command}' cannot be run: {error}") from error
        written = f"executed command '{command}' showed stderr output: {result.stderr}"
        if result.returncode != 0:
            raise SubstitutionFailure(f'exit code {result.returncode}: {written}')
        if result.stderr and on_stderr == 'fail':
            raise SubstitutionFailure(written)
        if result.stderr and on_stderr == 'warn':
            context.logger.warning(written)
        return result.stdout


class _OfBooleans(Substitution):
    """Base of substitutions that combine values to 'true' or 'false'."""

    def __init__(self, *values: Any) -> None:
        plain = (bool, int, float)
        self.values = [str(value) if isinstance(value, plain) else value for value in values]

    def perform(self, context: Any) -> str:
        try:
            values = [perform_typed(context, value, bool) for value in self.values]
        except ValueError as error:
            raise SubstitutionFailure(f'{type(self).__name__}: {error}') from error
        return str(self.combine(values)).lower()

    def combine(self, values: list[bool]) -> bool:
        """Returns the combination of the values."""
        return all(values)


class AllSubstitution(_OfBooleans):
    """'true' when all values are true."""


class AnySubstitution(_OfBooleans):
    """'true' when one of the values is true."""

    def combine(self, values: list[bool]) -> bool:
        return any(values)


class AndSubstitution(AllSubstitution):
    """'true' when both sides are true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)


class OrSubstitution(AnySubstitution):
    """'true' when a side is true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)


class NotSubstitution(_OfBooleans):
    """'true' when the value is false."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        super().__init__(value)

    def combine(self, values: list[bool]) -> bool:
        return not values[0]


class EqualsSubstitution(_OfBooleans):
    """'true' when both sides are equal: as numbers, as booleans, or as text."""

    def __init__(self, left: Any, right: Any) -> None:
        super().__init__(left, right)

    def perform(self, context: Any) -> str:
        left, right = (perform_substitutions(context, value) for value in self.values)
        try:
            return str(math.isclose(float(left), float(right))).lower()
        except ValueError:
            booleans = {left.lower(), right.lower()} <= {'true', 'false'}
            equal = left.lower() == right.lower() if booleans else left == right
            return str(equal).lower()


class NotEqualsSubstitution(EqualsSubstitution):
    """'true' when the sides are not equal."""

    def perform(self, context: Any) -> str:
        return 'false' if super().perform(context) == 'true' else 'true'


class IfElseSubstitution(_OfBooleans):
    """One of two texts, chosen by a condition."""

    def __init__(self, condition: Any, if_value: Any = '', else_value: Any = '') -> None:
        if if_value == '' and else_value == '':
            raise RuntimeError('One of if_value and else_value must be specified')
        super().__init__(condition)
        self.if_value, self.else_value = if_value, else_value

    def perform(self, context: Any) -> str:
        chosen = self.if_value if super().perform(context) == 'true' else self.else_value
        return perform_substitutions(context, chosen)
