# SPDX-License-Identifier: Apache-2.0
"""Services: answering requests as rmw_cyclonedds puts them on the wire.

Requests and responses begin with 16 bytes that say whose request it is: the instance handle of
the client's writer and a sequence number; the service sends them back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from embedded_ros import cdr, classes, dds
from embedded_ros.graph import dds_topic
from embedded_ros.qos_mapping import to_dds
from embedded_ros.type_hash import type_hash

from .entity import NOTHING, Entity
from .exceptions import RCLError
from .qos import QoSProfile
from .task import Future, Immediate
from .waiting import wait_until_matched

IDENTITY = slice(4, 20)  # after the CDR header
_REPLY_WAIT_S = 0.1  # as long as rmw_cyclonedds waits for a client's reader


def split(data: bytes) -> tuple[bytes, bytes]:
    """Identity and CDR (header and fields) of a request or response."""
    return data[IDENTITY], cdr.HEADER + data[IDENTITY.stop :]


def join(identity: bytes, message: Any) -> bytearray:
    """CDR of a request or response with its identity."""
    data = classes.serialize(message)
    data[4:4] = identity
    return data


def make_endpoints(
    node: Any, srv_type: Any, name: str, profile: QoSProfile, *, is_service: bool
) -> tuple[dds.Reader, dds.Writer]:
    """Reader and writer of one end of a service."""
    participant, graph = node.context.graph.participant, node.context.graph
    identity = f'{"serviceid" if is_service else "clientid"}={graph.service_id()};'

    def topic_and_qos(role: str, half: type, is_writer: bool) -> tuple[Any, Any]:
        interface = classes.interface_name(half)
        topic = participant.topic(dds_topic(name, role), interface, is_service=True)
        user_data = f'{identity}typehash={type_hash(interface)};'
        return topic, to_dds(profile, user_data, is_writer=is_writer)

    request, reply = ('request', srv_type.Request), ('reply', srv_type.Response)
    read, written = (request, reply) if is_service else (reply, request)
    # The reader first: who sees a client's writer soon sees its reader, too.
    reader = dds.Reader(participant, *topic_and_qos(*read, False))
    return reader, dds.Writer(participant, *topic_and_qos(*written, True))


class Service(Entity):
    """Answers requests with what its callback makes of them."""

    def __init__(
        self,
        node: Any,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        qos_profile: QoSProfile,
        group: Any,
    ) -> None:
        super().__init__(node, group)
        self.srv_type, self.srv_name, self.callback = srv_type, srv_name, callback
        self.qos_profile = qos_profile
        self.reader, self.writer = make_endpoints(
            node, srv_type, srv_name, qos_profile, is_service=True
        )

    @property
    def service_name(self) -> str:
        """The absolute name."""
        return self.srv_name

    @property
    def logger_name(self) -> str:
        """Name of the node's logger."""
        return str(self._node.get_logger().name)

    def conditions(self) -> list[Any]:
        """Triggers while requests wait."""
        return [self.reader.has_data]

    def run(self) -> Any:
        """Takes one request, calls back and answers."""
        taken = self.reader.take()
        if taken is None:
            return NOTHING
        identity, data = split(taken[0])
        request = classes.deserialize(data, self.srv_type.Request)
        response = self.callback(request, self.srv_type.Response())
        if hasattr(response, '__await__'):
            return self._answer_later(response, identity)
        self.send_response(response, identity)
        return None

    async def _answer_later(self, response: Any, identity: bytes) -> None:
        self.send_response(await response, identity)

    def send_response(self, response: Any, header: bytes) -> None:
        """Answers the request of this identity.

        Raises:
            TypeError: The response is of another type.
        """
        if not isinstance(response, self.srv_type.Response):
            raise TypeError(f'Expected {self.srv_type.Response}, got {type(response)}')
        if not self._node.context.ok():
            raise RCLError("Failed to send response: service's context is invalid")
        reader, writer = self.reader, self.handle.writer
        if writer.matched() < reader.matched():
            # A client's request was faster than the discovery of the client's reader.
            wait_until_matched(
                self._node.context,
                None,
                writer,
                lambda: writer.matched() >= reader.matched(),
                _REPLY_WAIT_S,
            )
        writer.write(join(header, response))

    def close(self) -> None:
        """Deletes the DDS reader and writer."""
        for entity in (self.reader.has_data, self.reader.entity, self.writer.entity):
            dds.discard(entity)


