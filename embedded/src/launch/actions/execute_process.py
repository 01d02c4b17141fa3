# SPDX-License-Identifier: Apache-2.0
"""ExecuteProcess: starts a process, shows what it prints, and ends it with the launch."""

from __future__ import annotations

import asyncio
import itertools
import os
import pty
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from .. import logging as launch_logging
from ..conditions import evaluate_condition_expression
from ..event_handler import EventHandler
from ..event_handlers import OnProcessExit, OnShutdown
from ..events import Shutdown
from ..events.process import (
    ProcessExited,
    ProcessStarted,
    ProcessStderr,
    ProcessStdout,
    ShutdownProcess,
    SignalProcess,
)
from ..launch_description import Action, LaunchDescriptionEntity
from ..substitution import SomeSubstitutionsType, perform_substitutions, perform_typed
from ..substitutions import LaunchConfiguration

_process_counter = itertools.count(1)


class _OutputPipe(asyncio.Protocol):
    """Hands what comes out of a pipe to a callback, and says when it is closed."""

    def __init__(self, on_data: Any, closed: asyncio.Future) -> None:
        self.data_received, self.closed = on_data, closed

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class ExecuteProcess(Action):
    """Starts a process.

    At shutdown it gets SIGINT (unless a terminal's Ctrl-C gave it one), SIGTERM `sigterm_timeout`
    seconds later, and SIGKILL `sigkill_timeout` seconds after that. `on_exit` is entities, or a
    callable `(event, context)`; `output` is where its output goes (see `launch.logging`).
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        name: SomeSubstitutionsType | None = None,
        prefix: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Mapping[Any, Any] | None = None,
        additional_env: Mapping[Any, Any] | None = None,
        shell: bool = False,
        sigterm_timeout: SomeSubstitutionsType | None = None,
        sigkill_timeout: SomeSubstitutionsType | None = None,
        emulate_tty: bool = False,
        output: Any = 'log',
        output_format: str = '[{this.process_details[name]}] {line}',
        cached_output: bool = False,
        log_cmd: bool = False,
        on_exit: Any = None,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cmd, self.name, self.cwd = list(cmd), name, cwd
        self.prefix = prefix or LaunchConfiguration('launch-prefix', default='')
        self.env, self.additional_env, self.shell = env, additional_env or {}, shell
        self.sigterm_timeout = sigterm_timeout or LaunchConfiguration('sigterm_timeout', default=5)
        self.sigkill_timeout = sigkill_timeout or LaunchConfiguration('sigkill_timeout', default=5)
        self.emulate_tty, self.output_format, self.log_cmd = emulate_tty, output_format, log_cmd
        self.output = os.environ.get('OVERRIDE_LAUNCH_PROCESS_OUTPUT', output)
        self.on_exit, self.respawn, self.respawn_delay = on_exit, respawn, respawn_delay
        self._retries_left = respawn_max_retries
        self._cached: dict[int, bytes] | None = {1: b'', 2: b''} if cached_output else None
        self.process_details: dict[str, Any] | None = None
        self.return_code: int | None = None
        self._process: subprocess.Popen | None = None
        self._completed: asyncio.Future | None = None
        self._stopping: asyncio.Event | None = None
        self._escalation: asyncio.Task | None = None

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        if self.on_exit is None or callable(self.on_exit):
            return []
        single = isinstance(self.on_exit, LaunchDescriptionEntity)
        return [self.on_exit] if single else list(self.on_exit)

    def get_asyncio_future(self) -> asyncio.Future | None:
        return self._completed

    def get_stdout(self) -> str:
        """Returns all that the process printed; needs `cached_output=True`."""
        return self._cached_text(1)

    def get_stderr(self) -> str:
        """Returns all that the process wrote to stderr; needs `cached_output=True`."""
        return self._cached_text(2)

    def _cached_text(self, fd: int) -> str:
        if self._cached is None:
            raise RuntimeError(f'output of {self.cmd} is not cached: give cached_output=True')
        return self._cached[fd].decode(errors='replace')

    def command_line(self, context: Any) -> list[str]:
        """Evaluates the command; launch_ros.Node adds its ROS arguments here."""
        return [perform_substitutions(context, part) for part in self.cmd]

    def execute(self, context: Any) -> None:
        if self._completed is not None:
            raise RuntimeError(f'process action {self.cmd} is executed more than once')
        if context.is_shutdown:
            return
        cmd = self.command_line(context)
        program = cmd[0].split()[0] if self.shell else cmd[0]
        name = (
            perform_substitutions(context, self.name) if self.name else os.path.basename(program)
        )
        cmd = shlex.split(perform_substitutions(context, self.prefix)) + cmd
        env = dict(context.environment) if self.env is None else self._evaluate(context, self.env)
        self.process_details = {
            'action': self,
            'name': f'{name}-{next(_process_counter)}',
            'cmd': cmd,
            'cwd': perform_substitutions(context, self.cwd) if self.cwd else None,
            'env': {**env, **self._evaluate(context, self.additional_env)},
            'pid': 0,
        }
        self._logger = launch_logging.get_logger(self.process_details['name'])
        output = self.output
        if not isinstance(output, dict):
            output = perform_substitutions(context, output)
        loggers = launch_logging.get_output_loggers(self.process_details['name'], output)
        self._output_loggers = dict(zip((1, 2), loggers, strict=True))
        self._timeouts_s = [
            float(perform_typed(context, str(t) if isinstance(t, (int, float)) else t, float))
            for t in (self.sigterm_timeout, self.sigkill_timeout)
        ]
        self._tty = bool(self.emulate_tty)
        if 'emulate_tty' in context.launch_configurations:
            configured = context.launch_configurations['emulate_tty']
            self._tty = evaluate_condition_expression(context, configured)
        self._respawn = perform_typed(context, self.respawn, bool)
        self._stopping = asyncio.Event()
        self._completed = context.asyncio_loop.create_future()
        for handler in (
            OnShutdown(on_shutdown=self._on_shutdown),
            EventHandler(matcher=self._is_for_me, entities=self._on_request),
            OnProcessExit(target_action=self, on_exit=self.on_exit),
        ):
            context.register_event_handler(handler)
        self._task = context.asyncio_loop.create_task(self._supervise(context))

    @staticmethod
    def _evaluate(context: Any, mapping: Mapping[Any, Any]) -> dict[str, str]:
        return {
            perform_substitutions(context, key): perform_substitutions(context, value)
            for key, value in mapping.items()
        }

    def _is_for_me(self, event: Any) -> bool:
        targeted = isinstance(event, (ShutdownProcess, SignalProcess))
        return targeted and event.process_matcher(self)

    def _on_request(self, event: Any, context: Any) -> None:
        if isinstance(event, SignalProcess):
            self._send(event.signal)
        else:
            self._shut_down(send_sigint=True)

    def _on_shutdown(self, event: Shutdown, context: Any) -> None:
        self._shut_down(send_sigint=not event.due_to_sigint or context.noninteractive)

    def _shut_down(self, *, send_sigint: bool) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._process is not None:
            if send_sigint:
                self._send(signal.SIGINT)
            self._escalation = asyncio.get_running_loop().create_task(self._escalate())

    async def _escalate(self) -> None:
        name, waited_s = self.process_details['name'], 0.0
        steps = [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGKILL)]
        for timeout_s, (sent, following) in zip(self._timeouts_s, steps, strict=True):
            await asyncio.sleep(timeout_s)
            waited_s += timeout_s
            self._logger.error(
                f"process[{name}] failed to terminate '{waited_s:g}' seconds after receiving "
                f"'{sent.name}', escalating to '{following.name}'"
            )
            self._send(following)

    def _send(self, number: signal.Signals) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        name = self.process_details['name']
        self._logger.info(f"sending signal '{number.name}' to process[{name}]")
        self._process.send_signal(number)

    async def _supervise(self, context: Any) -> None:
        try:
            while not self._stopping.is_set():
                await self._run_once(context)
                if not self._respawn or self._retries_left == 0:
                    break
                self._retries_left -= 1
                if self.respawn_delay:
                    await asyncio.wait(
                        [asyncio.ensure_future(self._stopping.wait())], timeout=self.respawn_delay
                    )
            self._completed.set_result(None)
        except OSError as error:
            self._logger.error(f'cannot start process {self.process_details["cmd"]}: {error}')
            self._completed.set_exception(error)
        finally:
            self.clean_up()

    def clean_up(self) -> None:
        """Called when the process will not run again."""

    async def _run_once(self, context: Any) -> None:
        details, loop = self.process_details, context.asyncio_loop
        cmd = details['cmd']
        if self.log_cmd:
            self._logger.info(f"process details: cmd='{' '.join(cmd)}', cwd='{details['cwd']}'")
        pipes = {fd: pty.openpty() if self._tty else os.pipe() for fd in (1, 2)}
        try:
            process = subprocess.Popen(
                ' '.join(cmd) if self.shell else cmd,
                shell=self.shell, cwd=details['cwd'], env=details['env'],
                stdin=subprocess.PIPE, stdout=pipes[1][1], stderr=pipes[2][1],
            )  # fmt: skip
        except OSError:
            for read_end, _ in pipes.values():
                os.close(read_end)
            raise
        finally:
            for _, write_end in pipes.values():
                os.close(write_end)
        self._process, details['pid'] = process, process.pid
        self._logger.info(f'process started with pid [{process.pid}]')
        context.emit_event_sync(ProcessStarted(**details))
        # A thread waits for the end, as output may stay open when a grandchild holds it.
        exited = loop.create_future()
        threading.Thread(
            target=lambda: loop.call_soon_threadsafe(exited.set_result, process.wait()),
            name=f'wait for {details["name"]}', daemon=True,
        ).start()  # fmt: skip
        closed, partial_lines = [], {1: b'', 2: b''}
        for fd, (read_end, _) in pipes.items():
            closed.append(loop.create_future())
            on_data = self._output_callback(context, fd, partial_lines)
            pipe = _OutputPipe(on_data, closed[-1])
            await loop.connect_read_pipe(lambda p=pipe: p, os.fdopen(read_end, 'rb', 0))
        self.return_code = await exited
        await asyncio.wait(closed, timeout=1.0)
        for fd, line in partial_lines.items():
            if line:
                self._log_line(fd, line)
        process.stdin.close()
        if self._escalation is not None:
            self._escalation.cancel()
        if self.return_code == 0:
            self._logger.info(f'process has finished cleanly [pid {process.pid}]')
        else:
            self._logger.error(
                f'process has died [pid {process.pid}, exit code {self.return_code}, '
                f"cmd '{' '.join(cmd)}']."
            )
        context.emit_event_sync(ProcessExited(returncode=self.return_code, **details))

    def _output_callback(self, context: Any, fd: int, partial_lines: dict[int, bytes]) -> Any:
        event_type = ProcessStdout if fd == 1 else ProcessStderr

        def on_data(data: bytes) -> None:
            if self._cached is not None:
                self._cached[fd] += data
            *lines, partial_lines[fd] = (partial_lines[fd] + data).split(b'\n')
            for line in lines:
                self._log_line(fd, line)
            context.emit_event_sync(event_type(text=data, fd=fd, **self.process_details))

        return on_data

    def _log_line(self, fd: int, line: bytes) -> None:
        text = line.decode(errors='replace').rstrip('\r')
        self._output_loggers[fd].info(self.output_format.format(line=text, this=self))
