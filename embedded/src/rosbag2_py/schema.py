# SPDX-License-Identifier: Apache-2.0
"""The text of message definitions, as MCAP's `ros2msg` schemas hold them."""

from __future__ import annotations

import functools
from typing import Any

from embedded_ros.definitions import FieldType, find

_RULE = '=' * 80


@functools.cache
def schema_text(type_name: str) -> str:
    """Returns the definition of `pkg/msg/Name`, followed by those of all messages inside it.

    Raises:
        DefinitionError: A definition is not known.
    """
    names = [type_name]
    for name in names:
        inner = (field.type.base for field in find(name).fields if field.type.is_message)
        names.extend(base for base in inner if base not in names)
    first, *others = (_definition_text(name) for name in names)
    parts = [first]
    for name, text in zip(names[1:], others, strict=True):
        package, _, short = name.split('/')
        parts.append(f'{_RULE}\nMSG: {package}/{short}\n{text}')
    return ''.join(parts)


def _definition_text(name: str) -> str:
    definition = find(name)
    lines = [
        f'{_constant_type(value)} {constant}={_value_text(value)}'
        for constant, value in definition.constants
    ]
    for field in definition.fields:
        default = '' if field.default is None else f' {_value_text(field.default)}'
        lines.append(f'{_type_text(field.type)} {field.name}{default}')
    return ''.join(f'{line}\n' for line in lines)


def _constant_type(value: Any) -> str:
    for kind, text in ((bool, 'bool'), (float, 'float64'), (bytes, 'byte'), (str, 'string')):
        if isinstance(value, kind):
            return text
    return 'int64' if value < 0 else 'uint64'


def _value_text(value: Any) -> str:
    if isinstance(value, bytes):
        return str(value[0])
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


def _type_text(kind: FieldType) -> str:
    base = {'octet': 'byte'}.get(kind.base, kind.base).replace('/msg/', '/')
    if kind.string_bound:
        base = f'{base}<={kind.string_bound}'
    if kind.container == 'array':
        return f'{base}[{kind.size}]'
    if kind.container == 'sequence':
        return f'{base}[<={kind.size}]' if kind.size else f'{base}[]'
    return base
