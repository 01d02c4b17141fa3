# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node: from values, substitutions, nested dicts and YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from launch.substitution import (
    SomeSubstitutionsType,
    Substitution,
    perform_substitutions,
    perform_typed,
)

_PLAIN = (bool, int, float, str)


class ParameterValue:
    """A value whose substitutions become `value_type` (None: what YAML makes of the text)."""

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        self.value, self.value_type = value, value_type

    def evaluate(self, context: Any) -> Any:
        """Returns the value in this context."""
        return perform_typed(context, self.value, self.value_type)


class Parameter(ParameterValue):
    """A parameter by name, for a node's list of parameters."""

    def __init__(
        self, name: SomeSubstitutionsType, value: Any = None, *, value_type: Any = None
    ) -> None:
        super().__init__(value, value_type=value_type)
        self.name = name


class ParameterFile:
    """A parameter file by path."""

    def __init__(self, param_file: Any, *, allow_substs: Any = False) -> None:
        if allow_substs is not False:
            raise NotImplementedError(
                'ParameterFile(allow_substs=...) is not offered by the embedded ROS runtime: '
                'give values with substitutions in a dict of parameters'
            )
        self.param_file = param_file


def evaluate_parameters(context: Any, parameters: Mapping[Any, Any]) -> dict[str, Any]:
    """Evaluates a dict of parameters; nested dicts become names joined by dots.

    Text stays text; the result of substitutions is read as YAML, as launch_ros does it.

    Raises:
        TypeError: A value is of no type that a ROS parameter can have.
    """
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        name = perform_substitutions(context, key)
        if isinstance(value, Mapping):
            nested = evaluate_parameters(context, value)
            flat.update({f'{name}.{inner}': v for inner, v in nested.items()})
        else:
            flat[name] = _evaluate_value(context, name, value)
    return flat


def _evaluate_value(context: Any, name: str, value: Any) -> Any:
    result: Any = value
    if isinstance(value, ParameterValue):
        result = value.evaluate(context)
    elif isinstance(value, Substitution):
        result = perform_typed(context, value)
    elif isinstance(value, (list, tuple)):
        if any(isinstance(item, Substitution) for item in value):
            result = perform_typed(context, value)
        else:
            result = [_evaluate_value(context, name, item) for item in value]
            if {type(item) for item in result} == {int, float}:
                result = [float(item) for item in result]
    items = result if isinstance(result, list) else [result]
    if len({type(item) for item in items}) != 1 or not isinstance(items[0], _PLAIN):
        raise TypeError(
            f"parameter '{name}' is {result!r}, allowed: bool, int, float, str, or a non-empty "
            'list of one of them; to keep the text of a substitution use '
            'ParameterValue(value, value_type=str)'
        )
    return result


def dump_parameters(node: str, parameters: Mapping[str, Any]) -> str:
    """Returns the text of a parameter file, for a node by full name, or `/**`."""
    return yaml.safe_dump({node: {'ros__parameters': dict(parameters)}}, default_flow_style=False)
