# SPDX-License-Identifier: Apache-2.0
"""Base of event handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .event import Event
from .launch_description import LaunchDescriptionEntity


class EventHandler:
    """Gives entities to visit when an event matches.

    Inside them `context.locals.event` is the event.
    """

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: Any = None,
        handle_once: bool = False,
    ) -> None:
        self._matcher, self._entities, self._handle_once = matcher, entities, handle_once

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities as a list."""
        if self._entities is None or callable(self._entities):
            return []
        single = isinstance(self._entities, LaunchDescriptionEntity)
        return [self._entities] if single else list(self._entities)

    def matches(self, event: Event) -> bool:
        """Returns whether this handler is for the event."""
        return self._matcher(event)

    def handle(self, event: Event, context: Any) -> list[LaunchDescriptionEntity]:
        """Returns the entities to visit; a callable given for them is called with the event."""
        context.extend_locals({'event': event})
        if self._handle_once:
            context.unregister_event_handler(self)
        if not callable(self._entities):
            return self.entities
        result = self._entities(event, context)
        if result is None or isinstance(result, LaunchDescriptionEntity):
            return [result] if result is not None else []
        return list(result)
