# SPDX-License-Identifier: Apache-2.0
"""LaunchService: runs launch descriptions until all is done or a shutdown is asked for."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import traceback
from collections.abc import Iterable
from typing import Any

from . import logging as launch_logging
from .event_handler import EventHandler
from .event_handlers import OnShutdown
from .events import IncludeLaunchDescription, Shutdown
from .launch_context import LaunchContext
from .launch_description import LaunchDescription, visit_all_entities_and_collect_futures


class LaunchService:
    """The event loop of a launch.

    SIGINT and SIGTERM shut the launch down: processes are asked to end, waited for, and killed
    when they do not (see ExecuteProcess). A second signal is reported and ignored.
    """

    def __init__(
        self,
        *,
        argv: Iterable[str] | None = None,
        noninteractive: bool = False,
        debug: bool = False,
    ) -> None:
        if debug:
            launch_logging.launch_config.level = logging.DEBUG
        self._logger = launch_logging.get_logger('launch')
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self.context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, IncludeLaunchDescription),
                entities=lambda event, context: event.launch_description,
            )
        )
        self.context.register_event_handler(OnShutdown(on_shutdown=self._on_shutdown))
        self._futures: list[asyncio.Future] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.RLock()
        self._shutting_down = False
        self._interrupted = False
        self._return_code = 0

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of the current run."""
        return self._loop

    def emit_event(self, event: Any) -> None:
        """Queues an event, from any thread; before `run` it waits for it."""
        with self._lock:
            if self._loop in (None, asyncio._get_running_loop()):
                self.context.emit_event_sync(event)
            else:
                self._loop.call_soon_threadsafe(self.context.emit_event_sync, event)

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        """Queues a launch description to be visited, from any thread."""
        self.emit_event(IncludeLaunchDescription(launch_description))

    def shutdown(self, force_sync: bool = False) -> None:
        """Ends the current run, from any thread."""
        with self._lock:
            if self._loop is not None:
                self._shut_down('LaunchService.shutdown() called', due_to_sigint=False)

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Runs until idle (or for ever) or shut down.

        Returns:
            0, or 1 when the launch itself failed; the exit codes of processes do not count.
        """
        return asyncio.run(self.run_async(shutdown_when_idle=shutdown_when_idle))

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        """As `run`, within a running loop."""
        with self._lock:
            if self._loop is not None:
                raise RuntimeError('LaunchService is already running')
            self._loop = asyncio.get_running_loop()
            self.context._set_asyncio_loop(self._loop)
        self._shutting_down = self._interrupted = self.context.is_shutdown = False
        self._return_code = 0
        handled = []
        if threading.current_thread() is threading.main_thread():
            handled = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]
        old_handlers = {number: signal.getsignal(number) for number in handled}
        for number in handled:
            self._loop.add_signal_handler(number, self._on_signal, number)
        try:
            await self._process_events(shutdown_when_idle)
            return self._return_code
        finally:
            for number, handler in old_handlers.items():
                self._loop.remove_signal_handler(number)
                signal.signal(number, handler)
            with self._lock:
                self._loop = None
                self.context._set_asyncio_loop(None)

    async def _process_events(self, shutdown_when_idle: bool) -> None:
        queue = self.context._event_queue
        while True:
            while not queue.empty():
                self._process_event(queue.get_nowait())
            waiting = self._unfinished_futures()
            if not waiting and queue.empty():
                if self._shutting_down:
                    return
                if shutdown_when_idle:
                    self._shut_down('idle', due_to_sigint=False)
                    continue
            next_event = asyncio.ensure_future(queue.get())
            await asyncio.wait([next_event, *waiting], return_when=asyncio.FIRST_COMPLETED)
            if next_event.done():
                self._process_event(next_event.result())
            else:
                next_event.cancel()
                await asyncio.wait([next_event])

    def _unfinished_futures(self) -> list[asyncio.Future]:
        futures = self._futures + self.context._completion_futures
        for future in futures:
            if future.done() and not future.cancelled() and future.exception() is not None:
                self._return_code = 1
        self.context._completion_futures.clear()
        self._futures = [future for future in futures if not future.done()]
        return self._futures

    def _process_event(self, event: Any) -> None:
        context = self.context
        for handler in list(context._event_handlers):
            try:
                if handler.matches(event):
                    with context.event_locals():
                        for entity in handler.handle(event, context):
                            futures = visit_all_entities_and_collect_futures(entity, context)
                            self._futures.extend(futures)
            except Exception as error:
                self._logger.debug(traceback.format_exc())
                text = f'Caught exception in launch (see debug for traceback): {error}'
                self._logger.error(text)
                self._return_code = 1
                self._shut_down(text, due_to_sigint=False)

    def _on_signal(self, number: signal.Signals) -> None:
        keys = ' with ctrl-c' if number == signal.SIGINT else ''
        text = f'user interrupted{keys} ({signal.Signals(number).name})'
        if self._interrupted:
            self._logger.warning(f'{text} again, ignoring...')
            return
        self._interrupted = True
        self._logger.warning(text)
        # Only a terminal's Ctrl-C reaches the processes by itself.
        self._shut_down(text, due_to_sigint=number == signal.SIGINT)

    def _shut_down(self, reason: str, *, due_to_sigint: bool) -> None:
        if not self._shutting_down:
            self.emit_event(Shutdown(reason=reason, due_to_sigint=due_to_sigint))
        self._shutting_down = self.context.is_shutdown = True

    def _on_shutdown(self, event: Shutdown, context: LaunchContext) -> None:
        self._shutting_down = self.context.is_shutdown = True
