# SPDX-License-Identifier: Apache-2.0
"""Context: one participant in the graph, from init to shutdown."""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from . import arguments, logging, signals
from .exceptions import NotInitializedException, RCLError

_contexts: weakref.WeakSet[Context] = weakref.WeakSet()


class Context:
    """Life of a set of nodes: arguments, domain, shutdown."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._initialized = False
        self._ok = False
        self._callbacks: list[Callable[[], Any]] = []
        self._domain_id = 0
        self._graph: Any = None
        self.arguments = arguments.Arguments()
        self.nodes: list[Any] = []

    @property
    def handle(self) -> Context:
        """The context itself: there is no C part here."""
        return self

    @property
    def graph(self) -> Any:
        """The place in the DDS graph, entered when it is first needed."""
        with self._lock:
            if not self._ok:
                raise NotInitializedException()
            if self._graph is None:
                from embedded_ros.graph import Graph

                self._graph = Graph(self._domain_id)
                signals.add_waker(id(self), self._graph.wake)
            return self._graph

    def init(
        self,
        args: Sequence[str] | None = None,
        *,
        initialize_logging: bool = True,
        domain_id: int | None = None,
    ) -> None:
        """Reads the arguments (sys.argv when None) and makes the context usable.

        Raises:
            RuntimeError: It is initialised already.
        """
        from embedded_ros import configuration

        with self._lock:
            if self._ok:
                raise RuntimeError('Context.init() must only be called once')
            if domain_id is not None and domain_id < 0:
                raise RuntimeError(f'Domain id ({domain_id}) should not be lower than zero.')
            self.arguments = arguments.parse(list(sys.argv if args is None else args))
            self._domain_id = configuration.domain_id() if domain_id is None else domain_id
            if initialize_logging:
                logging.configure(self.arguments.log_levels)
            self._initialized = self._ok = True
            _contexts.add(self)

    def ok(self) -> bool:
        """Whether the context is initialised and not shut down."""
        return self._ok

    def get_domain_id(self) -> int:
        """The DDS domain."""
        if not self._ok:
            raise NotInitializedException()
        return self._domain_id

    def shutdown(self) -> None:
        """Ends the context.

        Raises:
            RCLError: It is shut down already, or was never initialised.
        """
        if not self.try_shutdown():
            raise RCLError(
                'failed to shutdown: rcl_shutdown already called on the given context'
                if self._initialized
                else 'failed to shutdown: Context is not initialized'
            )

    def try_shutdown(self) -> bool:
        """Ends the context if that was not done before; tells whether it did."""
        with self._lock:
            if not self._ok:
                return False
            self._ok = False
            callbacks, self._callbacks = self._callbacks, []
        if self._graph is not None:
            self._graph.wake()
        for callback in callbacks:
            function = callback() if isinstance(callback, weakref.WeakMethod) else callback
            if function is not None:
                function()
        if not self.nodes:
            self.release()
        return True

    def on_shutdown(self, callback: Callable[[], Any]) -> None:
        """Calls a function when the context ends; a method does not keep its object alive."""
        if not callable(callback):
            raise TypeError('callback should be a callable')
        with self._lock:
            weak = hasattr(callback, '__self__') and hasattr(callback, '__func__')
            self._callbacks.append(weakref.WeakMethod(callback) if weak else callback)

    def remove_shutdown_callback(self, callback: Callable[[], Any]) -> None:
        """Undoes on_shutdown."""
        with self._lock:
            self._callbacks = [
                kept
                for kept in self._callbacks
                if callback not in (kept, kept() if isinstance(kept, weakref.WeakMethod) else None)
            ]

    def leave(self, node: Any, endpoints: Any) -> None:
        """Takes a destroyed node out of the graph."""
        if node in self.nodes:
            self.nodes.remove(node)
        graph = self._graph
        if graph is not None:
            if endpoints in graph.nodes:
                graph.nodes.remove(endpoints)
            if self._ok:
                graph.announce()
            elif not self.nodes:
                self.release()

    def release(self) -> None:
        """Destroys nodes and leaves the DDS domain; after the shutdown."""
        for node in list(self.nodes):
            node.destroy_node()
        graph, self._graph = self._graph, None
        if graph is not None:
            signals.remove_waker(id(self))
            graph.close()

    def destroy(self) -> None:
        """Ends the context and everything in it."""
        self.try_shutdown()
        self.release()

    def __enter__(self) -> Context:
        if not self._ok:
            self.init()
        return self

    def __exit__(self, *exception: object) -> None:
        self.try_shutdown()


_numbers = itertools.count(1)


def next_number() -> int:
    """A number no other entity of this process has."""
    return next(_numbers)


def shutdown_all() -> None:
    """Ends all contexts: what a signal does."""
    for context in list(_contexts):
        context.try_shutdown()
