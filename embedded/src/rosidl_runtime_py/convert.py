# SPDX-License-Identifier: Apache-2.0
"""Messages to dictionaries, YAML and CSV."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import Any

import numpy as np
from embedded_ros.classes import Message, message_parts

# How many elements of a long array, or characters of a long string, are written by default.
DEFAULT_TRUNCATE_LENGTH = 128


def message_to_ordereddict(
    msg: Any,
    *,
    truncate_length: int | None = None,
    no_arr: bool = False,
    no_str: bool = False,
) -> OrderedDict[str, Any]:
    """Fields by name, nested messages likewise; long arrays and strings are cut if asked."""
    return OrderedDict(
        (name, _plain(value, truncate_length, no_arr, no_str))
        for name, value in message_parts(msg)
    )


def _plain(value: Any, limit: int | None, no_arr: bool, no_str: bool) -> Any:
    if isinstance(value, Message):
        return message_to_ordereddict(value, truncate_length=limit, no_arr=no_arr, no_str=no_str)
    if isinstance(value, bytes):
        text = '0x' + value.hex()
        return f'<string length: <{len(value)}>>' if no_str else text
    if isinstance(value, str):
        if no_str:
            return f'<string length: <{len(value)}>>'
        return value[:limit] + '...' if limit is not None and len(value) > limit else value
    if isinstance(value, (list, tuple, array, np.ndarray)):
        if no_arr:
            return f'<array length: {len(value)}>'
        shown = value if limit is None else value[:limit]
        items = shown.tolist() if isinstance(shown, (array, np.ndarray)) else shown
        plain = [_plain(item, limit, no_arr, no_str) for item in items]
        return [*plain, '...'] if len(plain) < len(value) else plain
    return value


def message_to_yaml(
    msg: Any,
    *,
    truncate_length: int | None = None,
    no_arr: bool = False,
    no_str: bool = False,
    flow_style: bool = False,
) -> str:
    """The message as YAML."""
    import yaml

    fields = message_to_ordereddict(
        msg, truncate_length=truncate_length, no_arr=no_arr, no_str=no_str
    )
    return str(
        yaml.safe_dump(
            _as_dict(fields),
            allow_unicode=True,
            default_flow_style=flow_style,
            sort_keys=False,
            width=99999,
        )
    )


def _as_dict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_dict(item) for name, item in value.items()}
    return [_as_dict(item) for item in value] if isinstance(value, list) else value


def message_to_csv(
    msg: Any,
    *,
    truncate_length: int | None = None,
    no_arr: bool = False,
    no_str: bool = False,
) -> str:
    """All values in one line, separated by commas."""

    def values(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for item in value.values() for text in values(item)]
        if isinstance(value, list):
            return [text for item in value for text in values(item)]
        return [str(value)]

    return ','.join(
        values(
            message_to_ordereddict(
                msg, truncate_length=truncate_length, no_arr=no_arr, no_str=no_str
            )
        )
    )
