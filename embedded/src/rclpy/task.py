# SPDX-License-Identifier: Apache-2.0
"""Futures and tasks that an executor runs."""

from __future__ import annotations

import inspect
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Generator
from typing import Any


class Future:
    """A result that comes later."""

    def __init__(self, *, executor: Any = None) -> None:
        self._state = 'pending'
        self._result: Any = None
        self._exception: BaseException | None = None
        self._exception_fetched = False
        self._callbacks: list[Callable[[Future], Any]] = []
        self._lock = threading.Lock()
        self._executor: Any = None
        self._set_executor(executor)

    def __del__(self) -> None:
        if self._exception is not None and not self._exception_fetched:
            print(
                f'The following exception was never retrieved: {self._exception}', file=sys.stderr
            )

    def __await__(self) -> Generator[Future, None, Any]:
        while not self.done():
            yield self
        return self.result()

    def cancel(self) -> None:
        """Gives the result up; done callbacks are called."""
        self._finish('cancelled')

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._state == 'cancelled'

    def done(self) -> bool:
        """Whether the result, an exception or the cancellation is there."""
        return self._state != 'pending'

    def result(self) -> Any:
        """The result, None when it is not there; raises the exception instead if there is one."""
        if self._exception is not None:
            self._exception_fetched = True
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        """The exception, if there is one."""
        self._exception_fetched = True
        return self._exception

    def set_result(self, result: Any) -> None:
        """Sets the result; done callbacks are called."""
        self._result = result
        self._finish('done')

    def set_exception(self, exception: BaseException) -> None:
        """Sets an exception in place of the result."""
        self._exception, self._exception_fetched = exception, False
        self._finish('done')

    def add_done_callback(self, callback: Callable[[Future], Any]) -> None:
        """Calls callback(self) when done, by the executor if there is one; now if done."""
        with self._lock:
            if not self.done():
                self._callbacks.append(callback)
                return
        self._call(callback)

    def remove_done_callback(self, callback: Callable[[Future], Any]) -> bool:
        """Undoes add_done_callback; tells whether there was something to undo."""
        with self._lock:
            found = callback in self._callbacks
            self._callbacks = [kept for kept in self._callbacks if kept != callback]
        return found

    def _set_executor(self, executor: Any) -> None:
        self._executor = weakref.ref(executor) if executor is not None else lambda: None

    def _finish(self, state: str) -> None:
        with self._lock:
            self._state = state
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._call(callback)

    def _call(self, callback: Callable[[Future], Any]) -> None:
        executor = self._executor()
        if executor is not None and not isinstance(callback, Immediate):
            executor.create_task(callback, self)
            return
        try:
            callback(self)
        except Exception as error:
            warnings.warn(f'Unhandled exception in done callback: {error}', stacklevel=2)


class Immediate:
    """A done callback that runs at once, not when the executor has time."""

    def __init__(self, function: Callable[[Future], Any]) -> None:
        self._function = function

    def __call__(self, future: Future) -> None:
        self._function(future)


class Task(Future):
    """A function or coroutine that an executor runs; its outcome is the result."""

    def __init__(
        self,
        handler: Any,
        args: Any = None,
        kwargs: Any = None,
        executor: Any = None,
    ) -> None:
        super().__init__(executor=executor)
        self._handler, self._args, self._kwargs = handler, args or (), kwargs or {}
        if inspect.iscoroutinefunction(handler):
            self._handler = handler(*self._args, **self._kwargs)
        self._executing = False
        self.on_finished: Callable[[], Any] | None = None

    def __call__(self) -> None:
        """Runs the function, or the coroutine up to what it waits for."""
        if self.done() or self._executing:
            return
        self._executing = True
        try:
            if not inspect.iscoroutine(self._handler):
                outcome = self._handler(*self._args, **self._kwargs)
                if not inspect.iscoroutine(outcome):
                    self.set_result(outcome)
                    return
                self._handler = outcome
            awaited = self._handler.send(None)
            self._continue_after(awaited)
        except StopIteration as stop:
            self.set_result(stop.value)
        except Exception as error:
            self.set_exception(error)
        finally:
            self._executing = False
            if self.done() and self.on_finished is not None:
                self.on_finished()

    def _continue_after(self, awaited: Any) -> None:
        executor = self._executor()
        if executor is None:
            return
        if isinstance(awaited, Future):
            awaited.add_done_callback(Immediate(lambda _: executor.schedule(self)))
        else:
            executor.schedule(self)

    def executing(self) -> bool:
        """Whether it runs right now."""
        return self._executing

    def cancel(self) -> None:
        """Gives it up; a coroutine is closed."""
        if inspect.iscoroutine(self._handler) and not self._executing:
            self._handler.close()
        super().cancel()
