# SPDX-License-Identifier: Apache-2.0
"""Serialisers, generated as Python source, one pair of functions per interface.

XCDR1 little endian, as ROS 2 writes it: a header of 4 bytes, then fields aligned to their own
size, counted from the end of the header. Neighbouring numbers of a message (across nested
messages) are packed by one `struct` call; sequences of numbers are copied as one block. Padding
that is known when the code is generated is part of the struct format, the rest is computed.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .definitions import Definition, FieldType, find

HEADER = b'\x00\x01\x00\x00'
CODES = {
    'int8': 'b',
    'uint8': 'B',
    'int16': 'h',
    'uint16': 'H',
    'int32': 'i',
    'uint32': 'I',
    'int64': 'q',
    'uint64': 'Q',
    'float32': 'f',
    'float64': 'd',
    'bool': '?',
    'octet': 'c',
}
_SIZES = {code: struct.calcsize(code) for code in 'bBhHiIqQfd?c'}
_ZEROS = [bytes(count) for count in range(8)]
_COUNT = struct.Struct('<I')


class CdrError(ValueError):
    """Bytes that are not a message of the type asked for."""


def make_serializer(definition: Definition) -> Callable[[Any], bytearray]:
    """A function from a message to its bytes, CDR header included."""
    source = _Source()
    source.lines.append('def serialize(m):')
    source.say("b = bytearray(b'\\x00\\x01\\x00\\x00')")
    _write_message(source, definition, 'm')
    source.flush_pack()
    source.say('return b')
    return source.compile('serialize', {'Z': _ZEROS})


def make_deserializer(
    definition: Definition, class_of: Callable[[str], type]
) -> Callable[[bytes], Any]:
    """A function from bytes, CDR header included, to a message.

    Args:
        definition: The interface.
        class_of: Gives the class of a full interface name.
    """
    source = _Source()
    source.lines.append('def deserialize(b):')
    source.say('v = memoryview(b)')
    source.say('p = 4')
    variable = _read_message(source, definition, class_of)
    source.flush_unpack()
    source.say(f'return {variable}, p')
    names = {'Z': _ZEROS, 'array': array, 'np': np, **source.objects}
    generated = source.compile('deserialize', names)

    def deserialize(data: bytes) -> Any:
        if data[:2] != b'\x00\x01':
            raise CdrError(
                f'{definition.name}: representation {bytes(data[:2]).hex()} is not offered by the '
                'embedded runtime; only plain little-endian CDR (0001) is'
            )
        try:
            message, end = generated(data)
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise CdrError(f'{definition.name}: {len(data)} bytes do not fit: {error}') from error
        if end > len(data):
            raise CdrError(f'{definition.name}: {len(data)} bytes are too few, {end} needed')
        return message

    return deserialize


class _Strings:
    """Arrays of strings of one field. The last one is remembered: names rarely change."""

    def __init__(self) -> None:
        self._packed: tuple[list[str], bytes] = ([], b'')
        self._unpacked: tuple[int, bytes, list[str]] = (0, b'', [])

    def pack(self, strings: list[str]) -> bytes:
        """The strings, from a position that is a multiple of 4."""
        last, data = self._packed
        if strings == last:
            return data
        out = bytearray()
        for text in strings:
            encoded = text.encode() + b'\x00'
            out += _ZEROS[-len(out) & 3] + _COUNT.pack(len(encoded)) + encoded
        self._packed = (list(strings), bytes(out))
        return bytes(out)

    def unpack(self, data: bytes, position: int, count: int) -> tuple[list[str], int]:
        """`count` strings from a position that is a multiple of 4, and where they end."""
        last_count, last, strings = self._unpacked
        if count == last_count and data.startswith(last, position):
            return strings.copy(), position + len(last)
        start, strings = position, []
        for _ in range(count):
            position += -position & 3
            (length,) = _COUNT.unpack_from(data, position)
            position += 4 + length
            strings.append(data[position - length : position - 1].decode() if length else '')
        if position <= len(data):
            self._unpacked = (count, data[start:position], strings.copy())
        return strings, position


@dataclass
class _Source:
    """Source text under construction, with what is known about the position in the stream."""

    lines: list[str] = field(default_factory=list)
    indent: str = '    '
    modulus: int = 8  # the position is known modulo this ...
    remainder: int = 0  # ... to be this
    formats: str = ''  # pending struct format
    operands: list[str] = field(default_factory=list)  # pending values or targets
    objects: dict[str, Any] = field(default_factory=dict)  # names the code needs
    count: int = 0

    def say(self, line: str) -> None:
        self.lines.append(self.indent + line)

    def name(self, stem: str) -> str:
        self.count += 1
        return f'{stem}{self.count}'

    def compile(self, function: str, names: dict[str, Any]) -> Callable[..., Any]:
        names = {**names, **self.objects}
        exec('\n'.join(self.lines), names)
        return names[function]  # type: ignore[no-any-return]

    def packer(self, formats: str, method: str) -> str:
        name = f'{method}_{self.name("s")}'
        self.objects[name] = getattr(struct.Struct('<' + formats), method)
        return name

    def advance(self, size: int) -> None:
        self.remainder = (self.remainder + size) % self.modulus

    def add(self, code: str, operand: str, flush: Callable[[], None], pad: str) -> None:
        """Adds one number to the pending struct, padding statically or by `pad` first."""
        size = _SIZES[code]
        if size > self.modulus:
            flush()
            self.align(size, pad)
        skip = -self.remainder % size
        self.formats += 'x' * skip + code
        self.operands.append(operand)
        self.advance(skip + size)

    def align(self, size: int, pad: str) -> None:
        """Aligns to `size` with nothing pending."""
        if size > self.modulus:
            self.say(pad.format(mask=size - 1))
            self.modulus, self.remainder = size, 0
        elif skip := -self.remainder % size:
            self.formats += 'x' * skip
            self.advance(skip)

    def forget(self, modulus: int = 1, remainder: int = 0) -> None:
        self.modulus, self.remainder = modulus, remainder % modulus

    def flush_pack(self) -> None:
        if self.formats:
            self.say(f'b += {self.packer(self.formats, "pack")}({", ".join(self.operands)})')
            self.formats, self.operands = '', []

    def flush_unpack(self) -> None:
        if self.formats:
            unpack = self.packer(self.formats, 'unpack_from')
            targets = ''.join(f'{operand}, ' for operand in self.operands)
            self.say(f'{targets}= {unpack}(b, p)' if targets else f'{unpack}(b, p)')
            self.say(f'p += {struct.calcsize("<" + self.formats)}')
            self.formats, self.operands = '', []

    def loop(self, head: str, body: Callable[[], None], flush: Callable[[], None]) -> None:
        """A loop whose body leaves the position as well known as it found it."""
        kept = (len(self.lines), self.count, dict(self.objects))
        entry = (self.modulus, self.remainder)
        for candidate in dict.fromkeys(
            [entry, (4, entry[1] % 4) if entry[0] > 4 else entry, (1, 0)]
        ):
            del self.lines[kept[0] :]
            self.forget(*candidate)
            self.say(head)
            self.indent += '    '
            body()
            flush()
            self.indent = self.indent[:-4]
            modulus, remainder = candidate
            if self.modulus >= modulus and self.remainder % modulus == remainder:
                break
        self.forget(*candidate)


_PAD_WRITE = 'b += Z[(4 - len(b)) & {mask}]'
_PAD_READ = 'p += (4 - p) & {mask}'


def _write_message(source: _Source, definition: Definition, path: str) -> None:
    for member in definition.wire_fields:
        kind = member.type
        value = f'{path}._{member.name}' if definition.fields else '0'
        if kind.container:
            _write_many(source, kind, value)
        elif kind.is_message:
            variable = source.name('m')
            source.say(f'{variable} = {value}')
            _write_message(source, find(kind.base), variable)
        else:
            _write_one(source, kind, value)


def _write_one(source: _Source, kind: FieldType, value: str) -> None:
    if kind.base == 'wstring':
        raise NotImplementedError('wstring is not offered by the embedded runtime')
    if kind.base == 'string':
        variable = source.name('s')
        source.say(f"{variable} = {value}.encode() + b'\\x00'")
        source.add('I', f'len({variable})', source.flush_pack, _PAD_WRITE)
        source.flush_pack()
        source.say(f'b += {variable}')
        source.forget()
    else:
        source.add(CODES[kind.base], value, source.flush_pack, _PAD_WRITE)


def _write_many(source: _Source, kind: FieldType, value: str) -> None:
    variable = source.name('a')
    source.say(f'{variable} = {value}')
    if kind.container == 'sequence':
        source.add('I', f'len({variable})', source.flush_pack, _PAD_WRITE)
    element = FieldType(base=kind.base, string_bound=kind.string_bound)
    source.flush_pack()
    if kind.is_numeric or kind.base in ('bool', 'octet'):
        size = _SIZES[CODES[kind.base]]
        known = (min(source.modulus, 4), source.remainder)
        if kind.container == 'sequence' and size > 4:
            source.say(f'if {variable}: {_PAD_WRITE.format(mask=size - 1)}')
        else:
            source.align(size, _PAD_WRITE)
            source.flush_pack()
        join = {'bool': f'bytes({variable})', 'octet': f"b''.join({variable})"}
        block = f'{variable}.tobytes()' if kind.container == 'array' else variable
        source.say(f'b += {join.get(kind.base, block)}')
        if kind.container == 'array':
            source.advance(size * kind.size)
        elif size >= 4:
            source.forget(*known)
        else:
            source.forget(size, 0)
        return
    if kind.base == 'string':
        source.align(4, _PAD_WRITE)
        source.flush_pack()
        strings = source.name('strings')
        source.objects[strings] = _Strings()
        source.say(f'b += {strings}.pack({variable})')
        source.forget()
        return
    item = source.name('e')

    def body() -> None:
        if element.is_message:
            _write_message(source, find(element.base), item)
        else:
            _write_one(source, element, item)

    source.loop(f'for {item} in {variable}:', body, source.flush_pack)


def _read_message(source: _Source, definition: Definition, class_of: Callable[[str], type]) -> str:
    variable = source.name('m')
    source.objects[f'class_{variable}'] = class_of(definition.name)
    source.objects[f'new_{variable}'] = object.__new__
    source.say(f'{variable} = new_{variable}(class_{variable})')
    for member in definition.wire_fields:
        kind = member.type
        target = f'{variable}._{member.name}' if definition.fields else '_'
        if kind.container:
            _read_many(source, kind, target, class_of)
        elif kind.is_message:
            source.say(f'{target} = {_read_message(source, find(kind.base), class_of)}')
        else:
            _read_one(source, kind, target)
    return variable


def _read_one(source: _Source, kind: FieldType, target: str) -> None:
    if kind.base == 'wstring':
        raise NotImplementedError('wstring is not offered by the embedded runtime')
    if kind.base == 'string':
        count = source.name('n')
        source.add('I', count, source.flush_unpack, _PAD_READ)
        source.flush_unpack()
        source.say(f'{target} = b[p:p + {count} - 1].decode() if {count} else ""')
        source.say(f'p += {count}')
        source.forget()
    else:
        source.add(CODES[kind.base], target, source.flush_unpack, _PAD_READ)


def _read_many(
    source: _Source, kind: FieldType, target: str, class_of: Callable[[str], type]
) -> None:
    count = str(kind.size)
    if kind.container == 'sequence':
        count = source.name('n')
        source.add('I', count, source.flush_unpack, _PAD_READ)
    source.flush_unpack()
    element = FieldType(base=kind.base, string_bound=kind.string_bound)
    if kind.is_numeric or kind.base in ('bool', 'octet'):
        code, size = CODES[kind.base], _SIZES[CODES[kind.base]]
        known = (min(source.modulus, 4), source.remainder)
        if kind.container == 'sequence' and size > 4:
            source.say(f'if {count}: {_PAD_READ.format(mask=size - 1)}')
        else:
            source.align(size, _PAD_READ)
            source.flush_unpack()
        block = f'v[p:p + {size} * {count}]'
        if kind.base == 'octet':
            source.say(f'{target} = [bytes((o,)) for o in {block}]')
        elif kind.base == 'bool':
            source.say(f'{target} = [o != 0 for o in {block}]')
        elif kind.container == 'array':
            source.say(f'{target} = np.frombuffer(b, np.{kind.base}, {count}, p).copy()')
        else:
            source.say(f"{target} = a = array('{code}'); a.frombytes({block})")
        source.say(f'p += {size} * {count}')
        if kind.container == 'array':
            source.advance(size * kind.size)
        elif size >= 4:
            source.forget(*known)
        else:
            source.forget(size, 0)
        return
    if kind.base == 'string':
        source.align(4, _PAD_READ)
        source.flush_unpack()
        strings = source.name('strings')
        source.objects[strings] = _Strings()
        source.say(f'{target}, p = {strings}.unpack(b, p, {count})')
        source.forget()
        return
    items, item = source.name('l'), source.name('e')
    source.say(f'{items} = []')

    def body() -> None:
        if element.is_message:
            variable = _read_message(source, find(element.base), class_of)
            source.flush_unpack()
            source.say(f'{items}.append({variable})')
        else:
            _read_one(source, element, item)
            source.flush_unpack()
            source.say(f'{items}.append({item})')

    source.loop(f'for _ in range({count}):', body, source.flush_unpack)
    source.say(f'{target} = {items}')
