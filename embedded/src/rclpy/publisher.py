# SPDX-License-Identifier: Apache-2.0
"""Publishers."""

from __future__ import annotations

from typing import Any

from embedded_ros import classes, dds
from embedded_ros.graph import dds_topic
from embedded_ros.qos_mapping import to_dds
from embedded_ros.type_hash import type_hash

from .duration import Duration
from .exceptions import InvalidHandle, RCLError
from .qos import QoSProfile


class Publisher:
    """Sends messages to a topic."""

    def __init__(
        self, node: Any, msg_type: type, topic: str, qos_profile: QoSProfile, group: Any
    ) -> None:
        interface = classes.interface_name(msg_type)
        graph = node.context.graph
        qos = to_dds(qos_profile, f'typehash={type_hash(interface)};', is_writer=True)
        self.msg_type, self.topic, self.qos_profile = msg_type, topic, qos_profile
        self.callback_group = group
        self._serialize = classes.serializer_of(msg_type)
        self._node, self._context = node, node.context
        self._destroyed = False
        dds_name = dds_topic(topic, 'topic')
        self.writer = dds.Writer(
            graph.participant, graph.participant.topic(dds_name, interface), qos
        )
        self.event_handlers: list[Any] = []

    @property
    def handle(self) -> Publisher:
        """The publisher itself; raises InvalidHandle when it was destroyed."""
        if self._destroyed:
            raise InvalidHandle('cannot use Destroyable because destruction was requested')
        return self

    @property
    def topic_name(self) -> str:
        """The absolute name of the topic."""
        return self.topic

    @property
    def logger_name(self) -> str:
        """Name of the node's logger."""
        return str(self._node.get_logger().name)

    def publish(self, msg: Any) -> None:
        """Sends a message, or bytes that are one already.

        Raises:
            TypeError: It is a message of another type.
            RCLError: The context is shut down.
        """
        if type(msg) is self.msg_type:
            data = self._serialize(msg)
        elif isinstance(msg, (bytes, bytearray)):
            data = bytearray(msg)
        else:
            raise TypeError(f'Expected {self.msg_type}, got {type(msg)}')
        if self._destroyed:
            raise InvalidHandle('cannot use Destroyable because destruction was requested')
        if not self._context.ok():
            raise RCLError("Failed to publish: publisher's context is invalid")
        self.writer.write(data)

    def get_subscription_count(self) -> int:
        """Number of subscriptions that are connected."""
        return int(self.handle.writer.matched())

    def assert_liveliness(self) -> None:
        """Says that this publisher is alive (liveliness manual by topic)."""
        self.handle.writer.assert_liveliness()

    def wait_for_all_acked(self, timeout: Duration | None = None) -> bool:
        """Waits until all reliable subscriptions have everything; False after the timeout."""
        endless = timeout is None or timeout.nanoseconds < 0
        limit_ns = dds.INFINITE_NS if endless or timeout is None else timeout.nanoseconds
        return bool(self.handle.writer.entity.wait_for_acks(limit_ns))

    def destroy(self) -> None:
        """Ends this publisher."""
        if not self._destroyed:
            self._destroyed = True
            self._node.forget(self)
            dds.discard(self.writer.entity)

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *exception: object) -> None:
        self.destroy()
