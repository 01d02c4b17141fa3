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

from g1_il.safety.hold_note import note_path

# Offscreen rendering, logs inside the temporary folder, and the graph on this machine only.
os.environ.setdefault('MUJOCO_GL', 'egl')

# Domains above 101 share their UDP ports with Linux' ephemeral ports.
# A graph's domain stays configured in this process when its test is over, and a robot's link
# wants to configure its own: never the same.
_GRAPH_DOMAINS = range(50, 75)
_ROBOT_DOMAINS = range(75, 100)


@contextmanager
def _free_domain(domains: range) -> Iterator[int]:
    """A DDS domain that no other test on this machine uses at the moment."""
    folder = Path(tempfile.gettempdir()) / 'g1_il_test_domains'
    folder.mkdir(exist_ok=True)
    start = os.getpid() % len(domains)
    for offset in range(len(domains)):
        domain = domains[(start + offset) % len(domains)]
        with open(folder / str(domain), 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            note_path(domain).unlink(missing_ok=True)  # of a bridge that an earlier test killed
            yield domain
            return
    raise RuntimeError(f'all DDS domains {domains} are in use by other tests')


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """The graph's domain for this test, set as ROS_DOMAIN_ID; logs go to the test's folder."""
    with _free_domain(_GRAPH_DOMAINS) as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
        yield domain


@pytest.fixture
def robot_domain() -> Iterator[int]:
    """The simulated robot's domain for this test."""
    with _free_domain(_ROBOT_DOMAINS) as domain:
        yield domain


@pytest.fixture(scope='module')
def module_robot_domain() -> Iterator[int]:
    """The same for all tests of a module, which share a simulated robot."""
    with _free_domain(_ROBOT_DOMAINS) as domain:
        yield domain


@pytest.fixture(scope='session')
def policy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that keeps the robot where it stands, whatever it sees."""
    import numpy as np
    import torch

    from g1_il.learn.checkpoint import Checkpoint
    from g1_il.learn.export import export_onnx
    from g1_il.learn.network import ChunkNetwork, NetworkConfig
    from g1_il.policy.contract import PolicyContract
    from g1_il.robot.joints import COMMAND_INDEX, COMMAND_JOINTS
    from g1_il.robot.poses import STANDING
    from g1_il.rows.streams import scene_names

    names = scene_names(('can', 'bin'))
    inputs = ('state', 'environment_state')
    torch.manual_seed(0)
    network = ChunkNetwork(
        NetworkConfig(inputs=inputs, environment=len(names), chunk=30, width=16, depth=1)
    )
    with torch.no_grad():
        network.action_mean.copy_(torch.from_numpy(STANDING[COMMAND_INDEX]))
        network.action_std.fill_(1e-3)
    contract = PolicyContract(
        joints=COMMAND_JOINTS,
        fps=30,
        chunk=30,
        execute=15,
        inputs=inputs,
        environment_names=names,
    )
    observations = {
        'state': np.zeros((2, 28), dtype=np.float32),
        'environment_state': np.zeros((2, len(names)), dtype=np.float32),
    }
    out = tmp_path_factory.mktemp('policy') / 'stand.onnx'
    export_onnx(Checkpoint(contract=contract, network=network.eval()), observations, out)
    return out
