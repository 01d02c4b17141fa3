# SPDX-License-Identifier: Apache-2.0
"""What SIGINT and SIGTERM do, and how a signal ends a wait inside Cyclone.

Python runs signal handlers between bytecodes, so a main thread that waits in C would not notice.
Python therefore writes to a pipe on every signal; a small thread reads it and wakes the waiters.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Callable
from enum import IntEnum
from typing import Any


class SignalHandlerOptions(IntEnum):
    """Which signals shut contexts down."""

    NO = 0
    SIGINT = 1
    SIGTERM = 2
    ALL = 3


_SIGNALS = (
    (signal.SIGINT, SignalHandlerOptions.SIGINT),
    (signal.SIGTERM, SignalHandlerOptions.SIGTERM),
)
_previous: dict[int, Any] = {}
_options = SignalHandlerOptions.NO
_on_signal: Callable[[], None] = lambda: None  # noqa: E731
_wakers: dict[int, Callable[[], Callable[[], None] | None]] = {}
_pipe: tuple[int, int] | None = None


def install_signal_handlers(options: SignalHandlerOptions = SignalHandlerOptions.ALL) -> None:
    """Shuts contexts down on the given signals, then does what was done before."""
    global _options
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may install handlers in Python
    _watch_signals()
    uninstall_signal_handlers()
    for number, option in _SIGNALS:
        if options & option:
            _previous[number] = signal.signal(number, _handle)
    _options = options


def uninstall_signal_handlers() -> None:
    """Restores the handlers that were there before."""
    global _options
    if threading.current_thread() is not threading.main_thread():
        return
    for number, previous in _previous.items():
        if signal.getsignal(number) is _handle:
            signal.signal(number, previous if previous is not None else signal.SIG_DFL)
    _previous.clear()
    _options = SignalHandlerOptions.NO


def get_current_signal_handlers_options() -> SignalHandlerOptions:
    """Which signals are handled now."""
    return _options


def call_on_signal(function: Callable[[], None]) -> None:
    """Sets what a handled signal does first (shutting contexts down)."""
    global _on_signal
    _on_signal = function


def add_waker(key: int, wake: Callable[[], None]) -> None:
    """Calls wake() from another thread whenever a signal arrives.

    A method does not keep its object alive.
    """
    _wakers[key] = weakref.WeakMethod(wake) if hasattr(wake, '__self__') else lambda: wake


def remove_waker(key: int) -> None:
    """Undoes add_waker."""
    _wakers.pop(key, None)


def _handle(number: int, frame: Any) -> None:
    previous = _previous.get(number)
    _on_signal()
    if callable(previous):
        previous(number, frame)


def _watch_signals() -> None:
    global _pipe
    if _pipe is not None:
        return
    _pipe = os.pipe()
    for end in _pipe:
        os.set_inheritable(end, False)
    os.set_blocking(_pipe[1], False)
    before = signal.set_wakeup_fd(_pipe[1], warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)  # an event loop owns it, and wakes the main thread itself
        return
    threading.Thread(target=_wake_on_signal, args=(_pipe[0],), daemon=True).start()


def _wake_on_signal(read_end: int) -> None:
    while os.read(read_end, 64):
        for waker in list(_wakers.values()):
            if (wake := waker()) is not None:
                wake()
