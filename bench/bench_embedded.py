# SPDX-License-Identifier: Apache-2.0
"""What a message costs in the embedded runtime: CPU on each side, latency, an idle node.

Two processes on this machine, talking through Cyclone as nodes do. CPU is that of the whole
process, Cyclone's threads included; what the sender's timer costs without publishing is measured
just before and taken off. The baseline is the same content as a pickle through a Unix socket
(`multiprocessing.connection`) at the same rate: what Python costs without DDS.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

_DOMAIN = '99'
_WARM_UP = 20
_SILENCE_S = 3.0
# (what, messages, rate in Hz)
_CASES = {
    'image': ('raw image 640x480x3', 90, 30.0),
    'jpeg': ('JPEG of 50 kB', 200, 100.0),
    'joints': ('JointState of 43 joints', 600, 200.0),
}
_PICKLE = 'a pickle through a Unix socket'


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    rows = [row for case in _CASES for row in _measure(case)]
    node, bare = _idle('idle'), _idle('bare')
    return [
        *rows,
        _row('idle node: CPU', '%', node['cpu_percent'], 'allowed', 1.0),
        _row(
            'idle node: memory, at most 80 MB',
            'MB',
            node['rss_mb'],
            'Python with numpy, asleep',
            bare['rss_mb'],
        ),
    ]


def _measure(case: str) -> list[dict[str, Any]]:
    ours, plain = _exchange(case, 'ros'), _exchange(case, 'plain')
    text = _CASES[case][0]
    wanted = {
        'image': (('publish CPU', ', at most 1 ms'), ('receive CPU', ', at most 1 ms')),
        'jpeg': (('publish CPU', ''), ('receive CPU', ''), ('latency p50', ', at most 0.4 ms')),
        'joints': (('publish + receive CPU', ', at most 0.25 ms'),),
    }[case]
    latencies = [(name, '') for name in ('latency p50', 'latency p99')]
    names = dict([*latencies, *wanted])
    return [
        _row(f'{text}: {name}{limit}', 'ms', ours[name], _PICKLE, plain[name])
        for name, limit in names.items()
    ]


def _exchange(case: str, transport: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        where = str(Path(folder) / 'socket')
        started = [_start(f'{transport}_{role}', case, where) for role in ('receive', 'send')]
        try:
            received, sent = (json.loads(_finish(process)) for process in started)
        finally:
            for process in started:
                process.kill()
    publish, receive = sent['cpu_ms'], received['cpu_ms']
    return {
        'publish CPU': publish,
        'receive CPU': receive,
        'publish + receive CPU': publish + receive,
        'latency p50': received['p50_ms'],
        'latency p99': received['p99_ms'],
    }


def _row(
    name: str, unit: str, value: float, baseline: str, baseline_value: float
) -> dict[str, Any]:
    return {
        'name': f'embedded: {name}',
        'value': value,
        'unit': unit,
        'baseline': baseline,
        'baseline_value': baseline_value,
        'ratio': value / baseline_value,
    }


def _start(role: str, case: str, where: str) -> subprocess.Popen[str]:
    env = {**os.environ, 'ROS_DOMAIN_ID': _DOMAIN}
    command = [sys.executable, __file__, role, case, where]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    if process.returncode:
        raise RuntimeError(f'{process.args} exited with {process.returncode}')
    return output


def _content(case: str) -> Any:
    """Fields of the case's message."""
    from array import array

    if case == 'image':
        return {'height': 480, 'width': 640, 'step': 1920, 'data': os.urandom(640 * 480 * 3)}
    if case == 'jpeg':
        return {'format': 'jpeg', 'data': os.urandom(50_000)}
    values = array('d', range(43))
    names = [f'left_hand_middle_{index}_joint' for index in range(43)]
    return {'name': names, 'position': values, 'velocity': values, 'effort': values}


def _type(case: str) -> Any:
    from sensor_msgs.msg import CompressedImage, Image, JointState

    return {'image': Image, 'jpeg': CompressedImage, 'joints': JointState}[case]


def _node(name: str) -> tuple[Any, Any, Any]:
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    rclpy.init(args=[])
    node, executor = rclpy.create_node(name), rclpy.get_global_executor()
    executor.add_node(node)
    return node, executor, QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


class _Sender:
    """Ticks first without, then with sending, and knows what sending cost."""

    def __init__(self, case: str, send: Callable[[], None]) -> None:
        self._send = send
        self._idle = _WARM_UP + _CASES[case][1] // 2
        self._all = self._idle + _WARM_UP + _CASES[case][1]
        self._marks = (_WARM_UP, self._idle, self._idle + _WARM_UP, self._all)
        self._cpu_s: list[float] = []
        self._ticks = 0

    def tick(self) -> None:
        if self._ticks in self._marks:
            self._cpu_s.append(time.process_time())
        if self._idle <= self._ticks < self._all:
            self._send()
        self._ticks += 1

    @property
    def done(self) -> bool:
        return self._ticks > self._all

    def result(self) -> dict[str, float]:
        _, idle, begin, end = self._marks
        idle_s = (self._cpu_s[1] - self._cpu_s[0]) / (idle - _WARM_UP)
        return {'cpu_ms': ((self._cpu_s[3] - self._cpu_s[2]) / (end - begin) - idle_s) * 1e3}


