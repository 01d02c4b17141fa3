# SPDX-License-Identifier: Apache-2.0
"""LaunchContext: what a launch description sees and changes while it is executed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from . import logging as launch_logging
from .substitution import Substitution


class LaunchContext:
    """State of one launch: configurations, environment, locals, event handlers and events.

    A group changes configurations and environment, an event handler locals, for itself only.
    """

    def __init__(self, *, argv: Any = None, noninteractive: bool = False) -> None:
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.logger = launch_logging.get_logger('launch')
        self.asyncio_loop: asyncio.AbstractEventLoop | None = None
        self.is_shutdown = False
        self.launch_configurations: dict[str, Any] = {}
        self._scopes: list[tuple[dict[str, Any], dict[str, str]]] = []
        self._first_environment = dict(os.environ)
        self._globals: dict[str, Any] = {}
        self._locals: dict[str, Any] = {}
        self._event_handlers: list[Any] = []
        self._event_queue: asyncio.Queue = asyncio.Queue()
        self._completion_futures: list[asyncio.Future] = []

    @property
    def environment(self) -> Any:
        """The environment of processes started from here; it is this process's own."""
        return os.environ

    @property
    def locals(self) -> SimpleNamespace:
        """Locals and globals as attributes, such as `locals.event` in an event handler."""
        return SimpleNamespace(**self.get_locals_as_dict())

    def get_locals_as_dict(self) -> dict[str, Any]:
        """Returns locals over globals."""
        return {**self._globals, **self._locals}

    def extend_locals(self, extensions: dict[str, Any]) -> None:
        """Sets locals, until the current event handler ends."""
        self._locals.update(extensions)

    def extend_globals(self, extensions: dict[str, Any]) -> None:
        """Sets globals."""
        self._globals.update(extensions)

    def perform_substitution(self, substitution: Substitution) -> str:
        """Returns the text of a substitution in this context."""
        return substitution.perform(self)

    def register_event_handler(self, event_handler: Any, append: bool = False) -> None:
        """Adds a handler: before all others (default), or after them."""
        self._event_handlers.insert(len(self._event_handlers) if append else 0, event_handler)

    def unregister_event_handler(self, event_handler: Any) -> None:
        """Removes a handler.

        Raises:
            ValueError: It is not registered.
        """
        self._event_handlers.remove(event_handler)

    def would_handle_event(self, event: Any) -> bool:
        """Returns whether a handler matches the event."""
        return any(handler.matches(event) for handler in self._event_handlers)

    def emit_event_sync(self, event: Any) -> None:
        """Queues an event; from the thread of the launch loop only."""
        self._event_queue.put_nowait(event)

    async def emit_event(self, event: Any) -> None:
        """Queues an event, as a coroutine."""
        self.emit_event_sync(event)

    def add_completion_future(self, future: asyncio.Future) -> None:
        """Keeps the launch service running until this future is done."""
        self._completion_futures.append(future)

    def _set_asyncio_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        # A queue belongs to the loop that first waited on it, so that each run gets its own.
        self.asyncio_loop = loop
        pending, self._event_queue = self._event_queue, asyncio.Queue()
        while not pending.empty():
            self._event_queue.put_nowait(pending.get_nowait())

    def push_scope(self) -> None:
        """Saves configurations and environment, for a group."""
        self._scopes.append((dict(self.launch_configurations), dict(os.environ)))

    def reset_scope(self) -> None:
        """Forgets the configurations, and restores the environment of the start."""
        self.launch_configurations, environment = {}, self._first_environment
        self._replace_environment(environment)

    def pop_scope(self) -> None:
        """Restores what was saved last."""
        self.launch_configurations, environment = self._scopes.pop()
        self._replace_environment(environment)

    @staticmethod
    def _replace_environment(environment: dict[str, str]) -> None:
        os.environ.clear()
        os.environ.update(environment)

    @contextlib.contextmanager
    def event_locals(self) -> Iterator[None]:
        """Forgets, at its end, the locals that were set inside."""
        saved = dict(self._locals)
        try:
            yield
        finally:
            self._locals = saved
