# SPDX-License-Identifier: Apache-2.0
"""Actions that hold for all nodes started after them, within their group."""

from __future__ import annotations

from typing import Any

from launch.launch_description import Action
from launch.substitution import SomeSubstitutionsType, perform_substitutions

from ..parameter_descriptions import evaluate_parameters


def join_namespaces(outer: str, inner: str) -> str:
    """Joins namespaces; an inner one that is absolute stands alone."""
    joined = inner if inner.startswith('/') else f'{outer.rstrip("/")}/{inner}'
    return joined.rstrip('/') or '/'


class PushRosNamespace(Action):
    """Puts the nodes that follow into a namespace, within the one that is set already."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.namespace = namespace

    def execute(self, context: Any) -> None:
        outer = context.launch_configurations.get('ros_namespace', '')
        inner = perform_substitutions(context, self.namespace)
        context.launch_configurations['ros_namespace'] = join_namespaces(outer, inner)


PushROSNamespace = PushRosNamespace


class SetParameter(Action):
    """Gives a parameter to the nodes that follow."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name, self.value = name, value

    def execute(self, context: Any) -> None:
        new = evaluate_parameters(context, {self.name: self.value})
        old = context.launch_configurations.get('global_params', {})
        context.launch_configurations['global_params'] = {**old, **new}


class SetUseSimTime(SetParameter):
    """Sets `use_sim_time` of the nodes that follow."""

    def __init__(self, value: Any, **kwargs: Any) -> None:
        super().__init__('use_sim_time', value, **kwargs)


class SetRemap(Action):
    """Gives a remapping to the nodes that follow."""

    def __init__(
        self, src: SomeSubstitutionsType, dst: SomeSubstitutionsType, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.src, self.dst = src, dst

    def execute(self, context: Any) -> None:
        rule = tuple(perform_substitutions(context, side) for side in (self.src, self.dst))
        old = context.launch_configurations.get('ros_remaps', [])
        context.launch_configurations['ros_remaps'] = [*old, rule]
