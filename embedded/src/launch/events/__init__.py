# SPDX-License-Identifier: Apache-2.0
"""Events of the launch system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded_ros.gap import names_gaps

from ..event import Event
from . import process  # noqa: F401

__getattr__ = names_gaps(__name__)


class Shutdown(Event):
    """The launch is to end."""

    name = 'launch.events.Shutdown'

    def __init__(self, *, reason: str = 'reason not given', due_to_sigint: bool = False) -> None:
        self.reason, self.due_to_sigint = reason, due_to_sigint


class IncludeLaunchDescription(Event):
    """A launch description is to be visited."""

    name = 'launch.events.IncludeLaunchDescription'

    def __init__(self, launch_description: Any) -> None:
        self.launch_description = launch_description


class ExecutionComplete(Event):
    """An action has done its work."""

    name = 'launch.events.ExecutionComplete'

    def __init__(self, *, action: Any) -> None:
        self.action = action


def matches_action(target_action: Any) -> Callable[[Any], bool]:
    """Matches one action."""
    return lambda action: action is target_action


def matches_name(name: str) -> Callable[[Any], bool]:
    """Matches the action whose process has this name, such as `talker-1`."""
    return lambda action: (action.process_details or {}).get('name') == name


def matches_pid(pid: int) -> Callable[[Any], bool]:
    """Matches the action whose process has this id."""
    return lambda action: (action.process_details or {}).get('pid') == pid
