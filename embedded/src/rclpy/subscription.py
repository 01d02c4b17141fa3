# SPDX-License-Identifier: Apache-2.0
"""Subscriptions."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any, TypedDict

from embedded_ros import classes, dds
from embedded_ros.graph import dds_topic
from embedded_ros.qos_mapping import to_dds
from embedded_ros.type_hash import type_hash

from .entity import NOTHING, Entity
from .qos import QoSProfile


class MessageInfo(TypedDict):
    """When a message was sent and received [ns since the epoch]; numbers where known."""

    source_timestamp: int
    received_timestamp: int
    publication_sequence_number: int | None
    reception_sequence_number: int | None


class Subscription(Entity):
    """Calls back with messages of a topic, with their MessageInfo if two arguments are taken."""

    def __init__(
        self,
        node: Any,
        msg_type: type,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile,
        group: Any,
        raw: bool,
    ) -> None:
        interface = classes.interface_name(msg_type)
        super().__init__(node, group)
        self.callback = callback
        participant = node.context.graph.participant
        qos = to_dds(qos_profile, f'typehash={type_hash(interface)};', is_writer=False)
        self.msg_type, self.topic, self.qos_profile, self.raw = msg_type, topic, qos_profile, raw
        self._deserialize = classes.deserializer_of(msg_type)
        dds_name = dds_topic(topic, 'topic')
        self.reader = dds.Reader(participant, participant.topic(dds_name, interface), qos)
        self.event_handlers: list[Any] = []

    @property
    def callback(self) -> Callable[..., Any]:
        """What is called with each message."""
        return self._callback

    @callback.setter
    def callback(self, value: Callable[..., Any]) -> None:
        try:
            signature = inspect.signature(value)
        except ValueError:  # a builtin without one, as print on Python 3.10
            self._callback, self._with_info = value, False
            return
        for count in (1, 2):
            try:
                signature.bind(*[object()] * count)
            except TypeError:
                continue
            self._callback, self._with_info = value, count == 2
            return
        raise RuntimeError(
            'Subscription.__init__(): callback should be either be callable with one argument '
            '(to get only the message) or two arguments (to get message and message info)'
        )

    @property
    def topic_name(self) -> str:
        """The absolute name of the topic."""
        return self.topic

    @property
    def logger_name(self) -> str:
        """Name of the node's logger."""
        return str(self._node.get_logger().name)

    def get_publisher_count(self) -> int:
        """Number of publishers that are connected."""
        return int(self.handle.reader.matched())

    def conditions(self) -> list[Any]:
        """Triggers while messages wait."""
        return [self.reader.has_data]

    def take(self) -> tuple[Any, MessageInfo] | None:
        """The next message (bytes if raw) with its MessageInfo; None when there is none."""
        taken = self.reader.take()
        if taken is None:
            return None
        data, info = taken
        return data if self.raw else self._deserialize(data), _message_info(info)

    def run(self) -> Any:
        """Takes one message and calls back."""
        taken = self.reader.take()
        if taken is None:
            return NOTHING
        data, info = taken
        message = data if self.raw else self._deserialize(data)
        if self._with_info:
            return self._callback(message, _message_info(info))
        return self._callback(message)

    def close(self) -> None:
        """Deletes the DDS reader."""
        dds.discard(self.reader.has_data)
        dds.discard(self.reader.entity)


def _message_info(info: Any) -> MessageInfo:
    return MessageInfo(
        source_timestamp=info.source_timestamp,
        received_timestamp=time.time_ns(),
        publication_sequence_number=None,
        reception_sequence_number=None,
    )
