# SPDX-License-Identifier: Apache-2.0
"""For nodes that conduct others: call a service and insist, wait for something to come true."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.node import Node

from g1_il.errors import G1Error

PATIENCE_S = 30.0


class GraphError(G1Error):
    """The graph did not do what it was asked to."""


class GraphClient:
    """Calls services of other nodes from a node that nobody else spins."""

    def __init__(self, node: Node, services: dict[str, Any]) -> None:
        """Creates the clients.

        Args:
            node: It is spun while waiting.
            services: Service type by name.
        """
        self._node = node
        self._clients = {name: node.create_client(kind, name) for name, kind in services.items()}

    def wait(
        self, condition: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S
    ) -> None:
        """Spins until a condition holds.

        Raises:
            GraphError: It did not become true in time.
        """
        deadline_s = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline_s:
                raise GraphError(f'waited {patience_s:.0f} s for {what}')
            rclpy.spin_once(self._node, timeout_sec=0.05)

    def call(self, service: str, request: Any) -> Any:
        """Calls a service whose response has success and message.

        Returns:
            The response.

        Raises:
            GraphError: Nobody offers it, it does not answer, or it refuses.
        """
        client = self._clients[service]
        self.wait(client.service_is_ready, f'the service {service}')
        future = client.call_async(request)
        self.wait(future.done, f'an answer of {service}')
        answer = future.result()
        if not answer.success:
            raise GraphError(f'{service} refused: {answer.message}')
        return answer
