# SPDX-License-Identifier: Apache-2.0
"""From the headset to the motors, through the graph as it runs: sim, bridge and retarget.

The right hand makes small sudden steps in frames that are sent as the XR node sends them. Their
answers are read on the robot's own wire, from rt/arm_sdk. The simulated robot draws no pictures,
as the robot draws none. Meanwhile another process only receives the frames: that is the baseline.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.node import Node
from std_srvs.srv import Trigger

from g1_il.link import layout, topics
from g1_il.link.sdk import Channels
from g1_il.msg import GateStatus, XrFrame
from g1_il.robot.joints import RIGHT_ARM_JOINTS, indices
from g1_il.ros import messages
from g1_il.ros.graph_client import GraphClient, GraphError
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.sim.operator import ScriptedOperator
from g1_il.srv import SelectSource

Array = npt.NDArray[np.float64]

GRAPH_DOMAIN, ROBOT_DOMAIN = 93, 92
PERIOD_S = 1 / 60
EVENTS = 201
STEP_M = 0.004
FRAMES_PER_EVENT = (10, 11, 12, 13)
"""So that the answer has come to rest, and steps fall anywhere between two control steps."""
QUIET_NS, ANSWER_NS = 60_000_000, 150_000_000
LEAST_RAD = 3e-5
"""Change of a commanded joint between two LowCmd that counts as an answer."""
NODES = {
    'sim': [
        *('-p', f'robot_domain:={ROBOT_DOMAIN}', '-p', 'interface:=lo'),
        *('-p', 'lowstate_rate_hz:=500.0', '-p', 'render:=false'),
    ],
    'bridge': ['-p', f'robot_domain:={ROBOT_DOMAIN}', '-p', 'interface:=lo'],
    'retarget': [],
}


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    os.environ['ROS_DOMAIN_ID'] = str(GRAPH_DOMAIN)
    with _graph() as processes, _listener() as listener, _Headset() as headset:
        headset.engage()
        before_s = {name: _cpu_s(process.pid) for name, process in processes.items()}
        began_s = time.monotonic()
        steps_ns = headset.make_steps()
        passed_s = time.monotonic() - began_s
        shares = {
            name: 100.0 * (_cpu_s(process.pid) - before_s[name]) / passed_s
            for name, process in processes.items()
        }
        wire = headset.wire()
        listener.send_signal(signal.SIGINT)
        heard_ms = np.array(json.loads(listener.communicate(timeout=20.0)[0]))
    first_ms, half_ms = answers(*wire, steps_ns)
    bare = 'the same frames received by a bare process'
    rows = [
        _row(
            f'headset to motor: frame to the first LowCmd that answers, IK and gate, p{percent}',
            float(np.percentile(first_ms, percent)),
            'ms',
            bare,
            float(np.percentile(heard_ms, percent)),
        )
        for percent in (50, 99)
    ]
    rows.append(
        _row(
            "headset to motor: until half of the step is commanded, gate's interpolation, p50",
            float(np.percentile(half_ms, 50)),
            'ms',
            'one sending interval of the headset',
            PERIOD_S * 1e3,
        )
    )
    whats = {
        'sim': '500 Hz LowState, no pictures',
        'bridge': '250 Hz, following',
        'retarget': '60 Hz frames',
    }
    rows += [
        _row(f'graph: {name}, {whats[name]}', share, '% of a core', 'one core', 100.0)
        for name, share in shares.items()
    ]
    return rows


def answers(stamps_ns: Array, joints: Array, steps_ns: list[int]) -> tuple[Array, Array]:
    """How long after each step of the hand the robot was commanded to move.

    Args:
        stamps_ns: When each LowCmd came [ns], shape (N,).
        joints: Its joints of the right arm [rad], shape (N, 7).
        steps_ns: Stamps of the frames with the steps [ns].

    Returns:
        Times [ms] to the first LowCmd that differs, and to the one that is half-way there.
    """
    changes = np.abs(np.diff(joints, axis=0, prepend=joints[:1])).max(axis=1)
    first_ms, half_ms = [], []
    for step_ns in steps_ns:
        quiet = slice(*np.searchsorted(stamps_ns, [step_ns - QUIET_NS, step_ns]))
        answer = slice(*np.searchsorted(stamps_ns, [step_ns, step_ns + ANSWER_NS]))
        threshold = max(LEAST_RAD, 3.0 * float(changes[quiet].max(initial=0.0)))
        moved = np.flatnonzero(changes[answer] > threshold)
        if not len(moved):
            continue
        way = joints[answer][-1] - joints[answer][0]
        joint = int(np.abs(way).argmax())
        share = (joints[answer][:, joint] - joints[answer][0, joint]) / way[joint]
        since_ms = (stamps_ns[answer] - step_ns) * 1e-6
        first_ms.append(since_ms[moved[0]])
        half_ms.append(since_ms[np.flatnonzero(share >= 0.5)[0]])
    if len(first_ms) < 0.95 * len(steps_ns):
        raise RuntimeError(f'only {len(first_ms)} of {len(steps_ns)} steps were answered')
    return np.array(first_ms), np.array(half_ms)


class _Headset:
    """Sends frames, and listens on the robot's wire to what comes of them."""

    def __init__(self) -> None:
        rclpy.init(args=[])
        self._node = Node('headset')
        self._frames = self._node.create_publisher(XrFrame, 'xr/frame', SENSOR)
        self._gate = GateStatus.DISARMED
        self._node.create_subscription(GateStatus, 'gate/status', self._on_gate, STATUS)
        self._client = GraphClient(
            self._node,
            {
                'gate/arm': Trigger,
                'gate/select_source': SelectSource,
                'retarget/engage': Trigger,
            },
        )
        self._still = ScriptedOperator('pick_place', 0).rest(0)
        self._due_s = 0.0
        self._heard: list[tuple[int, bytes]] = []
        self._wire = Channels(ROBOT_DOMAIN, 'lo')
        self._wire.reader(topics.ARM_SDK, 'LowCmd_', self._on_command)

    def engage(self) -> None:
        """Arms, engages and waits until the robot follows and has come to rest."""
        until_s = time.monotonic() + 40.0
        while True:
            try:
                self._client.call('gate/arm', Trigger.Request())
                break
            except GraphError:  # it has not yet heard both hands
                if time.monotonic() > until_s:
                    raise
                time.sleep(0.2)
        self._client.wait(lambda: self._gate == GateStatus.HOLD, 'the gate to hold')
        self._client.wait(
            lambda: self._frames.get_subscription_count() == 2, 'retarget and the listener'
        )
        self._client.call('gate/select_source', SelectSource.Request(source='teleop'))
        self._client.call('retarget/engage', Trigger.Request())
        self._due_s = time.monotonic()
        for _ in range(round(3.0 / PERIOD_S)):
            self._send(0.0)
            rclpy.spin_once(self._node, timeout_sec=0.0)
        if self._gate != GateStatus.ACTIVE:
            raise RuntimeError(f'the gate does not follow: state {self._gate}')

    def make_steps(self) -> list[int]:
        """Sends frames whose hand steps to and fro; returns the stamps of the steps [ns]."""
        random = np.random.default_rng(0)
        steps_ns = []
        for event in range(EVENTS):
            sent_ns = [
                self._send(STEP_M * (event % 2)) for _ in range(random.choice(FRAMES_PER_EVENT))
            ]
            steps_ns.append(sent_ns[0])
        return steps_ns[1:]  # the first is none

    def wire(self) -> tuple[Array, Array]:
        """Receipt [ns] and right arm [rad] of the commands heard so far."""
        arm = indices(RIGHT_ARM_JOINTS)
        structs = [layout.low_from_cdr(data, layout.LOW_CMD) for _, data in self._heard]
        return (
            np.array([stamp_ns for stamp_ns, _ in self._heard], dtype=np.int64),
            np.array([struct['motor_cmd'][0]['q'][arm] for struct in structs], dtype=np.float64),
        )

    def _send(self, height_m: float) -> int:
        """Sends the next frame when it is due; returns its stamp [ns]."""
        self._due_s += PERIOD_S
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        right = self._still.right
        stamp_ns = time.time_ns()
        frame = replace(
            self._still,
            stamp_ns=stamp_ns,
            right=replace(right, position=right.position + np.array([0.0, 0.0, height_m])),
        )
        self._frames.publish(messages.frame_to_msg(frame))
        return stamp_ns

    def _on_command(self, data: bytes) -> None:
        self._heard.append((time.time_ns(), data))

    def _on_gate(self, msg: GateStatus) -> None:
        self._gate = msg.state

    def __enter__(self) -> _Headset:
        return self

    def __exit__(self, *exception: object) -> None:
        self._wire.close()
        self._node.destroy_node()
        rclpy.shutdown()


