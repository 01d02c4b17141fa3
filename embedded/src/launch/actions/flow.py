# SPDX-License-Identifier: Apache-2.0
"""Actions that react and wait: events, timers, messages, the end of the launch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from .. import events
from ..event_handlers import OnShutdown
from ..launch_description import Action, LaunchDescription, LaunchDescriptionEntity
from ..substitution import (
    SomeSubstitutionsType,
    normalize_to_list_of_substitutions,
    perform_substitutions,
    perform_typed,
)


class RegisterEventHandler(Action):
    """Registers an event handler."""

    def __init__(self, event_handler: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.event_handler = event_handler

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.event_handler.entities

    def execute(self, context: Any) -> None:
        context.register_event_handler(self.event_handler)


class UnregisterEventHandler(RegisterEventHandler):
    """Removes an event handler."""

    def execute(self, context: Any) -> None:
        context.unregister_event_handler(self.event_handler)


class EmitEvent(Action):
    """Emits an event."""

    def __init__(self, *, event: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.event = event

    def execute(self, context: Any) -> None:
        context.emit_event_sync(self.event)


class Shutdown(Action):
    """Ends the launch: every process is shut down."""

    def __init__(self, *, reason: SomeSubstitutionsType = 'reason not given', **kwargs: Any):
        super().__init__(**kwargs)
        self.reason = normalize_to_list_of_substitutions(reason)

    def execute(self, context: Any) -> None:
        reason = perform_substitutions(context, self.reason)
        event = context.get_locals_as_dict().get('event')
        if isinstance(event, events.process.ProcessExited):
            context.logger.info(
                f'process[{event.process_name}] was required: shutting down launched system'
            )
        context.emit_event_sync(events.Shutdown(reason=reason))


class LogInfo(Action):
    """Logs a message."""

    def __init__(self, *, msg: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.msg = normalize_to_list_of_substitutions(msg)

    def execute(self, context: Any) -> None:
        context.logger.info(perform_substitutions(context, self.msg))


class TimerAction(Action):
    """Visits its actions after `period` seconds, unless cancelled or shut down before."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        cancel_on_shutdown: bool | SomeSubstitutionsType = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.period, self.actions = period, list(actions)
        self._cancel_on_shutdown = cancel_on_shutdown
        self._done: asyncio.Future | None = None
        self._timer: asyncio.TimerHandle | None = None

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.actions

    def cancel(self) -> None:
        """Cancels the timer; its actions are not visited."""
        if self._timer is not None:
            self._timer.cancel()
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def execute(self, context: Any) -> None:
        cancel_on_shutdown = perform_typed(context, self._cancel_on_shutdown, bool)
        if context.is_shutdown and cancel_on_shutdown:
            return
        period_s = float(perform_typed(context, self.period, float))
        self._done = context.asyncio_loop.create_future()
        self._timer = context.asyncio_loop.call_later(period_s, self._fire, context)
        if cancel_on_shutdown:
            handler = OnShutdown(on_shutdown=lambda event, context: self.cancel())
            context.register_event_handler(handler)

    def _fire(self, context: Any) -> None:
        if not self._done.done():
            entities = LaunchDescription(self.actions)
            context.emit_event_sync(events.IncludeLaunchDescription(entities))
            self._done.set_result(None)

    def get_asyncio_future(self) -> asyncio.Future | None:
        return self._done
