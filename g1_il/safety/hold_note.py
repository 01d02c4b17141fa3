# SPDX-License-Identifier: Apache-2.0
"""A note on this machine that somebody holds a robot's arms, for whoever comes after a crash.

The robot does not tell the arm_sdk weight in force, and holds the last command for ever. A bridge
that arms from weight 0 after another was killed at weight 1 would drop the arms onto the robot's
own controller in one step.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def note_path(domain: int) -> Path:
    """Where the note of the robot in a DDS domain lies: in a folder that a reboot empties."""
    return Path(tempfile.gettempdir()) / f'g1_il-{os.getuid()}' / f'holds-{domain}'


class HoldNote:
    """The file: it exists from before the first weight above 0 until after the last.

    Attributes:
        path: The file.
        was_left: It was there already: a process died while it held the arms.
    """

    def __init__(self, path: Path) -> None:
        """Looks whether the note is there.

        Args:
            path: The file.
        """
        self.path = path
        self.was_left = path.exists()
        self._holds = self.was_left

    def tell(self, weight: float) -> None:
        """Writes the note, or takes it away, when a weight that is being sent begs for it.

        Raises:
            OSError: The note cannot be written, so a crash would leave no trace.
        """
        holds = weight > 0.0
        if holds == self._holds:
            return
        self._holds = holds
        if holds:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.write_text(f'{os.getpid()}\n', encoding='ascii')
        else:
            self.path.unlink(missing_ok=True)
