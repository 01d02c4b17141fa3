# SPDX-License-Identifier: Apache-2.0
"""Substitutions: text that is known only when the launch description is executed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml


class SubstitutionFailure(Exception):
    """A substitution could not be turned into text."""


class Substitution:
    """Text to be known later; subclasses override `perform`."""

    def perform(self, context: Any) -> str:
        """Returns the text in this context."""
        raise NotImplementedError(f'{type(self).__name__}.perform')

    def describe(self) -> str:
        """Returns a readable form, as `ros2 launch --show-args` prints it."""
        return f'{type(self).__name__}()'


class TextSubstitution(Substitution):
    """Plain text."""

    def __init__(self, *, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f'TextSubstitution expected text as str, got {text!r}')
        self.text = text

    def perform(self, context: Any) -> str:
        return self.text

    def describe(self) -> str:
        return f"'{self.text}'"


SomeSubstitutionsType = str | Substitution | Iterable[str | Substitution]
SomeSubstitutionsType_types_tuple = (str, Substitution, Iterable)


def normalize_to_list_of_substitutions(some: SomeSubstitutionsType) -> list[Substitution]:
    """Makes one list of substitutions out of text, a substitution, or several of them."""
    items = [some] if isinstance(some, (str, Substitution)) else list(some)
    for item in items:
        if not isinstance(item, (str, Substitution)):
            raise TypeError(f'expected str or Substitution (or several), got {item!r}')
    return [TextSubstitution(text=i) if isinstance(i, str) else i for i in items]


def perform_substitutions(context: Any, some: SomeSubstitutionsType) -> str:
    """Joins the texts of all substitutions in `some`."""
    return ''.join(i.perform(context) for i in normalize_to_list_of_substitutions(some))


def perform_typed(context: Any, value: Any, value_type: Any = None) -> Any:
    """Evaluates a value that may hold substitutions, and makes it of `value_type`.

    Args:
        context: The launch context.
        value: A plain value, or text and substitutions whose result is read as YAML.
        value_type: bool, int, float, str, a list of one of them, or None for YAML's own opinion.

    Raises:
        ValueError: The result is not of that type.
    """
    if isinstance(value, (bool, int, float)) or (
        isinstance(value, (list, tuple)) and not any(isinstance(i, Substitution) for i in value)
    ):
        result = list(value) if isinstance(value, tuple) else value
    else:
        text = perform_substitutions(context, value)
        if value_type is str:
            return text
        try:
            result = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f'cannot read {text!r} as YAML: {error}') from error
        if value_type is bool and text.strip() in ('0', '1'):
            result = text.strip() == '1'
        result = text if result is None else result
    if value_type is None:
        return result
    item_type = getattr(value_type, '__args__', [None])[0]
    items = result if item_type else [result]
    wanted = item_type or value_type
    if wanted is float and isinstance(items, list):
        items = [float(i) if type(i) is int else i for i in items]
    if not isinstance(items, list) or any(type(i) is not wanted for i in items):
        raise ValueError(f'cannot convert {result!r} to {value_type}')
    return items if item_type else items[0]