class Client(Entity):
    """Sends requests, and gives futures of the responses."""

    def __init__(
        self, node: Any, srv_type: Any, srv_name: str, qos_profile: QoSProfile, group: Any
    ) -> None:
        super().__init__(node, group)
        self.srv_type, self.srv_name, self.qos_profile = srv_type, srv_name, qos_profile
        self.reader, self.writer = make_endpoints(
            node, srv_type, srv_name, qos_profile, is_service=False
        )
        handle: int = self.writer.entity.instance_handle & 0xFFFFFFFFFFFFFFFF
        self._identity = handle.to_bytes(8, 'little')
        self._sequence = 0
        self._pending: dict[int, Any] = {}
        self._lock = threading.Lock()

    @property
    def service_name(self) -> str:
        """The absolute name."""
        return self.srv_name

    @property
    def context(self) -> Any:
        """The node's context."""
        return self._node.context

    @property
    def logger_name(self) -> str:
        """Name of the node's logger."""
        return str(self._node.get_logger().name)

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Sends a request and waits for the response; another thread must spin the node.

        Raises:
            TypeError: The request is of another type.
            TimeoutError: The time is over.
        """
        answered = threading.Event()
        future = self.call_async(request)
        future.add_done_callback(Immediate(lambda _: answered.set()))
        if not answered.wait(timeout_sec):
            self.remove_pending_request(future)
            raise TimeoutError(f'No response of {self.srv_name} within {timeout_sec} s')
        return future.result()

    def call_async(self, request: Any) -> Any:
        """Sends a request; the future holds the response.

        Raises:
            TypeError: The request is of another type.
        """
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(f'Expected {self.srv_type.Request}, got {type(request)}')
        if not self.handle.context.ok():
            raise RCLError("Failed to send request: client's context is invalid")
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
            future = Future(executor=self._node.executor)
            self._pending[sequence] = future
        future.add_done_callback(Immediate(self.remove_pending_request))
        self.writer.write(join(self._identity + sequence.to_bytes(8, 'little'), request))
        return future

    def remove_pending_request(self, future: Any) -> None:
        """Gives a response up: it will be dropped."""
        with self._lock:
            for sequence, pending in list(self._pending.items()):
                if pending is future:
                    del self._pending[sequence]

    def service_is_ready(self) -> bool:
        """Whether a service is connected with both its ends."""
        self.handle  # noqa: B018 - raises when destroyed
        return self.reader.matched() > 0 and self.writer.matched() > 0

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        """Waits until a service is there; False after the timeout or at shutdown."""
        return wait_until_matched(
            self.context, self.reader, self.writer, self.service_is_ready, timeout_sec
        )

    def conditions(self) -> list[Any]:
        """Triggers while responses wait."""
        return [self.reader.has_data]

    def run(self) -> Any:
        """Takes one response, for whichever client of the service, and completes its future."""
        taken = self.reader.take()
        if taken is None:
            return NOTHING
        identity, data = split(taken[0])
        if identity[:8] != self._identity:
            return NOTHING
        with self._lock:
            future = self._pending.get(int.from_bytes(identity[8:], 'little'))
        if future is None or future.cancelled():
            return NOTHING
        future._set_executor(self._node.executor)
        future.set_result(classes.deserialize(data, self.srv_type.Response))
        return None

    def close(self) -> None:
        """Deletes the DDS reader and writer; pending responses will not come."""
        for future in list(self._pending.values()):
            future.cancel()
        for entity in (self.reader.has_data, self.reader.entity, self.writer.entity):
            dds.discard(entity)
