# SPDX-License-Identifier: Apache-2.0
"""Events about processes: what happened to one, or what one is asked to do."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from ..event import Event


class RunningProcessEvent(Event):
    """Something that happened to the process of an ExecuteProcess action."""

    name = 'launch.events.process.RunningProcessEvent'

    def __init__(
        self, *, action: Any, name: str, cmd: list[str], cwd: str | None, env: Any, pid: int
    ) -> None:
        self.action, self.process_name, self.cmd = action, name, cmd
        self.cwd, self.env, self.pid = cwd, env, pid


class ProcessStarted(RunningProcessEvent):
    """A process has started."""

    name = 'launch.events.process.ProcessStarted'


class ProcessExited(RunningProcessEvent):
    """A process has ended with this return code (a negative one is a signal)."""

    name = 'launch.events.process.ProcessExited'

    def __init__(self, *, returncode: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.returncode = returncode


class ProcessIO(RunningProcessEvent):
    """A process has written bytes (`text`), on file descriptor `fd`."""

    name = 'launch.events.process.ProcessIO'

    def __init__(self, *, text: bytes, fd: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text, self.fd = text, fd
        self.from_stdin, self.from_stdout, self.from_stderr = fd == 0, fd == 1, fd == 2


class ProcessStdout(ProcessIO):
    """A process has written to its standard output."""

    name = 'launch.events.process.ProcessStdout'


class ProcessStderr(ProcessIO):
    """A process has written to its standard error."""

    name = 'launch.events.process.ProcessStderr'


class ProcessTargetedEvent(Event):
    """A request to every process whose action the matcher accepts."""

    name = 'launch.events.process.ProcessTargetedEvent'

    def __init__(self, *, process_matcher: Callable[[Any], bool]) -> None:
        self.process_matcher = process_matcher


class ShutdownProcess(ProcessTargetedEvent):
    """A request to end, by SIGINT and then more."""

    name = 'launch.events.process.ShutdownProcess'


class SignalProcess(ProcessTargetedEvent):
    """A request to send a signal, given by number or by name."""

    name = 'launch.events.process.SignalProcess'

    def __init__(
        self, *, signal_number: str | int | signal.Signals, process_matcher: Callable[[Any], bool]
    ) -> None:
        super().__init__(process_matcher=process_matcher)
        by_name = isinstance(signal_number, str)
        self.signal = signal.Signals[signal_number] if by_name else signal.Signals(signal_number)
        self.signal_name = self.signal.name
