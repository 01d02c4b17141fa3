# SPDX-License-Identifier: Apache-2.0
"""A node's parameters from one frozen dataclass: declared, described, loaded, checked."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeVar

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from g1_il.errors import ConfigError

Config = TypeVar('Config')


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


def _coerce(name: str, value: Any, default: Any, hint: Any) -> Any:
    """The value in the field's type, or a ConfigError that names both."""
    wanted = type(default)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType) and value is None:
        return None
    if wanted is tuple:
        if isinstance(value, str) or not hasattr(value, '__iter__'):
            raise _wrong_type(name, value, 'a list')
        return tuple(value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if type(value) is not wanted:
        allowed = {'bool': 'true or false', 'str': 'a text', 'int': 'a whole number'}
        raise _wrong_type(name, value, allowed.get(wanted.__name__, 'a number'))
    return value


def _wrong_type(name: str, value: Any, allowed: str) -> ConfigError:
    return ConfigError(
        f'parameter {name} is {value!r} ({type(value).__name__}); allowed: {allowed}. '
        f'Set it with --ros-args -p {name}:=VALUE or in the parameter file'
    )