@contextmanager
def _graph() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The three nodes as processes; ended in the order in which a robot is left."""
    processes = {
        name: subprocess.Popen(
            [sys.executable, '-m', f'g1_il.nodes.{name}', '--ros-args', *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name, arguments in NODES.items()
    }
    try:
        yield processes
    finally:
        for name in ('retarget', 'bridge', 'sim'):
            process = processes[name]
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _listener() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, __file__, 'listen'], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def listen() -> list[float]:
    """Receives frames until SIGINT; returns how old they were [ms]."""
    ages_ms: list[float] = []

    def note(msg: XrFrame) -> None:
        ages_ms.append((time.time_ns() - messages.stamp_to_ns(msg.header.stamp)) * 1e-6)

    rclpy.init(args=[])
    node = Node('listener')
    node.create_subscription(XrFrame, 'xr/frame', note, SENSOR)
    with contextlib.suppress(KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        rclpy.spin(node)
    return ages_ms


def _cpu_s(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _row(
    name: str, value: float, unit: str, baseline: str, baseline_value: float
) -> dict[str, Any]:
    return {
        'name': name,
        'value': value,
        'unit': unit,
        'baseline': baseline,
        'baseline_value': baseline_value,
        'ratio': value / baseline_value,
    }


if __name__ == '__main__':
    print(json.dumps(listen()))
