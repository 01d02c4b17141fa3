# SPDX-License-Identifier: Apache-2.0
"""Cyclone DDS with serialised bytes: the only module that touches the wheel's private parts.

The wheel's own (de)serialiser in Python is too slow for images, and its `write` holds the GIL, so
samples are written by the C library through ctypes (which releases the GIL) and taken as bytes.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import threading
from typing import Any, ClassVar

from cyclonedds._clayer import ddspy_take
from cyclonedds.builtin import (
    BuiltinDataReader,
    BuiltinTopicDcpsPublication,
    BuiltinTopicDcpsSubscription,
)
from cyclonedds.core import (
    DDSException,
    Entity,
    GuardCondition,
    InstanceState,
    ReadCondition,
    SampleState,
    ViewState,
)
from cyclonedds.core import WaitSet as _CycloneWaitSet
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import make_idl_struct
from cyclonedds.idl import types as idl
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic

from .definitions import Definition, find

INFINITE_NS = 0x7FFFFFFFFFFFFFFF
ANY_STATE = SampleState.Any | ViewState.Any | InstanceState.Any
_PADDING = [bytes(count) for count in range(4)]
_IDL: dict[str, Any] = {
    **{
        f'{sign}int{bits}': getattr(idl, f'{sign}int{bits}')
        for sign in ('', 'u')
        for bits in (8, 16, 32, 64)
    },
    'float32': idl.float32,
    'float64': idl.float64,
    'bool': bool,
    'octet': idl.byte,
    'string': str,
}


class _Sample(ctypes.Structure):
    _fields_ = [('data', ctypes.c_void_p), ('size', ctypes.c_size_t)]


def _function(name: str, *argtypes: Any) -> Any:
    function = ctypes.CDLL.__getitem__(Entity._dll_handle, name)  # a prototype of our own
    function.argtypes, function.restype = argtypes, ctypes.c_int32
    return function


def _keep_freed_memory() -> None:
    """Lets glibc reuse freed buffers of up to 32 MiB instead of returning them to the kernel.

    Every image passes through several buffers of its size; getting fresh pages for each costs
    three times as much as the image itself.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:  # glibc's numbers of M_MMAP_THRESHOLD and M_TRIM_THRESHOLD
        mallopt(-3, 32 << 20)
        mallopt(-1, 64 << 20)


_keep_freed_memory()
_write = _function('dds_write', ctypes.c_int32, ctypes.c_void_p)
_attach = _function('dds_waitset_attach', ctypes.c_int32, ctypes.c_int32, ctypes.c_void_p)
_detach = _function('dds_waitset_detach', ctypes.c_int32, ctypes.c_int32)
_wait = _function(
    'dds_waitset_wait', ctypes.c_int32, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
)
_delete = _function('dds_delete', ctypes.c_int32)


@functools.cache
def _idl_type(name: str, is_service: bool) -> Any:
    """Cyclone's type of an interface; requests and responses begin with the caller's identity."""
    definition: Definition = find(name)
    fields: dict[str, Any] = {}
    if is_service:
        fields = {'client_guid': idl.uint64, 'sequence_number': idl.int64}
    for field in definition.wire_fields:
        kind = field.type
        element: Any
        if kind.is_message:
            element = _idl_type(kind.base, False)
        elif kind.string_bound:
            element = idl.bounded_str[kind.string_bound]
        else:
            element = _IDL[kind.base]
        if kind.container == 'array':
            element = idl.array[element, kind.size]
        elif kind.container == 'sequence':
            element = idl.sequence[element, kind.size] if kind.size else idl.sequence[element]
        fields[field.name] = element
    dds_name = definition.dds_name
    return make_idl_struct(dds_name.replace('::', '_'), dds_name.replace('::', '.'), fields)


def discard(entity: Entity) -> None:
    """Deletes a DDS entity now, not when Python collects it."""
    Entity.__del__(entity)


class Participant:
    """One process' place in a DDS domain: makes readers, writers and conditions."""

    _domains: ClassVar[dict[int, Domain]] = {}
    _living: ClassVar[list[Participant]] = []
    _lock = threading.Lock()
    exiting = False  # whether the interpreter ends

    def __init__(self, domain_id: int, configuration: str | None, user_data: bytes) -> None:
        """Enters a domain.

        Args:
            domain_id: DDS domain.
            configuration: Cyclone's XML for this domain; it counts for the first participant of
                the process in the domain. None: what CYCLONEDDS_URI says.
            user_data: What the participant says about itself.
        """
        with Participant._lock:
            if configuration and domain_id not in Participant._domains:
                try:
                    Participant._domains[domain_id] = Domain(domain_id, configuration)
                except DDSException as error:
                    # The domain exists: other software of this process entered it first.
                    if error.code != DDSException.DDS_RETCODE_PRECONDITION_NOT_MET:
                        raise
            self.entity = DomainParticipant(domain_id, Qos(Policy.Userdata(user_data)))
            if not Participant._living:
                atexit.register(Participant.close_all)
            Participant._living.append(self)
        self.guid: bytes = self.entity.guid.bytes
        self._topics: dict[tuple[str, str], Topic[Any]] = {}

    def topic(self, name: str, interface: str, *, is_service: bool = False) -> Topic[Any]:
        """The DDS topic `name` with the type of `interface`."""
        key = (name, interface)
        if key not in self._topics:
            kind = _idl_type(interface, is_service)
            self._topics[key] = Topic(self.entity, name, kind)
        return self._topics[key]

    def close(self) -> None:
        """Leaves the domain; everything made by this participant is gone."""
        with Participant._lock:
            if self in Participant._living:
                Participant._living.remove(self)
                _delete(self.entity._ref)

    @staticmethod
    def close_all() -> None:
        """Deletes all participants and domains before the interpreter ends.

        Cyclone's threads must be gone by then: a reader that is collected later would wait for
        one of them for ever.
        """
        Participant.exiting = True
        for participant in list(Participant._living):
            participant.close()
        while Participant._domains:
            discard(Participant._domains.popitem()[1])


