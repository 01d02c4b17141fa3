# SPDX-License-Identifier: Apache-2.0
"""What a message costs in the embedded runtime: CPU on each side, latency, an idle node.

Two processes on this machine, talking through Cyclone as nodes do. CPU is that of the whole
process, Cyclone's threads included.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

_DOMAIN = '99'
_WARM_UP = 20
# (what, messages, rate in Hz, budget of CPU [ms] on either side or None)
_CASES = {
    'image': ('raw image 640x480x3', 150, 30.0, 1.0),
    'jpeg': ('JPEG of 50 kB', 300, 100.0, None),
    'joints': ('JointState of 43 joints', 1000, 200.0, None),
}


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    rows = [row for case in _CASES for row in _measure(case)]
    idle = _idle()
    rows.append(_row('embedded: CPU of an idle node', idle['cpu_percent'], '%', 'budget', 1.0))
    rows.append(_row('embedded: memory of an idle node', idle['rss_mb'], 'MB', 'budget', 80.0))
    return rows


def _measure(case: str) -> list[dict[str, Any]]:
    text, _, _, budget = _CASES[case]
    receiver = _start('receive', case)
    sent = json.loads(_finish(_start('send', case)))
    received = json.loads(_finish(receiver))
    p50, p99 = received['p50_ms'], received['p99_ms']
    latency = {'image': ('rclpy on Jazzy, elsewhere', 3.2), 'jpeg': ('budget', 0.4)}
    rows = []
    if case == 'joints':
        total = sent['cpu_ms'] + received['cpu_ms']
        rows.append(_row(f'embedded: {text}, publish + receive CPU', total, 'ms', 'budget', 0.25))
    else:
        for verb, value in (('publish', sent['cpu_ms']), ('receive', received['cpu_ms'])):
            rows.append(_row(f'embedded: {text}, {verb} CPU', value, 'ms', 'budget', budget))
    name, baseline = latency.get(case, (None, None))
    rows.append(_row(f'embedded: {text}, latency p50', p50, 'ms', name, baseline))
    rows.append(_row(f'embedded: {text}, latency p99', p99, 'ms', None, None))
    return rows


def _row(
    name: str, value: float, unit: str, baseline: str | None, baseline_value: float | None
) -> dict[str, Any]:
    ratio = value / baseline_value if baseline_value else None
    return {
        'name': name,
        'value': round(value, 4),
        'unit': unit,
        'baseline': baseline if baseline_value else None,
        'baseline_value': baseline_value,
        'ratio': round(ratio, 3) if ratio is not None else None,
    }


def _start(role: str, case: str) -> subprocess.Popen[str]:
    env = {**os.environ, 'ROS_DOMAIN_ID': _DOMAIN}
    command = [sys.executable, __file__, role, case]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    if process.returncode:
        raise RuntimeError(f'{process.args} exited with {process.returncode}')
    return output


def _message(case: str) -> Any:
    from sensor_msgs.msg import CompressedImage, Image, JointState

    if case == 'image':
        pixels = os.urandom(640 * 480 * 3)
        return Image(height=480, width=640, encoding='rgb8', step=1920, data=pixels)
    if case == 'jpeg':
        return CompressedImage(format='jpeg', data=os.urandom(50_000))
    values = [float(index) for index in range(43)]
    names = [f'left_hand_middle_{index}_joint' for index in range(43)]
    return JointState(name=names, position=values, velocity=values, effort=values)


def _node(name: str) -> tuple[Any, Any]:
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    rclpy.init(args=[])
    return rclpy.create_node(name), QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def _send(case: str) -> dict[str, float]:
    import rclpy

    _, count, rate, _ = _CASES[case]
    node, qos = _node('sender')
    executor = rclpy.get_global_executor()
    executor.add_node(node)
    message = _message(case)
    publisher = node.create_publisher(type(message), 'bench', qos)
    while publisher.get_subscription_count() == 0:
        executor.spin_once(timeout_sec=0.05)
    sent = 0
    started = 0.0

    def publish() -> None:
        nonlocal sent, started
        if sent == _WARM_UP:
            started = time.process_time()
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
        sent += 1

    node.create_timer(1.0 / rate, publish)
    while sent < count + _WARM_UP:
        executor.spin_once()
    cpu_ms = (time.process_time() - started) / count * 1e3
    time.sleep(0.2)
    node.destroy_node()
    rclpy.shutdown()
    return {'cpu_ms': cpu_ms}


def _receive(case: str) -> dict[str, float]:
    import rclpy
    from rclpy.time import Time

    _, count, _, _ = _CASES[case]
    node, qos = _node('receiver')
    latencies: list[float] = []
    started = 0.0

    def note(message: Any) -> None:
        nonlocal started
        sent_ns = Time.from_msg(message.header.stamp).nanoseconds
        latencies.append((time.time_ns() - sent_ns) / 1e6)
        if len(latencies) == _WARM_UP:
            started = time.process_time()

    node.create_subscription(type(_message(case)), 'bench', note, qos)
    # The last messages may be lost: best effort.
    enough = count + _WARM_UP - 5
    executor = rclpy.get_global_executor()
    executor.add_node(node)
    while len(latencies) < enough:
        executor.spin_once()
    cpu_ms = (time.process_time() - started) / (len(latencies) - _WARM_UP) * 1e3
    node.destroy_node()
    rclpy.shutdown()
    values = sorted(latencies[_WARM_UP:])
    return {
        'cpu_ms': cpu_ms,
        'p50_ms': values[len(values) // 2],
        'p99_ms': values[len(values) * 99 // 100],
    }


def _idle() -> dict[str, float]:
    import signal

    process = _start('idle', 'joints')
    try:
        time.sleep(2.0)
        before = _ticks(process.pid)
        time.sleep(3.0)
        if process.poll() is not None:
            raise RuntimeError(f'the idle node exited with {process.returncode}')
        ticks = _ticks(process.pid) - before
        with open(f'/proc/{process.pid}/statm') as file:
            pages = int(file.read().split()[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    return {
        'cpu_percent': ticks / os.sysconf('SC_CLK_TCK') / 3.0 * 100,
        'rss_mb': pages * os.sysconf('SC_PAGE_SIZE') / 1e6,
    }


def _ticks(pid: int) -> int:
    with open(f'/proc/{pid}/stat') as file:
        fields = file.read().rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def _spin_idle(case: str) -> dict[str, float]:
    import rclpy
    from std_srvs.srv import Trigger

    node, qos = _node('idle')
    for index in range(5):
        message = type(_message(case))
        node.create_subscription(message, f'topic{index}', lambda _: None, qos)
    node.create_service(Trigger, 'service', lambda _, response: response)
    with contextlib.suppress(KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        rclpy.spin(node)
    return {}


if __name__ == '__main__':
    roles: dict[str, Callable[[str], dict[str, float]]] = {
        'send': _send,
        'receive': _receive,
        'idle': _spin_idle,
    }
    print(json.dumps(roles[sys.argv[1]](sys.argv[2])))
