# SPDX-License-Identifier: Apache-2.0
"""Message and service classes, made from definitions, that behave as rclpy's generated ones.

Keyword constructor, defaults, constants, and fields checked on assignment: sequences of numbers
are `array.array`, fixed-size arrays of numbers are numpy, a wrong type raises AssertionError.
"""

from __future__ import annotations

import functools
import math
from array import array
from collections import UserList, UserString
from collections.abc import Callable, Iterator, Sequence, Set
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from . import cdr
from .definitions import FLOATS, INTEGERS, Definition, Field, FieldType, find

_FLOAT32_MAX = 3.402823466e38


@functools.cache
def interface_class(name: str) -> type:
    """The class of `pkg/msg/Name`, `pkg/srv/Name` (a service) or one of its two halves."""
    _, kind, short = name.split('/')
    if kind == 'srv' and not short.endswith(('_Request', '_Response')):
        return _service_class(name)
    return _message_class(find(name))


def interface_name(interface: type) -> str:
    """Full name of a generated class, 'pkg/msg/Name'.

    Raises:
        TypeError: The class is no interface.
    """
    name = getattr(interface, '_TYPE_NAME', None)
    if not isinstance(name, str):
        raise TypeError(f'{interface!r} is not a message or service class')
    return name


def serialize(message: Any) -> bytearray:
    """CDR bytes of a message, with header, unpadded."""
    return serializer_of(type(message))(message)


def deserialize(data: bytes, message_class: type) -> Any:
    """The message that CDR bytes hold.

    Raises:
        CdrError: The bytes do not hold such a message.
    """
    return deserializer_of(message_class)(data)


@functools.cache
def serializer_of(message_class: type) -> Callable[[Any], bytearray]:
    """The function that makes CDR bytes of messages of this class."""
    return cdr.make_serializer(find(interface_name(message_class)))


@functools.cache
def deserializer_of(message_class: type) -> Callable[[bytes], Any]:
    """The function that makes messages of this class of CDR bytes."""
    return cdr.make_deserializer(find(interface_name(message_class)), interface_class)


