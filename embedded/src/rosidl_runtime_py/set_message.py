# SPDX-License-Identifier: Apache-2.0
"""Dictionaries, e.g. of a YAML text, into messages."""

from __future__ import annotations

from typing import Any

from embedded_ros import classes
from embedded_ros.definitions import FLOATS, FieldType, find


def set_message_fields(msg: Any, values: dict[str, Any]) -> None:
    """Sets fields of a message from plain data.

    Raises:
        AttributeError: The message has no such field.
        TypeError: `values` is no dictionary.
        AssertionError, ValueError: A value does not fit its field.
    """
    if not isinstance(values, dict):
        raise TypeError(f'Expected a dictionary of fields, got {values!r}')
    types = {field.name: field.type for field in find(classes.interface_name(type(msg))).fields}
    for name, value in values.items():
        if name not in types:
            raise AttributeError(
                f"'{type(msg).__name__}' has no field '{name}'; "
                f'it has {", ".join(types) or "none"}'
            )
        setattr(msg, name, _converted(value, types[name]))


def _converted(value: Any, kind: FieldType) -> Any:
    if kind.container:
        element = FieldType(base=kind.base, string_bound=kind.string_bound)
        return [_converted(item, element) for item in value]
    if kind.is_message:
        message = classes.interface_class(kind.base)()
        set_message_fields(message, value)
        return message
    if kind.base in FLOATS and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind.base == 'octet' and isinstance(value, int):
        return bytes([value])
    if kind.base == 'string' and not isinstance(value, str):
        return str(value)
    return value
