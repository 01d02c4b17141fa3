# SPDX-License-Identifier: Apache-2.0
"""What a node can do with its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .exceptions import ParameterNotDeclaredException
from .parameter import Parameter
from .parameter_store import ParameterStore


class NodeParameters:
    """rclpy's parameter methods on a ParameterStore; a base of Node, too long without it."""

    _parameters: ParameterStore

    @property
    def _parameter_overrides(self) -> dict[str, Any]:
        """Values given from outside, as rclpy keeps them: there is no public way to ask."""
        overrides = self._parameters.overrides
        return {name: Parameter(name, value=value) for name, value in overrides.items()}

    def declare_parameter(
        self, name: str, value: Any = None, descriptor: Any = None, ignore_override: bool = False
    ) -> Parameter:
        """Declares a parameter with a default value, or with a Parameter.Type."""
        return self._parameters.declare(name, value, descriptor, ignore_override=ignore_override)

    def declare_parameters(
        self, namespace: str, parameters: Iterable[tuple[Any, ...]], ignore_override: bool = False
    ) -> list[Parameter]:
        """Declares (name[, value[, descriptor]]) of a namespace ('' for none)."""
        prefix = f'{namespace}.' if namespace else ''
        return [
            self.declare_parameter(
                f'{prefix}{entry[0]}', *entry[1:3], ignore_override=ignore_override
            )
            for entry in parameters
        ]

    def undeclare_parameter(self, name: str) -> None:
        """Forgets a parameter."""
        self._parameters.undeclare(name)

    def has_parameter(self, name: str) -> bool:
        """Whether it is declared."""
        return name in self._parameters.values

    def get_parameter(self, name: str) -> Parameter:
        """A declared parameter."""
        return self._parameters.get(name)

    def get_parameters(self, names: list[str]) -> list[Parameter]:
        """Declared parameters."""
        if not all(isinstance(name, str) for name in names):
            raise TypeError('All names must be instances of type str')
        return [self.get_parameter(name) for name in names]

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        """A declared parameter, or the alternative."""
        if not self.has_parameter(name):
            return alternative_value or Parameter(name)
        return self.get_parameter(name)

    def get_parameter_type(self, name: str) -> Parameter.Type:
        """Type of a declared parameter."""
        return self.get_parameter(name).type_

    def get_parameter_types(self, names: list[str]) -> list[Parameter.Type]:
        """Types of declared parameters."""
        return [self.get_parameter_type(name) for name in names]

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]:
        """Parameters below a prefix, named without it."""
        start = f'{prefix}.' if prefix else ''
        return {
            name[len(start) :]: parameter
            for name, parameter in self._parameters.values.items()
            if name.startswith(start)
        }

    def set_parameters(self, parameter_list: list[Parameter]) -> list[Any]:
        """Sets each on its own; a SetParametersResult for each."""
        return self._parameters.set_one_by_one(parameter_list)

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> Any:
        """Sets all or none."""
        return self._parameters.set_together(parameter_list)

    def describe_parameter(self, name: str) -> Any:
        """The descriptor of a parameter."""
        if name not in self._parameters.descriptors:
            raise ParameterNotDeclaredException(name)
        return self._parameters.descriptors[name]

    def describe_parameters(self, names: list[str]) -> list[Any]:
        """The descriptors of parameters."""
        return [self.describe_parameter(name) for name in names]

    def add_pre_set_parameters_callback(self, callback: Callable[..., Any]) -> None:
        """Calls callback(parameters) before setting; it returns those to set."""
        self._parameters.pre_set.insert(0, callback)

    def add_on_set_parameters_callback(self, callback: Callable[..., Any]) -> None:
        """Calls callback(parameters) to allow or refuse a change (SetParametersResult)."""
        self._parameters.on_set.insert(0, callback)

    def add_post_set_parameters_callback(self, callback: Callable[..., Any]) -> None:
        """Calls callback(parameters) after a change."""
        self._parameters.post_set.insert(0, callback)

    def remove_pre_set_parameters_callback(self, callback: Callable[..., Any]) -> None:
        """Undoes add_pre_set_parameters_callback."""
        self._parameters.pre_set.remove(callback)

    def remove_on_set_parameters_callback(self, callback: Callable[..., Any]) -> None:
        """Undoes add_on_set_parameters_callback."""
        self._parameters.on_set.remove(callback)

    def remove_post_set_parameters_callback(self, callback: Callable[..., Any]) -> None:
        """Undoes add_post_set_parameters_callback."""
        self._parameters.post_set.remove(callback)
