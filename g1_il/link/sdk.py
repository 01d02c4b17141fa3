# SPDX-License-Identifier: Apache-2.0
"""Unitree's SDK for Python, whichever way it was installed, reduced to channels of raw bytes.

The only module that touches the SDK's private names. Two faults of the wheel on PyPI are worked
around: its package imports a part (`b2`) that the wheel lacks, and its CRC needs a library that
the wheel lacks (we have our own). Unitree's install from GitHub has neither fault.

The SDK's own (de)serialiser costs half a millisecond a message; a channel of ours hands it an
object that is its own serialised form, and everything else of the SDK runs as it is.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import socket
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from g1_il.errors import ConfigError

MISSING = (
    'unitree_sdk2py is not installed ({error}); it is needed to talk to the robot or its '
    'simulation. Run `make setup`, or install it from '
    'github.com/unitreerobotics/unitree_sdk2_python'
)

_INTERFACE_CONFIG = """<CycloneDDS><Domain Id="any">
<General><Interfaces>
<NetworkInterface name="$__IF_NAME__$" priority="default" multicast="default"/>
</Interfaces></General>
<Discovery><MaxAutoParticipantIndex>120</MaxAutoParticipantIndex></Discovery>
</Domain></CycloneDDS>"""
"""The SDK's own configuration without its log file in /tmp, and with room for many processes."""


class RawSample:
    """A message that is its own serialised form: what the SDK's writer and reader are given."""

    __slots__ = ('data', 'sample_info')

    def __init__(self, data: bytes) -> None:
        """Wraps the bytes of one message, its four bytes of CDR header included."""
        self.data = data
        self.sample_info: Any = None

    def serialize(self, *_: object, **__: object) -> bytes:
        """The bytes."""
        return self.data

    @classmethod
    def deserialize(cls, data: bytes, *_: object, **__: object) -> RawSample:
        """The bytes, wrapped."""
        return cls(data)

    deserialize_key = deserialize


class Channels:
    """This process' place in the robot's DDS domain."""

    def __init__(self, domain: int, interface: str) -> None:
        """Enters the domain. A process can be in one robot domain at a time.

        Args:
            domain: 0 the real robot, 1 simulations.
            interface: Network interface, e.g. eth0 or lo; empty lets DDS choose.

        Raises:
            ConfigError: The SDK is missing, or the domain cannot be entered.
        """
        names = [name for _, name in socket.if_nameindex()]
        if interface and interface not in names:
            raise ConfigError(
                f'network interface {interface!r} does not exist, there are {", ".join(names)}; '
                f'set interface:= to one of them'
            )
        self._channel_module, self._types = _load()
        self._channel_module.ChannelConfigHasInterface = _INTERFACE_CONFIG
        factory_class = self._channel_module.ChannelFactory
        if factory_class._ChannelFactory__initialized:
            raise ConfigError(
                'this process has entered a robot domain already; close that connection first'
            )
        self._factory = factory_class()
        if not self._factory.Init(domain, interface or None):
            raise ConfigError(
                f'cannot enter DDS domain {domain} on interface {interface or "(any)"!r}: another '
                f'participant of this process uses the domain, or the interface is down; give '
                f'ROS_DOMAIN_ID and robot_domain:= different numbers'
            )
        self._channels: list[Any] = []

    def writer(self, topic: str, type_name: str) -> Callable[[bytes], None]:
        """Opens a topic for writing.

        Args:
            topic: DDS name, e.g. rt/arm_sdk.
            type_name: Type of unitree_hg, e.g. LowCmd_.

        Returns:
            A function that writes the bytes of one message.
        """
        channel = self._open(topic, type_name)
        channel.SetWriter(None)

        def write(data: bytes) -> None:
            channel.Write(RawSample(data + b'\0' * (-len(data) % 4)))

        return write

    def reader(self, topic: str, type_name: str, handler: Callable[[bytes], None]) -> None:
        """Opens a topic for reading.

        Args:
            topic: DDS name, e.g. rt/lowstate.
            type_name: Type of unitree_hg, e.g. LowState_.
            handler: Called with the bytes of each message, on a thread of DDS: it must be short
                and must not raise.
        """
        channel = self._open(topic, type_name)
        channel.SetReader(None, lambda sample: handler(sample.data), 0)

    def close(self) -> None:
        """Leaves the domain. Entities that outlive the interpreter's threads hang its exit."""
        factory_class = self._channel_module.ChannelFactory
        for name in ('participant', 'domain'):
            attribute = f'_ChannelFactory__{name}'
            entity = getattr(factory_class, attribute)
            if entity is not None:
                entity.__del__()
                setattr(factory_class, attribute, None)
        self._channels.clear()
        factory_class._ChannelFactory__initialized = False

    def _open(self, topic: str, type_name: str) -> Any:
        channel = self._factory.CreateChannel(topic, getattr(self._types, type_name))
        channel._Channel__topic.data_type = RawSample
        self._channels.append(channel)
        return channel


_loading = threading.Lock()


def _load() -> tuple[types.ModuleType, types.ModuleType]:
    """The SDK's modules of channels and of unitree_hg's types."""
    with _loading:
        spec = importlib.util.find_spec('unitree_sdk2py')
        if spec is None:
            raise ConfigError(MISSING.format(error='no such module'))
        folders = list(spec.submodule_search_locations or [])
        if importlib.machinery.PathFinder.find_spec('b2', folders) is None:
            sys.modules.setdefault('unitree_sdk2py.b2', types.ModuleType('unitree_sdk2py.b2'))
        try:
            return (
                importlib.import_module('unitree_sdk2py.core.channel'),
                importlib.import_module('unitree_sdk2py.idl.unitree_hg.msg.dds_'),
            )
        except ImportError as error:
            raise ConfigError(MISSING.format(error=error)) from error
