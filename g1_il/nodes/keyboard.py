# SPDX-License-Identifier: Apache-2.0
"""Keys for the operator, in a terminal of their own.

    r      arm the gate, select the source, engage; in FAULT: reset
    s      start an episode; stop it (then s: success, f: failure, d: discard)
    d      discard the episode that is being recorded
    space  e-stop, at once and by topic
    q      release the arms; when they are released: leave

Publishes:
    gate/estop (std_msgs/Empty), on space
Subscribes:
    gate/status (g1_il/GateStatus), episode/status (g1_il/EpisodeStatus)
Calls:
    gate/arm, gate/disarm, gate/reset, gate/select_source, retarget/engage, retarget/disengage,
    episode/start, episode/stop

    ros2 run g1_il keyboard
    ros2 run g1_il keyboard --ros-args -p source:=policy
"""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from g1_il.errors import ConfigError
from g1_il.ros.desk import STATE_NAMES, Desk
from g1_il.ros.params import declare, refuse_unknown
from g1_il.ros.run_node import init_ros
from g1_il.safety.config import SOURCES
from g1_il.safety.stop_signals import StopSignals

HELP = 'space E-STOP  r arm+engage  s start/stop episode  d discard  q release/leave'
SILENT_S = 1.5
OUTCOMES = {'s': 'success', 'f': 'failure', 'd': 'discard'}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyboardConfig:
    """Parameters of the node."""

    source: str = field(
        default='teleop', metadata={'description': 'source that r engages: teleop, policy, replay'}
    )
    task: str = field(
        default='',
        metadata={'description': 'task text of the episodes; empty: what the recorder was told'},
    )
    operator: str = field(default='', metadata={'description': 'who shows the task'})

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ConfigError(
                f'parameter source is {self.source!r}; allowed: {", ".join(SOURCES)}'
            )


class KeyboardNode(Node):
    """Turns keys into what the desk does; slow answers never delay the e-stop."""

    def __init__(self) -> None:
        """Declares parameters and opens the desk."""
        super().__init__('keyboard')
        config = declare(self, KeyboardConfig)
        self.desk = Desk(self, source=config.source, task=config.task, operator=config.operator)
        self.message = ''
        self._asks_outcome = False
        self._work: SimpleQueue[Callable[[], str]] = SimpleQueue()
        threading.Thread(target=self._do_work, daemon=True).start()

    def press(self, key: str) -> bool:
        """Acts on a key; False: leave."""
        if key == ' ':
            self.message = self.desk.estop()
        elif self._asks_outcome:
            self._asks_outcome = False
            outcome = OUTCOMES.get(key)
            if outcome is None:
                self.message = 'still recording'
            else:
                self._do(lambda: self.desk.stop_episode(outcome), f'saving: {outcome} ...')
        elif key == 'r':
            self._do(self.desk.engage, 'arming ...')
        elif key == 's' and self.desk.recording:
            self._asks_outcome = True
            self.message = 'how was it?  s success  f failure  d discard  other: go on'
        elif key == 's':
            self._do(self.desk.start_episode, 'starting ...')
        elif key == 'd':
            self._do(lambda: self.desk.stop_episode('discard'), 'discarding ...')
        elif key == 'q':
            if self.desk.gate is None or self.desk.released:
                return False
            self._do(self.desk.release, 'releasing ...')
        else:
            self.message = 'no such key'
        return True

    def line(self) -> str:
        """What the terminal shows."""
        gate, episode = self.desk.gate, self.desk.episode
        parts = ['no bridge']
        if gate is not None:
            state = STATE_NAMES.get(gate.state, '?')
            parts = [' '.join(filter(None, [state, gate.source, f'{gate.weight:.2f}']))]
            parts += [gate.reason] if gate.reason else []
            if self.desk.silence_s > SILENT_S:
                parts.insert(0, f'BRIDGE SILENT for {self.desk.silence_s:.0f} s, it was:')
        if self.desk.recording:
            parts.append(f'REC {episode.duration:.1f} s {episode.warning}'.strip())
        elif episode is not None:
            parts.append(f'{episode.episodes_saved} episodes')
        return ' | '.join([*parts, *filter(None, [self.message])])

    def _do(self, action: Callable[[], str], meanwhile: str) -> None:
        self.message = meanwhile
        self._work.put(action)

    def _do_work(self) -> None:
        while True:
            action = self._work.get()
            try:
                self.message = action()
            except Exception as error:  # the next key must find this thread alive
                self.message = f'{type(error).__name__}: {error}'


@contextmanager
def _raw_terminal() -> Iterator[int]:
    """The terminal's descriptor, keys coming one by one; restored in the end."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            'standard input is no terminal, and keys need one; start it in a terminal of its own: '
            'ros2 run g1_il keyboard'
        )
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        print()


def _watch_keys(node: KeyboardNode, terminal: int, signals: StopSignals) -> None:
    """Until q or a signal: keys in, one line out."""
    print(HELP)  # above the line that changes
    shown = ''
    while not signals.wait(0.0):
        line = node.line()
        if line != shown:
            shown = line
            width = os.get_terminal_size(sys.stdout.fileno()).columns or 80
            print(f'\r\033[K{line[: width - 1]}', end='', flush=True)
        if terminal in select.select([terminal, signals], [], [], 0.1)[0]:
            keys = os.read(terminal, 64).decode(errors='ignore')
            if not all(node.press(key) for key in keys):
                return


def _spin(executor: SingleThreadedExecutor) -> None:
    with suppress(ExternalShutdownException):
        executor.spin()


def main(args: list[str] | None = None) -> int:
    """Runs until q or a signal; the robot stays as it is (the bridge releases it by itself)."""
    signals = StopSignals()
    try:
        init_ros(args, signal_handler_options=SignalHandlerOptions.NO)
    except ConfigError as error:
        print(f'keyboard: {error}', file=sys.stderr)
        return 2
    executor = SingleThreadedExecutor()
    spinner = threading.Thread(target=_spin, args=(executor,), daemon=True)
    try:
        node = KeyboardNode()
        refuse_unknown(node)
        executor.add_node(node)
        with _raw_terminal() as terminal:
            spinner.start()
            _watch_keys(node, terminal, signals)
    except ConfigError as error:
        print(f'keyboard: {error}', file=sys.stderr)
        return 2
    finally:
        executor.shutdown(timeout_sec=1.0)
        if spinner.is_alive():
            spinner.join(timeout=1.0)
        rclpy.try_shutdown()
        signals.ignore()
    return 0


if __name__ == '__main__':
    sys.exit(main())
