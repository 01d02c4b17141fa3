# SPDX-License-Identifier: Apache-2.0
"""What a node can ask about the graph, and how it resolves names in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from embedded_ros.graph import Endpoint, NodeEndpoints
from embedded_ros.qos_mapping import from_dds, user_data

from . import names
from .qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

_HIDDEN_NODE = '_NODE_NAME_UNKNOWN_'


class NodeNameNonExistentError(RuntimeError):
    """A node that nobody knows."""


class TopicEndpointTypeEnum(IntEnum):
    """Kinds of endpoints."""

    INVALID = 0
    PUBLISHER = 1
    SUBSCRIPTION = 2


@dataclass(frozen=True, kw_only=True)
class TopicEndpointInfo:
    """A publisher or subscription of anybody."""

    node_name: str
    node_namespace: str
    topic_type: str
    topic_type_hash: str
    endpoint_type: TopicEndpointTypeEnum
    endpoint_gid: list[int]
    qos_profile: QoSProfile


class NodeGraph:
    """Questions about the graph; the base of Node, which is too long without it."""

    _context: Any
    _endpoints: NodeEndpoints
    _rules: list[tuple[str, str, str]]
    _name: str
    _namespace: str

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """The absolute name of a topic, after remapping."""
        return self._resolve(topic, only_expand, is_service=False)

    def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str:
        """The absolute name of a service, after remapping."""
        return self._resolve(service, only_expand, is_service=True)

    def _resolve(self, name: str, only_expand: bool, *, is_service: bool) -> str:
        def expand(text: str) -> str:
            return names.expand_name(text, self._name, self._namespace, is_service=is_service)

        expanded = expand(name)
        if not only_expand:
            for node, old, new in self._rules:
                if (
                    node in ('', self._name)
                    and not old.startswith('__')
                    and expand(old) == expanded
                ):
                    return expand(new)
        return expanded

    def get_topic_names_and_types(self, no_demangle: bool = False) -> list[tuple[str, list[str]]]:
        """All topics with their types; with no_demangle as DDS names them."""
        graph = self._context.graph
        if not no_demangle:
            return list(graph.topics())
        found: dict[str, set[str]] = {}
        for endpoint in graph.endpoints().values():
            found.setdefault(endpoint.topic, set()).add(endpoint.type_name)
        return [(name, sorted(types)) for name, types in sorted(found.items())]

    def get_service_names_and_types(self) -> list[tuple[str, list[str]]]:
        """All services with their types."""
        return list(self._context.graph.services())

    def get_node_names(self) -> list[str]:
        """Names of all nodes."""
        return [node.name for node in self._context.graph.all_nodes()]

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        """Names and namespaces of all nodes."""
        return [(node.name, node.namespace) for node in self._context.graph.all_nodes()]

    def get_fully_qualified_node_names(self) -> list[str]:
        """Full names of all nodes."""
        return [node.full_name for node in self._context.graph.all_nodes()]

    def knows_node(self, full_name: str) -> bool:
        """Whether a node of this full name is known."""
        return f'/{full_name.lstrip("/")}' in self.get_fully_qualified_node_names()

    def get_publisher_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> list[tuple[str, list[str]]]:
        """Topics a node publishes."""
        return list(self._context.graph.topics(self._node(node_name, node_namespace).writers))

    def get_subscriber_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> list[tuple[str, list[str]]]:
        """Topics a node subscribes to."""
        return list(self._context.graph.topics(self._node(node_name, node_namespace).readers))

    def get_service_names_and_types_by_node(
        self, node_name: str, node_namespace: str
    ) -> list[tuple[str, list[str]]]:
        """Services a node offers."""
        return list(self._context.graph.services(self._node(node_name, node_namespace).readers))

    def get_client_names_and_types_by_node(
        self, node_name: str, node_namespace: str
    ) -> list[tuple[str, list[str]]]:
        """Services a node is a client of."""
        gids = self._node(node_name, node_namespace).writers
        return list(self._context.graph.services(gids, clients=True))

    def _node(self, name: str, namespace: str) -> NodeEndpoints:
        for node in self._context.graph.all_nodes():
            if (node.name, node.namespace) == (name, namespace):
                return node  # type: ignore[no-any-return]
        raise NodeNameNonExistentError(
            f'cannot get names and types: node {namespace.rstrip("/")}/{name} is not known'
        )

    def count_publishers(self, topic_name: str) -> int:
        """Publishers of a topic."""
        return len(self._on(topic_name, 'publication'))

    def count_subscribers(self, topic_name: str) -> int:
        """Subscriptions of a topic."""
        return len(self._on(topic_name, 'subscription'))

    def count_services(self, service_name: str) -> int:
        """Servers of a service."""
        return self._count_service_ends(service_name, 'subscription')

    def count_clients(self, service_name: str) -> int:
        """Clients of a service."""
        return self._count_service_ends(service_name, 'publication')

    def _count_service_ends(self, service_name: str, kind: str) -> int:
        wanted = f'rq{self.resolve_service_name(service_name)}Request'
        endpoints = self._context.graph.endpoints().values()
        return sum(e.kind == kind and e.topic == wanted for e in endpoints)

    def _on(self, topic_name: str, kind: str) -> list[Endpoint]:
        return list(self._context.graph.on_topic(kind, self.resolve_topic_name(topic_name)))

    def get_publishers_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        """Publishers of a topic."""
        return [self._info(endpoint) for endpoint in self._on(topic_name, 'publication')]

    def get_subscriptions_info_by_topic(
        self, topic_name: str, no_mangle: bool = False
    ) -> list[TopicEndpointInfo]:
        """Subscriptions of a topic."""
        return [self._info(endpoint) for endpoint in self._on(topic_name, 'subscription')]

    def _info(self, endpoint: Endpoint) -> TopicEndpointInfo:
        node = self._context.graph.node_of(endpoint.gid)
        is_publisher = endpoint.kind == 'publication'
        return TopicEndpointInfo(
            node_name=node.name if node else _HIDDEN_NODE,
            node_namespace=node.namespace if node else '_NODE_NAMESPACE_UNKNOWN_',
            topic_type=endpoint.ros_type(),
            topic_type_hash=user_data(endpoint.qos).get('typehash', 'INVALID'),
            endpoint_type=TopicEndpointTypeEnum.PUBLISHER
            if is_publisher
            else TopicEndpointTypeEnum.SUBSCRIPTION,
            endpoint_gid=list(endpoint.gid),
            qos_profile=from_dds(endpoint.qos),
        )

    def _best_available(self, profile: QoSProfile, topic: str, *, is_writer: bool) -> QoSProfile:
        """Replaces 'best available' by what fits all endpoints that are there now."""
        best = (
            profile.reliability == ReliabilityPolicy.BEST_AVAILABLE,
            profile.durability == DurabilityPolicy.BEST_AVAILABLE,
            profile.liveliness == LivelinessPolicy.BEST_AVAILABLE,
        )
        if not any(best):
            return profile
        changed = {slot[1:]: getattr(profile, slot) for slot in QoSProfile.__slots__}
        kind = 'subscription' if is_writer else 'publication'
        others = [from_dds(e.qos) for e in self._context.graph.on_topic(kind, topic)]
        if best[0]:
            reliable = is_writer or all(
                other.reliability == ReliabilityPolicy.RELIABLE for other in others
            )
            changed['reliability'] = (
                ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
            )
        if best[1]:
            latched = is_writer or all(
                other.durability == DurabilityPolicy.TRANSIENT_LOCAL for other in others
            )
            changed['durability'] = (
                DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
            )
        if best[2]:
            manual = any(o.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC for o in others)
            changed['liveliness'] = (
                LivelinessPolicy.MANUAL_BY_TOPIC if manual else LivelinessPolicy.AUTOMATIC
            )
        return QoSProfile(**changed)
