# SPDX-License-Identifier: Apache-2.0
"""Callbacks for what happens to an endpoint: incompatible QoS, lost messages, matches, ..."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from enum import IntEnum
from typing import Any

from .entity import NOTHING, Entity
from .logging import get_logger
from .qos import QoSPolicyKind


def _info(name: str, *fields: str) -> type:
    return make_dataclass(name, [(field, Any) for field in fields], frozen=True)


_COUNTS = ('total_count', 'total_count_change')
QoSRequestedDeadlineMissedInfo = _info('QoSRequestedDeadlineMissedInfo', *_COUNTS)
QoSOfferedDeadlineMissedInfo = _info('QoSOfferedDeadlineMissedInfo', *_COUNTS)
QoSMessageLostInfo = _info('QoSMessageLostInfo', *_COUNTS)
QoSLivelinessLostInfo = _info('QoSLivelinessLostInfo', *_COUNTS)
QoSLivelinessChangedInfo = _info(
    'QoSLivelinessChangedInfo',
    'alive_count',
    'not_alive_count',
    'alive_count_change',
    'not_alive_count_change',
)
QoSRequestedIncompatibleQoSInfo = _info(
    'QoSRequestedIncompatibleQoSInfo', *_COUNTS, 'last_policy_kind'
)
QoSOfferedIncompatibleQoSInfo = _info(
    'QoSOfferedIncompatibleQoSInfo', *_COUNTS, 'last_policy_kind'
)
MatchedInfo = _info('MatchedInfo', *_COUNTS, 'current_count', 'current_count_change')

# DDS' ids of policies.
_POLICY_KINDS = {
    2: QoSPolicyKind.DURABILITY,
    4: QoSPolicyKind.DEADLINE,
    8: QoSPolicyKind.LIVELINESS,
    11: QoSPolicyKind.RELIABILITY,
    13: QoSPolicyKind.HISTORY,
    21: QoSPolicyKind.LIFESPAN,
}


class QoSSubscriptionEventType(IntEnum):
    """Events of subscriptions."""

    RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED = 0
    RCL_SUBSCRIPTION_LIVELINESS_CHANGED = 1
    RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS = 2
    RCL_SUBSCRIPTION_MESSAGE_LOST = 3
    RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE = 4
    RCL_SUBSCRIPTION_MATCHED = 5


class QoSPublisherEventType(IntEnum):
    """Events of publishers."""

    RCL_PUBLISHER_OFFERED_DEADLINE_MISSED = 0
    RCL_PUBLISHER_LIVELINESS_LOST = 1
    RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS = 2
    RCL_PUBLISHER_INCOMPATIBLE_TYPE = 3
    RCL_PUBLISHER_MATCHED = 4


class UnsupportedEventTypeError(Exception):
    """An event the middleware does not know."""


@dataclass(frozen=True)
class _Event:
    status: int  # DDS status bit
    getter: str  # method of Cyclone's reader or writer
    info: type


_DEADLINE_MISSED_READER, _DEADLINE_MISSED_WRITER = 1 << 2, 1 << 1
SUBSCRIPTION_EVENTS = {
    'deadline': _Event(
        1 << 2, 'get_requested_deadline_missed_status', QoSRequestedDeadlineMissedInfo
    ),
    'liveliness': _Event(1 << 10, 'get_liveliness_changed_status', QoSLivelinessChangedInfo),
    'message_lost': _Event(1 << 5, 'get_sample_lost_status', QoSMessageLostInfo),
    'incompatible_qos': _Event(
        1 << 4, 'get_requested_incompatible_qos_status', QoSRequestedIncompatibleQoSInfo
    ),
    'matched': _Event(1 << 12, 'get_subscription_matched_status', MatchedInfo),
}
PUBLISHER_EVENTS = {
    'deadline': _Event(1 << 1, 'get_offered_deadline_missed_status', QoSOfferedDeadlineMissedInfo),
    'liveliness': _Event(1 << 9, 'get_liveliness_lost_status', QoSLivelinessLostInfo),
    'incompatible_qos': _Event(
        1 << 3, 'get_offered_incompatible_qos_status', QoSOfferedIncompatibleQoSInfo
    ),
    'matched': _Event(1 << 11, 'get_publication_matched_status', MatchedInfo),
}


class SubscriptionEventCallbacks:
    """Callbacks of a subscription; incompatible QoS is logged where no callback is given."""

    def __init__(
        self,
        *,
        deadline: Callable[[Any], Any] | None = None,
        liveliness: Callable[[Any], Any] | None = None,
        message_lost: Callable[[Any], Any] | None = None,
        incompatible_qos: Callable[[Any], Any] | None = None,
        incompatible_type: Callable[[Any], Any] | None = None,
        matched: Callable[[Any], Any] | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.deadline, self.liveliness, self.message_lost = deadline, liveliness, message_lost
        self.incompatible_qos, self.incompatible_type = incompatible_qos, incompatible_type
        self.matched, self.use_default_callbacks = matched, use_default_callbacks


class PublisherEventCallbacks:
    """Callbacks of a publisher; incompatible QoS is logged where no callback is given."""

    def __init__(
        self,
        *,
        deadline: Callable[[Any], Any] | None = None,
        liveliness: Callable[[Any], Any] | None = None,
        incompatible_qos: Callable[[Any], Any] | None = None,
        incompatible_type: Callable[[Any], Any] | None = None,
        matched: Callable[[Any], Any] | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.deadline, self.liveliness, self.matched = deadline, liveliness, matched
        self.incompatible_qos, self.incompatible_type = incompatible_qos, incompatible_type
        self.use_default_callbacks = use_default_callbacks


class EndpointEvents(Entity):
    """Runs the event callbacks of one publisher or subscription."""

    def __init__(
        self, node: Any, group: Any, endpoint: Any, topic: str, chosen: Any, *, is_writer: bool
    ) -> None:
        super().__init__(node, group)
        self._endpoint = endpoint
        table = PUBLISHER_EVENTS if is_writer else SUBSCRIPTION_EVENTS
        self._events = [
            (event, getattr(chosen, name))
            for name, event in table.items()
            if getattr(chosen, name) is not None
        ]
        if chosen.incompatible_qos is None and chosen.use_default_callbacks:
            warn = _warn_of_incompatible_qos(node.get_logger().name, topic, is_writer)
            self._events.append((table['incompatible_qos'], warn))
        mask = 0
        for event, _ in self._events:
            mask |= event.status
        endpoint.set_status_mask(mask)

    def conditions(self) -> list[Any]:
        """The reader or writer itself, which triggers on its enabled statuses."""
        return [self._endpoint] if self._events else []

    def run(self) -> Any:
        """Calls the callback of one event that happened."""
        changed = self._endpoint.get_status_changes()
        for event, callback in self._events:
            if changed & event.status:
                status = getattr(self._endpoint, event.getter)()
                values = {
                    field: _POLICY_KINDS.get(status.last_policy_id, QoSPolicyKind.INVALID)
                    if field == 'last_policy_kind'
                    else getattr(status, field)
                    for field in event.info.__dataclass_fields__  # type: ignore[attr-defined]
                }
                return callback(event.info(**values))
        return NOTHING


def _warn_of_incompatible_qos(
    logger_name: str, topic: str, is_writer: bool
) -> Callable[[Any], None]:
    other, verb, lost = (
        ('subscription', 'requesting', 'sent to')
        if is_writer
        else ('publisher', 'offering', 'received from')
    )

    def warn(info: Any) -> None:
        get_logger(logger_name).warning(
            f"New {other} discovered on topic '{topic}', {verb} incompatible QoS. No messages "
            f'will be {lost} it. Last incompatible policy: {info.last_policy_kind.name}'
        )

    return warn
