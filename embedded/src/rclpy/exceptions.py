# SPDX-License-Identifier: Apache-2.0
"""Exceptions of rclpy's interface."""

from __future__ import annotations

from typing import Any


class NotInitializedException(Exception):
    """Something needs a context, and the context is not initialised."""

    def __init__(self, *args: object) -> None:
        super().__init__('rclpy.init() has not been called', *args)


class InvalidHandle(Exception):
    """The entity was destroyed."""


class RCLError(RuntimeError):
    """What librcl refuses in ROS 2."""


class NameValidationException(Exception):
    """A name with a character where it may not be."""

    def __init__(self, name_type: str, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__(
            f"Invalid {name_type}: {error_msg}:\n  '{name}'\n   {' ' * invalid_index}^"
        )
        self.name_type, self.name = name_type, name
        self.error_msg, self.invalid_index = error_msg, invalid_index


class InvalidNodeNameException(NameValidationException):
    """A node name that is none."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__('node name', name, error_msg, invalid_index)


class InvalidNamespaceException(NameValidationException):
    """A namespace that is none."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__('namespace', name, error_msg, invalid_index)


class InvalidTopicNameException(NameValidationException):
    """A topic name that is none."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__('topic name', name, error_msg, invalid_index)


class InvalidServiceNameException(NameValidationException):
    """A service name that is none."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__('service name', name, error_msg, invalid_index)


class ParameterException(Exception):
    """Base of what parameters raise."""

    def __init__(self, error_msg: str, parameters: Any, *args: object) -> None:
        super().__init__(error_msg, parameters, *args)

    def __str__(self) -> str:
        return f'{self.args[0]}: {self.args[1]}'


class ParameterNotDeclaredException(ParameterException):
    """A parameter is used before it is declared."""

    def __init__(self, parameters: Any, *args: object) -> None:
        super().__init__('Invalid access to undeclared parameter(s)', parameters, *args)


class ParameterAlreadyDeclaredException(ParameterException):
    """A parameter is declared twice."""

    def __init__(self, parameters: Any, *args: object) -> None:
        super().__init__('Parameter(s) already declared', parameters, *args)


class InvalidParameterException(ParameterException):
    """A parameter name that is none."""

    def __init__(self, parameter: Any, *args: object) -> None:
        super().__init__('Invalid parameter name', parameter, *args)


class InvalidParameterTypeException(ParameterException):
    """A statically typed parameter gets a value of another type."""

    def __init__(self, desired_parameter: Any, expected_type: Any, *args: object) -> None:
        super().__init__(
            f"Trying to set parameter '{desired_parameter.name}' to "
            f"'{desired_parameter.value}' of type '{desired_parameter.type_.name}', "
            f"expecting type '{expected_type}'",
            desired_parameter.name,
            *args,
        )

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidParameterValueException(ParameterException):
    """A value that the descriptor or a callback refuses."""

    def __init__(self, parameter: Any, value: Any, reason: Any, *args: object) -> None:
        super().__init__(
            f'Invalid parameter value ({value}) for parameter. Reason: {reason}', parameter, *args
        )


class ParameterImmutableException(ParameterException):
    """A read-only parameter is changed."""

    def __init__(self, parameter: Any, *args: object) -> None:
        super().__init__('Attempted to modify read-only parameter', parameter, *args)


class ParameterUninitializedException(ParameterException):
    """A parameter declared by type only is read before it has a value."""

    def __init__(self, parameter: str, *args: object) -> None:
        super().__init__('The parameter is not initialized', parameter, *args)


class ROSInterruptException(Exception):
    """Sleeping was ended by the context's shutdown."""

    def __init__(self, *args: object) -> None:
        super().__init__('rclpy.shutdown() has been called', *args)
