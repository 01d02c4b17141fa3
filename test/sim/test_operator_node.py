# SPDX-License-Identifier: Apache-2.0
"""The operator node refuses what it cannot do, and does not wait for ever for a graph."""

import os
import signal
import subprocess
import sys
import time

import pytest

NODE = [sys.executable, '-m', 'g1_il.nodes.operator', '--ros-args']


@pytest.mark.parametrize(
    ('parameter', 'told'),
    [
        ('episodes:=0', 'episodes is 0'),
        ('seed:=900000', 'evaluation'),
        ("task:=' '", 'task is empty'),
    ],
)
def test_wrong_parameters_end_it_with_one_line(ros_domain: int, parameter: str, told: str) -> None:
    done = subprocess.run(
        [*NODE, '-p', parameter], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_signal_ends_it_while_it_waits_for_the_graph(ros_domain: int) -> None:
    process = subprocess.Popen(NODE, env=dict(os.environ))
    time.sleep(3.0)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