class Writer:
    """A DDS writer of serialised samples."""

    def __init__(self, participant: Participant, topic: Topic[Any], qos: Qos) -> None:
        self.entity: DataWriter[Any] = DataWriter(participant.entity, topic, qos)
        self.ref: int = self.entity._ref
        self.gid: bytes = self.entity.guid.bytes

    def write(self, data: bytearray) -> None:
        """Writes one sample (CDR with header); `data` is padded in place to whole words."""
        data += _PADDING[-len(data) & 3]
        pinned = ctypes.c_char.from_buffer(data)
        sample = _Sample(ctypes.addressof(pinned), len(data))
        code = _write(self.ref, ctypes.byref(sample))
        if code < 0:
            raise DDSException(code, 'while writing a sample')

    def matched(self) -> int:
        """Number of readers that are connected."""
        return int(self.entity.get_publication_matched_status().current_count)


class Reader:
    """A DDS reader of serialised samples."""

    def __init__(self, participant: Participant, topic: Topic[Any], qos: Qos) -> None:
        self.entity: DataReader[Any] = DataReader(participant.entity, topic, qos)
        self.ref: int = self.entity._ref
        self.gid: bytes = self.entity.guid.bytes
        self.has_data = has_samples(self.entity)

    def take(self) -> tuple[bytes, Any] | None:
        """The next sample with its SampleInfo; None when there is none."""
        while True:
            taken = ddspy_take(self.ref, ANY_STATE, 1)
            if isinstance(taken, int):
                raise DDSException(taken, 'while taking a sample')
            if not taken:
                return None
            if taken[0][1].valid_data:  # otherwise it only says that a writer is gone
                return taken[0]  # type: ignore[no-any-return]

    def matched(self) -> int:
        """Number of writers that are connected."""
        return int(self.entity.get_subscription_matched_status().current_count)


class WaitSet:
    """Waits for any of many entities; each is attached with a number that `wait` returns."""

    def __init__(self, participant: Participant) -> None:
        self._entity = _CycloneWaitSet(participant.entity)
        self._ref: int = self._entity._ref
        self._count = 0
        self._triggered: Any = (ctypes.c_ssize_t * 1)()
        self._address = ctypes.addressof(self._triggered)

    def attach(self, entity: Entity, token: int) -> None:
        """Adds an entity; `token` is positive."""
        code = _attach(self._ref, entity._ref, token)
        if code < 0:
            raise DDSException(code, 'while attaching to a wait set')
        self._count += 1
        self._triggered = (ctypes.c_ssize_t * self._count)()
        self._address = ctypes.addressof(self._triggered)

    def detach(self, entity: Entity) -> None:
        """Removes an entity; nothing happens when it is deleted already."""
        _detach(self._ref, entity._ref)

    def wait(self, timeout_ns: int) -> list[int]:
        """Tokens of the triggered entities; empty after the timeout.

        Raises:
            DDSException: The participant was deleted meanwhile.
        """
        triggered = self._triggered  # stays alive while Cyclone fills it
        code = _wait(self._ref, self._address, self._count, timeout_ns)
        if code < 0:
            raise DDSException(code, 'while waiting')
        return [token for token in triggered[: min(code, self._count)] if token]

    def close(self) -> None:
        """Deletes the wait set."""
        discard(self._entity)


def guard(participant: Participant) -> GuardCondition:
    """A condition that any thread can trigger with `set(True)`."""
    return GuardCondition(participant.entity)


def has_samples(reader: DataReader[Any]) -> ReadCondition:
    """A condition that is true while samples wait to be taken."""
    return ReadCondition(reader, ANY_STATE)


def endpoint_readers(participant: Participant) -> dict[str, BuiltinDataReader]:
    """Readers of the domain's endpoints: 'publication' and 'subscription'."""
    return {
        'publication': BuiltinDataReader(participant.entity, BuiltinTopicDcpsPublication),
        'subscription': BuiltinDataReader(participant.entity, BuiltinTopicDcpsSubscription),
    }
