# SPDX-License-Identifier: Apache-2.0
"""How a launch ends: with the node without which the others are of no use, and with its status."""

from __future__ import annotations

from launch import Action, Event, LaunchContext
from launch.actions import Shutdown


def end_the_launch(event: Event, context: LaunchContext) -> Action | None:
    """For `on_exit` of a node: ends the launch, with exit status 1 if the node failed.

    A launch that ends because a node has ended exits with 0, whatever became of the node; one
    that meets an exception stops its processes in the same way, but exits with 1.

    Raises:
        RuntimeError: The node ended by itself with another status than 0.
    """
    if context.is_shutdown:
        return None
    if event.returncode != 0:
        raise RuntimeError(
            f'{event.process_name} ended with exit status {event.returncode}; it said above why'
        )
    return Shutdown(reason=f'{event.process_name} is done')
