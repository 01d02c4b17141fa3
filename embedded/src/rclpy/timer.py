# SPDX-License-Identifier: Apache-2.0
"""Timers and rates."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from .clock import Clock
from .entity import NOTHING
from .exceptions import InvalidHandle, ROSInterruptException


class Timer:
    """Calls back periodically; late calls are skipped, the phase is kept."""

    def __init__(
        self,
        callback: Callable[[], Any] | None,
        callback_group: Any,
        timer_period_ns: int,
        clock: Clock,
        *,
        context: Any = None,
        autostart: bool = True,
        node: Any = None,
    ) -> None:
        if timer_period_ns < 0:
            raise ValueError('timer period must not be negative')
        self.callback, self.callback_group, self._clock = callback, callback_group, clock
        self._node, self._context = node, context
        self._period_ns = int(timer_period_ns)
        self._last_ns = time.monotonic_ns()
        self._next_ns = self._last_ns + self._period_ns
        self._canceled = not autostart
        self._destroyed = False

    @property
    def handle(self) -> Timer:
        """The timer itself; raises InvalidHandle when it was destroyed."""
        if self._destroyed:
            raise InvalidHandle('cannot use Destroyable because destruction was requested')
        return self

    @property
    def destroyed(self) -> bool:
        """Whether it was destroyed."""
        return self._destroyed

    @property
    def clock(self) -> Clock:
        """The clock it belongs to."""
        return self._clock

    @property
    def timer_period_ns(self) -> int:
        """Period [ns]."""
        return self._period_ns

    @timer_period_ns.setter
    def timer_period_ns(self, value: int) -> None:
        self._period_ns = int(value)

    @property
    def due_ns(self) -> int | None:
        """When the next call is due on the monotonic clock; None when canceled."""
        return None if self._canceled or self._destroyed else self._next_ns

    def is_ready(self) -> bool:
        """Whether the next call is due."""
        return not self._canceled and self._next_ns <= time.monotonic_ns()

    def is_canceled(self) -> bool:
        """Whether it is stopped."""
        return self._canceled

    def cancel(self) -> None:
        """Stops it."""
        self._canceled = True

    def reset(self) -> None:
        """Starts it again: the next call is one period from now."""
        self._canceled = False
        self._last_ns = time.monotonic_ns()
        self._next_ns = self._last_ns + self._period_ns
        if self._node is not None:
            self._node.wake_executor()

    def time_since_last_call(self) -> int:
        """[ns]."""
        return time.monotonic_ns() - self._last_ns

    def time_until_next_call(self) -> int | None:
        """[ns], negative when late; None when canceled."""
        return None if self._canceled else self._next_ns - time.monotonic_ns()

    def begin_call(self) -> bool:
        """Notes that a due call happens now; False when none is due."""
        now = time.monotonic_ns()
        if self._canceled or self._destroyed or now < self._next_ns:
            return False
        self._last_ns = now
        self._next_ns += self._period_ns
        if self._next_ns < now:
            missed = (now - self._next_ns) // self._period_ns + 1 if self._period_ns else 0
            self._next_ns = self._next_ns + missed * self._period_ns if missed else now
        return True

    def run(self) -> Any:
        """Calls back if a call is due; the outcome, maybe a coroutine."""
        if not self.begin_call():
            return NOTHING
        return self.callback() if self.callback is not None else None

    def destroy(self) -> None:
        """Ends it."""
        self._destroyed = True
        if self._node is not None:
            self._node.forget(self)

    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.destroy()


class Rate:
    """Sleeps up to the next call of a timer; somebody else must spin meanwhile."""

    def __init__(self, timer: Timer, *, context: Any) -> None:
        self._timer, self._context = timer, context
        self._event = threading.Event()
        self._ended = False
        timer.callback = self._event.set
        context.on_shutdown(self._on_shutdown)

    def _on_shutdown(self) -> None:
        self._ended = True
        self._event.set()

    def sleep(self) -> None:
        """Sleeps up to the next tick.

        Raises:
            ROSInterruptException: The context was shut down.
        """
        if self._ended or not self._context.ok():
            raise ROSInterruptException()
        self._event.clear()
        self._event.wait()
        if self._ended:
            raise ROSInterruptException()

    def destroy(self) -> None:
        """Ends the rate; who sleeps is woken."""
        self._ended = True
        self._event.set()
        self._timer.destroy()
