# SPDX-License-Identifier: Apache-2.0
"""Interface definitions: what a message, request or response is made of, and where it comes from.

Standard packages come from the rosbags store of ROS 2 Jazzy and from `standard.py`; every other
package is read from `<share>/msg/*.msg` and `<share>/srv/*.srv`.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ament_index_python import PackageNotFoundError, get_package_share_directory

from . import standard

INTEGERS = {
    f'{sign}int{bits}': (
        (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if not sign else (0, 2**bits - 1)
    )
    for sign in ('', 'u')
    for bits in (8, 16, 32, 64)
}
FLOATS = ('float32', 'float64')
PRIMITIVES = (*INTEGERS, *FLOATS, 'bool', 'octet', 'string', 'wstring')
# What a .msg file may say, and what it means on the wire.
_ALIASES = {'byte': 'octet', 'char': 'uint8'}
_EMPTY = 'structure_needs_at_least_one_member'
_TYPE = re.compile(r'^([\w/]+)(?:<=(\d+))?(\[(<=)?(\d*)\])?$')


class DefinitionError(ValueError):
    """An interface definition that cannot be read, or that nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """Type of a field: a primitive or a message, alone or in an array or a sequence."""

    base: str  # a primitive of PRIMITIVES, or 'pkg/msg/Name'
    string_bound: int = 0  # longest string, 0: unbounded
    container: str = ''  # '', 'array' or 'sequence'
    size: int = 0  # length of an array, bound of a sequence (0: unbounded)

    @property
    def is_message(self) -> bool:
        """Whether the elements are messages themselves."""
        return '/' in self.base

    @property
    def is_numeric(self) -> bool:
        """Whether rclpy keeps many of them in array.array or numpy."""
        return self.base in INTEGERS or self.base in FLOATS

    def __str__(self) -> str:
        """The name rclpy's `get_fields_and_field_types` gives."""
        names = {'float64': 'double', 'float32': 'float', 'bool': 'boolean'}
        name = names.get(self.base, self.base)
        if self.is_message:
            package, _, message = self.base.split('/')
            name = f'{package}/{message}'
        if self.string_bound:
            name = f'{name}<{self.string_bound}>'
        if self.container == 'array':
            return f'{name}[{self.size}]'
        if self.container == 'sequence':
            return f'sequence<{name}, {self.size}>' if self.size else f'sequence<{name}>'
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field; `default` is None where the definition gives none."""

    name: str
    type: FieldType
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One message, request or response."""

    name: str  # 'pkg/msg/Name', 'pkg/srv/Name_Request'
    fields: tuple[Field, ...]
    constants: tuple[tuple[str, Any], ...] = ()

    @property
    def wire_fields(self) -> tuple[Field, ...]:
        """Fields as serialised: an empty message has one placeholder byte."""
        return self.fields or (Field(name=_EMPTY, type=FieldType(base='uint8')),)

    @property
    def dds_name(self) -> str:
        """Name of the type on the wire."""
        package, kind, name = self.name.split('/')
        return f'{package}::{kind}::dds_::{name}_'


def parse_fields(name: str, text: str) -> Definition:
    """Reads the text of a .msg file, or one half of a .srv file.

    Args:
        name: Full name of the interface, 'pkg/msg/Name'.
        text: The definition.

    Raises:
        DefinitionError: With the line that cannot be understood.
    """
    package = name.split('/', maxsplit=1)[0]
    fields: list[Field] = []
    constants: list[tuple[str, Any]] = []
    for raw in text.splitlines():
        line = _without_comment(raw).strip()
        if not line:
            continue
        try:
            type_text, rest = line.split(None, 1)
            field_type = _parse_type(type_text, package)
            constant = re.match(r'^([A-Z][A-Z0-9_]*)\s*=\s*(.*)$', rest)
            if constant and not field_type.container:
                value = _parse_value(constant[2].strip(), field_type)
                constants.append((constant[1], value))
                continue
            field_name, _, default_text = rest.partition(' ')
            if not re.fullmatch(r'[a-z][a-z0-9_]*', field_name):
                raise ValueError(f'{field_name!r} is not a field name')
            default = (
                _parse_value(default_text.strip(), field_type) if default_text.strip() else None
            )
            fields.append(Field(name=field_name, type=field_type, default=default))
        except (ValueError, SyntaxError) as error:
            raise DefinitionError(f'{name}: cannot read the line {raw!r}: {error}') from error
    return Definition(name=name, fields=tuple(fields), constants=tuple(constants))


def _without_comment(line: str) -> str:
    quote = ''
    for index, char in enumerate(line):
        if quote:
            quote = '' if char == quote and line[index - 1] != '\\' else quote
        elif char in '\'"' and (re.search(r'[=\s\[,]$', line[:index])):
            quote = char
        elif char == '#':
            return line[:index]
    return line


