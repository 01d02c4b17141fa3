# SPDX-License-Identifier: Apache-2.0
"""A node's parameters from one frozen dataclass: declared, described, loaded, checked."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any, TypeVar

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from g1_il.errors import ConfigError

Config = TypeVar('Config')

_KINDS = {str: 'text', int: 'whole number', float: 'number'}
# Every node of rclpy has these.
_ROS_OWN_PARAMETERS = ('use_sim_time', 'qos_overrides', 'start_type_description_service')


def declare(node: Node, config_type: type[Config]) -> Config:
    """Declares every field of a config as a parameter of the node and loads the config.

    A field's default is the parameter's default, its metadata 'description' the parameter's
    description. Tuples of numbers or strings become ROS arrays. Whole numbers given for a float
    are taken as floats, since `-p rate_hz:=30` means 30.0.

    Args:
        node: The node that owns the parameters.
        config_type: A frozen dataclass whose fields all have defaults; its __post_init__ checks
            the values and raises ConfigError.

    Returns:
        The config with the values in force.

    Raises:
        ConfigError: If a value has the wrong type or the config refuses it.
    """
    hints = typing.get_type_hints(config_type)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config_type):  # type: ignore[arg-type]
        default = field.default
        if default is dataclasses.MISSING:
            default = field.default_factory()  # type: ignore[misc]
        descriptor = ParameterDescriptor(
            description=field.metadata.get('description', ''), dynamic_typing=True
        )
        declared = list(default) if isinstance(default, tuple) else default
        try:
            value = node.declare_parameter(field.name, declared, descriptor).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise ConfigError(f'parameter {field.name}: {error}') from error
        values[field.name] = _coerce(field.name, value, default, hints[field.name])
    return config_type(**values)


def refuse_unknown(node: Node) -> None:
    """Refuses values for parameters that the node does not have: a slip of the pen, most likely.

    Raises:
        ConfigError: The command line or a parameter file sets one.
    """
    given = node._parameter_overrides  # rclpy has no public way to ask
    unknown = [
        name
        for name in given
        if not node.has_parameter(name) and not name.startswith(_ROS_OWN_PARAMETERS)
    ]
    if unknown:
        names = sorted(node.get_parameters_by_prefix(''))
        known = ', '.join(name for name in names if not name.startswith(_ROS_OWN_PARAMETERS))
        raise ConfigError(
            f'parameter {unknown[0]} is set to {given[unknown[0]].value!r}, but this node has '
            f'none of that name; it has: {known}'
        )


def _coerce(name: str, value: Any, default: Any, hint: Any) -> Any:
    """The value in the field's type, or a ConfigError that names both."""
    wanted = type(default)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType) and value is None:
        return None
    if wanted is tuple:
        if isinstance(value, str) or not hasattr(value, '__iter__'):
            raise _wrong_type(name, value, 'a list')
        items = {type(item) for item in default} or {str}
        if float in items:
            items.add(int)
        if any(type(item) not in items for item in value):
            raise _wrong_type(name, value, f'a list of {_KINDS[type(default[0])]}s')
        return tuple(value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is float and isinstance(value, float) and not math.isfinite(value):
        raise _wrong_type(name, value, 'a finite number')
    if wanted is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if type(value) is not wanted:
        allowed = 'true or false' if wanted is bool else f'a {_KINDS[wanted]}'
        raise _wrong_type(name, value, allowed)
    return value


def _wrong_type(name: str, value: Any, allowed: str) -> ConfigError:
    return ConfigError(
        f'parameter {name} is {value!r} ({type(value).__name__}); allowed: {allowed}. '
        f'Set it with --ros-args -p {name}:=VALUE or in the parameter file'
    )
