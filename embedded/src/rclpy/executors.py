# SPDX-License-Identifier: Apache-2.0
"""The executor: waits for entities of nodes and runs their callbacks, one at a time."""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from cyclonedds.core import DDSException
from embedded_ros import dds

from . import signals
from .context import next_number
from .entity import NOTHING, Entity
from .task import Future, Immediate, Task
from .utilities import get_default_context

_LONGEST_WAIT_NS = 1 << 62


def _never() -> bool:
    return False


class TimeoutException(Exception):
    """Nothing was ready in time."""


class ShutdownException(Exception):
    """The executor was shut down."""


class ExternalShutdownException(Exception):
    """The context was shut down, by a signal or by somebody else."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)


class ConditionReachedException(Exception):
    """A future is complete."""


def __getattr__(name: str) -> Any:
    if name == 'MultiThreadedExecutor':
        raise ImportError(
            'MultiThreadedExecutor is not offered by the embedded runtime yet; '
            'use SingleThreadedExecutor, or ROS 2'
        )
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


class Executor:
    """Waits on one wait set for all its nodes; nothing is polled."""

    def __init__(self, *, context: Any = None) -> None:
        self._context = context or get_default_context()
        self._nodes: list[Any] = []
        self._ready: deque[Any] = deque()  # tasks, timers and entities to run next
        self._attached: dict[int, tuple[Entity, Any]] = {}  # by token
        self._blocked = False  # entities were detached as their group may not run
        self._stale = True
        self._is_shutdown = False
        self._spinning = threading.Lock()
        self._waitset: Any = None
        self._guard: Any = None
        self._guard_token = next_number()
        self._context.on_shutdown(self.wake)
        signals.add_waker(id(self), self.wake)

    @property
    def context(self) -> Any:
        """The context of its nodes."""
        return self._context

    def add_node(self, node: Any) -> bool:
        """Runs the callbacks of a node, too; False when it is here already."""
        if node in self._nodes:
            return False
        self._nodes.append(node)
        node.executor = self
        self.refresh()
        return True

    def remove_node(self, node: Any) -> None:
        """Leaves a node alone from now on."""
        if node in self._nodes:
            self._nodes.remove(node)
            node.release_executor(self)
            self.refresh()

    def get_nodes(self) -> list[Any]:
        """Its nodes."""
        return list(self._nodes)

    def create_task(self, callback: Any, *args: Any, **kwargs: Any) -> Task:
        """Runs a function or coroutine in this executor; the task is its future."""
        task = Task(callback, args, kwargs, executor=self)
        self.schedule(task)
        return task

    def schedule(self, task: Task) -> None:
        """Runs a task at the next occasion."""
        self._ready.append(task)
        self.wake()

    def wake(self) -> None:
        """Ends the current wait; from any thread."""
        guard = self._guard
        if guard is not None:
            # Without the participant there is no wait that could be ended.
            with contextlib.suppress(DDSException):
                guard.set(True)

    def refresh(self) -> None:
        """Entities came or went: the wait set is brought up to date."""
        self._stale = True
        self.wake()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stops spinning; True when no callback runs any more."""
        self._is_shutdown = True
        self.wake()
        timeout = -1 if timeout_sec is None or timeout_sec < 0 else timeout_sec
        if not self._spinning.acquire(timeout=timeout):
            return False
        try:
            signals.remove_waker(id(self))
            for node in self.get_nodes():
                self.remove_node(node)
            self._close()
        finally:
            self._spinning.release()
        return True

    def _close(self) -> None:
        if self._waitset is not None:
            self._waitset.close()
            dds.discard(self._guard)
            self._waitset = self._guard = None
            self._attached.clear()

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()

    def spin(self) -> None:
        """Runs callbacks until the context or the executor is shut down."""
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_until_future_complete(self, future: Future, timeout_sec: float | None = None) -> None:
        """Runs callbacks until the future is done, or the time is over."""
        future.add_done_callback(Immediate(lambda _: self.wake()))
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while self._context.ok() and not future.done() and not self._is_shutdown:
            left = None if end is None else end - time.monotonic()
            if left is not None and left < 0:
                return
            self._spin_once(left, future.done)

    def spin_once_until_future_complete(
        self, future: Future, timeout_sec: float | None = None
    ) -> None:
        """Runs at most one callback; returns early when the future is done."""
        future.add_done_callback(Immediate(lambda _: self.wake()))
        self._spin_once(timeout_sec, future.done)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Waits for one callback and runs it; returns without one after the timeout.

        Raises:
            ExternalShutdownException: The context was shut down while waiting.
        """
        self._spin_once(timeout_sec, _never)

    def _spin_once(self, timeout_sec: float | None, is_done: Callable[[], bool]) -> None:
        endless = timeout_sec is None or timeout_sec < 0
        end_ns = _LONGEST_WAIT_NS
        if not endless and timeout_sec is not None:
            end_ns = time.monotonic_ns() + int(timeout_sec * 1e9)
        if not self._spinning.acquire(blocking=False):
            if self._is_shutdown:
                return
            raise RuntimeError('Executor is already spinning')
        try:
            while True:
                while self._ready:
                    if self._run(self._ready.popleft()):
                        return
                if is_done() or self._is_shutdown:
                    return
                if not self._context.ok():
                    raise ExternalShutdownException()
                if not self._wait(end_ns):
                    return
        finally:
            self._spinning.release()

    def _wait(self, end_ns: int) -> bool:
        """Waits until something is ready and queues it; False after the end."""
        if self._stale:
            self._update()
        timers, until_ns = [], end_ns
        for node in self._nodes:
            for timer in node.timers:
                if timer.callback_group.can_execute(timer) and timer.due_ns is not None:
                    timers.append(timer)
                    until_ns = min(until_ns, timer.due_ns)
        now_ns = time.monotonic_ns()
        try:
            tokens = self._waitset.wait(max(0, until_ns - now_ns))
        except DDSException:
            if self._is_shutdown:
                return False
            if dds.Participant.exiting:
                raise SystemExit from None  # a daemon thread ends with the interpreter, silently
            if self._context.ok():
                raise
            raise ExternalShutdownException() from None
        now_ns = time.monotonic_ns()
        for timer in timers:
            due_ns = timer.due_ns
            if due_ns is not None and due_ns <= now_ns:
                self._ready.append(timer)
        for token in tokens:
            if token == self._guard_token:
                self._guard.take()
            elif token in self._attached:
                self._ready.append(self._attached[token][0])
        return bool(tokens or self._ready) or now_ns < end_ns

    def _update(self) -> None:
        if self._waitset is None:
            participant = self._context.graph.participant
            self._waitset, self._guard = dds.WaitSet(participant), dds.guard(participant)
            self._waitset.attach(self._guard, self._guard_token)
        self._stale = False
        wanted = {
            id(condition): (entity, condition)
            for node in self._nodes
            for entity in node.entities()
            for condition in entity.conditions()
        }
        present = {id(condition) for _, condition in self._attached.values()}
        for token, (_, condition) in list(self._attached.items()):
            if id(condition) not in wanted:
                self._waitset.detach(condition)
                del self._attached[token]
        for key, (entity, condition) in wanted.items():
            if key not in present:
                token = next_number()
                try:
                    self._waitset.attach(condition, token)
                except DDSException:
                    if not entity.destroyed:
                        raise
                else:
                    self._attached[token] = (entity, condition)

    def _run(self, work: Any) -> bool:
        """Runs one piece of work; False when there turned out to be nothing to do."""
        if isinstance(work, Task):
            if not work.done():
                work()
            error = work.exception() if work.done() and not work.cancelled() else None
            if error is not None:
                raise error
            return True
        if work.destroyed:
            return False
        group = work.callback_group
        if not group.beginning_execution(work):
            self._set_aside(work)
            return False
        try:
            outcome = work.run()
        except BaseException as error:
            group.ending_execution(work)
            if isinstance(error, DDSException) and work.destroyed:
                return False  # by another thread, just now
            raise
        if outcome is not None and inspect.iscoroutine(outcome):
            self._continue(outcome, work)
            return True
        group.ending_execution(work)
        return outcome is not NOTHING

    def _continue(self, coroutine: Any, work: Any) -> None:
        """Runs a callback's coroutine; its group is released at the end."""

        def finish() -> None:
            work.callback_group.ending_execution(work)
            if self._blocked:
                self._blocked, self._stale = False, True

        task = Task(coroutine, executor=self)
        task.on_finished = finish
        self._run(task)

    def _set_aside(self, work: Any) -> None:
        """Keeps an entity that may not run now from ending every wait."""
        for token, (entity, condition) in list(self._attached.items()):
            if entity is work:
                self._waitset.detach(condition)
                del self._attached[token]
        self._blocked = True


class SingleThreadedExecutor(Executor):
    """Runs callbacks in the thread that spins."""
