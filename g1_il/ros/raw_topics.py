# SPDX-License-Identifier: Apache-2.0
"""Subscribes to topics as bytes, whatever their type, with the QoS that their publishers offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy

from g1_il.episodes.timing import LiveRate
from g1_il.errors import ConfigError
from g1_il.ros.bag import has_header, message_class
from g1_il.ros.cdr import header_stamp_ns

_UNKNOWN_NUMBER = 2**64 - 1


@dataclass(slots=True, kw_only=True)
class RawTopic:
    """A topic that is listened to.

    Attributes:
        name: As configured.
        resolved: Absolute name.
        type: Message type; empty until a publisher is seen.
        rate: Rate of receipt.
        latched: Last message of a topic whose publishers keep it for late joiners.
    """

    name: str
    resolved: str
    type: str
    rate: LiveRate
    latched: bytes | None = None
    publishers: int = 0
    profile: tuple[bool, bool] = (False, False)
    subscription: Any = None
    number: int | None = None
    problem: str = ''


class RawTopics:
    """Listens to a list of topics; `refresh` follows what the graph offers.

    Args:
        node: The node that owns the subscriptions.
        names: Topics, relative or absolute.
        depth: Messages that a reader keeps while callbacks are late.
        on_message: Called with topic, bytes and time of receipt [ns].
        on_lost: Called with a topic and how many messages of it did not arrive.
    """

    def __init__(
        self,
        node: Node,
        names: Sequence[str],
        *,
        depth: int,
        on_message: Callable[[RawTopic, bytes, int], None],
        on_lost: Callable[[RawTopic, int], None],
    ) -> None:
        self._node = node
        self._depth = depth
        self._on_message = on_message
        self._on_lost = on_lost
        self.topics = [
            RawTopic(name=n, resolved=node.resolve_topic_name(n), type='', rate=LiveRate())
            for n in names
        ]
        self.refresh()

    def refresh(self, *, only_new: bool = False) -> None:
        """Subscribes to what has appeared, and again where the QoS on offer has changed.

        Args:
            only_new: Leave existing subscriptions as they are: changing one may lose messages.
        """
        for topic in self.topics:
            if only_new and topic.subscription is not None:
                continue
            offers = self._node.get_publishers_info_by_topic(topic.resolved)
            topic.publishers = len(offers)
            if not offers:
                continue
            profiles = [offer.qos_profile for offer in offers]
            wanted = (
                all(p.reliability == QoSReliabilityPolicy.RELIABLE for p in profiles),
                all(p.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for p in profiles),
            )
            if (topic.type, topic.profile) == (offers[0].topic_type, wanted):
                continue
            self._subscribe(topic, offers[0].topic_type, wanted)

    def _subscribe(self, topic: RawTopic, type_name: str, wanted: tuple[bool, bool]) -> None:
        try:
            message = message_class(type_name)
        except ConfigError as error:
            topic.problem = f'{topic.name}: {error}'
            return
        if topic.subscription is not None:
            self._node.destroy_subscription(topic.subscription)
        is_reliable, is_latched = wanted
        topic.type, topic.profile, topic.number, topic.problem = type_name, wanted, None, ''
        is_stamped = has_header(type_name)

        def receive(data: bytes, info: Any) -> None:
            self._receive(topic, bytes(data), info, is_stamped)

        topic.subscription = self._node.create_subscription(
            message,
            topic.resolved,
            receive,
            QoSProfile(
                history=QoSHistoryPolicy.KEEP_LAST,
                depth=self._depth,
                reliability=QoSReliabilityPolicy.RELIABLE
                if is_reliable
                else QoSReliabilityPolicy.BEST_EFFORT,
                durability=QoSDurabilityPolicy.TRANSIENT_LOCAL
                if is_latched
                else QoSDurabilityPolicy.VOLATILE,
            ),
            raw=True,
        )

    def _receive(self, topic: RawTopic, data: bytes, info: Any, is_stamped: bool) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        topic.rate.tick(now_ns)
        self._count_lost(topic, info)
        if is_stamped and header_stamp_ns(data) <= 0:
            topic.problem = f'{topic.name}: stamps of zero'
        if topic.profile[1]:
            topic.latched = data
        self._on_message(topic, data, now_ns)

    def _count_lost(self, topic: RawTopic, info: Any) -> None:
        """Missing numbers of the only publisher; several publishers count each for itself."""
        number = info.get('publication_sequence_number') if isinstance(info, dict) else None
        if number is None or number == _UNKNOWN_NUMBER or topic.publishers != 1:
            topic.number = None
            return
        if topic.number is not None and number > topic.number + 1:
            self._on_lost(topic, number - topic.number - 1)
        topic.number = number
