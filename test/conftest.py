# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every room's tests may use."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Offscreen rendering, logs inside the temporary folder, and the graph on this machine only.
os.environ.setdefault('MUJOCO_GL', 'egl')

# Domains above 101 share their UDP ports with Linux' ephemeral ports.
_DOMAINS = range(50, 100)


@contextmanager
def _free_domain() -> Iterator[int]:
    """A DDS domain that no other test on this machine uses at the moment."""
    folder = Path(tempfile.gettempdir()) / 'g1_il_test_domains'
    folder.mkdir(exist_ok=True)
    start = os.getpid() % len(_DOMAINS)
    for offset in range(len(_DOMAINS)):
        domain = _DOMAINS[(start + offset) % len(_DOMAINS)]
        with open(folder / str(domain), 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise RuntimeError(f'all DDS domains {_DOMAINS} are in use by other tests')


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """The graph's domain for this test, set as ROS_DOMAIN_ID; logs go to the test's folder."""
    with _free_domain() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
        yield domain


@pytest.fixture
def robot_domain() -> Iterator[int]:
    """The simulated robot's domain for this test."""
    with _free_domain() as domain:
        yield domain


@pytest.fixture(scope='module')
def module_robot_domain() -> Iterator[int]:
    """The same for all tests of a module, which share a simulated robot."""
    with _free_domain() as domain:
        yield domain
