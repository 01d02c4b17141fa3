# SPDX-License-Identifier: Apache-2.0
"""REP-2011 type hashes: SHA-256 over the JSON type description of an interface."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

from .definitions import Definition, FieldType, find

# Ids of type_description_interfaces/msg/FieldType.
_IDS = {
    'int8': 2,
    'uint8': 3,
    'int16': 4,
    'uint16': 5,
    'int32': 6,
    'uint32': 7,
    'int64': 8,
    'uint64': 9,
    'float32': 10,
    'float64': 11,
    'bool': 15,
    'octet': 16,
    'string': 17,
    'wstring': 18,
}
_BOUNDED_STRING = 4  # id of a bounded string, from that of the unbounded one
_ARRAY, _BOUNDED_SEQUENCE, _SEQUENCE = 48, 96, 144


@functools.cache
def type_hash(name: str) -> str:
    """The hash of a message, request or response as USER_DATA carries it: 'RIHS01_<64 hex>'."""
    definition = find(name)
    referenced = sorted(_referenced(definition, {}).items())
    description = {
        'type_description': _describe(definition),
        'referenced_type_descriptions': [_describe(other) for _, other in referenced],
    }
    text = json.dumps(description, separators=(', ', ': '), ensure_ascii=True)
    return f'RIHS01_{hashlib.sha256(text.encode()).hexdigest()}'


def _referenced(definition: Definition, found: dict[str, Definition]) -> dict[str, Definition]:
    for field in definition.fields:
        if field.type.is_message and field.type.base not in found:
            found[field.type.base] = find(field.type.base)
            _referenced(found[field.type.base], found)
    return found


def _describe(definition: Definition) -> dict[str, Any]:
    return {
        'type_name': definition.name,
        'fields': [
            {'name': field.name, 'type': _describe_type(field.type)}
            for field in definition.wire_fields
        ],
    }


def _describe_type(kind: FieldType) -> dict[str, Any]:
    type_id = 1 if kind.is_message else _IDS[kind.base]
    if kind.string_bound:
        type_id += _BOUNDED_STRING
    if kind.container == 'array':
        type_id += _ARRAY
    elif kind.container == 'sequence':
        type_id += _BOUNDED_SEQUENCE if kind.size else _SEQUENCE
    return {
        'type_id': type_id,
        'capacity': kind.size,
        'string_capacity': kind.string_bound,
        'nested_type_name': kind.base if kind.is_message else '',
    }
