# SPDX-License-Identifier: Apache-2.0
"""The ROS graph on DDS: who is there, and telling others who is here.

Nodes are no DDS entities. Every participant tells in `ros_discovery_info` which endpoints belong
to which of its nodes; endpoints themselves are known from DDS discovery.
"""

from __future__ import annotations

import contextlib
import re
import struct
import threading
from dataclasses import dataclass, field
from typing import Any

from cyclonedds.core import DDSException, InstanceState
from cyclonedds.qos import Policy, Qos

from . import classes, configuration, dds
from .type_hash import type_hash

_INFO = 'rmw_dds_common/msg/ParticipantEntitiesInfo'
_PREFIXES = {'topic': 'rt', 'request': 'rq', 'reply': 'rr'}


@dataclass(kw_only=True)
class NodeEndpoints:
    """Endpoints of one node, by their gids."""

    name: str
    namespace: str
    readers: set[bytes] = field(default_factory=set)
    writers: set[bytes] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        """Namespace and name."""
        return f'{self.namespace.rstrip("/")}/{self.name}'


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A publisher, subscription, or one half of a service or client, of anybody."""

    gid: bytes
    kind: str  # 'publication' or 'subscription'
    topic: str  # DDS name
    type_name: str  # DDS name
    qos: Qos

    def ros_type(self) -> str:
        """The interface as ROS names it, 'pkg/msg/Name'."""
        found = re.fullmatch(r'(\w+)::(\w+)::dds_::(\w+)_', self.type_name)
        return '/'.join(found.groups()) if found else self.type_name


class Graph:
    """This process' participant, and what it knows about the others."""

    def __init__(self, domain_id: int) -> None:
        self.participant = dds.Participant(domain_id, configuration.configuration(), b'enclave=/;')
        self.nodes: list[NodeEndpoints] = []
        self._lock = threading.RLock()
        self._counter = 0
        self._others: dict[bytes, list[NodeEndpoints]] = {}
        self._endpoints: dict[bytes, Endpoint] = {}
        self._change: dds.WaitSet | None = None
        self._guard = dds.guard(self.participant)
        self._conditions: list[Any] = []
        topic = self.participant.topic('ros_discovery_info', _INFO)
        common = [
            Policy.Durability.TransientLocal,
            Policy.Reliability.Reliable(dds.INFINITE_NS),
            Policy.DataRepresentation(
                use_cdrv0_representation=True, use_xcdrv2_representation=False
            ),
            Policy.Userdata(f'typehash={type_hash(_INFO)};'.encode()),
        ]
        last = Policy.History.KeepLast(1)
        self._info_writer = dds.Writer(
            self.participant,
            topic,
            Qos(
                *common,
                last,
                Policy.WriterDataLifecycle(autodispose=False),
                Policy.DurabilityService(0, last, -1, -1, -1),
            ),
        )
        self._info_reader = dds.Reader(
            self.participant, topic, Qos(*common, Policy.History.KeepAll)
        )
        self._endpoint_readers = dds.endpoint_readers(self.participant)

    def close(self) -> None:
        """Leaves the graph."""
        self.participant.close()

    def service_id(self) -> str:
        """A new identity for a service or client, as rmw_cyclonedds writes it."""
        with self._lock:
            self._counter += 1
            raw = self.participant.guid[:12] + struct.pack('>I', self._counter)
        return f'{raw[0]:2x}' + ''.join(f'.{byte:x}' for byte in raw[1:])

    def announce(self) -> None:
        """Tells the others which endpoints belong to which node; after every change."""
        from rmw_dds_common.msg import Gid, NodeEntitiesInfo, ParticipantEntitiesInfo

        with self._lock:
            message = ParticipantEntitiesInfo(
                gid=Gid(data=list(self.participant.guid)),
                node_entities_info_seq=[
                    NodeEntitiesInfo(
                        node_namespace=node.namespace,
                        node_name=node.name,
                        reader_gid_seq=[Gid(data=list(gid)) for gid in sorted(node.readers)],
                        writer_gid_seq=[Gid(data=list(gid)) for gid in sorted(node.writers)],
                    )
                    for node in self.nodes
                ],
            )
            self._info_writer.write(classes.serialize(message))

    def all_nodes(self) -> list[NodeEndpoints]:
        """All nodes of the domain that are known by now, the own ones first."""
        from rmw_dds_common.msg import ParticipantEntitiesInfo

        with self._lock:
            while (taken := self._info_reader.take()) is not None:
                message = classes.deserialize(taken[0], ParticipantEntitiesInfo)
                gid = message.gid.data.tobytes()
                if gid != self.participant.guid:
                    self._others[gid] = [
                        NodeEndpoints(
                            name=node.node_name,
                            namespace=node.node_namespace,
                            readers={entry.data.tobytes() for entry in node.reader_gid_seq},
                            writers={entry.data.tobytes() for entry in node.writer_gid_seq},
                        )
                        for node in message.node_entities_info_seq
                    ]
            # A process that died says nothing: its endpoints are gone from DDS discovery.
            living = {gid[:12] for gid in self.endpoints()}
            gone = [gid for gid in self._others if gid[:12] not in living]
            for gid in gone:
                del self._others[gid]
            return [*self.nodes, *(node for nodes in self._others.values() for node in nodes)]

    def endpoints(self) -> dict[bytes, Endpoint]:
        """All endpoints of the domain that are known by now, by gid."""
        with self._lock:
            for kind, reader in self._endpoint_readers.items():
                while samples := reader.take(64):
                    for sample in samples:
                        gid = sample.key.bytes
                        alive = sample.sample_info.instance_state == InstanceState.Alive
                        if not alive or sample.topic_name is None:
                            self._endpoints.pop(gid, None)
                            continue
                        self._endpoints[gid] = Endpoint(
                            gid=gid,
                            kind=kind,
                            topic=sample.topic_name,
                            type_name=sample.type_name,
                            qos=sample.qos,
                        )
            return dict(self._endpoints)

    def wait_for_change(self, timeout_s: float) -> bool:
        """Waits until nodes or endpoints come or go, or wake(); False after the timeout."""
        if self._change is None:
            self._change = dds.WaitSet(self.participant)
            readers = [*self._endpoint_readers.values(), self._info_reader.entity]
            self._conditions = [self._guard, *map(dds.has_samples, readers)]
            for condition in self._conditions:
                self._change.attach(condition, 1)
        changed = bool(self._change.wait(min(int(timeout_s * 1e9), dds.INFINITE_NS)))
        self._guard.take()
        return changed

    def wake(self) -> None:
        """Ends wait_for_change(); from any thread."""
        with contextlib.suppress(DDSException):  # when it is closed, nobody waits any more
            self._guard.set(True)

    def on_topic(self, kind: str, name: str) -> list[Endpoint]:
        """Endpoints of one kind on a ROS topic of this absolute name."""
        wanted = f'rt{name}'
        return [e for e in self.endpoints().values() if e.kind == kind and e.topic == wanted]

    def topics(self, gids: set[bytes] | None = None) -> list[tuple[str, list[str]]]:
        """ROS topics with their types, sorted; of the endpoints `gids` only, if given."""
        found: dict[str, set[str]] = {}
        for endpoint in self.endpoints().values():
            if endpoint.topic.startswith('rt/') and (gids is None or endpoint.gid in gids):
                found.setdefault(endpoint.topic[2:], set()).add(endpoint.ros_type())
        return [(name, sorted(types)) for name, types in sorted(found.items())]

    def services(
        self, gids: set[bytes] | None = None, *, clients: bool = False
    ) -> list[tuple[str, list[str]]]:
        """ROS services (or those that have clients) with their types, sorted."""
        found: dict[str, set[str]] = {}
        kind = 'publication' if clients else 'subscription'
        for endpoint in self.endpoints().values():
            name = re.fullmatch(r'rq(/.*)Request', endpoint.topic)
            if name and endpoint.kind == kind and (gids is None or endpoint.gid in gids):
                found.setdefault(name[1], set()).add(endpoint.ros_type().removesuffix('_Request'))
        return [(name, sorted(types)) for name, types in sorted(found.items())]

    def node_of(self, gid: bytes) -> NodeEndpoints | None:
        """The node an endpoint belongs to, if that is known."""
        for node in self.all_nodes():
            if gid in node.readers or gid in node.writers:
                return node
        return None


def dds_topic(name: str, role: str) -> str:
    """DDS name of an absolute ROS name; role 'topic', 'request' or 'reply'."""
    suffix = {'topic': '', 'request': 'Request', 'reply': 'Reply'}[role]
    return f'{_PREFIXES[role]}{name}{suffix}'
