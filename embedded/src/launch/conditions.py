# SPDX-License-Identifier: Apache-2.0
"""Conditions that decide whether an action is executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_ros.gap import offered_only

from .substitution import (
    SomeSubstitutionsType,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)


class InvalidConditionExpressionError(Exception):
    """The expression of a condition is neither true nor false."""


def evaluate_condition_expression(context: Any, expression: SomeSubstitutionsType) -> bool:
    """Evaluates to a boolean: true, 1, false or 0, in any case of letters."""
    text = perform_substitutions(context, expression).strip().lower()
    if text not in ('true', '1', 'false', '0'):
        raise InvalidConditionExpressionError(
            f"invalid condition expression, expected one of 'true', '1', 'false', '0', got '{text}'"
        )
    return text in ('true', '1')


class Condition:
    """A predicate over the launch context."""

    def __init__(self, *, predicate: Callable[[Any], bool] | None = None) -> None:
        self._predicate = predicate

    def evaluate(self, context: Any) -> bool:
        """Returns whether the condition holds now."""
        return self._predicate(context)


class IfCondition(Condition):
    """Holds when the expression is true."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=lambda c: evaluate_condition_expression(c, expression))


class UnlessCondition(Condition):
    """Holds when the expression is false."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=lambda c: not evaluate_condition_expression(c, expression))


class LaunchConfigurationEquals(Condition):
    """Holds when a launch configuration has this value (None: when it is not set)."""

    def __init__(self, name: str, expected_value: SomeSubstitutionsType | None) -> None:
        def equals(context: Any) -> bool:
            expected = expected_value
            if expected is not None:
                expected = perform_substitutions(context, expected)
            return context.launch_configurations.get(name) == expected

        super().__init__(predicate=equals)


class LaunchConfigurationNotEquals(Condition):
    """Holds when a launch configuration does not have this value."""

    def __init__(self, name: str, expected_value: SomeSubstitutionsType | None) -> None:
        equals = LaunchConfigurationEquals(name, expected_value)
        super().__init__(predicate=lambda context: not equals.evaluate(context))


__all__ = [
    'IfCondition', 'InvalidConditionExpressionError', 'LaunchConfigurationEquals',
    'LaunchConfigurationNotEquals', 'UnlessCondition', 'evaluate_condition_expression',
]  # fmt: skip
__getattr__ = offered_only(__name__, __all__)