def _parse_type(text: str, package: str) -> FieldType:
    match = _TYPE.match(text)
    if not match:
        raise ValueError(f'{text!r} is not a type')
    base, string_bound, brackets, bounded, size = match.groups()
    base = _ALIASES.get(base, base)
    if base not in PRIMITIVES:
        parts = base.split('/')
        if base == 'Header':
            parts = ['std_msgs', 'Header']
        base = '/'.join(
            {1: [package, 'msg', *parts], 2: [parts[0], 'msg', parts[-1]]}.get(len(parts), parts)
        )
    container = 'array' if size and not bounded else 'sequence' if brackets else ''
    return FieldType(
        base=base,
        string_bound=int(string_bound or 0),
        container=container,
        size=int(size or 0) if brackets else 0,
    )


def _parse_value(text: str, field_type: FieldType) -> Any:
    if field_type.container:
        element = FieldType(base=field_type.base, string_bound=field_type.string_bound)
        items = ast.literal_eval(
            re.sub(r'\b(true|false)\b', lambda word: word[0].capitalize(), text)
        )
        return [_coerce(item, element) for item in items]
    if field_type.base in ('string', 'wstring'):
        return str(ast.literal_eval(text)) if text[:1] in ('"', "'") else text
    if field_type.base == 'bool':
        return {'true': True, 'false': False, '1': True, '0': False}[text.lower()]
    return _coerce(ast.literal_eval(text), field_type)


def _coerce(value: Any, field_type: FieldType) -> Any:
    if field_type.base in FLOATS:
        return float(value)
    if field_type.base == 'octet':
        return bytes([value])
    if field_type.base == 'bool':
        return bool(value)
    return str(value) if field_type.base in ('string', 'wstring') else int(value)


@functools.cache
def find(name: str) -> Definition:
    """The definition of `pkg/msg/Name`, `pkg/srv/Name_Request` or `pkg/srv/Name_Response`.

    Raises:
        DefinitionError: Nobody has it.
    """
    package, kind, short = name.split('/')
    if (definition := _standard(name)) is not None:
        return definition
    if kind == 'srv':
        service, _, half = short.rpartition('_')
        text = _service_text(f'{package}/srv/{service}')
        halves = re.split(r'^---\s*$', text, maxsplit=1, flags=re.MULTILINE)
        if len(halves) != 2:
            raise DefinitionError(f'{package}/srv/{service} has no line ---')
        return parse_fields(name, halves[half == 'Response'])
    path = _file(package, kind, f'{short}.msg')
    if path is None:
        raise DefinitionError(
            f'message {name} is not known: neither a standard one (ROS 2 Jazzy) '
            f'nor in the share folder of a package {package}'
        )
    return parse_fields(name, path.read_text(encoding='utf-8'))


def names(package: str, kind: str) -> list[str]:
    """Short names of the package's messages (kind 'msg') or services ('srv'), sorted."""
    prefix = f'{package}/{kind}/'
    known = standard.SERVICES if kind == 'srv' else {*standard.MESSAGES, *_store()}
    found = {name.removeprefix(prefix) for name in known if name.startswith(prefix)}
    if folder := _folder(package, kind):
        found |= {path.stem for path in folder.glob(f'*.{kind}')}
    return sorted(found)


def is_standard_package(package: str) -> bool:
    """Whether the package is one of ROS 2's own, whatever the machine holds."""
    return package in standard.PACKAGES


def _folder(package: str, kind: str) -> Path | None:
    try:
        folder = Path(get_package_share_directory(package)) / kind
    except (PackageNotFoundError, ValueError):
        return None
    return folder if folder.is_dir() else None


def _file(package: str, kind: str, file_name: str) -> Path | None:
    folder = _folder(package, kind)
    path = folder / file_name if folder else None
    return path if path and path.is_file() else None


def _service_text(name: str) -> str:
    if name in standard.SERVICES:
        return standard.SERVICES[name]
    package, kind, short = name.split('/')
    path = _file(package, kind, f'{short}.srv')
    if path is None:
        raise DefinitionError(
            f'service {name} is not known: the embedded runtime has '
            f'{", ".join(sorted(standard.SERVICES))} and those in the share folders of packages'
        )
    return path.read_text(encoding='utf-8')


@functools.cache
def _store() -> dict[str, Any]:
    from rosbags.typesys.stores.ros2_jazzy import FIELDDEFS

    return dict(FIELDDEFS)


def _standard(name: str) -> Definition | None:
    if name in standard.MESSAGES:
        return parse_fields(name, standard.MESSAGES[name])
    if name.split('/')[0] not in standard.PACKAGES or name not in _store():
        return None
    constants, fields = _store()[name]
    defaults = standard.DEFAULTS.get(name, {})
    return Definition(
        name=name,
        constants=tuple(
            (constant, bytes([value]) if kind == 'byte' else value)
            for constant, kind, value in constants
        ),
        fields=tuple(
            Field(name=field, type=_from_rosbags(kind), default=defaults.get(field))
            for field, kind in fields
            if field != _EMPTY
        ),
    )


def _from_rosbags(described: tuple[int, Any]) -> FieldType:
    kind, content = int(described[0]), described[1]
    if kind == 1:
        return FieldType(base=_ALIASES.get(content[0], content[0]), string_bound=content[1])
    if kind == 2:
        return FieldType(base=content)
    element = _from_rosbags(content[0])
    return FieldType(
        base=element.base,
        string_bound=element.string_bound,
        container='array' if kind == 3 else 'sequence',
        size=content[1],
    )
