# SPDX-License-Identifier: Apache-2.0
"""Parameters: a name, a type and a value."""

from __future__ import annotations

import array
from enum import Enum
from typing import Any

PARAMETER_SEPARATOR_STRING = '.'


class Parameter:
    """One named value."""

    class Type(Enum):
        """Types, by the numbers of rcl_interfaces/msg/ParameterType."""

        NOT_SET = 0
        BOOL = 1
        INTEGER = 2
        DOUBLE = 3
        STRING = 4
        BYTE_ARRAY = 5
        BOOL_ARRAY = 6
        INTEGER_ARRAY = 7
        DOUBLE_ARRAY = 8
        STRING_ARRAY = 9

        @classmethod
        def from_parameter_value(cls, value: Any) -> Parameter.Type:
            """The type of a Python value.

            Raises:
                TypeError: No parameter can hold it.
            """
            if value is None:
                return cls.NOT_SET
            for kind, python in _SCALARS:
                if type(value) is python:
                    return cls[kind]
            if isinstance(value, array.array):
                return cls.DOUBLE_ARRAY if value.typecode in 'df' else cls.INTEGER_ARRAY
            if isinstance(value, (list, tuple)):
                if all(isinstance(item, bytes) for item in value):
                    return cls.BYTE_ARRAY
                for kind, python in _SCALARS:
                    if all(type(item) is python for item in value):
                        return cls[f'{kind}_ARRAY']
            raise TypeError(
                f"The given value is not one of the allowed types '{value!r}'. Allowed are bool, "
                'int, float, str, and lists of one of them or of bytes.'
            )

        def check(self, parameter_value: Any) -> bool:
            """Whether a value is of this type."""
            if parameter_value is None or self is Parameter.Type.NOT_SET:
                return (parameter_value is None) == (self is Parameter.Type.NOT_SET)
            if isinstance(parameter_value, (list, tuple)) and not parameter_value:
                return self.name.endswith('ARRAY')
            try:
                return Parameter.Type.from_parameter_value(parameter_value) is self
            except TypeError:
                return False

    @classmethod
    def from_parameter_msg(cls, param_msg: Any) -> Parameter:
        """The parameter that rcl_interfaces/msg/Parameter holds."""
        kind = Parameter.Type(param_msg.value.type)
        return cls(param_msg.name, kind, parameter_value_to_python(param_msg.value))

    def __init__(self, name: str, type_: Parameter.Type | None = None, value: Any = None) -> None:
        if type_ is None:
            type_ = Parameter.Type.from_parameter_value(value)
        if not isinstance(type_, Parameter.Type):
            raise TypeError("type must be an instance of 'Parameter.Type'")
        if not type_.check(value):
            raise ValueError(f"Type '{type_}' and value '{value}' do not agree")
        self._name, self._type_, self._value = name, type_, value

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def type_(self) -> Parameter.Type:
        """The type."""
        return self._type_

    @property
    def value(self) -> Any:
        """The value."""
        return self._value

    def get_parameter_value(self) -> Any:
        """The value as rcl_interfaces/msg/ParameterValue."""
        from rcl_interfaces.msg import ParameterValue

        message = ParameterValue(type=self.type_.value)
        if self.type_ is not Parameter.Type.NOT_SET:
            value = list(self.value) if self.type_.name.endswith('ARRAY') else self.value
            setattr(message, f'{self.type_.name.lower()}_value', value)
        return message

    def to_parameter_msg(self) -> Any:
        """The parameter as rcl_interfaces/msg/Parameter."""
        from rcl_interfaces.msg import Parameter as Message

        return Message(name=self.name, value=self.get_parameter_value())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameter):
            return NotImplemented
        return (self.name, self.type_, self.value) == (other.name, other.type_, other.value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f'Parameter(name={self.name!r}, type_={self.type_}, value={self.value!r})'


_SCALARS = (('BOOL', bool), ('INTEGER', int), ('DOUBLE', float), ('STRING', str))


def parameter_value_to_python(parameter_value: Any) -> Any:
    """The Python value of rcl_interfaces/msg/ParameterValue."""
    kind = Parameter.Type(parameter_value.type)
    if kind is Parameter.Type.NOT_SET:
        return None
    value = getattr(parameter_value, f'{kind.name.lower()}_value')
    return list(value) if kind.name.endswith('ARRAY') else value
