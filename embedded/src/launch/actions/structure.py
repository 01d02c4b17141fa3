# SPDX-License-Identifier: Apache-2.0
"""Actions that arrange a launch description: arguments, includes, groups, configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..launch_description import Action, LaunchDescriptionEntity
from ..launch_description_sources import LaunchDescriptionSource, PythonLaunchDescriptionSource
from ..substitution import (
    SomeSubstitutionsType,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)


class DeclareLaunchArgument(Action):
    """Declares an argument of the launch file; without a default it has to be given."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.choices = None if choices is None else list(choices)
        self.description = description or 'no description given'
        if self.choices is not None:
            if not self.choices:
                raise ValueError(f"argument '{name}': choices must not be empty")
            if isinstance(default_value, str) and default_value not in self.choices:
                raise ValueError(
                    f"argument '{name}': default_value '{default_value}' is not in the choices "
                    f'{self.choices}'
                )
            self.description += f' Valid choices are: {self.choices}'
        self.default_value = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value)
        )

    def execute(self, context: Any) -> None:
        configurations = context.launch_configurations
        if self.name not in configurations:
            if self.default_value is None:
                raise RuntimeError(
                    f"Required launch argument '{self.name}' (description: '{self.description}') "
                    'was not provided'
                )
            configurations[self.name] = perform_substitutions(context, self.default_value)
        value = configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(
                f"launch argument '{self.name}' is '{value}', allowed: {', '.join(self.choices)}"
            )


class IncludeLaunchDescription(Action):
    """Visits another launch file's description, with launch arguments."""

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Iterable[tuple[Any, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        source = launch_description_source
        if not isinstance(source, LaunchDescriptionSource):
            source = PythonLaunchDescriptionSource(source)
        self.launch_description_source = source
        pairs = launch_arguments.items() if isinstance(launch_arguments, Mapping) else None
        self.launch_arguments = list(pairs or launch_arguments or [])

    @property
    def given_argument_names(self) -> frozenset[str]:
        """Arguments that the including file gives."""
        return frozenset(name for name, _ in self.launch_arguments if isinstance(name, str))

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        description = self.launch_description_source.try_get_launch_description_without_context()
        return [] if description is None else [description]

    def execute(self, context: Any) -> list[LaunchDescriptionEntity]:
        description = self.launch_description_source.get_launch_description(context)
        location = self.launch_description_source.location
        old = context.get_locals_as_dict()
        keys = ('current_launch_file_path', 'current_launch_file_directory')
        context.extend_locals(dict(zip(keys, location, strict=True)))
        given = [(perform_substitutions(context, name), v) for name, v in self.launch_arguments]
        known = {name for name, _ in given} | set(context.launch_configurations)
        for argument in description.get_launch_arguments():
            if argument.default_value is None and argument.name not in known:
                raise RuntimeError(
                    f'Included launch description {location[0]} misses required argument '
                    f"'{argument.name}' (description: '{argument.description}'), "
                    f'given: {sorted(known)}'
                )
        restore = {key: old.get(key) for key in keys}
        return [
            *(SetLaunchConfiguration(name, value) for name, value in given),
            description,
            OpaqueFunction(function=lambda context: context.extend_locals(restore)),
        ]


class OpaqueFunction(Action):
    """Calls `function(context, *args, **kwargs)`, which may return entities to visit."""

    def __init__(
        self,
        *,
        function: Callable[..., Any],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **left_over: Any,
    ) -> None:
        super().__init__(**left_over)
        self.function, self.args, self.kwargs = function, list(args), dict(kwargs or {})

    def execute(self, context: Any) -> list[LaunchDescriptionEntity] | None:
        return self.function(context, *self.args, **self.kwargs)


class GroupAction(Action):
    """Actions with one condition; scoped: what they configure ends with the group."""

    def __init__(
        self,
        actions: Iterable[Action],
        *,
        scoped: bool = True,
        forwarding: bool = True,
        launch_configurations: Mapping[Any, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.actions, self.scoped, self.forwarding = list(actions), scoped, forwarding
        self.launch_configurations = dict(launch_configurations or {})

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.actions

    def execute(self, context: Any) -> list[LaunchDescriptionEntity]:
        # Evaluated before the reset, so that a group that does not forward can still take over.
        given = [
            SetLaunchConfiguration(name, perform_substitutions(context, value))
            for name, value in self.launch_configurations.items()
        ]
        if not self.scoped:
            return [*given, *self.actions]
        context.push_scope()
        if not self.forwarding:
            context.reset_scope()
        leave = OpaqueFunction(function=lambda context: context.pop_scope())
        return [*given, *self.actions, leave]


class _Setter(Action):
    """Base of actions that set `name` to `value`."""

    def __init__(self, name: Any, value: Any = '', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = normalize_to_list_of_substitutions(name)
        self.value = normalize_to_list_of_substitutions(value)

    def execute(self, context: Any) -> None:
        name = perform_substitutions(context, self.name)
        self.set(context, name, perform_substitutions(context, self.value))

    def set(self, context: Any, name: str, value: str) -> None:
        """Sets it."""
        raise NotImplementedError


class SetLaunchConfiguration(_Setter):
    """Sets a launch configuration."""

    def set(self, context: Any, name: str, value: str) -> None:
        context.launch_configurations[name] = value


class UnsetLaunchConfiguration(_Setter):
    """Removes a launch configuration."""

    def set(self, context: Any, name: str, value: str) -> None:
        context.launch_configurations.pop(name, None)


class SetEnvironmentVariable(_Setter):
    """Sets a variable of the environment of what is started from here."""

    def set(self, context: Any, name: str, value: str) -> None:
        context.environment[name] = value


class UnsetEnvironmentVariable(_Setter):
    """Removes a variable of the environment."""

    def set(self, context: Any, name: str, value: str) -> None:
        context.environment.pop(name, None)


class AppendEnvironmentVariable(_Setter):
    """Appends to a variable that holds a list, such as a path (`prepend`: puts it first)."""

    def __init__(
        self, name: Any, value: Any, prepend: Any = False, separator: str = ':', **kwargs: Any
    ) -> None:
        super().__init__(name, value, **kwargs)
        self.prepend, self.separator = prepend, separator

    def set(self, context: Any, name: str, value: str) -> None:
        parts = [context.environment[name]] if context.environment.get(name) else []
        parts = [value, *parts] if self.prepend else [*parts, value]
        context.environment[name] = self.separator.join(parts)
