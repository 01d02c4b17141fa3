# SPDX-License-Identifier: Apache-2.0
"""The keyboard node in a real terminal, against a node that offers what it calls."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from g1_il.msg import EpisodeStatus, GateStatus
from g1_il.nodes.keyboard import KeyboardNode
from g1_il.ros.qos import EVENT, STATUS
from g1_il.srv import SelectSource, StartEpisode, StopEpisode

ROOT = Path(__file__).parents[2]


class Graph:
    """Offers the services and remembers the calls; its gate arms at once."""

    def __init__(self) -> None:
        rclpy.init()
        self.calls: list[str] = []
        self.node = rclpy.create_node('graph')
        self._gate = self.node.create_publisher(GateStatus, 'gate/status', STATUS)
        self._episode = self.node.create_publisher(EpisodeStatus, 'episode/status', STATUS)
        for name, after in (
            ('gate/arm', GateStatus.HOLD),
            ('gate/disarm', GateStatus.DISARMED),
            ('gate/reset', GateStatus.DISARMED),
            ('retarget/engage', GateStatus.ACTIVE),
            ('retarget/disengage', GateStatus.HOLD),
        ):
            self.node.create_service(Trigger, name, self._handler(name, after))
        self.node.create_service(SelectSource, 'gate/select_source', self._select)
        self.node.create_service(StartEpisode, 'episode/start', self._start)
        self.node.create_service(StopEpisode, 'episode/stop', self._stop)
        self.node.create_subscription(Empty, 'gate/estop', self._estop, EVENT)
        self.be(GateStatus.DISARMED)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin)
        self._thread.start()

    def be(self, state: int, reason: str = '') -> None:
        msg = GateStatus(state=state, reason=reason)
        self._gate.publish(msg)

    def _handler(self, name: str, after: int):
        def handle(_, response):
            self.calls.append(name)
            self.be(after)
            response.success, response.message = True, f'{name} done'
            return response

        return handle

    def _select(self, request, response):
        self.calls.append(f'select {request.source}')
        response.success = True
        return response

    def _start(self, request, response):
        self.calls.append(f'start {request.task} by {request.operator}')
        self._episode.publish(EpisodeStatus(state=EpisodeStatus.RECORDING, duration=1.25))
        response.success, response.message = True, 'episode 7'
        return response

    def _stop(self, request, response):
        self.calls.append(f'stop {request.outcome}')
        self._episode.publish(EpisodeStatus(state=EpisodeStatus.IDLE, episodes_saved=8))
        response.success, response.message = True, 'saved as 7'
        return response

    def _estop(self, _):
        self.calls.append('estop')
        self.be(GateStatus.FAULT, 'e-stop')

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        rclpy.try_shutdown()


class Terminal:
    """The keyboard node in a terminal."""

    def __init__(self, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.shown = ''
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'g1_il.nodes.keyboard', '--ros-args', *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
        )
        os.close(slave)

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    def expect(self, pattern: str, seconds: float = 20.0) -> None:
        """Reads until the screen shows the pattern, and forgets what came before it."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < deadline, f'{pattern!r} not in {self.shown!r}'
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 4096).decode()
        self.shown = self.shown[found.end() :]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Graph]:
    graph = Graph()
    yield graph
    graph.close()


def test_a_session_at_the_keyboard(graph: Graph):
    terminal = Terminal('-p', "task:='put the can into the bin'", '-p', 'operator:=eva')
    try:
        terminal.expect('DISARMED')
        terminal.press('r')
        terminal.expect('engaged: the robot follows teleop')
        assert graph.calls == ['gate/arm', 'select teleop', 'retarget/engage']
        terminal.press('s')
        terminal.expect(r'REC 1.2 s')
        assert graph.calls[-1] == 'start put the can into the bin by eva'
        terminal.press('s')
        terminal.expect('how was it')
        terminal.press('x')
        terminal.expect('still recording')
        terminal.press('s')
        terminal.expect('how was it')
        terminal.press('f')
        terminal.expect('saved as 7')
        assert graph.calls[-1] == 'stop failure'
        terminal.press('d')
        terminal.expect('saved as 7')
        assert graph.calls[-1] == 'stop discard'
        terminal.press(' ')
        terminal.expect('FAULT.*e-stop')
        assert graph.calls[-1] == 'estop'
        terminal.press('r')
        terminal.expect('reset: gate/reset done; call again to arm')
        terminal.press('r')
        terminal.expect('engaged')
        terminal.press('q')
        terminal.expect('DISARMED.*gate/disarm done')
        assert graph.calls[-2:] == ['retarget/disengage', 'gate/disarm']
        terminal.press('q')
        assert terminal.process.wait(timeout=15) == 0
    finally:
        terminal.close()


def test_a_bridge_that_falls_silent_is_told(graph: Graph):
    """The graph of this test sends its status once, as a bridge does that dies thereafter."""
    terminal = Terminal()
    try:
        terminal.expect('BRIDGE SILENT for 2 s, it was: .*DISARMED')
    finally:
        terminal.close()


def test_an_answer_that_fails_leaves_the_keys_alive(ros_domain: int):
    rclpy.init()
    node = KeyboardNode()
    try:
        node.desk.engage = lambda: 1 / 0
        node.desk.start_episode = lambda: 'episode 1'
        node.press('r')
        node.press('s')
        deadline = time.monotonic() + 10.0
        while node.message != 'episode 1':
            assert time.monotonic() < deadline, node.message
            time.sleep(0.01)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def test_a_graph_without_a_recorder_is_told(ros_domain: int):
    terminal = Terminal()
    try:
        terminal.expect('no bridge')
        terminal.press('r')
        terminal.expect('is the bridge running')
        terminal.press('s')
        terminal.expect('nobody offers episode/start')
        terminal.press(' ')
        terminal.expect('NOBODY HEARS the e-stop')
        terminal.press('q')
        assert terminal.process.wait(timeout=15) == 0
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [([], 'no terminal'), (['-p', 'source:=console'], 'allowed: teleop, policy, replay')],
)
def test_refusals_are_one_line(ros_domain: int, arguments: list[str], words: str):
    ended = subprocess.run(
        [sys.executable, '-m', 'g1_il.nodes.keyboard', '--ros-args', *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
    )
    assert ended.returncode == 2
    assert words in ended.stderr and ended.stderr.count('\n') == 1
    assert ended.stderr.startswith('keyboard: ')
