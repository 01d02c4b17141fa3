# SPDX-License-Identifier: Apache-2.0
"""The event handlers of launch files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_ros.gap import names_gaps

from . import events
from .event import Event
from .event_handler import EventHandler
from .launch_description import Action

__getattr__ = names_gaps(__name__)


def _matches_target(event_type: type, target: Any) -> Callable[[Event], bool]:
    """Matches an event type and a target action, a predicate over actions, or any action."""

    def matcher(event: Event) -> bool:
        if not isinstance(event, event_type) or target is None:
            return isinstance(event, event_type)
        return event.action is target if isinstance(target, Action) else bool(target(event.action))

    return matcher


class OnProcessStart(EventHandler):
    """When the process of `target_action` (any, if None) has started."""

    def __init__(self, *, target_action: Any = None, on_start: Any, **kwargs: Any) -> None:
        matcher = _matches_target(events.process.ProcessStarted, target_action)
        super().__init__(matcher=matcher, entities=on_start, **kwargs)


class OnProcessExit(EventHandler):
    """When the process of `target_action` (any, if None) has ended."""

    def __init__(self, *, target_action: Any = None, on_exit: Any, **kwargs: Any) -> None:
        matcher = _matches_target(events.process.ProcessExited, target_action)
        super().__init__(matcher=matcher, entities=on_exit, **kwargs)


class OnProcessIO(EventHandler):
    """When the process of `target_action` (any, if None) has written something."""

    def __init__(
        self,
        *,
        target_action: Any = None,
        on_stdout: Callable[[Any], Any] | None = None,
        on_stderr: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        def on_output(event: Any, context: Any) -> Any:
            callback = on_stdout if event.from_stdout else on_stderr
            return None if callback is None else callback(event)

        matcher = _matches_target(events.process.ProcessIO, target_action)
        super().__init__(matcher=matcher, entities=on_output, **kwargs)


class OnExecutionComplete(EventHandler):
    """When `target_action` (any, if None) has done its work."""

    def __init__(self, *, target_action: Any = None, on_completion: Any, **kwargs: Any) -> None:
        matcher = _matches_target(events.ExecutionComplete, target_action)
        super().__init__(matcher=matcher, entities=on_completion, **kwargs)


class OnShutdown(EventHandler):
    """When the launch is told to end."""

    def __init__(self, *, on_shutdown: Any, **kwargs: Any) -> None:
        super().__init__(
            matcher=lambda event: isinstance(event, events.Shutdown),
            entities=on_shutdown,
            **kwargs,
        )
