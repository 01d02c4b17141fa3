# SPDX-License-Identifier: Apache-2.0
"""Signals that ask a process to end, waited for instead of handled."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Takes the signals over from Python's defaults, for good: a repeated one does nothing.

    Whichever thread a signal hits, the C handler writes to a pipe; nothing is raised anywhere, so
    nothing can be interrupted half-way. To be made on the main thread.
    """

    def __init__(self) -> None:
        """Installs handlers that do nothing, and the pipe."""
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        for number in STOP_SIGNALS:
            signal.signal(number, _ignore)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def wait(self, timeout_s: float) -> bool:
        """True as soon as a signal has come; False when none has come in time."""
        ready, _, _ = select.select([self._read], [], [], timeout_s)
        return bool(ready) and bool(os.read(self._read, 64))

    def fileno(self) -> int:
        """Descriptor to select on together with others."""
        return self._read

    @staticmethod
    def ignore() -> None:
        """Last act: Python's exit would restore the default, death, for every other handler."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _ignore(number: int, frame: FrameType | None) -> None:
    """A handler in Python is what makes the C handler write to the pipe."""