class Message:
    """Base of all generated messages."""

    __slots__ = ()
    _TYPE_NAME = ''
    _FIELDS: tuple[tuple[str, Callable[[], Any]], ...] = ()
    _fields_and_field_types: ClassVar[dict[str, str]] = {}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop('check_fields', None)
        for name, make_default in self._FIELDS:
            if name in kwargs:
                setattr(self, name, kwargs.pop(name))
            else:
                object.__setattr__(self, '_' + name, make_default())
        if kwargs:
            raise AssertionError(f'Invalid arguments passed to constructor: {", ".join(kwargs)}')

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Names of the fields, each with the name of its type."""
        return dict(cls._fields_and_field_types)

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return False
        for slot in self.__slots__:
            mine, theirs = getattr(self, slot), getattr(other, slot)
            same = np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            if not same:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = []
        for slot in self.__slots__:
            value = getattr(self, slot)
            if isinstance(value, array):
                value = value.tolist()
            parts.append(f'{slot[1:]}={value!r}')
        return f'{self.__class__.__module__}.{self.__class__.__name__}({", ".join(parts)})'


def _message_class(definition: Definition) -> type[Message]:
    package, kind, short = definition.name.split('/')
    members: dict[str, Any] = dict(definition.constants)
    members |= {
        '__slots__': [f'_{field.name}' for field in definition.fields],
        '__module__': f'{package}.{kind}',
        '__doc__': f"Message class '{short}'.",
        '_TYPE_NAME': definition.name,
        '_FIELDS': tuple((field.name, _default(field)) for field in definition.fields),
        '_fields_and_field_types': {field.name: str(field.type) for field in definition.fields},
    }
    made = type(short, (Message,), members)
    for field in definition.fields:
        slot = made.__dict__[f'_{field.name}']
        setter = _setter(slot.__set__, field.name, field.type)
        setattr(made, field.name, property(attrgetter(f'_{field.name}'), setter))
        if field.default is not None:
            setattr(made, f'{field.name.upper()}__DEFAULT', field.default)
    return made


class _Service(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError('Service classes can not be instantiated')


def _service_class(name: str) -> type:
    package, kind, short = name.split('/')
    halves = {half: interface_class(f'{name}_{half}') for half in ('Request', 'Response')}
    return _Service(short, (), {'__module__': f'{package}.{kind}', '_TYPE_NAME': name, **halves})


def _default(field: Field) -> Callable[[], Any]:
    kind, default = field.type, field.default
    if kind.container == 'sequence':
        if kind.is_numeric:
            return functools.partial(array, cdr.CODES[kind.base], default or ())
        return functools.partial(list, default or ())
    if kind.container == 'array':
        if kind.is_numeric:
            dtype = np.dtype(kind.base)
            if default is None:
                return functools.partial(np.zeros, kind.size, dtype)
            return functools.partial(np.array, default, dtype)
        if default is not None:
            return functools.partial(list, default)
        element = _default(Field(name='', type=FieldType(base=kind.base)))
        return lambda: [element() for _ in range(kind.size)]
    if kind.is_message:
        return interface_class(kind.base)
    zeros: dict[str, Any] = {'bool': False, 'string': '', 'wstring': '', 'octet': b'\x00'}
    value = default if default is not None else zeros.get(kind.base, 0)
    value = float(value) if kind.base in FLOATS else value
    return lambda: value


def _setter(
    assign: Callable[[Any, Any], None], name: str, kind: FieldType
) -> Callable[[Any, Any], None]:
    accept, said = _element_check(kind)
    if not kind.container:

        def set_one(message: Any, value: Any) -> None:
            if not accept(value):
                raise AssertionError(
                    f"The '{name}' field must be {said}, got {type(value).__name__} {value!r:.80}"
                )
            assign(message, value)

        return set_one

    length = (
        f' with length {kind.size}'
        if kind.container == 'array'
        else f' with upper bound {kind.size}' * bool(kind.size)
    )
    sentence = f"The '{name}' field must be a set or sequence{length} and each value {said}"

    def length_fits(count: int) -> bool:
        if kind.container == 'array':
            return count == kind.size
        return not kind.size or count <= kind.size

    def check(value: Any) -> None:
        if (
            not isinstance(value, (Sequence, Set, UserList, array))
            or isinstance(value, (str, UserString))
            or not length_fits(len(value))
            or (
                not (kind.base == 'uint8' and isinstance(value, (bytes, bytearray)))
                and not all(map(accept, value))
            )
        ):
            got = f'{type(value).__name__} {value!r:.80}'
            raise AssertionError(f'{sentence}, got {got}')

    if not kind.is_numeric:

        def set_list(message: Any, value: Any) -> None:
            check(value)
            assign(message, value)

        return set_list

    if kind.container == 'sequence':
        code = cdr.CODES[kind.base]

        def set_array(message: Any, value: Any) -> None:
            if isinstance(value, array):
                if value.typecode != code:
                    raise AssertionError(
                        f"The '{name}' array.array() must have the type code of '{code}', "
                        f"got '{value.typecode}'"
                    )
                if not length_fits(len(value)):
                    raise AssertionError(f'{sentence}, got {len(value)} values')
                assign(message, value)
                return
            check(value)
            assign(message, array(code, value))

        return set_array

    dtype = np.dtype(kind.base)

    def set_numpy(message: Any, value: Any) -> None:
        if isinstance(value, np.ndarray):
            if value.dtype != dtype:
                raise AssertionError(
                    f"The '{name}' numpy.ndarray() must have the dtype of 'numpy.{dtype}', "
                    f"got '{value.dtype}'"
                )
            if value.size != kind.size:
                raise AssertionError(
                    f"The '{name}' numpy.ndarray() must have a size of {kind.size}, "
                    f'got {value.size}'
                )
            assign(message, value)
            return
        check(value)
        assign(message, np.array(value, dtype))

    return set_numpy


def _element_check(kind: FieldType) -> tuple[Callable[[Any], bool], str]:
    """A predicate for one value, and what it asks for in words."""
    base = kind.base
    if kind.is_message:
        wanted = interface_class(base)
        return lambda value: isinstance(value, wanted), f"a sub message of type '{base}'"
    if base in INTEGERS:
        low, high = INTEGERS[base]
        return (
            lambda value: isinstance(value, int) and low <= value <= high,
            f"of type 'int' in [{low}, {high}]",
        )
    if base == 'float64':
        return lambda value: isinstance(value, float), "of type 'float'"
    if base == 'float32':
        return (
            lambda value: (
                isinstance(value, float)
                and (-_FLOAT32_MAX <= value <= _FLOAT32_MAX or not math.isfinite(value))
            ),
            "of type 'float' in [-3.402823466e+38, 3.402823466e+38]",
        )
    if base == 'bool':
        return lambda value: isinstance(value, bool), "of type 'bool'"
    if base == 'octet':
        return (
            lambda value: isinstance(value, (bytes, bytearray)) and len(value) == 1,
            "of type 'bytes' with length 1",
        )
    bound = kind.string_bound
    return (
        lambda value: isinstance(value, str) and (not bound or len(value) <= bound),
        f"of type 'str' with at most {bound} characters" if bound else "of type 'str'",
    )


def message_parts(message: Message) -> Iterator[tuple[str, Any]]:
    """Names and values of the fields, in order."""
    for slot in message.__slots__:
        yield slot[1:], getattr(message, slot)
