# SPDX-License-Identifier: Apache-2.0
"""Conditions that decide whether an action is executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_ros.gap import names_gaps

from .substitution import SomeSubstitutionsType, perform_substitutions

__getattr__ = names_gaps(__name__)


class InvalidConditionExpressionError(Exception):
    """The expression of a condition is neither true nor false."""


def evaluate_condition_expression(context: Any, expression: SomeSubstitutionsType) -> bool:
    """Evaluates to a boolean: true, 1, false or 0, in any case of letters."""
    text = perform_substitutions(context, expression).strip().lower()
    if text not in ('true', '1', 'false', '0'):
        raise InvalidConditionExpressionError(
            f"condition expression is '{text}', allowed: true, 1, false, 0"
        )
    return text in ('true', '1')


class Condition:
    """A predicate over the launch context."""

    def __init__(self, *, predicate: Callable[[Any], bool]) -> None:
        self._predicate = predicate

    def evaluate(self, context: Any) -> bool:
        """Returns whether the condition holds now."""
        return self._predicate(context)


class IfCondition(Condition):
    """Holds when the expression is true."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        super().__init__(
            predicate=lambda c: evaluate_condition_expression(c, predicate_expression)
        )


class UnlessCondition(Condition):
    """Holds when the expression is false."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        holds = IfCondition(predicate_expression).evaluate
        super().__init__(predicate=lambda context: not holds(context))


class LaunchConfigurationEquals(Condition):
    """Holds when a launch configuration has this value (None: when it is not set)."""

    def __init__(self, name: str, expected_value: SomeSubstitutionsType | None) -> None:
        def equals(context: Any) -> bool:
            value = context.launch_configurations.get(name)
            if expected_value is None or value is None:
                return value is expected_value
            return value == perform_substitutions(context, expected_value)

        super().__init__(predicate=equals)


class LaunchConfigurationNotEquals(Condition):
    """Holds when a launch configuration does not have this value."""

    def __init__(self, name: str, expected_value: SomeSubstitutionsType | None) -> None:
        equals = LaunchConfigurationEquals(name, expected_value).evaluate
        super().__init__(predicate=lambda context: not equals(context))