class _Receiver:
    """Notes what came."""

    def __init__(self, case: str) -> None:
        self._latencies_ms: list[float] = []
        self._count = _CASES[case][1] + _WARM_UP
        self._cpu_s = (0.0, 0.0)
        self._last_s = time.monotonic()

    def note(self, sent_ns: int) -> None:
        self._latencies_ms.append((time.time_ns() - sent_ns) / 1e6)
        self._last_s = time.monotonic()
        if len(self._latencies_ms) == _WARM_UP:
            self._cpu_s = (time.process_time(), 0.0)
        if len(self._latencies_ms) == self._count - 5:  # the last may be lost: best effort
            self._cpu_s = (self._cpu_s[0], time.process_time())

    @property
    def done(self) -> bool:
        if self._latencies_ms and time.monotonic() - self._last_s > _SILENCE_S:
            raise RuntimeError(f'only {len(self._latencies_ms)} of {self._count} messages came')
        return self._cpu_s[1] > 0.0

    def result(self) -> dict[str, float]:
        values = sorted(self._latencies_ms[_WARM_UP:])
        return {
            'cpu_ms': (self._cpu_s[1] - self._cpu_s[0]) / len(values) * 1e3,
            'p50_ms': values[len(values) // 2],
            'p99_ms': values[len(values) * 99 // 100],
        }


def _ros_send(case: str, _: str) -> dict[str, float]:
    import rclpy

    node, executor, qos = _node('sender')
    kind = _type(case)
    message = kind(**_content(case))
    publisher = node.create_publisher(kind, 'bench', qos)
    while publisher.get_subscription_count() == 0:
        executor.spin_once(timeout_sec=0.05)

    def send() -> None:
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)

    sender = _Sender(case, send)
    node.create_timer(1.0 / _CASES[case][2], sender.tick)
    while not sender.done:
        executor.spin_once()
    node.destroy_node()
    rclpy.shutdown()
    return sender.result()


def _ros_receive(case: str, _: str) -> dict[str, float]:
    import rclpy

    node, executor, qos = _node('receiver')
    receiver = _Receiver(case)

    def note(message: Any) -> None:
        stamp = message.header.stamp
        receiver.note(stamp.sec * 1_000_000_000 + stamp.nanosec)

    node.create_subscription(_type(case), 'bench', note, qos)
    while not receiver.done:
        executor.spin_once(timeout_sec=_SILENCE_S)
    node.destroy_node()
    rclpy.shutdown()
    return receiver.result()


def _plain_send(case: str, where: str) -> dict[str, float]:
    content, rate = _content(case), _CASES[case][2]
    with Listener(where) as listener, listener.accept() as connection:
        sender = _Sender(case, lambda: connection.send((time.time_ns(), content)))
        began_s, ticks = time.monotonic(), 0
        while not sender.done:
            sender.tick()
            ticks += 1
            time.sleep(max(0.0, began_s + ticks / rate - time.monotonic()))
    return sender.result()


def _plain_receive(case: str, where: str) -> dict[str, float]:
    receiver = _Receiver(case)
    deadline_s = time.monotonic() + 20.0
    while not Path(where).exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    with Client(where) as connection:
        while not receiver.done:
            sent_ns, _ = connection.recv()
            receiver.note(sent_ns)
        with contextlib.suppress(EOFError):
            while True:
                connection.recv()
    return receiver.result()


def _idle(role: str) -> dict[str, float]:
    process = _start(role, 'joints', '')
    try:
        time.sleep(2.5)
        before = _ticks(process.pid)
        time.sleep(3.0)
        if process.poll() is not None:
            raise RuntimeError(f'the idle process exited with {process.returncode}')
        ticks = _ticks(process.pid) - before
        pages = int(Path(f'/proc/{process.pid}/statm').read_text().split()[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    return {
        'cpu_percent': ticks / os.sysconf('SC_CLK_TCK') / 3.0 * 100,
        'rss_mb': pages * os.sysconf('SC_PAGE_SIZE') / 1e6,
    }


def _ticks(pid: int) -> int:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def _spin_idle(case: str, _: str) -> dict[str, float]:
    import rclpy
    from std_srvs.srv import Trigger

    node, _, qos = _node('idle')
    for index in range(5):
        node.create_subscription(_type(case), f'topic{index}', lambda _: None, qos)
    node.create_service(Trigger, 'service', lambda _, response: response)
    with contextlib.suppress(KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        rclpy.spin(node)
    return {}


def _sleep_bare(*_: str) -> dict[str, float]:
    import numpy as np

    assert np.zeros(1).size
    with contextlib.suppress(KeyboardInterrupt):
        time.sleep(60.0)
    return {}


if __name__ == '__main__':
    roles: dict[str, Callable[[str, str], dict[str, float]]] = {
        'ros_send': _ros_send,
        'ros_receive': _ros_receive,
        'plain_send': _plain_send,
        'plain_receive': _plain_receive,
        'idle': _spin_idle,
        'bare': _sleep_bare,
    }
    print(json.dumps(roles[sys.argv[1]](*sys.argv[2:])))
