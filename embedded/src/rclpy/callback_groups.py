# SPDX-License-Identifier: Apache-2.0
"""Callback groups: which callbacks may run beside which."""

from __future__ import annotations

import weakref
from typing import Any


class CallbackGroup:
    """A set of entities whose callbacks share a rule."""

    def __init__(self) -> None:
        self.entities: weakref.WeakSet[Any] = weakref.WeakSet()

    def add_entity(self, entity: Any) -> None:
        """Makes an entity follow this group's rule."""
        self.entities.add(entity)

    def has_entity(self, entity: Any) -> bool:
        """Whether the entity is in this group."""
        return entity in self.entities

    def can_execute(self, entity: Any) -> bool:
        """Whether the entity's callback may start now."""
        raise NotImplementedError

    def beginning_execution(self, entity: Any) -> bool:
        """Claims the right to run the entity's callback; False when it may not run."""
        raise NotImplementedError

    def ending_execution(self, entity: Any) -> None:
        """Gives the right back."""
        raise NotImplementedError


class ReentrantCallbackGroup(CallbackGroup):
    """Callbacks run beside each other without limit."""

    def can_execute(self, entity: Any) -> bool:
        """Always."""
        return True

    def beginning_execution(self, entity: Any) -> bool:
        """Always granted."""
        return True

    def ending_execution(self, entity: Any) -> None:
        """Nothing was claimed."""


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One callback at a time, the awaiting ones included."""

    def __init__(self) -> None:
        super().__init__()
        self._active: Any = None

    def can_execute(self, entity: Any) -> bool:
        """Whether nobody runs."""
        return self._active is None

    def beginning_execution(self, entity: Any) -> bool:
        """Granted when nobody runs."""
        if self._active is not None:
            return False
        self._active = entity
        return True

    def ending_execution(self, entity: Any) -> None:
        """The next one may run."""
        if self._active is entity:
            self._active = None
