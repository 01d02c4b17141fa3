# SPDX-License-Identifier: Apache-2.0
"""What the bridge needs of a robot, whichever robot it is."""

from __future__ import annotations

from typing import Protocol

from g1_il.robot.command import RobotCommand
from g1_il.robot.state import RobotState


class RobotLink(Protocol):
    """A robot that can be read and commanded."""

    def latest(self) -> RobotState | None:
        """Newest measured state; None before the first."""

    def send(self, command: RobotCommand) -> None:
        """Puts one command on the wire. Never blocks for longer than a millisecond."""

    def close(self) -> None:
        """Ends the connection. Does not move the robot: the gate has released it before."""
