# SPDX-License-Identifier: Apache-2.0
"""The parameters of one node: declared, checked, set, announced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .exceptions import (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from .parameter import Parameter

Type = Parameter.Type


class ParameterStore:
    """Holds declared parameters with their descriptors."""

    def __init__(
        self,
        overrides: dict[str, Any],
        *,
        allow_undeclared: bool,
        announce: Callable[[list[Parameter], list[Parameter], list[Parameter]], None],
    ) -> None:
        """Starts empty.

        Args:
            overrides: Values from the command line and the node's arguments.
            allow_undeclared: Whether setting declares.
            announce: Told of new, changed and deleted parameters.
        """
        self.overrides, self.allow_undeclared, self._announce = (
            overrides,
            allow_undeclared,
            announce,
        )
        self.values: dict[str, Parameter] = {}
        self.descriptors: dict[str, Any] = {}
        self.pre_set: list[Callable[[list[Parameter]], list[Parameter]]] = []
        self.on_set: list[Callable[[list[Parameter]], Any]] = []
        self.post_set: list[Callable[[list[Parameter]], None]] = []

    def declare(
        self, name: str, value: Any, descriptor: Any, *, ignore_override: bool
    ) -> Parameter:
        """Declares one parameter; an override, if there is one, replaces the value.

        Args:
            name: Its name.
            value: Default value, a Parameter.Type (no default, but a type), or None.
            descriptor: Its ParameterDescriptor, or None.
            ignore_override: Whether the default counts in any case.
        """
        from rcl_interfaces.msg import ParameterDescriptor

        if not isinstance(name, str):
            raise TypeError(f'Parameter name must be a str, got {type(name).__name__}')
        if not name or name.startswith('.') or name.endswith('.') or '..' in name:
            raise InvalidParameterException(name)
        if name in self.values:
            raise ParameterAlreadyDeclaredException([name])
        if descriptor is None:
            descriptor = ParameterDescriptor()
            # A bare name says nothing about the type.
            descriptor.dynamic_typing = value is None
        if isinstance(value, Type):
            if value is Type.NOT_SET:
                raise ValueError(f'Cannot declare parameter {name} statically typed as NOT_SET')
            if descriptor.dynamic_typing:
                raise ValueError(
                    f'When declaring parameter {name} passing its type, dynamic_typing cannot '
                    'be set'
                )
            kind, value = value, None
        else:
            kind = Type.from_parameter_value(value)
            if value is None and not descriptor.dynamic_typing:
                kind = Type(descriptor.type)
                if kind is Type.NOT_SET:
                    raise ValueError(
                        f'Cannot declare a statically typed parameter {name} with default value '
                        'of None and no type in its descriptor'
                    )
        descriptor.name, descriptor.type = name, kind.value
        parameter = Parameter(name, value=value)
        if name in self.overrides and not ignore_override:
            parameter = self._override(name, kind, descriptor)
        if parameter.value is not None:
            self._check_type(parameter, descriptor, kind)
            result = self._validate([parameter], {name: descriptor}, declaring=True)
            if not result.successful:
                raise InvalidParameterValueException(name, parameter.value, result.reason)
        self.values[name], self.descriptors[name] = parameter, descriptor
        self._announce([parameter], [], [])
        for callback in self.post_set:
            callback([parameter])
        return parameter

    def _override(self, name: str, kind: Any, descriptor: Any) -> Parameter:
        value = self.overrides[name]
        try:
            parameter = Parameter(name, value=value)
        except TypeError as error:
            raise InvalidParameterValueException(name, value, error) from None
        if not descriptor.dynamic_typing and kind.check(value):
            parameter = Parameter(name, kind, value)  # an empty list is of any list's type
        return parameter

    @staticmethod
    def _check_type(parameter: Parameter, descriptor: Any, kind: Any) -> None:
        if descriptor.dynamic_typing or parameter.type_ is kind:
            return
        raise InvalidParameterTypeException(parameter, kind.name)

    def undeclare(self, name: str) -> None:
        """Forgets a parameter."""
        if name not in self.values:
            raise ParameterNotDeclaredException(name)
        if self.descriptors[name].read_only:
            raise ParameterImmutableException(name)
        parameter = self.values.pop(name)
        del self.descriptors[name]
        self._announce([], [], [parameter])

    def get(self, name: str) -> Parameter:
        """A declared parameter that has a value, or may have none."""
        if name not in self.values:
            if self.allow_undeclared:
                return Parameter(name)
            raise ParameterNotDeclaredException(name)
        parameter, descriptor = self.values[name], self.descriptors[name]
        if parameter.type_ is Type.NOT_SET and not descriptor.dynamic_typing:
            raise ParameterUninitializedException(name)
        return parameter

    def set_one_by_one(self, parameters: Iterable[Parameter]) -> list[Any]:
        """Sets each on its own; a result for each."""
        return [self.set_together([parameter]) for parameter in parameters]

    def set_together(self, parameters: list[Parameter]) -> Any:
        """Sets all or none; one result.

        Raises:
            ParameterNotDeclaredException: One of them is not declared.
        """
        from rcl_interfaces.msg import SetParametersResult

        for callback in self.pre_set:
            parameters = callback(parameters)
            if not isinstance(parameters, list):
                raise TypeError('Pre set parameter callbacks must return a list of parameters')
        unknown = [p.name for p in parameters if p.name not in self.values]
        if unknown and not self.allow_undeclared:
            raise ParameterNotDeclaredException(unknown)
        for parameter in parameters:
            descriptor = self.descriptors.get(parameter.name)
            if descriptor is None:
                continue
            if descriptor.read_only:
                return SetParametersResult(
                    successful=False,
                    reason=f'Trying to set a read-only parameter: {parameter.name}.',
                )
            kind = Type(descriptor.type)
            fits = parameter.type_ is kind or (
                kind.name.endswith('ARRAY') and kind.check(parameter.value)
            )
            if not descriptor.dynamic_typing and not fits:
                return SetParametersResult(
                    successful=False,
                    reason=str(InvalidParameterTypeException(parameter, kind.name)),
                )
        result = self._validate(parameters, self.descriptors)
        if result.successful:
            self._store(parameters)
            for after in self.post_set:
                after(parameters)
        return result

    def _store(self, parameters: list[Parameter]) -> None:
        from rcl_interfaces.msg import ParameterDescriptor

        new, changed, deleted = [], [], []
        for parameter in parameters:
            if parameter.type_ is Type.NOT_SET and parameter.name in self.values:
                deleted.append(self.values.pop(parameter.name))
                del self.descriptors[parameter.name]
                continue
            if parameter.name in self.values:
                changed.append(parameter)
            else:
                new.append(parameter)
                self.descriptors[parameter.name] = ParameterDescriptor(
                    name=parameter.name, type=parameter.type_.value, dynamic_typing=True
                )
            self.values[parameter.name] = parameter
        self._announce(new, changed, deleted)

    def _validate(
        self, parameters: list[Parameter], descriptors: dict[str, Any], *, declaring: bool = False
    ) -> Any:
        from rcl_interfaces.msg import SetParametersResult

        for parameter in parameters:
            descriptor = descriptors.get(parameter.name)
            reason = _range_problem(parameter, descriptor) if descriptor is not None else ''
            if reason:
                return SetParametersResult(successful=False, reason=reason)
        for callback in self.on_set:
            result = callback(parameters)
            if not result.successful:
                return result
        return SetParametersResult(successful=True)


def _range_problem(parameter: Parameter, descriptor: Any) -> str:
    if parameter.type_ is Type.INTEGER and descriptor.integer_range:
        limits, tolerance = descriptor.integer_range[0], 0.0
    elif parameter.type_ is Type.DOUBLE and descriptor.floating_point_range:
        limits = descriptor.floating_point_range[0]
        tolerance = 1e-9 * max(1.0, abs(parameter.value))
    else:
        return ''
    value = parameter.value
    if not limits.from_value - tolerance <= value <= limits.to_value + tolerance:
        return (
            f'Parameter {parameter.name} out of range. Min: {limits.from_value}, '
            f'Max: {limits.to_value}, value: {value}'
        )
    if limits.step > 0 and abs(value - limits.to_value) > tolerance:
        steps = (value - limits.from_value) / limits.step
        if abs(steps - round(steps)) * limits.step > tolerance:
            return (
                f'The parameter value for {parameter.name} is not a valid step. Min: '
                f'{limits.from_value}, max: {limits.to_value}, value: {value}, '
                f'step: {limits.step}'
            )
    return ''
