# SPDX-License-Identifier: Apache-2.0
"""Entities, actions and the launch description that lists them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from .conditions import Condition


class LaunchDescriptionEntity:
    """What can be visited: an action or a list of actions."""

    def visit(self, context: Any) -> list[LaunchDescriptionEntity] | None:
        """Does the entity's work and returns entities to visit next."""
        return None

    def get_asyncio_future(self) -> asyncio.Future | None:
        """Returns the future to wait for before the launch may end."""
        return None

    def describe(self) -> str:
        """Returns a readable form."""
        return repr(self)

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Returns the entities inside, for `--show-args`; by default there are none."""
        return []


class Action(LaunchDescriptionEntity):
    """An entity that acts, when its condition holds; subclasses override `execute`."""

    def __init__(self, *, condition: Condition | None = None) -> None:
        self.condition = condition

    def execute(self, context: Any) -> list[LaunchDescriptionEntity] | None:
        """Acts, and returns entities to visit next."""
        return None

    def visit(self, context: Any) -> list[LaunchDescriptionEntity] | None:
        if self.condition is not None and not self.condition.evaluate(context):
            return None
        try:
            return self.execute(context)
        finally:
            from .events import ExecutionComplete

            event = ExecutionComplete(action=self)
            if context.would_handle_event(event):
                future = self.get_asyncio_future()
                if future is None:
                    context.emit_event_sync(event)
                else:
                    future.add_done_callback(lambda _: context.emit_event_sync(event))


class LaunchDescription(LaunchDescriptionEntity):
    """A list of entities, visited in order."""

    def __init__(
        self,
        initial_entities: Iterable[LaunchDescriptionEntity] | None = None,
        *,
        deprecated_reason: str | None = None,
    ) -> None:
        self.entities = list(initial_entities or [])
        self.deprecated_reason = deprecated_reason

    def visit(self, context: Any) -> list[LaunchDescriptionEntity]:
        if self.deprecated_reason is not None:
            context.logger.warning(f'launch description is deprecated: {self.deprecated_reason}')
        return self.entities

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.entities

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Appends an entity."""
        self.entities.append(entity)

    def add_action(self, action: Action) -> None:
        """Appends an action."""
        self.entities.append(action)

    def get_launch_arguments(self, conditional_inclusion: bool = False) -> list[Any]:
        """Returns the declared arguments, those of included files too where they are known."""
        found: dict[str, Any] = {}

        def collect(entities: Iterable[LaunchDescriptionEntity], given: frozenset) -> None:
            for entity in entities:
                if hasattr(entity, 'default_value') and entity.name not in given:
                    found.setdefault(entity.name, entity)
                names = getattr(entity, 'given_argument_names', frozenset())
                collect(entity.get_sub_entities(), given | names)

        collect(self.entities, frozenset())
        return list(found.values())


def visit_all_entities_and_collect_futures(
    entity: LaunchDescriptionEntity, context: Any
) -> list[asyncio.Future]:
    """Visits an entity and all that come out of it, depth first; returns what to wait for."""
    more = entity.visit(context)
    future = entity.get_asyncio_future()
    futures = [] if future is None else [future]
    for sub_entity in more or []:
        futures.extend(visit_all_entities_and_collect_futures(sub_entity, context))
    return futures
