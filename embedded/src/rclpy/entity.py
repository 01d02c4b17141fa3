# SPDX-License-Identifier: Apache-2.0
"""What an executor can wait for and run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .exceptions import InvalidHandle

NOTHING = object()  # what run() returns when another run was faster


class Entity:
    """A subscription, service, client, guard condition or event source of a node."""

    def __init__(self, node: Any, callback_group: Any) -> None:
        self._node = node
        self.callback_group = callback_group if callback_group else node.default_callback_group
        self.callback_group.add_entity(self)
        self._destroyed = False

    @property
    def handle(self) -> Any:
        """The entity itself; raises InvalidHandle when it was destroyed."""
        if self._destroyed:
            raise InvalidHandle('cannot use Destroyable because destruction was requested')
        return self

    @property
    def destroyed(self) -> bool:
        """Whether it was destroyed."""
        return self._destroyed

    def conditions(self) -> list[Any]:
        """DDS entities that trigger when run() has something to do."""
        raise NotImplementedError

    def run(self) -> Any:
        """Takes what is there and calls the callback; its outcome, maybe a coroutine."""
        raise NotImplementedError

    def close(self) -> None:
        """Deletes the DDS entities."""

    def destroy(self) -> None:
        """Ends this entity; nothing happens when that was done before."""
        if not self._destroyed:
            self._destroyed = True
            self._node.forget(self)
            self.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        self.destroy()


class GuardCondition(Entity):
    """Runs its callback in the executor after any thread called trigger()."""

    def __init__(self, callback: Callable[[], Any], callback_group: Any, node: Any) -> None:
        from embedded_ros import dds

        super().__init__(node, callback_group)
        self.callback = callback
        self._guard = dds.guard(node.context.graph.participant)

    def trigger(self) -> None:
        """Makes the callback run."""
        self.handle._guard.set(True)

    def conditions(self) -> list[Any]:
        """The DDS guard condition."""
        return [self._guard]

    def run(self) -> Any:
        """Calls the callback if somebody triggered."""
        return self.callback() if self._guard.take() else NOTHING

    def close(self) -> None:
        """Deletes the DDS guard condition."""
        from embedded_ros import dds

        dds.discard(self._guard)
