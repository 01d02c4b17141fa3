# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the embedded runtime's tests: a domain of their own, nodes, other processes."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy

# Beside a real ROS 2 the embedded runtime is not installed, and there is nothing to test.
collect_ignore_glob = [] if importlib.util.find_spec('embedded_ros') else ['test_*.py']


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A DDS domain that no other test of this machine uses, set as ROS_DOMAIN_ID."""
    folder = Path(tempfile.gettempdir()) / 'g1_il_test_domains'  # shared with test/conftest.py
    folder.mkdir(exist_ok=True)
    for domain in range(50, 100):
        with open(folder / str(domain), 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
            yield domain
            return
    raise RuntimeError('all DDS domains from 50 to 99 are in use by other tests')


@pytest.fixture
def context(ros_domain: int) -> Iterator[rclpy.Context]:
    """An initialised context; everything in it is destroyed afterwards."""
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    yield context
    context.destroy()


@pytest.fixture
def executor(context: rclpy.Context) -> Iterator[Any]:
    """A single-threaded executor of the context."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=context)
    yield executor
    executor.shutdown()


@pytest.fixture
def make_node(context: rclpy.Context, executor: Any) -> Callable[..., Any]:
    """Makes nodes that the executor runs."""

    def make(name: str = 'node', **options: Any) -> Any:
        node = rclpy.create_node(name, context=context, **options)
        executor.add_node(node)
        return node

    return make


@pytest.fixture
def spin_until(executor: Any) -> Callable[..., None]:
    """Spins until something holds, at most for a while."""

    def spin(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        end = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < end, 'did not come true in time'
            executor.spin_once(timeout_sec=0.05)

    return spin


@pytest.fixture
def run_python(ros_domain: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python code in another process of the same domain; it is killed in the end."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, '-u', '-c', code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, 'ROS_DOMAIN_ID': str(ros_domain)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
