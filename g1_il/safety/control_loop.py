# SPDX-License-Identifier: Apache-2.0
"""The thread on which the gate runs: robot state in, command out, at a fixed rate.

It knows nothing of ROS, so that what happens to ROS cannot keep it from letting the robot go.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from g1_il.link.robot_link import RobotLink
from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.state import RobotState
from g1_il.safety.config import GateConfig
from g1_il.safety.gate import Answer, Gate
from g1_il.safety.hold_note import HoldNote
from g1_il.safety.report import GateReport, GateState

RELEASE_LIMIT_S = 3.95
"""The release at exit ends by now, whatever happens; launch and people wait for 4 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A command that was sent.

    Attributes:
        stamp_ns: Wall-clock time of sending [ns].
        source: Source that the gate followed; 'gate' when nobody's.
        command: What was sent.
    """

    stamp_ns: int
    source: str
    command: RobotCommand


class ControlLoop:
    """Runs a gate between a link and sources that live on other threads."""

    def __init__(
        self,
        config: GateConfig,
        link: RobotLink,
        *,
        executed_rate_hz: float,
        note: HoldNote | None = None,
        obstacle: Callable[[], str] = lambda: '',
        log: Callable[[str], None] = print,
    ) -> None:
        """Prepares the thread; `start` runs it.

        Args:
            config: The gate's settings, the control rate among them.
            link: The robot.
            executed_rate_hz: How often a sent command is kept for `take_executed`.
            note: Told the weights that are sent; one that was left by a process that died
                makes the gate begin in FAULT. None: nothing is noted.
            obstacle: Why this robot must not be commanded at all; empty when it may be.
            log: Told what goes wrong, in one sentence.
        """
        self._config = config
        self._link = link
        self._obstacle = obstacle
        self._log = log
        self._note = note
        self._gate = Gate(config, left_held=note is not None and note.was_left)
        self._lock = threading.Lock()
        self._executed: deque[Executed] = deque(maxlen=1000)
        self._executed_period_ns = round(1e9 / executed_rate_hz)
        self._executed_due_ns = 0
        self._state: RobotState | None = None
        self._overruns = 0
        self._ending_ns: int | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name='control', daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once the thread has ended, by `release` or by an error."""
        return self._thread.is_alive()

    @property
    def error(self) -> BaseException | None:
        """What ended the thread against our will."""
        return self._error

    @property
    def overruns(self) -> int:
        """Control steps that were skipped because an earlier one took too long."""
        return self._overruns

    @property
    def state(self) -> RobotState | None:
        """The robot's state in the last step."""
        return self._state

    @property
    def report(self) -> GateReport:
        """The gate's status."""
        with self._lock:
            return self._gate.status

    def offer(self, targets: JointTargets) -> None:
        """Hands a source's targets to the gate."""
        with self._lock:
            self._gate.offer(targets, time.monotonic_ns())

    def refuse(self, source: str) -> None:
        """Counts targets of a source that did not even have the right joints."""
        with self._lock:
            self._gate.refuse(source, 'wrong_length')

    def arm(self) -> Answer:
        """Arms, unless the robot must not be commanded at all."""
        obstacle = self._obstacle()
        if obstacle:
            return False, f'cannot arm: {obstacle}'
        return self._ask(self._gate.arm)

    def disarm(self) -> Answer:
        """Releases the arms."""
        return self._ask(self._gate.disarm)

    def estop(self) -> Answer:
        """Stops at once, during the last release, too: its rest of the way is damped."""
        with self._lock:
            return self._gate.estop(time.monotonic_ns())

    def reset(self) -> Answer:
        """Leaves FAULT."""
        return self._ask(self._gate.reset)

    def select_source(self, source: str) -> Answer:
        """Chooses whose commands are followed."""
        with self._lock:
            return self._gate.select_source(source, time.monotonic_ns())

    def take_executed(self) -> list[Executed]:
        """Commands sent since the last call, oldest first."""
        taken = []
        while self._executed:
            taken.append(self._executed.popleft())
        return taken

    def release(self) -> bool:
        """Gives the arms back and ends the thread; returns within 4 s. True: weight is out.

        When the thread has died, the caller's thread takes the release over.
        """
        with self._lock:
            if self._ending_ns is None:
                self._ending_ns = time.monotonic_ns()
                self._gate.shut_down(self._ending_ns)
        if self._thread.is_alive():
            self._thread.join(RELEASE_LIMIT_S)
        if self._error is not None:
            self._release_here()
        return self.report.state is GateState.DISARMED

    def _ask(self, question: Callable[[int], Answer]) -> Answer:
        with self._lock:
            if self._ending_ns is not None:
                return False, 'the bridge is ending'
            return question(time.monotonic_ns())

    def _run(self) -> None:
        try:
            self._step_until(self._has_ended)
        except BaseException as error:
            self._error = error
            self._log(f'control thread: {type(error).__name__}: {error}; releasing the robot')

    def _release_here(self) -> None:
        """Release on the caller's thread, after the control thread has died."""
        try:
            self._step_until(self._has_ended)
        except Exception as error:
            self._log(
                f'release: {type(error).__name__}: {error}; the robot holds its last command'
            )

    def _has_ended(self, now_ns: int) -> bool:
        if self._ending_ns is None:
            return False
        state = self.report.state
        if state is GateState.FAULT:
            with self._lock:
                self._gate.shut_down(now_ns)
        return state is GateState.DISARMED or now_ns - self._ending_ns > RELEASE_LIMIT_S * 1e9

    def _step_until(self, has_ended: Callable[[int], bool]) -> None:
        """Steps at the control rate; a missed step is left out, never made up for in a burst."""
        period_ns = self._config.period_ns
        due_ns = time.monotonic_ns()
        while not has_ended(time.monotonic_ns()):
            self._step(time.monotonic_ns())
            due_ns += period_ns
            left_ns = due_ns - time.monotonic_ns()
            if left_ns > 0:
                time.sleep(left_ns * 1e-9)
            else:
                missed = -left_ns // period_ns
                self._overruns += missed
                due_ns += missed * period_ns

    def _tell_note(self, weight: float) -> None:
        """Notes that the arms are held before they are, and takes it back afterwards."""
        if self._note is None:
            return
        try:
            self._note.tell(weight)
        except OSError as error:
            self._log(f'{self._note.path}: {error.strerror}; a crash would leave no trace')

    def _step(self, now_ns: int) -> None:
        state = self._link.latest()
        with self._lock:
            command = self._gate.step(now_ns, state)
            source = self._gate.source_followed
        self._state = state
        if command is None:
            return
        if command.weight > 0.0:
            self._tell_note(command.weight)
        self._link.send(command)
        if command.weight == 0.0:
            self._tell_note(command.weight)
        if now_ns >= self._executed_due_ns:
            self._executed_due_ns = max(self._executed_due_ns, now_ns - self._executed_period_ns)
            self._executed_due_ns += self._executed_period_ns
            self._executed.append(
                Executed(stamp_ns=time.time_ns(), source=source or 'gate', command=command)
            )
